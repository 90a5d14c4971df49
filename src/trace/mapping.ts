// Which event means which operation, as data. Users extend or replace it with a JSON file (mapping-check.ts).
import type { OperationName } from "./operations.js";

/** Where an argument comes from: a field's name, a fixed number, or a fixed text. */
export type ArgumentSource = string | { readonly value: number } | { readonly text: string };

/**
 * A condition on a field: equal to a number or text, `{ "not": ... }`, or `{ "function": name }` for symbols, which
 * compares without offset and module.
 */
export type Condition =
  | number
  | string
  | { readonly not: number | string }
  | { readonly function: string | readonly string[] };

/** Conditions on the latest event of a name by the same thread. */
export interface LastEvent {
  /** Name of the event. */
  readonly event: string;
  /** What its fields must hold, by field, for it to count. */
  readonly when: Readonly<Record<string, Condition>>;
  /** Events by which the thread forgets it: what it did is over. */
  readonly until?: readonly string[];
  /** Fields that have the same value in both events. */
  readonly same?: readonly string[];
}

/** One rule. The rules of an event are tried in order, the first whose conditions hold is used. */
export interface Rule {
  /** Name of the event. */
  readonly event: string;
  /** What it means; `ignore` for events that say nothing new, with the reason. */
  readonly operation: OperationName | "ignore";
  /** Source of each argument that is not a field of the same name. Arguments without source are 0 or empty. */
  readonly args?: Readonly<Record<string, ArgumentSource>>;
  /** Conditions on fields of this event; all must hold. A field that the line does not have holds none. */
  readonly when?: Readonly<Record<string, Condition>>;
  /** Conditions on the latest event of a name by the same thread. Without one, they do not hold. */
  readonly last?: LastEvent;
  /** Why, for readers. */
  readonly reason?: string;
}

function rule(event: string, operation: Rule["operation"], args?: Rule["args"], more: Partial<Rule> = {}): Rule {
  return { event, operation, ...(args ? { args } : {}), ...more };
}

const ADDR = { address: "addr" };
const RET = { address: "ret" };

const SET_MEMORY = ["ro", "rw", "x", "nx", "rox", "np", "p", "4k", "uc", "wc", "wb"];

const COLLAPSE = ["cpa_flush", "cpa_collapse_large_pages"];
const REMOVAL = ["remove_pagetable", "free_pagetable"];
/** Callers that give back a table which was never linked (another CPU was faster), or one of EFI's own page tables. */
const UNREACHED = [
  "__pte_alloc_kernel",
  "vmemmap_pmd_entry",
  "__change_page_attr_set_clr",
  "unmap_pmd_range",
  "__unmap_pmd_range",
  "try_to_free_pmd_page",
];

/**
 * The rules of one of the functions by which kernel page tables are given back: who called it says what the page was. A
 * table counts where it is given away: with `pagetable_free_kernel` it waits for the deferred worker, whose own line of
 * the same page comes later.
 */
function tableFrees(event: string): Rule[] {
  const deferred = event === "pagetable_free_kernel";
  const by = (...functions: string[]): NonNullable<Rule["when"]> => ({ caller: { function: functions } });
  const address: Rule["args"] = event === "free_pages" ? { address: "addr" } : {};
  const free = (site: string): Rule["args"] => ({
    ...address,
    site: { text: site },
    ...(deferred && { deferred: { value: 1 } }),
  });
  const page: Rule["args"] = { ...address, site: "caller" };
  const named = ["pmd_free_pte_page", "pud_free_pmd_page"].map((site) =>
    rule(event, "table-free", free(site), { when: by(site) }),
  );
  const rules = [
    ...named,
    rule(event, "table-free", free("cpa_collapse_large_pages"), { when: by(...COLLAPSE) }),
    rule(event, "table-discard", page, { when: by(...UNREACHED) }),
  ];
  if (!deferred) {
    // On 6.1 and 6.12 free_pages() jumps to __free_pages(): one free, told twice, with one return address.
    const twice = rule(event, "ignore", undefined, {
      last: { event: "free_pages", when: {}, same: ["pc"] },
      reason: "the same free, told by free_pages before",
    });
    return [
      ...(event === "free_pages" ? [] : [twice]),
      ...rules,
      rule(event, "table-free", free("remove_pagetable"), {
        when: by(...REMOVAL),
        last: { event: "remove_pagetable", when: { direct: 1 } },
        reason: "pages that hot-removal gives back of the direct map are tables",
      }),
      rule(event, "free-pages", page, {
        when: by(...REMOVAL),
        last: { event: "remove_pagetable", when: {} },
        reason: "the others are 2 MiB blocks of vmemmap, whatever their order says (Linux 6.18.15 says 0)",
      }),
      rule(event, "free-pages", page, {
        when: by(...REMOVAL),
        last: { event: "vmemmap_free", when: {}, until: ["flush_all"] },
        reason: "the same, on kernels that do not let remove_pagetable be probed (6.1)",
      }),
      rule(event, "table-free", free("remove_pagetable"), {
        when: { ...by(...REMOVAL), order: 0 },
        reason: "where no event tells more, the order does: blocks of vmemmap have 9",
      }),
      rule(event, "table-release", address, { when: by("kernel_pgtable_work_func") }),
      rule(event, "free-pages", page),
    ];
  }
  return [
    ...rules,
    rule(event, "table-free", free("remove_pagetable"), { when: by(...REMOVAL) }),
    rule(event, "table-free", { site: "caller", deferred: { value: 1 } }, { when: { caller: { not: "" } } }),
    // Recorded without the caller: what the thread was doing says whose table it is.
    ...["pmd_free_pte_page", "pud_free_pmd_page"].map((site) =>
      rule(event, "table-free", free(site), { last: { event: site, when: {}, until: [`${site}_ret`] } }),
    ),
    rule(
      event,
      "table-discard",
      { site: { text: "__pte_alloc_kernel" } },
      {
        last: { event: "pte_alloc_kernel", when: {}, until: ["flush_all", "vmap_pages_range", "vmap_range"] },
      },
    ),
    rule(event, "table-free", free("cpa_collapse_large_pages"), {
      last: {
        event: "flush_all",
        when: { caller: { function: COLLAPSE } },
        until: ["pte_alloc_kernel", "cpa", "vmalloc_range", "remove_pagetable"],
      },
    }),
    rule(event, "table-free", { site: { text: event }, deferred: { value: 1 } }),
  ];
}

