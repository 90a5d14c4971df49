// The rows of the matrix: for every site that frees page tables, how a program gets there, and what its points are called in
// a story. Which points there are, and in which order, the engine tells. Addresses are those of Linux on four levels
// (Documentation/arch/x86/x86_64/mm.rst).

import { hex } from "../base/notation.js";
import type { ProgramBuilder } from "../program/program.js";
import type { Site, SitePoint } from "../program/sites.js";

/** One operation of the kernel, and what it is called in a story. */
export interface KernelStep {
  text: string;
  play: (program: ProgramBuilder) => ProgramBuilder;
}

/** One region on which a site can be made to free. */
export interface Region {
  /** Addresses whose walks lead through what is freed. */
  addresses: readonly bigint[];
  setUp: readonly KernelStep[];
  free: KernelStep;
}

interface Row {
  name: string;
  /** Its column in a table. */
  heading: string;
  site: Site;
  /** Whether the tables are an mm's own. */
  user: boolean;
  /** Whether the tables are reserved boot memory, which is never deferred. */
  boot: boolean;
  about: string;
  /** Two regions: the second is for another instance of the site. */
  regions: readonly [Region, Region];
}

const PAGE = 0x1000n;
const MIB2 = 0x20_0000n;
const GIB = 0x4000_0000n;
/** Pages that the row of munmap() maps and unmaps. */
const MUNMAP_PAGES = 2;

function pmdRegion(va: bigint): Region {
  return {
    addresses: [va, va + MIB2 - PAGE],
    setUp: [
      { text: `vmalloc(${hex(va)}): 512 pages, 4 KiB each`, play: (p) => p.vmalloc(va, 512) },
      { text: `vfree(${hex(va)}): the PTEs are cleared, the empty table stays`, play: (p) => p.vfree(va, 512) },
      {
        text: "purge of the lazy areas: flush_tlb_kernel_range(), the addresses may be used again",
        play: (p) => p.purge(),
      },
    ],
    free: { text: `vmalloc_huge(${hex(va)}): 2 MiB, one large leaf`, play: (p) => p.vmalloc(va, 512, 21) },
  };
}

function pudRegion(va: bigint): Region {
  const slots = [va, va + 5n * MIB2];
  return {
    addresses: [va, va + 5n * MIB2],
    setUp: [
      ...slots.map((at) => ({
        text: `vmalloc(${hex(at)}): 16 pages, 4 KiB each`,
        play: (p: ProgramBuilder) => p.vmalloc(at, 16),
      })),
      ...slots.map((at) => ({
        text: `vfree(${hex(at)}): the PTEs are cleared, the empty tables stay`,
        play: (p: ProgramBuilder) => p.vfree(at, 16),
      })),
      {
        text: "purge of the lazy areas: flush_tlb_kernel_range(), the addresses may be used again",
        play: (p) => p.purge(),
      },
    ],
    free: { text: `ioremap(${hex(va)}): 1 GiB, one huge leaf`, play: (p) => p.vmalloc(va, 262144, 30) },
  };
}

function removeRegion(va: bigint, bootTables: boolean): Region {
  const origin = bootTables ? "present at boot, its tables are reserved boot memory" : "tables of 4 KiB pages";
  return {
    addresses: [va, va + MIB2 - PAGE],
    setUp: [
      {
        text: `memory at ${hex(va)} in the direct map: 2 MiB, ${origin}`,
        play: (p) => p.hotAdd(va, 1, { smallPages: true, bootTables }),
      },
    ],
    free: { text: `memory hot-remove of ${hex(va)}: remove_pagetable()`, play: (p) => p.hotRemove(va, 1) },
  };
}

function shadowRegion(va: bigint): Region {
  const options = { shadow: true, smallPages: true };
  return {
    addresses: [va, va + MIB2 - PAGE],
    setUp: [
      {
        text: `KASAN shadow at ${hex(va)}: 2 MiB, non-leaf entries with U/S = 0`,
        play: (p) => p.hotAdd(va, 1, options),
      },
    ],
    free: { text: `kasan_remove_zero_shadow(${hex(va)})`, play: (p) => p.hotRemove(va, 1, { shadow: true }) },
  };
}

function cpaRegion(va: bigint): Region {
  return {
    addresses: [va, va + MIB2 - PAGE],
    setUp: [
      { text: `direct map at ${hex(va)}: a 2 MiB leaf`, play: (p) => p.hotAdd(va, 1) },
      {
        text: `__split_large_page(${hex(va)}): 512 PTEs; the table is not marked as a kernel table, its PD entry has U/S = 0`,
        play: (p) => p.cpaSplit(va),
      },
    ],
    free: { text: `cpa_collapse_large_pages(${hex(va)})`, play: (p) => p.cpaCollapse(va) },
  };
}

