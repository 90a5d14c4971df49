// The probes that `stalewalk record-help` sets, as lines of tracefs `kprobe_events` without the group (x86-64: arguments
// are in di, si, dx, cx, r8, r9; the return address is $stack0). Most lines hold for every kernel; the others name the
// records of record-kernels.ts that they begin or end with.
import { RECORD_KERNELS, type RecordKernel } from "./record-kernels.js";

/** A probe of some kernels only. */
interface Probe {
  readonly line: string;
  /** The first record that has it. */
  readonly since?: RecordKernel;
  /** The first record that no longer has it. */
  readonly until?: RecordKernel;
}

const since = (kernel: RecordKernel, line: string): Probe => ({ line, since: kernel });
const until = (kernel: RecordKernel, line: string): Probe => ({ line, until: kernel });

const NOTIFIER = "mm=%si:x64 start=%dx:x64 end=%cx:x64";
const VMALLOC = "size=%di:x64 align=%si:x64 start=%dx:x64 end=%cx:x64 vm_flags=$stack1:x64 caller=$stack3:symbol";
/** Who gives a page back: the caller's name for the reader, its address for the filter. */
const CALLER = "caller=$stack0:symbol pc=$stack0:x64";
/** Where struct pages begin: with it the reader knows the frame. The script leaves it out where the kernel has no such symbol. */
const BASE = "base=@vmemmap_base:x64";
/** Where the direct map begins: the same for pages named by their address. */
const DIRECT_MAP = "base=@page_offset_base:x64";

