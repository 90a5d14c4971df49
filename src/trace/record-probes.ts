// The probes that `stalewalk record-help` sets, as lines of tracefs `kprobe_events` without the group (x86-64: arguments
// are in di, si, dx, cx, r8, r9; the return address is $stack0). The list is that of Linux 6.12; other kernels differ by
// the tables below it.

/** Kernels for which the probes are known. */
export const RECORD_KERNELS = ["6.1", "6.6", "6.12", "6.18"] as const;

/** A kernel version of {@link RECORD_KERNELS}; use the nearest one not above yours. */
export type RecordKernel = (typeof RECORD_KERNELS)[number];

const PROBES_612: readonly string[] = [
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
  "p:remove_pagetable remove_pagetable start=%di:x64 end=%si:x64 direct=%dx:u8",
  "p:vmemmap_free vmemmap_free start=%di:x64 end=%si:x64",
  "p:vmemmap_populate vmemmap_populate start=%di:x64 end=%si:x64 node=%dx:s32",
  "p:kernel_physical_mapping_init kernel_physical_mapping_init pstart=%di:x64 pend=%si:x64 page_size_mask=%dx:x64",
  "p:arch_add_memory arch_add_memory nid=%di:s32 start=%si:x64 size=%dx:x64",
  "p:arch_remove_memory arch_remove_memory start=%di:x64 size=%si:x64",
  "p:pte_alloc_kernel __pte_alloc_kernel pmd=%di:x64 entry=+0(%di):x64",
  "p:pmd_alloc __pmd_alloc mm=%di:x64 pud=%si:x64 addr=%dx:x64",
  "p:pud_alloc __pud_alloc mm=%di:x64 p4d=%si:x64 addr=%dx:x64",
  "p:sync_global_pgds sync_global_pgds start=%di:x64 end=%si:x64",
  "p:arch_sync_kernel_mappings arch_sync_kernel_mappings start=%di:x64 end=%si:x64",
  "p:free_pages free_pages addr=%di:x64 order=%si:u32 caller=$stack0:symbol pc=$stack0:x64",
  "p:__free_pages __free_pages page=%di:x64 order=%si:u32 caller=$stack0:symbol pc=$stack0:x64",
  "p:pgd_alloc pgd_alloc mm=%di:x64",
  "p:pgd_free pgd_free mm=%di:x64 pgd=%si:x64",
  "p:user_pte_free ___pte_free_tlb page=%si:x64",
  "p:user_pmd_free ___pmd_free_tlb pmd=%si:x64",
  "p:user_pud_free ___pud_free_tlb pud=%si:x64",
  "p:vmalloc_range __vmalloc_node_range_noprof size=%di:x64 align=%si:x64 start=%dx:x64 end=%cx:x64 vm_flags=$stack1:x64 caller=$stack3:symbol",
  "r200:vmalloc_range_ret __vmalloc_node_range_noprof ret=$retval:x64",
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
  "p:set_memory_rox set_memory_rox addr=%di:x64 numpages=%si:s32",
  "p:set_memory_np set_memory_np addr=%di:x64 numpages=%si:s32",
  "p:set_memory_p set_memory_p addr=%di:x64 numpages=%si:s32",
  "p:set_memory_4k set_memory_4k addr=%di:x64 numpages=%si:s32",
  "p:set_memory_uc set_memory_uc addr=%di:x64 numpages=%si:s32",
  "p:set_memory_wc set_memory_wc addr=%di:x64 numpages=%si:s32",
  "p:set_memory_wb set_memory_wb addr=%di:x64 numpages=%si:s32",
  "p:cpa change_page_attr_set_clr addr=+0(%di):x64 numpages=%si:s32 set=%dx:x64 clr=%cx:x64 force_split=%r8:s32 in_flag=%r9:x32",
  "p:cpa_flush cpa_flush vaddr=+0(+0(%di)):x64 numpages=+40(%di):u64 cache=%si:s32",
  "p:set_direct_map_invalid set_direct_map_invalid_noflush page=%di:x64",
  "p:set_direct_map_default set_direct_map_default_noflush page=%di:x64",
  "p:execmem_alloc execmem_alloc type=%di:u32 size=%si:x64",
  "r10:execmem_alloc_ret execmem_alloc ret=$retval:x64",
  "p:execmem_free execmem_free addr=%di:x64",
  "p:bpf_jit_alloc_exec bpf_jit_alloc_exec size=%di:x64",
  "p:bpf_jit_free_exec bpf_jit_free_exec addr=%di:x64",
  "p:bpf_pack_alloc bpf_prog_pack_alloc size=%di:u32",
  "r10:bpf_pack_alloc_ret bpf_prog_pack_alloc ret=$retval:x64",
  "p:bpf_pack_free bpf_prog_pack_free addr=%di:x64",
  "p:text_poke __text_poke addr=%si:x64 len=%cx:u64",
  "p:qi_submit_sync qi_submit_sync iommu=%di:x64 qw0=+0(%si):x64 qw1=+8(%si):x64 count=%dx:u32",
  "p:iommu_cache_tag_flush_range cache_tag_flush_range domain=%di:x64 start=%si:x64 end=%dx:x64",
  "p:iommu_cache_tag_flush_all cache_tag_flush_all domain=%di:x64",
  "p:iommu_map_pages intel_iommu_map_pages iova=%si:x64 phys=%dx:x64 pgsize=%cx:x64 pgcount=%r8:u64",
  "p:iommu_free_pgtables domain_unmap start=%si:x64 last=%dx:x64",
];