function userRegion(va: bigint): Region {
  return {
    addresses: [va, va + PAGE],
    setUp: [
      { text: `mmap(${hex(va)}): ${MUNMAP_PAGES} pages of the process`, play: (p) => p.mmap(0, va, MUNMAP_PAGES) },
    ],
    free: { text: `munmap(${hex(va)}): ${MUNMAP_PAGES} pages`, play: (p) => p.munmap(0, va, MUNMAP_PAGES) },
  };
}

/** What a step is called in a story. `at`: the address that it is about; of a free no address is told. */
export const sentences: Readonly<Record<SitePoint, (at: bigint) => string>> = {
  PMD_CLEARED: (at) => `pmd_free_pte_page(): the PD entry for ${hex(at)} is cleared`,
  PMD_FLUSHED: (at) => `flush_tlb_kernel_range(${hex(at)}, ${hex(at + PAGE - 1n)}): one page`,
  PMD_PT_FREED: () => "pte_free_kernel()",
  PUD_CLEARED: (at) => `pud_free_pmd_page(): all PD entries, then the PDPT entry for ${hex(at)} are cleared`,
  PUD_FLUSHED: (at) => `flush_tlb_kernel_range(${hex(at)}, ${hex(at + PAGE - 1n)}): one page of the 1 GiB`,
  PUD_PT_FREED: () => "pte_free_kernel()",
  PUD_PD_FREED: () => "pmd_free()",
  UNPLUG_PTES_FLUSHED: () => "remove_pte_table() clears the PTEs, flush_tlb_all()",
  UNPLUG_PT_FREED: () => "free_pte_table(), before its PD entry is cleared",
  UNPLUG_PT_CLEARED: (at) => `the PD entry for ${hex(at)} is cleared`,
  UNPLUG_PD_FREED: () => "free_pmd_table(), before its PDPT entry is cleared",
  UNPLUG_PD_CLEARED: (at) => `the PDPT entry for ${hex(at)} is cleared`,
  UNPLUG_FLUSHED: () => "flush_tlb_all() at the end of remove_pagetable()",
  KASAN_PT_FREED: () => "kasan_free_pte(), before its PD entry is cleared, without a flush",
  KASAN_PT_CLEARED: (at) => `the PD entry for ${hex(at)} is cleared`,
  KASAN_PD_FREED: () => "kasan_free_pmd(), before its PDPT entry is cleared, without a flush",
  KASAN_PD_CLEARED: (at) => `the PDPT entry for ${hex(at)} is cleared`,
  COLLAPSE_INSTALLED: (at) => `the PD entry for ${hex(at)} becomes a 2 MiB leaf again`,
  COLLAPSE_FLUSHED: () => "flush_tlb_all()",
  COLLAPSE_PT_FREED: () => "pagetable_free()",
  MUNMAP_UNLINKED: () => "the PTEs are cleared, the tables that are empty now are unlinked",
  MUNMAP_FLUSHED: (at) =>
    `flush_tlb_mm_range(${hex(at)}, ${hex(at + BigInt(MUNMAP_PAGES) * PAGE)}) with the mmu notifier`,
};

const VMALLOC = 0xffffc90000000000n;
const DIRECT_MAP = 0xffff888100000000n;
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
    about: "memory hot-remove, tables that the kernel marked: free, then clear, then flush",
    regions: [removeRegion(DIRECT_MAP, false), removeRegion(DIRECT_MAP + GIB, false)],
  },
  {
    name: "remove_pagetable/boot",
    heading: "unplug, boot",
    site: "remove_pagetable",
    user: false,
    boot: true,
    about: "memory hot-remove, tables reserved at boot: freed at once whatever the policy",
    regions: [removeRegion(DIRECT_MAP, true), removeRegion(DIRECT_MAP + GIB, true)],
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
    about: "a split large page is restored: its table was never marked as a kernel table",
    regions: [cpaRegion(DIRECT_MAP), cpaRegion(DIRECT_MAP + GIB)],
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
] as const satisfies readonly Row[];

/** Name of a row of the matrix. */
export type ScenarioName = (typeof rows)[number]["name"];

/** A row of the matrix: a site, or a site with tables of another origin. */
export type Scenario = Row & { readonly name: ScenarioName };

/** Every row. */
export const scenarios: readonly Scenario[] = rows;

/** Names of the rows. */
export const scenarioNames: readonly ScenarioName[] = rows.map(({ name }) => name);
