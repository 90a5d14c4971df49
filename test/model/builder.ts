// A builder of small hand-made worlds for the model's own tests: map pages, get a CPU or an IOMMU over them.

import { ACCESS_IMPLICIT, ACCESS_SPECULATIVE, ACCESS_USER, type Controls } from "./access.js";
import type { TranslationCacheConfig } from "./agent-config.js";
import type { CacheDump, CacheGeometry } from "./cache.js";
import { Cpu, type CpuConfig } from "./cpu.js";
import {
  entryIndex,
  frameOf,
  GLOBAL,
  type LeafLevel,
  type Level,
  PAGE_SIZE,
  PRESENT,
  USER,
  WRITABLE,
} from "./entry.js";
import { Iommu } from "./iommu.js";
import type { IommuConfig } from "./iommu-config.js";
import { Memory } from "./memory.js";
import type { MachineParameters } from "./walk.js";

/** Access codes by name. */
export const READ = ACCESS_USER;
export const WRITE = ACCESS_USER + 1;
export const FETCH = ACCESS_USER + 2;
export const KERNEL_READ = 0;
export const KERNEL_WRITE = 1;
export const KERNEL_FETCH = 2;
export const IMPLICIT_READ = ACCESS_IMPLICIT;
export const SPECULATIVE_READ = ACCESS_USER + ACCESS_SPECULATIVE;
export const SPECULATIVE_WRITE = ACCESS_USER + ACCESS_SPECULATIVE + 1;

/** P, R/W and U/S. */
export const ALL = PRESENT | WRITABLE | USER;

/** Everything off but NXE and WP, as in a plain 64-bit system. */
export const PLAIN: Controls = {
  wp: true,
  smep: false,
  smap: false,
  pke: false,
  pge: true,
  pcide: true,
  nxe: true,
  ac: false,
  pkru: 0,
};

/** A page to map. */
export interface PageMapping {
  /** First frame number of the page. */
  frame: number;
  /** Level of the leaf; 1 by default. */
  level?: LeafLevel;
  /** Bits of the leaf besides frame and PS; P, R/W and U/S by default. */
  leaf?: bigint;
  /** Bits of the entries above, where the builder makes them; P, R/W and U/S by default. */
  upper?: bigint;
}

/** A cache of some entries and ways, LRU and enabled. */
export function cache(entries: number, ways: number): CacheGeometry {
  return { entries, ways, replacement: "lru", enabled: true };
}

/** A translation cache for all page sizes. */
export function tlb(entries: number, ways: number): TranslationCacheConfig {
  return { ...cache(entries, ways), pageSizes: ["4K", "2M", "1G"] };
}

/** Page-structure caches of 4 entries at levels 2 to 4. */
export const PSC = { 2: cache(4, 4), 3: cache(4, 4), 4: cache(4, 4) };

/** What a cache holds, short: "page number in hex, tag". */
export function held(dump: CacheDump | undefined): string[] {
  return (dump?.ways ?? []).map((way) => `${way.pageNumber.toString(16)} ${way.tag}`);
}

/** Memory with tables, roots from frame 0x1000 up. */
export class World {
  readonly memory = new Memory();
  readonly parameters: MachineParameters;
  #next = 0x1000;

  constructor(parameters: Partial<MachineParameters> = {}) {
    this.parameters = { levels: 4, maxPhyAddr: 46, pages1G: true, ...parameters };
  }

  /** A new table of zeros; its frame number. */
  table(): number {
    this.#next += 1;
    this.memory.add(this.#next, "table");
    return this.#next;
  }

  /** Map a page under a root, with tables made as needed. */
  map(root: number, address: bigint, page: PageMapping): void {
    const { frame, level = 1, leaf = ALL, upper = ALL } = page;
    let table = root;
    for (let at: Level = this.parameters.levels; at > level; at = (at - 1) as Level) {
      const index = entryIndex(address, at);
      const entry = this.memory.readEntry(table, index) ?? 0n;
      if (entry === 0n) this.memory.writeEntry(table, index, upper | (BigInt(this.table()) << 12n));
      table = frameOf(this.memory.readEntry(table, index) ?? 0n);
    }
    this.memory.writeEntry(
      table,
      entryIndex(address, level),
      (BigInt(frame) << 12n) | leaf | (level > 1 ? PAGE_SIZE : 0n),
    );
  }

  /** The entry of an address at a level, and where it is. */
  entry(root: number, address: bigint, level: Level): { table: number; index: number; value: bigint } {
    let table = root;
    for (let at: Level = this.parameters.levels; at > level; at = (at - 1) as Level) {
      table = frameOf(this.memory.readEntry(table, entryIndex(address, at)) ?? 0n);
    }
    const index = entryIndex(address, level);
    return { table, index, value: this.memory.readEntry(table, index) ?? 0n };
  }

  /** Change the entry of an address at a level. */
  change(root: number, address: bigint, level: Level, change: (entry: bigint) => bigint): void {
    const { table, index, value } = this.entry(root, address, level);
    this.memory.writeEntry(table, index, change(value));
  }

  /** A CPU with PCID 1, one L1 TLB of 8 ways and paging-structure caches, unless told otherwise. */
  cpu(root: number, config: Partial<CpuConfig> = {}): Cpu {
    const usual = { root, pcid: 1, controls: PLAIN, invlpgScope: "pcid", l1: [tlb(8, 8)], l2: [], psc: PSC } as const;
    return new Cpu(this.memory, this.parameters, { ...usual, l1: [...usual.l1], l2: [], ...config });
  }

  /** An IOMMU with PASIDs 5 and 6 on one root, an IOTLB of 8 ways and one device with a TLB, unless told otherwise. */
  iommu(root: number, config: Partial<IommuConfig> = {}): Iommu {
    return new Iommu(this.memory, this.parameters, {
      pasids: [5, 6].map((pasid) => ({ pasid, root })),
      l1: [tlb(8, 8)],
      l2: [],
      psc: PSC,
      devices: [tlb(4, 4)],
      supervisorEntries: "cache",
      cacheSupervisorLeaves: true,
      ...config,
    });
  }
}

/** Two pages of one table (A, B), one of another (FAR), and a global one (G); all under one root. */
export const A = 0x10_0000_0000n;
export const B = A + 0x1000n;
export const FAR = 0x20_0000_0000n;
export const G = A + 0x5000n;

/** The world of A, B, FAR and G. */
export function fourPages(): { it: World; root: number } {
  const it = new World();
  const root = it.table();
  it.map(root, A, { frame: 0xa });
  it.map(root, B, { frame: 0xb });
  it.map(root, FAR, { frame: 0xf });
  it.map(root, G, { frame: 0x6, leaf: ALL | GLOBAL });
  return { it, root };
}

const NAMES = new Map([A, B, FAR, G].map((address, place) => [address >> 12n, ["A", "B", "FAR", "G"][place]]));

/** Cached translations by name and tag, e.g. "A1" for A under PCID 1; and the PDE-cache and PML4E-cache contents. */
export function contents({ agent }: Cpu | Iommu): { tlb: string[]; pde: string[]; pml4e: string[] } {
  const { l1, psc } = agent.dump();
  return {
    tlb: (l1[0]?.ways ?? []).map((way) => `${NAMES.get(way.pageNumber)}${way.tag === "global" ? "" : way.tag}`).sort(),
    pde: held(psc[2]).sort(),
    pml4e: held(psc[4]).sort(),
  };
}

/** A PDE-cache entry as `contents` shows it. */
export const pdeOf = (address: bigint, tag: number): string => `${(address >> 21n).toString(16)} ${tag}`;
