// How a program gets to a site that frees page tables: what comes before, which addresses lead through what is freed, and what
// frees it.

import { hex } from "../base/notation.js";
import type { ProgramBuilder } from "../program/program.js";

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

export const PAGE = 0x1000n;
const MIB2 = 0x20_0000n;
export const GIB = 0x4000_0000n;
/** Pages that the row of munmap() maps and unmaps. */
export const MUNMAP_PAGES = 2;

const purgeStep: KernelStep = {
  text: "purge of the lazy areas: flush_tlb_kernel_range(), the addresses may be used again",
  play: (p) => p.purge(),
};

export function pmdRegion(va: bigint): Region {
  return {
    addresses: [va, va + MIB2 - PAGE],
    setUp: [
      { text: `vmalloc(${hex(va)}): 512 pages, 4 KiB each`, play: (p) => p.vmalloc(va, 512) },
      { text: `vfree(${hex(va)}): the PTEs are cleared, the empty table stays`, play: (p) => p.vfree(va, 512) },
      purgeStep,
    ],
    free: { text: `vmalloc_huge(${hex(va)}): 2 MiB, one large leaf`, play: (p) => p.vmalloc(va, 512, 21) },
  };
}

export function pudRegion(va: bigint): Region {
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
      purgeStep,
    ],
    free: { text: `ioremap(${hex(va)}): 1 GiB, one huge leaf`, play: (p) => p.vmalloc(va, 262144, 30) },
  };
}

/** How the memory came to be there, and what its tables are. */
const origins = {
  added: {
    text: "2 MiB, hot-added, tables of 4 KiB pages: made without the kernel's mark",
    options: { smallPages: true },
  },
  boot: {
    text: "2 MiB, present at boot, its tables are reserved boot memory",
    options: { smallPages: true, bootTables: true },
  },
  vmemmap: {
    text: "2 MiB of vmemmap whose leaf HVO has split: the PT has the kernel's mark, tables above it have none",
    options: { splitVmemmap: true },
  },
  split: { text: "2 MiB, hot-added, a 2 MiB leaf", options: {} },
} as const;

export function removeRegion(va: bigint, origin: keyof typeof origins): Region {
  const { text, options } = origins[origin];
  return {
    addresses: [va, va + MIB2 - PAGE],
    setUp: [
      { text: `memory at ${hex(va)}: ${text}`, play: (p) => p.hotAdd(va, 1, options) },
      ...(origin === "split" ? [splitStep(va)] : []),
      // What the row is about is the PT.
      ...(origin === "split" || origin === "vmemmap"
        ? [
            {
              text: "its neighbour, which stays, and so does the PD",
              play: (p: ProgramBuilder) => p.hotAdd(va + MIB2, 1),
            },
          ]
        : []),
    ],
    free: { text: `memory hot-remove of ${hex(va)}: remove_pagetable()`, play: (p) => p.hotRemove(va, 1) },
  };
}

const splitStep = (va: bigint): KernelStep => ({
  text: `__split_large_page(${hex(va)}): a table of 512 leaves; the entry that leads to it has U/S = 0`,
  play: (p) => p.cpaSplit(va),
});

export function splitPmdRegion(va: bigint): Region {
  const { addresses, setUp, free } = pmdRegion(va);
  return {
    addresses,
    setUp: [
      { text: `vmalloc_huge(${hex(va)}): 2 MiB, one large leaf`, play: (p) => p.vmalloc(va, 512, 21) },
      splitStep(va),
      ...setUp.slice(1),
    ],
    free,
  };
}

export function shadowRegion(va: bigint): Region {
  const options = { shadow: true, smallPages: true };
  return {
    addresses: [va, va + MIB2 - PAGE],
    setUp: [
      {
        text: `KASAN shadow at ${hex(va)}: 2 MiB, non-leaf entries with U/S = 1, as everywhere but in splits`,
        play: (p) => p.hotAdd(va, 1, options),
      },
      { text: "shadow of other memory, which stays", play: (p) => p.hotAdd(va + 8n * GIB, 1, { shadow: true }) },
    ],
    free: { text: `kasan_remove_zero_shadow(${hex(va)})`, play: (p) => p.hotRemove(va, 1, { shadow: true }) },
  };
}

export function cpaRegion(va: bigint): Region {
  return {
    addresses: [va, va + MIB2 - PAGE],
    setUp: [{ text: `direct map at ${hex(va)}: a 2 MiB leaf`, play: (p) => p.hotAdd(va, 1) }, splitStep(va)],
    free: { text: `cpa_collapse_large_pages(${hex(va)})`, play: (p) => p.cpaCollapse(va) },
  };
}

export function cpaHugeRegion(va: bigint): Region {
  return {
    addresses: [va, va + 5n * MIB2],
    setUp: [
      { text: `direct map at ${hex(va)}: a 1 GiB leaf`, play: (p) => p.hotAdd(va, 512, { hugePages: true }) },
      splitStep(va),
      splitStep(va),
    ],
    free: { text: `cpa_collapse_large_pages(${hex(va)})`, play: (p) => p.cpaCollapse(va) },
  };
}

export function reclaimRegion(va: bigint): Region {
  const half = MIB2 / 2n;
  const pages = 256;
  return {
    addresses: [va, va + MIB2 - PAGE],
    setUp: [
      { text: `mmap(${hex(va)}): 2 MiB of the process`, play: (p) => p.mmap(0, va, 512) },
      ...[va, va + half].map((at) => ({
        text: `madvise(${hex(at)}, MADV_DONTNEED): 1 MiB; the PTEs are cleared, the PT stays`,
        play: (p: ProgramBuilder) => p.dontNeed(0, at, pages),
      })),
    ],
    free: { text: `madvise(${hex(va)}, MADV_DONTNEED): 2 MiB`, play: (p) => p.dontNeed(0, va, 512) },
  };
}

export function exitRegion(mm: 0 | 1, va: bigint): Region {
  return {
    addresses: [va, va + PAGE],
    setUp: [
      { text: `process ${mm}`, play: (p) => p.mmCreate(mm) },
      { text: `mmap(${hex(va)}): 2 pages of process ${mm}`, play: (p) => p.mmap(mm, va, 2) },
    ],
    free: { text: `exit of process ${mm}`, play: (p) => p.mmDestroy(mm) },
  };
}

export function userRegion(va: bigint): Region {
  return {
    addresses: [va, va + PAGE],
    setUp: [
      { text: `mmap(${hex(va)}): ${MUNMAP_PAGES} pages of the process`, play: (p) => p.mmap(0, va, MUNMAP_PAGES) },
    ],
    free: { text: `munmap(${hex(va)}): ${MUNMAP_PAGES} pages`, play: (p) => p.munmap(0, va, MUNMAP_PAGES) },
  };
}
