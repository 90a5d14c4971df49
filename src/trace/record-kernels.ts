// What `stalewalk record-help` knows of kernels: one record per version from which something is different, with its source.
// The probes that differ are in record-probes.ts; here is whose frees are of interest, and what no probe can show.

/** The functions in which the return address of a free must lie, by the probed function that gives the page back. */
interface FreeSites {
  readonly free_pages: readonly string[];
  readonly __free_pages: readonly string[];
}

/** A kernel version of {@link RECORD_KERNELS}. */
export type RecordKernel = "6.1" | "6.6" | "6.12" | "6.15" | "6.18" | "7.3";

/** What is known of recording one kernel. */
interface KernelRecord {
  readonly version: RecordKernel;
  /** Where that is from. "run": recorded in a guest, and equal to the kernel's own counts of frees. */
  readonly source: string;
  readonly sites: FreeSites;
  /** What happens on this kernel and no probe shows, or shows in part. */
  readonly unseen: readonly string[];
}

const COLLAPSES = ["cpa_flush", "cpa_collapse_large_pages"];
/** Where compilers put what removes memory. */
const REMOVALS = ["remove_pagetable", "free_pagetable", "vmemmap_free"];
/** EFI's own tables: recorded so that nobody takes them for others. */
const EFI = ["unmap_pmd_range", "__unmap_pmd_range", "unmap_pte_range", "try_to_free_pmd_page"];
const HUGE = ["pmd_free_pte_page", "pud_free_pmd_page"];

/** Up to 6.12 every site calls free_pages(), which jumps to __free_pages(): filtered alike, each free would be told twice. */
const BY_ADDRESS: FreeSites = {
  free_pages: [...HUGE, ...REMOVALS, ...EFI, "pgd_free"],
  __free_pages: ["__change_page_attr_set_clr"],
};
/** Collapsed tables go by their struct page from the start (6.15), all others since the fix (6.18.7). */
const BY_STRUCT_PAGE: FreeSites = {
  free_pages: BY_ADDRESS.free_pages,
  __free_pages: [...HUGE, ...REMOVALS, ...EFI, ...COLLAPSES, "__change_page_attr_set_clr", "kernel_pgtable_work_func"],
};

const BOOT = "removal of memory that was there at boot: its tables go by free_reserved_page(s), which is not recorded";
const INLINED =
  "cpa_collapse_large_pages: inlined into cpa_flush, so a collapse shows only by the frees and the flush of that caller";
const BLOCKS =
  "which pages of a removed vmemmap are tables: this kernel says order 0 of its 2 MiB blocks, too (6.18.15)";

const records: readonly KernelRecord[] = [
  {
    version: "6.1",
    source: "6.1.0-53 (Debian), run",
    sites: BY_ADDRESS,
    unseen: [
      "remove_pagetable, vmemmap_populate, kernel_physical_mapping_init: this kernel does not let them be probed; of the " +
        "pages that a removal gives back those of order 0 are tables",
      BOOT,
    ],
  },
  { version: "6.6", source: "between 6.1 and 6.12; not run", sites: BY_ADDRESS, unseen: [BOOT] },
  { version: "6.12", source: "6.12.117 (Debian), run", sites: BY_ADDRESS, unseen: [BOOT] },
  {
    version: "6.15",
    source: "41d88484c71c, which brought collapses of large pages; not run",
    sites: BY_STRUCT_PAGE,
    unseen: [INLINED, BOOT],
  },
  { version: "6.18", source: "6.18.15 (Debian), run", sites: BY_STRUCT_PAGE, unseen: [INLINED, BLOCKS, BOOT] },
  {
    version: "7.3",
    source: "7.3.4 (Debian), run",
    sites: BY_STRUCT_PAGE,
    unseen: [
      INLINED,
      "mappings in the IOMMU's own tables: intel_iommu_map_pages and domain_unmap are gone; the iommu tracepoints tell them",
      BOOT,
    ],
  },
];

/** Kernels that have a recorder of their own, oldest first; it serves every version up to the next one. */
export const RECORD_KERNELS: readonly RecordKernel[] = records.map(({ version }) => version);

/** What is known of one. */
export function kernelRecord(kernel: RecordKernel): KernelRecord {
  return records.find(({ version }) => version === kernel) as KernelRecord;
}
