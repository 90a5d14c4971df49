// The rows of the matrix: for every site that frees page tables, how a program gets there and what it does inside.
// Addresses are those of Linux on four levels (Documentation/arch/x86/x86_64/mm.rst); order of clear, flush, free as in
// docs/rules.md section 10.

import type { ProgramBuilder } from "../program/program.js";
import type { Site } from "../program/sites.js";

/** Names of the rows. */
export const scenarioNames = [
  "pmd_free_pte_page",
  "pud_free_pmd_page",
  "remove_pagetable",
  "remove_pagetable/boot",
  "kasan_remove_zero_shadow",
  "cpa_collapse_large_pages",
  "munmap",
] as const;

/** A row of the matrix: a site, or a site with tables of another origin. */
export type ScenarioName = (typeof scenarioNames)[number];

/** One operation of the kernel, and what it is called in a story. */
export interface KernelStep {
  text: string;
  play: (program: ProgramBuilder) => ProgramBuilder;
}

/** What the operation that frees has done at one of its points (docs/rules.md section 13), in order. */
export interface InnerStep {
  text: string;
  /** The table that is let go of here: its level, on the way to this address. */
  frees?: { level: number; address: bigint };
  /** The flush that has ended here. */
  flush?: "kernelRange" | "flushAll" | "mmRange";
}

/** One region on which a site can be made to free. */
export interface Region {
  /** Addresses whose walks lead through what is freed. */
  addresses: readonly bigint[];
  setUp: readonly KernelStep[];
  free: KernelStep;
  inside: readonly InnerStep[];
}

/** A row of the matrix. */
export interface Scenario {
  name: ScenarioName;
  site: Site;
  /** Whether the tables are an mm's own. */
  user: boolean;
  about: string;
  /** Two regions: the second is for another instance of the site. */
  regions: readonly [Region, Region];
}

const PAGE = 0x1000n;
const MIB2 = 0x20_0000n;
const GIB = 0x4000_0000n;
const hex = (value: bigint): string => `0x${value.toString(16)}`;

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
    inside: [
      { text: `pmd_free_pte_page(): the PD entry for ${hex(va)} is cleared` },
      { text: `flush_tlb_kernel_range(${hex(va)}, ${hex(va + PAGE - 1n)}): one page`, flush: "kernelRange" },
      { text: "pte_free_kernel()", frees: { level: 1, address: va } },
    ],
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
    inside: [
      { text: `pud_free_pmd_page(): all PD entries, then the PDPT entry for ${hex(va)} are cleared` },
      {
        text: `flush_tlb_kernel_range(${hex(va)}, ${hex(va + PAGE - 1n)}): one page of the 1 GiB`,
        flush: "kernelRange",
      },
      ...slots.map((at) => ({ text: "pte_free_kernel()", frees: { level: 1, address: at } })),
      { text: "pmd_free()", frees: { level: 2, address: va } },
    ],
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
    inside: [
      { text: "remove_pte_table() clears the PTEs, flush_tlb_all()", flush: "flushAll" },
      { text: "free_pte_table(), before its PD entry is cleared", frees: { level: 1, address: va } },
      { text: `the PD entry for ${hex(va)} is cleared` },
      { text: "free_pmd_table(), before its PDPT entry is cleared", frees: { level: 2, address: va } },
      { text: `the PDPT entry for ${hex(va)} is cleared` },
      { text: "flush_tlb_all() at the end of remove_pagetable()", flush: "flushAll" },
    ],
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
    inside: [
      { text: "kasan_free_pte(), before its PD entry is cleared, without a flush", frees: { level: 1, address: va } },
      { text: `the PD entry for ${hex(va)} is cleared` },
      { text: "kasan_free_pmd(), before its PDPT entry is cleared, without a flush", frees: { level: 2, address: va } },
      { text: `the PDPT entry for ${hex(va)} is cleared` },
    ],
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
    inside: [
      { text: `the PD entry for ${hex(va)} becomes a 2 MiB leaf again` },
      { text: "flush_tlb_all()", flush: "flushAll" },
      { text: "pagetable_free()", frees: { level: 1, address: va } },
    ],
  };
}

function userRegion(va: bigint): Region {
  return {
    addresses: [va, va + PAGE],
    setUp: [{ text: `mmap(${hex(va)}): 2 pages of the process`, play: (p) => p.mmap(0, va, 2) }],
    free: { text: `munmap(${hex(va)}): 2 pages`, play: (p) => p.munmap(0, va, 2) },
    inside: [
      { text: "the PTEs are cleared, the tables that are empty now are unlinked" },
      { text: `flush_tlb_mm_range(${hex(va)}, ${hex(va + 2n * PAGE)}) with the mmu notifier`, flush: "mmRange" },
    ],
  };
}

const VMALLOC = 0xffffc90000000000n;
const DIRECT_MAP = 0xffff888100000000n;
const SHADOW = 0xffffec0000000000n;
const MMAP = 0x7f0000000000n;

/** Every row. */
export const scenarios: readonly Scenario[] = [
  {
    name: "pmd_free_pte_page",
    site: "pmd_free_pte_page",
    user: false,
    about: "a 2 MiB vmap lands on a left-over empty PT: clear, flush of one page, free",
    regions: [pmdRegion(VMALLOC), pmdRegion(VMALLOC + GIB)],
  },
  {
    name: "pud_free_pmd_page",
    site: "pud_free_pmd_page",
    user: false,
    about: "a 1 GiB vmap lands on a left-over PD: clear, flush of one page, free of the PTs and the PD",
    regions: [pudRegion(VMALLOC), pudRegion(VMALLOC + GIB)],
  },
  {
    name: "remove_pagetable",
    site: "remove_pagetable",
    user: false,
    about: "memory hot-remove, tables that the kernel marked: free, then clear, then flush",
    regions: [removeRegion(DIRECT_MAP, false), removeRegion(DIRECT_MAP + GIB, false)],
  },
  {
    name: "remove_pagetable/boot",
    site: "remove_pagetable",
    user: false,
    about: "memory hot-remove, tables reserved at boot: freed at once whatever the policy",
    regions: [removeRegion(DIRECT_MAP, true), removeRegion(DIRECT_MAP + GIB, true)],
  },
  {
    name: "kasan_remove_zero_shadow",
    site: "kasan_remove_zero_shadow",
    user: false,
    about: "KASAN's shadow of removed memory: free, then clear, no flush",
    regions: [shadowRegion(SHADOW), shadowRegion(SHADOW + GIB)],
  },
  {
    name: "cpa_collapse_large_pages",
    site: "cpa_collapse_large_pages",
    user: false,
    about: "a split large page is restored: its table was never marked as a kernel table",
    regions: [cpaRegion(DIRECT_MAP), cpaRegion(DIRECT_MAP + GIB)],
  },
  {
    name: "munmap",
    site: "user",
    user: true,
    about: "user tables: unlink, flush with the mmu notifier, free",
    regions: [userRegion(MMAP), userRegion(0x7e8000000000n)],
  },
];