const PROBES: readonly (string | Probe)[] = [
  "p:flush_kernel_range flush_tlb_kernel_range start=%di:x64 end=%si:x64 caller=$stack0:symbol",
  "p:flush_all flush_tlb_all caller=$stack0:symbol",
  "p:do_flush_all do_flush_tlb_all",
  "p:do_kernel_range_flush do_kernel_range_flush start=+8(%di):x64 end=+16(%di):x64",
  "p:local_flush_all __flush_tlb_all caller=$stack0:symbol",
  "p:flush_one_kernel flush_tlb_one_kernel addr=%di:x64 caller=$stack0:symbol pc=$stack0:x64",
  "p:flush_mm_range flush_tlb_mm_range mm=%di:x64 start=%si:x64 end=%dx:x64 stride_shift=%cx:u32 freed_tables=%r8:u8 caller=$stack0:symbol",
  "p:flush_multi native_flush_tlb_multi mask=+0(%di):x64 mm=+0(%si):x64 start=+8(%si):x64 end=+16(%si):x64",
  "p:tlbbatch_flush arch_tlbbatch_flush",
  "p:pmd_free_pte_page pmd_free_pte_page pmd=%di:x64 addr=%si:x64 entry=+0(%di):x64",
  "r10:pmd_free_pte_page_ret pmd_free_pte_page ret=$retval:s32",
  "p:pud_free_pmd_page pud_free_pmd_page pud=%di:x64 addr=%si:x64 entry=+0(%di):x64",
  "r10:pud_free_pmd_page_ret pud_free_pmd_page ret=$retval:s32",
  since("6.6", "p:remove_pagetable remove_pagetable start=%di:x64 end=%si:x64 direct=%dx:u8"),
  "p:vmemmap_free vmemmap_free start=%di:x64 end=%si:x64",
  since("6.6", "p:vmemmap_populate vmemmap_populate start=%di:x64 end=%si:x64 node=%dx:s32"),
  since(
    "6.6",
    "p:kernel_physical_mapping_init kernel_physical_mapping_init pstart=%di:x64 pend=%si:x64 page_size_mask=%dx:x64",
  ),
  "p:arch_add_memory arch_add_memory nid=%di:s32 start=%si:x64 size=%dx:x64",
  "p:arch_remove_memory arch_remove_memory start=%di:x64 size=%si:x64",
  "p:pte_alloc_kernel __pte_alloc_kernel pmd=%di:x64 entry=+0(%di):x64",
  "p:pmd_alloc __pmd_alloc mm=%di:x64 pud=%si:x64 addr=%dx:x64",
  "p:pud_alloc __pud_alloc mm=%di:x64 p4d=%si:x64 addr=%dx:x64",
  "p:sync_global_pgds sync_global_pgds start=%di:x64 end=%si:x64",
  "p:arch_sync_kernel_mappings arch_sync_kernel_mappings start=%di:x64 end=%si:x64",
  `p:free_pages free_pages addr=%di:x64 order=%si:u32 ${CALLER} ${DIRECT_MAP}`,
  until("6.15", `p:__free_pages __free_pages page=%di:x64 order=%si:u32 ${CALLER}`),
  since("6.15", `p:__free_pages __free_pages page=%di:x64 order=%si:u32 ${CALLER} ${BASE}`),
  // Frees are deferred from 6.18.7 on; a kernel without it refuses these.
  since("6.18", `p:pagetable_free_kernel pagetable_free_kernel page=%di:x64 ${CALLER} ${BASE}`),
  since("6.18", "p:kernel_pgtable_work kernel_pgtable_work_func"),
  "p:pgd_alloc pgd_alloc mm=%di:x64",
  "p:pgd_free pgd_free mm=%di:x64 pgd=%si:x64",
  "p:user_pte_free ___pte_free_tlb page=%si:x64",
  "p:user_pmd_free ___pmd_free_tlb pmd=%si:x64",
  "p:user_pud_free ___pud_free_tlb pud=%si:x64",
  // Allocation functions have a twin without profiling since 6.10.
  until("6.12", `p:vmalloc_range __vmalloc_node_range ${VMALLOC}`),
  until("6.12", "r200:vmalloc_range_ret __vmalloc_node_range ret=$retval:x64"),
  since("6.12", `p:vmalloc_range __vmalloc_node_range_noprof ${VMALLOC}`),
  since("6.12", "r200:vmalloc_range_ret __vmalloc_node_range_noprof ret=$retval:x64"),
  "p:vfree vfree addr=%di:x64",
  "p:vfree_atomic vfree_atomic addr=%di:x64",
  "p:vunmap vunmap addr=%di:x64",
  "p:vmap vmap count=%si:u32 flags=%dx:x64",
  "r10:vmap_ret vmap ret=$retval:x64",
  "p:remove_vm_area remove_vm_area addr=%di:x64",
  "p:purge_lazy __purge_vmap_area_lazy start=%di:x64 end=%si:x64",
  "p:free_vmap_area free_vmap_area_noflush va_start=+0(%di):x64 va_end=+8(%di):x64",
  "p:vm_unmap_aliases vm_unmap_aliases caller=$stack0:symbol",
  "p:vm_map_ram vm_map_ram count=%si:u32",
  "r10:vm_map_ram_ret vm_map_ram ret=$retval:x64",
  "p:vm_unmap_ram vm_unmap_ram addr=%di:x64 count=%si:u32",
  "p:vmap_pages_range __vmap_pages_range_noflush start=%di:x64 end=%si:x64 prot=%dx:x64 page_shift=%r8:u32",
  "p:vmap_range vmap_range_noflush start=%di:x64 end=%si:x64 phys=%dx:x64 prot=%cx:x64 max_shift=%r8:u32",
  "p:vunmap_range_noflush __vunmap_range_noflush start=%di:x64 end=%si:x64",
  "p:ioremap __ioremap_caller phys=%di:x64 size=%si:x64 pcm=%dx:u32 caller=%cx:symbol",
  "r10:ioremap_ret __ioremap_caller ret=$retval:x64",
  "p:iounmap iounmap addr=%di:x64",
  "p:set_memory_ro set_memory_ro addr=%di:x64 numpages=%si:s32",
  "p:set_memory_rw set_memory_rw addr=%di:x64 numpages=%si:s32",
  "p:set_memory_x set_memory_x addr=%di:x64 numpages=%si:s32",
  "p:set_memory_nx set_memory_nx addr=%di:x64 numpages=%si:s32",
  since("6.6", "p:set_memory_rox set_memory_rox addr=%di:x64 numpages=%si:s32"),
  "p:set_memory_np set_memory_np addr=%di:x64 numpages=%si:s32",
  since("6.6", "p:set_memory_p set_memory_p addr=%di:x64 numpages=%si:s32"),
  "p:set_memory_4k set_memory_4k addr=%di:x64 numpages=%si:s32",
  "p:set_memory_uc set_memory_uc addr=%di:x64 numpages=%si:s32",
  "p:set_memory_wc set_memory_wc addr=%di:x64 numpages=%si:s32",
  "p:set_memory_wb set_memory_wb addr=%di:x64 numpages=%si:s32",
  "p:cpa change_page_attr_set_clr addr=+0(%di):x64 numpages=%si:s32 set=%dx:x64 clr=%cx:x64 force_split=%r8:s32 in_flag=%r9:x32",
  "p:cpa_flush cpa_flush vaddr=+0(+0(%di)):x64 numpages=+40(%di):u64 cache=%si:s32",
  "p:set_direct_map_invalid set_direct_map_invalid_noflush page=%di:x64",
  "p:set_direct_map_default set_direct_map_default_noflush page=%di:x64",
  // Memory for code came from module_alloc before 6.10.
  until("6.12", "p:module_alloc module_alloc size=%di:x64"),
  until("6.12", "r10:module_alloc_ret module_alloc ret=$retval:x64"),
  until("6.12", "p:module_memfree module_memfree addr=%di:x64"),
  since("6.12", "p:execmem_alloc execmem_alloc type=%di:u32 size=%si:x64"),
  since("6.12", "r10:execmem_alloc_ret execmem_alloc ret=$retval:x64"),
  since("6.12", "p:execmem_free execmem_free addr=%di:x64"),
  "p:bpf_jit_alloc_exec bpf_jit_alloc_exec size=%di:x64",
  "p:bpf_jit_free_exec bpf_jit_free_exec addr=%di:x64",
  "p:bpf_pack_alloc bpf_prog_pack_alloc size=%di:u32",
  "r10:bpf_pack_alloc_ret bpf_prog_pack_alloc ret=$retval:x64",
  "p:bpf_pack_free bpf_prog_pack_free addr=%di:x64",
  "p:text_poke __text_poke addr=%si:x64 len=%cx:u64",
  "p:qi_submit_sync qi_submit_sync iommu=%di:x64 qw0=+0(%si):x64 qw1=+8(%si):x64 count=%dx:u32",
  since("6.12", "p:iommu_cache_tag_flush_range cache_tag_flush_range domain=%di:x64 start=%si:x64 end=%dx:x64"),
  since("6.12", "p:iommu_cache_tag_flush_all cache_tag_flush_all domain=%di:x64"),
  until("7.3", "p:iommu_map_pages intel_iommu_map_pages iova=%si:x64 phys=%dx:x64 pgsize=%cx:x64 pgcount=%r8:u64"),
  until("7.3", "p:iommu_free_pgtables domain_unmap start=%si:x64 last=%dx:x64"),
  "p:iommu_sva_bind iommu_sva_bind_device dev=%di:x64 mm=%si:x64",
  "p:iommu_sva_unbind iommu_sva_unbind_device handle=%di:x64",
  until("6.6", `p:intel_invalidate_secondary_tlbs intel_invalidate_range ${NOTIFIER}`),
  since("6.6", `p:intel_invalidate_secondary_tlbs intel_arch_invalidate_secondary_tlbs ${NOTIFIER}`),
  since("6.18", "p:iommu_sva_invalidate_kva_range iommu_sva_invalidate_kva_range start=%di:x64 end=%si:x64"),
];

/** The probes for a kernel: lines `TYPE:NAME FUNCTION ARGUMENTS`. */
export function probesFor(kernel: RecordKernel): readonly string[] {
  const at = (version: RecordKernel): number => RECORD_KERNELS.indexOf(version);
  return PROBES.flatMap((probe) => {
    if (typeof probe === "string") return [probe];
    const { since = kernel, until } = probe;
    const has = at(since) <= at(kernel) && (until === undefined || at(kernel) < at(until));
    return has ? [probe.line] : [];
  });
}

/** The event's name in a probe line. */
export function probeName(line: string): string {
  return line.slice(line.indexOf(":") + 1, line.indexOf(" ") < 0 ? undefined : line.indexOf(" "));
}