/** SVA, on every kernel that has it. */
const SVA: readonly string[] = [
  "p:iommu_sva_bind iommu_sva_bind_device dev=%di:x64 mm=%si:x64",
  "p:iommu_sva_unbind iommu_sva_unbind_device handle=%di:x64",
];

const NOTIFIER = "mm=%si:x64 start=%dx:x64 end=%cx:x64";

/** Probes that one kernel has beyond the common list. */
const FURTHER: Readonly<Record<RecordKernel, readonly string[]>> = {
  "6.1": [`p:intel_invalidate_secondary_tlbs intel_invalidate_range ${NOTIFIER}`],
  "6.6": [`p:intel_invalidate_secondary_tlbs intel_arch_invalidate_secondary_tlbs ${NOTIFIER}`],
  "6.12": [`p:intel_invalidate_secondary_tlbs intel_arch_invalidate_secondary_tlbs ${NOTIFIER}`],
  // The deferred free of kernel tables came with 6.18.7, the collapse of large pages with 6.15.
  "6.18": [
    `p:intel_invalidate_secondary_tlbs intel_arch_invalidate_secondary_tlbs ${NOTIFIER}`,
    "p:iommu_sva_invalidate_kva_range iommu_sva_invalidate_kva_range start=%di:x64 end=%si:x64",
    "p:pagetable_free_kernel pagetable_free_kernel page=%di:x64",
    "p:kernel_pgtable_work kernel_pgtable_work_func",
    "p:cpa_collapse cpa_collapse_large_pages",
  ],
};

/** Names of common probes whose function a kernel does not have, or does not let be probed. */
const ABSENT: Readonly<Record<RecordKernel, readonly string[]>> = {
  "6.1": [
    "remove_pagetable",
    "vmemmap_populate",
    "kernel_physical_mapping_init",
    "set_memory_rox",
    "set_memory_p",
    "iommu_cache_tag_flush_range",
    "iommu_cache_tag_flush_all",
  ],
  "6.6": ["iommu_cache_tag_flush_range", "iommu_cache_tag_flush_all"],
  "6.12": [],
  "6.18": [],
};

/** Before 6.10 code memory came from module_alloc, and allocation functions had no _noprof twin. */
const BEFORE_610: Readonly<Record<string, string>> = {
  "p:execmem_alloc execmem_alloc type=%di:u32 size=%si:x64": "p:module_alloc module_alloc size=%di:x64",
  "r10:execmem_alloc_ret execmem_alloc ret=$retval:x64": "r10:module_alloc_ret module_alloc ret=$retval:x64",
  "p:execmem_free execmem_free addr=%di:x64": "p:module_memfree module_memfree addr=%di:x64",
};

/** The probes for a kernel: lines `TYPE:NAME FUNCTION ARGUMENTS`. */
export function probesFor(kernel: RecordKernel): readonly string[] {
  const absent = ABSENT[kernel];
  const old = kernel === "6.1" || kernel === "6.6";
  const common = PROBES_612.filter((line) => !absent.includes(probeName(line)));
  const adapted = old
    ? common.map((line) => (BEFORE_610[line] ?? line).replace("_node_range_noprof", "_node_range"))
    : common;
  return [...adapted, ...SVA, ...FURTHER[kernel]];
}

/** The event's name in a probe line. */
export function probeName(line: string): string {
  return line.slice(line.indexOf(":") + 1, line.indexOf(" ") < 0 ? undefined : line.indexOf(" "));
}
