// The rows of the matrix: for every site that frees page tables, its regions (regions.ts), and what its points are called in
// a story. Which points there are, and in which order, the engine tells. Addresses are those of Linux on four levels
// (Documentation/arch/x86/x86_64/mm.rst).

import { hex } from "../base/notation.js";
import type { KernelRecord, KernelTrait } from "../kernel/versions.js";
import type { Site, SitePoint } from "../program/sites.js";
import {
  cpaHugeRegion,
  cpaRegion,
  exitRegion,
  GIB,
  MUNMAP_PAGES,
  PAGE,
  pmdRegion,
  pudRegion,
  type Region,
  reclaimRegion,
  removeRegion,
  shadowRegion,
  splitPmdRegion,
  userRegion,
} from "./regions.js";

interface Row {
  name: string;
  /** Its column in a table. */
  heading: string;
  site: Site;
  /** Whether the tables are an mm's own. */
  user: boolean;
  /** Whether the tables are reserved boot memory, which is never deferred. */
  boot: boolean;
  /** Mark of tables that are freed, where it is another than that of the site's. */
  marks?: "kernel" | "split";
  /** Whether a split has made a table that walks lead through: the entry that names it has U/S = 0. */
  split?: true;
  /** What a kernel must do for the row to be there; nothing: every kernel has it. */
  needs?: KernelTrait;
  about: string;
  /** Two regions: the second is for another instance of the site. */
  regions: readonly [Region, Region];
}

/** What a step is called in a story. `at`: the address that it is about; of a free no address is told. */
export const sentences: Readonly<Record<SitePoint, (at: bigint) => string>> = {
  PMD_CLEARED: (at) => `pmd_free_pte_page(): the PD entry for ${hex(at)} is cleared`,
  PMD_FLUSHED: (at) => `flush_tlb_kernel_range(${hex(at)}, ${hex(at + PAGE - 1n)}): one page`,
  PMD_PT_FREED: () => "pte_free_kernel()",
  PUD_CLEARED: (at) => `pud_free_pmd_page(): the PDPT entry for ${hex(at)} is cleared`,
  PUD_FLUSHED: (at) => `flush_tlb_kernel_range(${hex(at)}, ${hex(at + PAGE - 1n)}): one page of the 1 GiB`,
  PUD_PT_FREED: () => "pte_free_kernel()",
  PUD_PD_FREED: () => "pmd_free()",
  UNPLUG_PTES_FLUSHED: () => "remove_pte_table() clears the PTEs, flush_tlb_all()",
  UNPLUG_PT_FREED: () => "free_pte_table(), before its PD entry is cleared",
  UNPLUG_PT_CLEARED: (at) => `the PD entry for ${hex(at)} is cleared`,
  UNPLUG_PD_FREED: () => "free_pmd_table(), before its PDPT entry is cleared",
  UNPLUG_PD_CLEARED: (at) => `the PDPT entry for ${hex(at)} is cleared`,
  UNPLUG_PDPT_FREED: () => "free_pud_table(), before its PML4 entry is cleared",
  UNPLUG_PDPT_CLEARED: (at) => `the PML4 entry for ${hex(at)} is cleared`,
  UNPLUG_FLUSHED: () => "flush_tlb_all() at the end of remove_pagetable()",
  KASAN_PT_FREED: () => "kasan_free_pte(), before its PD entry is cleared, without a flush",
  KASAN_PT_CLEARED: (at) => `the PD entry for ${hex(at)} is cleared`,
  KASAN_PD_FREED: () => "kasan_free_pmd(), before its PDPT entry is cleared, without a flush",
  KASAN_PD_CLEARED: (at) => `the PDPT entry for ${hex(at)} is cleared`,
  KASAN_PDPT_FREED: () => "kasan_free_pud(), before its PML4 entry is cleared, without a flush",
  KASAN_PDPT_CLEARED: (at) => `the PML4 entry for ${hex(at)} is cleared in init_mm`,
  KASAN_PML4_FREED: () => "kasan_free_p4d(), before its PML5 entry is cleared, without a flush",
  KASAN_PML4_CLEARED: (at) => `the PML5 entry for ${hex(at)} is cleared in init_mm`,
  COLLAPSE_INSTALLED: (at) => `the PD entry for ${hex(at)} becomes a 2 MiB leaf again`,
  COLLAPSE_PD_INSTALLED: (at) => `the PDPT entry for ${hex(at)} becomes a 1 GiB leaf again`,
  COLLAPSE_FLUSHED: () => "flush_tlb_all()",
  COLLAPSE_PD_FREED: () => "pagetable_free() of the PD",
  COLLAPSE_PT_FREED: () => "pagetable_free() of the PT",
  MUNMAP_UNLINKED: () => "the PTEs are cleared, the tables that are empty now are unlinked",
  MUNMAP_FLUSHED: (at) =>
    `flush_tlb_mm_range(${hex(at)}, ${hex(at + BigInt(MUNMAP_PAGES) * PAGE)}) with the mmu notifier`,
  EXIT_UNBOUND: () => "the mmu notifier's release: PASIDs of the process have no entry any more, and nothing cached",
  RECLAIM_UNLINKED: () => "zap_pte_range(): the PT is empty, its PD entry is cleared",
  RECLAIM_FLUSHED: () => "flush_tlb_mm_range() of one page for the PT, with the mmu notifier",
};

const VMALLOC = 0xffffc90000000000n;
const DIRECT_MAP = 0xffff888100000000n;
const VMEMMAP = 0xffffea0000000000n;
const SHADOW = 0xffffec0000000000n;
const MMAP = 0x7f0000000000n;