/** The built-in rules. */
export const MAPPING: readonly Rule[] = [
  // vmalloc areas
  rule("alloc_vmap_area", "area-alloc", { start: "va_start", low: "vstart", high: "vend" }, { when: { failed: 0 } }),
  rule("alloc_vmap_area", "ignore", undefined, { reason: "the reservation failed" }),
  rule("free_vmap_area", "area-free", { start: "va_start", end: "va_end" }),
  rule("free_vmap_area_noflush", "area-free-account", {
    start: "va_start",
    lazyPages: "nr_lazy",
    lazyPagesMax: "nr_lazy_max",
  }),
  rule("purge_lazy", "purge-begin"),
  rule("purge_vmap_area_lazy", "purge", { areas: "num_purged" }),
  rule("vm_unmap_aliases", "purge-all"),
  rule("remove_vm_area", "area-remove", ADDR),
  rule("vmalloc_range", "vmalloc-call", { low: "start", high: "end", flags: "vm_flags" }),
  rule("vmalloc_range_ret", "vmalloc-return", RET),
  rule("vfree", "vfree", ADDR),
  rule("vfree_atomic", "ignore", undefined, { reason: "called by vfree in interrupt context, which was counted" }),
  rule("vmap", "vmap-call", { pages: "count" }),
  rule("vmap_ret", "vmap-return", RET),
  rule("vunmap", "vunmap", ADDR),
  rule("vm_map_ram", "vm-map-ram", { pages: "count" }),
  rule("vm_map_ram_ret", "vm-map-ram-return", RET),
  rule("vm_unmap_ram", "vm-unmap-ram", { address: "addr", pages: "count" }),
  rule("ioremap", "ioremap-call", { cacheMode: "pcm" }),
  rule("ioremap_ret", "ioremap-return", RET),
  rule("iounmap", "iounmap", ADDR),
  rule("vmap_pages_range", "map-pages", { pageShift: "page_shift" }),
  rule("vmap_range", "map-physical", { maxShift: "max_shift" }),
  rule("vunmap_range_noflush", "unmap-range"),
  // flushes
  rule("flush_kernel_range", "flush-kernel-range"),
  rule("flush_all", "flush-all"),
  rule("do_kernel_range_flush", "cpu-flush-range"),
  rule("do_flush_all", "cpu-flush-all"),
  rule("local_flush_all", "local-flush-all"),
  rule("flush_one_kernel", "cpu-flush-page", ADDR),
  rule("flush_mm_range", "flush-mm", { strideShift: "stride_shift", freedTables: "freed_tables" }),
  rule("flush_multi", "flush-mm-remote"),
  rule("tlbbatch_flush", "flush-batch"),
  rule("tlb_flush", "tlb-flush"),
  // kernel page tables
  rule("pmd_free_pte_page", "table-detach", {
    site: { text: "pmd_free_pte_page" },
    level: { value: 1 },
    address: "addr",
    parent: "pmd",
  }),
  rule("pmd_free_pte_page_ret", "table-detach-return", { site: { text: "pmd_free_pte_page" }, result: "ret" }),
  rule("pud_free_pmd_page", "table-detach", {
    site: { text: "pud_free_pmd_page" },
    level: { value: 2 },
    address: "addr",
    parent: "pud",
  }),
  rule("pud_free_pmd_page_ret", "table-detach-return", { site: { text: "pud_free_pmd_page" }, result: "ret" }),
  ...tableFrees("free_pages"),
  ...tableFrees("__free_pages"),
  ...tableFrees("___free_pages"),
  ...tableFrees("pagetable_free_kernel"),
  rule("kernel_pgtable_work", "table-worker"),
  rule("pte_alloc_kernel", "table-alloc", { level: { value: 1 }, parent: "pmd" }),
  rule("pmd_alloc", "table-alloc-at", { level: { value: 2 }, parent: "pud", address: "addr" }),
  rule("pud_alloc", "table-alloc-at", { level: { value: 3 }, parent: "p4d", address: "addr" }),
  rule("sync_global_pgds", "sync-top-level"),
  rule("arch_sync_kernel_mappings", "sync-top-level"),
  // memory hotplug
  rule("arch_add_memory", "memory-add", { node: "nid" }),
  rule("arch_remove_memory", "memory-remove"),
  rule("remove_pagetable", "hot-remove"),
  rule("vmemmap_free", "vmemmap-remove"),
  rule("vmemmap_populate", "vmemmap-add"),
  rule("kernel_physical_mapping_init", "direct-map-add", {
    physStart: "pstart",
    physEnd: "pend",
    pageSizeMask: "page_size_mask",
  }),
  // user address spaces
  rule("pgd_alloc", "mm-create"),
  rule("pgd_free", "mm-destroy"),
  rule("exit_mmap", "mm-exit"),
  rule("user_pte_free", "user-table-free", { level: { value: 1 } }),
  rule("user_pmd_free", "user-table-free", { level: { value: 2 }, page: "pmd" }),
  rule("user_pud_free", "user-table-free", { level: { value: 3 }, page: "pud" }),
  // attribute changes
  rule("cpa", "attribute-change", {
    address: "addr",
    pages: "numpages",
    clear: "clr",
    forceSplit: "force_split",
    flags: "in_flag",
  }),
  rule("cpa_flush", "attribute-flush", { address: "vaddr", pages: "numpages" }),
  rule("cpa_collapse", "attribute-collapse"),
  ...SET_MEMORY.map((kind) =>
    rule(`set_memory_${kind}`, "set-memory", { kind: { text: kind }, address: "addr", pages: "numpages" }),
  ),
  rule("set_direct_map_invalid", "direct-map-page", { kind: { text: "invalid" } }),
  rule("set_direct_map_default", "direct-map-page", { kind: { text: "default" } }),
  // code
  rule("execmem_alloc", "text-alloc"),
  rule("execmem_alloc_ret", "text-alloc-return", RET),
  rule("execmem_free", "text-free", ADDR),
  rule("module_alloc", "text-alloc"),
  rule("module_alloc_ret", "text-alloc-return", RET),
  rule("module_memfree", "text-free", ADDR),
  rule("bpf_jit_alloc_exec", "text-alloc"),
  rule("bpf_jit_free_exec", "text-free", ADDR),
  rule("bpf_pack_alloc", "bpf-alloc"),
  rule("bpf_pack_alloc_ret", "bpf-alloc-return", RET),
  rule("bpf_pack_free", "bpf-free", ADDR),
  rule("text_poke", "text-poke", { address: "addr", length: "len" }),
  rule("module_load", "module-load"),
  rule("module_free", "module-unload"),
  // IOMMU
  rule("map", "iommu-map", { phys: "paddr" }),
  rule("unmap", "iommu-unmap", { unmapped: "unmapped_size" }),
  rule("iommu_map_pages", "iommu-map-call", { pageSize: "pgsize", pages: "pgcount" }),
  rule("iommu_free_pgtables", "iommu-unmap-call", { firstFrame: "start", lastFrame: "last" }),
  rule("iommu_cache_tag_flush_range", "iommu-flush-range"),
  rule("iommu_cache_tag_flush_all", "iommu-flush-all"),
  rule("qi_submit_sync", "queue-descriptor", { unitAddress: "iommu" }),
  rule("qi_submit", "queue-descriptor", { count: { value: 1 } }),
  rule("cache_tag_assign", "cache-tag", { action: { text: "assign" } }),
  rule("cache_tag_unassign", "cache-tag", { action: { text: "unassign" } }),
  rule("cache_tag_flush_all", "cache-tag-flush-all"),
  rule("cache_tag_flush_range", "cache-tag-flush-range", { address: "addr" }),
  rule("cache_tag_flush_range_np", "cache-tag-flush-range", { address: "addr", notPresent: { value: 1 } }),
  rule("prq_report", "page-request", { request: "text" }),
  rule("io_page_fault", "iommu-fault"),
  rule("iommu_sva_invalidate_kva_range", "sva-invalidate"),
  rule("intel_invalidate_secondary_tlbs", "sva-notify"),
  rule("iommu_sva_bind", "sva-bind", { device: "dev" }),
  rule("iommu_sva_unbind", "sva-unbind"),
  rule("attach_device_to_domain", "device-attach"),
  rule("detach_device_from_domain", "ignore", undefined, { reason: "the domain is not named" }),
  rule("add_device_to_group", "ignore", undefined, { reason: "groups do not change translations" }),
  rule("remove_device_from_group", "ignore", undefined, { reason: "groups do not change translations" }),
];
