// Places in the kernel that free page tables, one record each (docs/rules.md sections 10 and 11; sources there), and the
// names of the points that operations reach (section 13). The engine has the same lists in assembly/kernel/sites.ts; tests
// compare the names and numbers, and the records with what the engine does.

/** What a site does in a step: clears the entry that leads to a table, flushes, frees the table. */
export type SiteStep = "clear" | "flush" | "free";

/** What a site is. */
export interface SiteRecord {
  /** The kernel function that frees. */
  name: string;
  /** Level of the table that it is about: what a single step means that names none. */
  level: 1 | 2;
  /** Its flush: flush_tlb_kernel_range(), flush_tlb_all(), flush_tlb_mm_range(), or none. */
  flush: "kernelRange" | "flushAll" | "mmRange" | "none";
  /**
   * Mark of its tables: the kernel's (`ptdesc_set_kernel`), which a policy can defer by, or none; `split`: that of tables made by
   * a split, which depends on the kernel. Boot memory has its own.
   */
  marks: "kernel" | "none" | "split";
  /** Its points, in order, each with the step that has just been done. The first of two frees may come again. */
  points: Readonly<Record<string, SiteStep>>;
}

const records = [
  {
    name: "pmd_free_pte_page",
    level: 1,
    flush: "kernelRange",
    marks: "kernel",
    points: { PMD_CLEARED: "clear", PMD_FLUSHED: "flush", PMD_PT_FREED: "free" },
  },
  {
    name: "pud_free_pmd_page",
    level: 2,
    flush: "kernelRange",
    marks: "kernel",
    points: { PUD_CLEARED: "clear", PUD_FLUSHED: "flush", PUD_PT_FREED: "free", PUD_PD_FREED: "free" },
  },
  {
    // With 5 levels PDPTs too.
    name: "remove_pagetable",
    level: 1,
    flush: "flushAll",
    marks: "none",
    points: {
      UNPLUG_PTES_FLUSHED: "flush",
      UNPLUG_PT_FREED: "free",
      UNPLUG_PT_CLEARED: "clear",
      UNPLUG_PD_FREED: "free",
      UNPLUG_PD_CLEARED: "clear",
      UNPLUG_PDPT_FREED: "free",
      UNPLUG_PDPT_CLEARED: "clear",
      UNPLUG_FLUSHED: "flush",
    },
  },
  {
    name: "kasan_remove_zero_shadow",
    level: 1,
    flush: "none",
    marks: "kernel",
    points: {
      KASAN_PT_FREED: "free",
      KASAN_PT_CLEARED: "clear",
      KASAN_PD_FREED: "free",
      KASAN_PD_CLEARED: "clear",
      KASAN_PDPT_FREED: "free",
      KASAN_PDPT_CLEARED: "clear",
      KASAN_PML4_FREED: "free",
      KASAN_PML4_CLEARED: "clear",
    },
  },
  {
    name: "cpa_collapse_large_pages",
    level: 1,
    flush: "flushAll",
    marks: "split",
    points: {
      COLLAPSE_INSTALLED: "clear",
      COLLAPSE_PD_INSTALLED: "clear",
      COLLAPSE_FLUSHED: "flush",
      COLLAPSE_PD_FREED: "free",
      COLLAPSE_PT_FREED: "free",
    },
  },
  {
    // munmap(), and the end of an mm: tables are given back after the last point.
    name: "user",
    level: 1,
    flush: "mmRange",
    marks: "none",
    points: { MUNMAP_UNLINKED: "clear", MUNMAP_FLUSHED: "flush", EXIT_UNBOUND: "clear" },
  },
  {
    // madvise(MADV_DONTNEED): as munmap().
    name: "zap_pte_range",
    level: 1,
    flush: "mmRange",
    marks: "none",
    points: { RECLAIM_UNLINKED: "clear", RECLAIM_FLUSHED: "flush" },
  },
] as const satisfies readonly SiteRecord[];

/** Points of no site. */
const others = [
  "OPERATION_DONE",
  "PURGE_FLUSHED",
  "SPLIT_INSTALLED",
  "SPLIT_FLUSHED",
  "TABLE_CLEARED",
  "TABLE_FREED",
  "REQUEST_INVALIDATED",
  "LIST_TAKEN",
  "HALF_INVALIDATED",
] as const;
/** Number of the first point of a site. */
const FIRST_OF_SITES = 16;

/** A site, by the kernel function that frees. */
export type Site = (typeof records)[number]["name"];

type NamesIn<Points> = Points extends unknown ? keyof Points & string : never;

/** A point of a site, by name. */
export type SitePoint = NamesIn<(typeof records)[number]["points"]>;

/** A point, by name. */
export type PointName = SitePoint | (typeof others)[number];

/** What each site is, in the engine's order. */
export const siteRecords: readonly (SiteRecord & { readonly name: Site })[] = records;

/** Sites in the engine's order. */
export const sites: readonly Site[] = records.map(({ name }) => name);

/** What has just been done at each point of a site, in the engine's order. @internal */
export const siteSteps = Object.assign({}, ...records.map(({ points }) => points)) as Readonly<
  Record<SitePoint, SiteStep>
>;

/** Points by the engine's number. @internal */
export const pointNames: readonly (PointName | undefined)[] = [
  ...others,
  ...Array<undefined>(FIRST_OF_SITES - others.length).fill(undefined),
  ...(Object.keys(siteSteps) as SitePoint[]),
];

/** What a site is. @internal */
export function siteRecord(site: Site): SiteRecord {
  return siteRecords[sites.indexOf(site)] as SiteRecord;
}
