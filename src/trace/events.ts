// The events the reader knows, as data: name, fields, and how the fields are written.
// Probes are named as in `stalewalk record-help`; tracepoint texts follow include/trace/events/{tlb,vmalloc,iommu,mmap,
// module}.h and drivers/iommu/intel/trace.h. Where kernels differ, an event has several texts, tried in order.

/**
 * How a field is written. `number`: decimal, negative decimal, or 0x and hexadecimal. `hex`: hexadecimal without 0x.
 * `symbol`: a kernel symbol, perhaps with ` [module]`. `word`: up to the next fixed character. `text`: up to the next fixed text.
 */
export type FieldType = "number" | "hex" | "symbol" | "word" | "text";

/** All field types, for checks of user-written definitions. */
export const FIELD_TYPES: readonly FieldType[] = ["number", "hex", "symbol", "word", "text"];

/** One field of an event. */
export interface FieldDefinition {
  /** Name as printed. */
  readonly name: string;
  /** How its value is written. */
  readonly type: FieldType;
  /** True if a line without it is still whole. */
  readonly optional?: boolean;
}

/** One event. */
export interface EventDefinition {
  /** Name as printed, without the group. */
  readonly name: string;
  /** Trace system of a tracepoint; `kprobes` for probes, which may be in any group. */
  readonly system: string;
  /** Fields, in the order in which batches hold them. */
  readonly fields: readonly FieldDefinition[];
  /**
   * `probe`: `(where) name=value ...`, fields in any order. Otherwise one or more texts with `{field}` in them, e.g.
   * `pages:{pages} reason:{reason_text} ({reason})`.
   */
  readonly layout: "probe" | readonly string[];
}

/** Most fields an event may have: as many as the module that reads lines has room for. */
export { maxFields as MAX_FIELDS } from "./abi.js";

/** Short form: `"start end caller:symbol?"` is two numbers and a symbol that may be missing. */
function fields(list: string): FieldDefinition[] {
  return list
    .split(" ")
    .filter((item) => item !== "")
    .map((item) => {
      const optional = item.endsWith("?");
      const [name, type] = (optional ? item.slice(0, -1) : item).split(":");
      const field: FieldDefinition = { name: name!, type: (type as FieldType | undefined) ?? "number" };
      return optional ? { ...field, optional } : field;
    });
}

function probes(table: Record<string, string>): EventDefinition[] {
  return Object.entries(table).map(([name, list]) => ({
    name,
    system: "kprobes",
    fields: fields(list),
    layout: "probe",
  }));
}

function point(system: string, name: string, list: string, ...layout: string[]): EventDefinition {
  return { name, system, fields: fields(list), layout };
}

const CACHE_TAG = "{unit}/{device} type {type} did {domain} pasid {pasid} ref {users}";
const CACHE_TAG_FIELDS = "unit:word device:word type:word domain pasid users";
const CACHE_RANGE = "{unit} {device}[{pasid}] type {type} did {domain} [{start}-{end}] addr {addr}";
const CACHE_RANGE_FIELDS = "unit:word device:word pasid type:word domain start end addr pages? mask";
const CACHE_RANGE_TEXTS = [`${CACHE_RANGE} pages {pages} mask {mask}`, `${CACHE_RANGE} mask {mask}`];

const SET_MEMORY = ["ro", "rw", "x", "nx", "rox", "np", "p", "4k", "uc", "wc", "wb"];