const rows = [
  {
    name: "pmd_free_pte_page",
    heading: "pmd_free",
    site: "pmd_free_pte_page",
    user: false,
    boot: false,
    about: "a 2 MiB vmap lands on a left-over empty PT: clear, flush of one page, free",
    regions: [pmdRegion(VMALLOC), pmdRegion(VMALLOC + GIB)],
  },
  {
    name: "pmd_free_pte_page/split",
    heading: "pmd_free, split",
    site: "pmd_free_pte_page",
    user: false,
    boot: false,
    marks: "split",
    split: true,
    about: "the same on the PT that a split has made",
    regions: [splitPmdRegion(VMALLOC), splitPmdRegion(VMALLOC + GIB)],
  },
  {
    name: "pud_free_pmd_page",
    heading: "pud_free",
    site: "pud_free_pmd_page",
    user: false,
    boot: false,
    about: "a 1 GiB vmap lands on a left-over PD: clear, flush of one page, free of the PTs and the PD",
    regions: [pudRegion(VMALLOC), pudRegion(VMALLOC + GIB)],
  },
  {
    name: "remove_pagetable",
    heading: "unplug",
    site: "remove_pagetable",
    user: false,
    boot: false,
    about: "hot-remove of hot-added memory, whose tables have no mark: free, then clear, then flush",
    regions: [removeRegion(DIRECT_MAP, "added"), removeRegion(DIRECT_MAP + GIB, "added")],
  },
  {
    name: "remove_pagetable/boot",
    heading: "unplug, boot",
    site: "remove_pagetable",
    user: false,
    boot: true,
    about: "memory hot-remove, tables reserved at boot: freed at once whatever the policy",
    regions: [removeRegion(DIRECT_MAP, "boot"), removeRegion(DIRECT_MAP + GIB, "boot")],
  },
  {
    name: "remove_pagetable/vmemmap",
    heading: "unplug, HVO",
    site: "remove_pagetable",
    user: false,
    boot: false,
    marks: "kernel",
    about: "the vmemmap of removed memory that HVO has split: its PTs have the kernel's mark",
    regions: [removeRegion(VMEMMAP, "vmemmap"), removeRegion(VMEMMAP + GIB, "vmemmap")],
  },
  {
    name: "remove_pagetable/split",
    heading: "unplug, split",
    site: "remove_pagetable",
    user: false,
    boot: false,
    marks: "split",
    split: true,
    about: "hot-remove of a direct map that a change of attributes has split",
    regions: [removeRegion(DIRECT_MAP, "split"), removeRegion(DIRECT_MAP + GIB, "split")],
  },
  {
    name: "kasan_remove_zero_shadow",
    heading: "kasan",
    site: "kasan_remove_zero_shadow",
    user: false,
    boot: false,
    about: "KASAN's shadow of removed memory: free, then clear, no flush",
    regions: [shadowRegion(SHADOW), shadowRegion(SHADOW + GIB)],
  },
  {
    name: "cpa_collapse_large_pages",
    heading: "cpa_collapse",
    site: "cpa_collapse_large_pages",
    user: false,
    boot: false,
    split: true,
    needs: "collapses",
    about: "a split 2 MiB page is restored: leaf, flush, free of the PT that the split made",
    regions: [cpaRegion(DIRECT_MAP), cpaRegion(DIRECT_MAP + GIB)],
  },
  {
    name: "cpa_collapse_large_pages/1G",
    heading: "cpa_collapse, 1G",
    site: "cpa_collapse_large_pages",
    user: false,
    boot: false,
    split: true,
    needs: "collapses",
    about: "a split 1 GiB page is restored (collapse_pud_page): leaves, one flush, free of the PD and a PT",
    regions: [cpaHugeRegion(DIRECT_MAP), cpaHugeRegion(DIRECT_MAP + GIB)],
  },
  {
    name: "munmap",
    heading: "munmap",
    site: "user",
    user: true,
    boot: false,
    about: "user tables: unlink, flush with the mmu notifier, free",
    regions: [userRegion(MMAP), userRegion(0x7e8000000000n)],
  },
  {
    name: "zap_pte_range",
    heading: "reclaim",
    site: "zap_pte_range",
    user: true,
    boot: false,
    needs: "reclaims",
    about: "madvise(MADV_DONTNEED) gives an empty user PT up: unlink, flush of one page, free",
    regions: [reclaimRegion(MMAP), reclaimRegion(0x7e8000000000n)],
  },
  {
    name: "exit",
    heading: "exit",
    site: "user",
    user: true,
    boot: false,
    about: "the end of a process that is bound: the notifier's release, then free of all user tables",
    regions: [exitRegion(0, MMAP), exitRegion(1, 0x7e8000000000n)],
  },
] as const satisfies readonly Row[];

/** Name of a row of the matrix. */
export type ScenarioName = (typeof rows)[number]["name"];

/** A row of the matrix: a site, or a site with tables of another origin. */
export type Scenario = Row & { readonly name: ScenarioName };

/** Every row. */
export const scenarios: readonly Scenario[] = rows;

/** Names of the rows. */
export const scenarioNames: readonly ScenarioName[] = rows.map(({ name }) => name);

/** What heads the column of each row, and what it is about. */
export const scenarioHeads = Object.fromEntries(
  scenarios.map(({ name, heading, about }) => [name, { heading, about }]),
) as Readonly<Record<ScenarioName, { heading: string; about: string }>>;

/** The rows that a kernel has. */
export function scenariosOf({ traits }: Pick<KernelRecord, "traits">): readonly Scenario[] {
  return scenarios.filter(({ needs }) => needs === undefined || traits.includes(needs));
}