/** The built-in events. */
export const EVENTS: readonly EventDefinition[] = [
  ...probes({
    // TLB flushes: calls, then their execution on each CPU
    flush_kernel_range: "start end caller:symbol?",
    flush_all: "caller:symbol?",
    do_flush_all: "",
    do_kernel_range_flush: "start end",
    local_flush_all: "caller:symbol?",
    flush_one_kernel: "addr caller:symbol? pc?",
    flush_mm_range: "mm start end stride_shift freed_tables caller:symbol?",
    flush_multi: "mask mm start end",
    tlbbatch_flush: "",
    // kernel page tables
    pmd_free_pte_page: "pmd addr entry",
    pmd_free_pte_page_ret: "ret",
    pud_free_pmd_page: "pud addr entry",
    pud_free_pmd_page_ret: "ret",
    pte_alloc_kernel: "pmd entry",
    pmd_alloc: "mm pud addr",
    pud_alloc: "mm p4d addr",
    sync_global_pgds: "start end",
    arch_sync_kernel_mappings: "start end",
    free_pages: "addr order caller:symbol? pc? base?",
    __free_pages: "page order caller:symbol? pc? base?",
    ___free_pages: "page order caller:symbol? pc? base?",
    pagetable_free_kernel: "page? caller:symbol? pc? base?",
    kernel_pgtable_work: "",
    // memory hotplug
    remove_pagetable: "start end direct",
    vmemmap_free: "start end",
    vmemmap_populate: "start end node",
    kernel_physical_mapping_init: "pstart pend page_size_mask",
    arch_add_memory: "nid start size",
    arch_remove_memory: "start size",
    // user address spaces
    pgd_alloc: "mm",
    pgd_free: "mm pgd",
    user_pte_free: "page",
    user_pmd_free: "pmd",
    user_pud_free: "pud",
    // vmalloc
    vmalloc_range: "size align start end vm_flags? caller:symbol?",
    vmalloc_range_ret: "ret",
    vfree: "addr",
    vfree_atomic: "addr",
    vunmap: "addr",
    vmap: "count flags",
    vmap_ret: "ret",
    remove_vm_area: "addr",
    purge_lazy: "start end",
    free_vmap_area: "va_start va_end",
    vm_unmap_aliases: "caller:symbol?",
    vm_map_ram: "count",
    vm_map_ram_ret: "ret",
    vm_unmap_ram: "addr count",
    vmap_pages_range: "start end prot page_shift",
    vmap_range: "start end phys prot max_shift",
    vunmap_range_noflush: "start end",
    ioremap: "phys size pcm caller:symbol?",
    ioremap_ret: "ret",
    iounmap: "addr",
    // attribute changes
    ...Object.fromEntries(SET_MEMORY.map((kind) => [`set_memory_${kind}`, "addr numpages"])),
    cpa: "addr numpages set clr force_split in_flag",
    cpa_flush: "vaddr numpages cache",
    cpa_collapse: "",
    set_direct_map_invalid: "page",
    set_direct_map_default: "page",
    // code
    execmem_alloc: "type size",
    execmem_alloc_ret: "ret",
    execmem_free: "addr",
    module_alloc: "size",
    module_alloc_ret: "ret",
    module_memfree: "addr",
    bpf_jit_alloc_exec: "size",
    bpf_jit_free_exec: "addr",
    bpf_pack_alloc: "size",
    bpf_pack_alloc_ret: "ret",
    bpf_pack_free: "addr",
    text_poke: "addr len",
    // IOMMU
    qi_submit_sync: "iommu qw0 qw1 count",
    iommu_cache_tag_flush_range: "domain start end",
    iommu_cache_tag_flush_all: "domain",
    iommu_map_pages: "iova phys pgsize pgcount",
    iommu_free_pgtables: "start last",
    iommu_sva_invalidate_kva_range: "start end",
    iommu_sva_bind: "dev? mm?",
    iommu_sva_unbind: "handle?",
    intel_invalidate_secondary_tlbs: "mm? start end",
  }),
  point(
    "tlb",
    "tlb_flush",
    "pages reason_text:text reason",
    "pages:{pages} reason:{reason_text} ({reason})",
    // trace-cmd's own plug-in, which `report -N` leaves out
    "pages={pages} reason={reason_text} ({reason})",
  ),
  point(
    "vmalloc",
    "alloc_vmap_area",
    "va_start size align vstart vend failed",
    "va_start: {va_start} size={size} align={align} vstart={vstart} vend={vend} failed={failed}",
  ),
  point(
    "vmalloc",
    "free_vmap_area_noflush",
    "va_start nr_lazy nr_lazy_max",
    "va_start={va_start} nr_lazy={nr_lazy} nr_lazy_max={nr_lazy_max}",
  ),
  point("vmalloc", "purge_vmap_area_lazy", "start end num_purged", "start={start} end={end} num_purged={num_purged}"),
  point("mmap", "exit_mmap", "mt:hex", "mt_mod {mt}, DESTROY", "mt_mod 0x{mt}, DESTROY"),
  point("module", "module_load", "name:word taints:text", "{name} {taints}"),
  point("module", "module_free", "name:word", "{name}"),
  point(
    "iommu",
    "map",
    "iova iova_end? paddr size",
    "IOMMU: iova={iova} - {iova_end} paddr={paddr} size={size}",
    "IOMMU: iova={iova} paddr={paddr} size={size}",
  ),
  point(
    "iommu",
    "unmap",
    "iova iova_end? size unmapped_size",
    "IOMMU: iova={iova} - {iova_end} size={size} unmapped_size={unmapped_size}",
    "IOMMU: iova={iova} size={size} unmapped_size={unmapped_size}",
  ),
  point(
    "iommu",
    "io_page_fault",
    "driver:word device:word iova flags",
    "IOMMU:{driver} {device} iova={iova} flags={flags}",
  ),
  point("iommu", "add_device_to_group", "group device:text", "IOMMU: groupID={group} device={device}"),
  point("iommu", "remove_device_from_group", "group device:text", "IOMMU: groupID={group} device={device}"),
  point("iommu", "attach_device_to_domain", "device:text", "IOMMU: device={device}"),
  point("iommu", "detach_device_from_domain", "device:text", "IOMMU: device={device}"),
  point("intel_iommu", "qi_submit", "type:word unit:word qw0 qw1 qw2 qw3", "{type} {unit}: {qw0} {qw1} {qw2} {qw3}"),
  point(
    "intel_iommu",
    "prq_report",
    "unit:word device:word sequence text:text",
    "{unit}/{device} seq# {sequence}: {text}",
  ),
  point("intel_iommu", "cache_tag_assign", CACHE_TAG_FIELDS, CACHE_TAG),
  point("intel_iommu", "cache_tag_unassign", CACHE_TAG_FIELDS, CACHE_TAG),
  point("intel_iommu", "cache_tag_flush_all", CACHE_TAG_FIELDS, CACHE_TAG),
  point("intel_iommu", "cache_tag_flush_range", CACHE_RANGE_FIELDS, ...CACHE_RANGE_TEXTS),
  point("intel_iommu", "cache_tag_flush_range_np", CACHE_RANGE_FIELDS, ...CACHE_RANGE_TEXTS),
];
