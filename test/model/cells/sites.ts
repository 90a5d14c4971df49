// The rows of the matrix, as tables and steps (rules.md 10; sources there).

import type { ScenarioName } from "../../../src/verdicts/index.js";
import { clearPasid, flushAll, flushKernelPage, flushUser, free, type Step, write } from "./kernel.js";
import { type Layout, leaf, type Mark, names } from "./world.js";

/** What versions of the kernel differ in, as far as a row can tell. */
export interface CellKernel {
  collapses: boolean;
  reclaims: boolean;
  splitsMarked: boolean;
  keepsPd: boolean;
  flushesPastTable: boolean;
  usesInvlpgb: boolean;
}

const none: CellKernel = {
  ...{ collapses: false, reclaims: false, splitsMarked: false, keepsPd: false, flushesPastTable: false },
  usesInvlpgb: false,
};
const from615 = { ...none, collapses: true, reclaims: true, usesInvlpgb: true };

/** Read off rules.md 11.8. */
export const cellKernels: Readonly<Record<"6.12" | "6.18.7" | "7.0" | "7.3", CellKernel>> = {
  "6.12": none,
  "6.18.7": from615,
  "7.0": { ...from615, keepsPd: true, flushesPastTable: true },
  "7.3": { ...from615, keepsPd: true, splitsMarked: true },
};

/** One region: addresses whose walks lead through what its free gives back. */
export interface CellRegion {
  addresses: bigint[];
  free: Step[];
}

/** A row: two regions under one root, which process 0 has, too. */
export interface Site {
  user: boolean;
  regions: [CellRegion, CellRegion];
}

const PAGE = 4096n;
const MIB2 = 0x20_0000n;
const GIB = 0x4000_0000n;
const VMALLOC = 0xffff_c900_0000_0000n;
const DIRECT = 0xffff_8881_0000_0000n;
const VMEMMAP = 0xffff_ea00_0000_0000n;
const SHADOW = 0xffff_ec00_0000_0000n;
const USER = [0x7f00_0000_0000n, 0x7e80_0000_0000n] as const;
const SUPERVISOR_LEAF = leaf({ user: false });
const USER_LEAF = leaf({ user: true });

/** Tables of a region, and where they hang. */
class Place {
  readonly pdpt: number;
  readonly pd: number;
  readonly pt: number;
  readonly inRoot: number;
  readonly inPdpt: number;
  readonly inPd: number;

  /** `split`: which tables were made by a split. */
  constructor(
    readonly l: Layout,
    root: number,
    readonly va: bigint,
    marks: { pdpt: Mark; pd: Mark; pt: Mark },
    split: { pd?: boolean; pt?: boolean } = {},
    pdpt?: number,
  ) {
    this.pdpt = pdpt ?? l.table(marks.pdpt);
    this.pd = l.table(marks.pd);
    this.pt = l.table(marks.pt);
    this.inRoot = l.set(root, va, 4, names(this.pdpt));
    this.inPdpt = l.set(this.pdpt, va, 3, names(this.pd, split.pd !== true));
    this.inPd = l.set(this.pd, va, 2, names(this.pt, split.pt !== true));
  }

  fill(entry: number, addresses: readonly bigint[]): number[] {
    return addresses.map((at) => this.l.set(this.pt, at, 1, entry));
  }
}

type Made = (l: Layout, root: number, va: bigint, k: CellKernel, pdpt?: number) => CellRegion & { pdpt: number };

const marked = { pdpt: "kernel", pd: "kernel", pt: "kernel" } as const;
const bare = { pdpt: "none", pd: "none", pt: "none" } as const;
const ends = (va: bigint): bigint[] => [va, va + MIB2 - PAGE];
const splitMark = (k: CellKernel): Mark => (k.splitsMarked ? "kernel" : "none");

const pmd =
  (split: boolean): Made =>
  (l, root, va, k, pdpt) => {
    const mark = split ? splitMark(k) : "kernel";
    const it = new Place(l, root, va, { ...marked, pt: mark }, { pt: split }, pdpt);
    it.fill(0, ends(va));
    const steps = [write(it.inPd, 0), ...flushKernelPage(va), free(it.pt, mark), write(it.inPd, SUPERVISOR_LEAF)];
    return { addresses: ends(va), free: steps, pdpt: it.pdpt };
  };

const pud: Made = (l, root, va, k, pdpt) => {
  const it = new Place(l, root, va, marked, {}, pdpt);
  const other = va + 5n * MIB2;
  const second = l.table("kernel");
  const inPd = l.set(it.pd, other, 2, names(second));
  it.fill(0, [va]);
  l.set(second, other, 1, 0);
  const emptied = k.keepsPd ? [] : [write(it.inPd, 0), write(inPd, 0)];
  const steps = [
    ...[...emptied, write(it.inPdpt, 0), ...flushKernelPage(va)],
    ...[free(it.pt, "kernel"), free(second, "kernel"), free(it.pd, "kernel"), write(it.inPdpt, SUPERVISOR_LEAF)],
  ];
  return { addresses: [va, other], free: steps, pdpt: it.pdpt };
};

const remove =
  (origin: "added" | "vmemmap" | "split"): Made =>
  (l, root, va, k, pdpt) => {
    const mark = { added: "none", vmemmap: "kernel", split: splitMark(k) }[origin] as Mark;
    const it = new Place(l, root, va, { ...bare, pt: mark }, { pt: origin === "split" }, pdpt);
    const leaves = it.fill(SUPERVISOR_LEAF, ends(va));
    const upper = origin === "added" ? [free(it.pd, "none"), write(it.inPdpt, 0)] : [];
    const cleared = leaves.map((slot) => write(slot, 0));
    const steps = [...cleared, ...flushAll(), free(it.pt, mark), write(it.inPd, 0), ...upper, ...flushAll()];
    return { addresses: ends(va), free: steps, pdpt: it.pdpt };
  };

const kasan: Made = (l, root, va, _k, pdpt) => {
  const it = new Place(l, root, va, marked, {}, pdpt);
  const cleared = it.fill(SUPERVISOR_LEAF, ends(va)).map((slot) => write(slot, 0));
  const steps = [...cleared, free(it.pt, "kernel"), write(it.inPd, 0), free(it.pd, "kernel"), write(it.inPdpt, 0)];
  return { addresses: ends(va), free: steps, pdpt: it.pdpt };
};

const collapse: Made = (l, root, va, k, pdpt) => {
  const it = new Place(l, root, va, { ...bare, pt: splitMark(k) }, { pt: true }, pdpt);
  it.fill(SUPERVISOR_LEAF, ends(va));
  const steps = [write(it.inPd, SUPERVISOR_LEAF), ...flushAll(), free(it.pt, splitMark(k))];
  return { addresses: ends(va), free: steps, pdpt: it.pdpt };
};

const collapseHuge: Made = (l, root, va, k, pdpt) => {
  const mark = splitMark(k);
  const it = new Place(l, root, va, { pdpt: "none", pd: mark, pt: mark }, { pd: true, pt: true }, pdpt);
  it.fill(SUPERVISOR_LEAF, [va]);
  l.set(it.pd, va + 5n * MIB2, 2, SUPERVISOR_LEAF);
  const leaves = [write(it.inPd, SUPERVISOR_LEAF), write(it.inPdpt, SUPERVISOR_LEAF)];
  const steps = [...leaves, ...flushAll(), free(it.pd, mark), free(it.pt, mark)];
  return { addresses: [va, va + 5n * MIB2], free: steps, pdpt: it.pdpt };
};

const munmap: Made = (l, root, va) => {
  const it = new Place(l, root, va, bare);
  const addresses = [va, va + PAGE];
  const cleared = it.fill(USER_LEAF, addresses).map((slot) => write(slot, 0));
  const unlinked = [it.inPd, it.inPdpt, it.inRoot].map((slot) => write(slot, 0));
  const freed = [it.pt, it.pd, it.pdpt].map((table) => free(table, "none"));
  const steps = [...cleared, ...unlinked, ...flushUser(va, va + 2n * PAGE, PAGE), ...freed];
  return { addresses, free: steps, pdpt: it.pdpt };
};

const reclaim: Made = (l, root, va, k) => {
  const it = new Place(l, root, va, bare);
  it.fill(0, ends(va));
  const at = k.flushesPastTable ? va + MIB2 : va;
  const steps = [write(it.inPd, 0), ...flushUser(at, at + PAGE, MIB2), free(it.pt, "none")];
  return { addresses: ends(va), free: steps, pdpt: it.pdpt };
};

const exit: Made = (l, root, va) => {
  const it = new Place(l, root, va, bare);
  it.fill(USER_LEAF, [va, va + PAGE]);
  const freed = [it.pt, it.pd, it.pdpt, root].map((table) => free(table, "none"));
  return { addresses: [va, va + PAGE], free: [...clearPasid, ...freed], pdpt: it.pdpt };
};

interface Row {
  make: Made;
  at: readonly [bigint, bigint];
  user?: true;
  needs?: "collapses" | "reclaims";
}

const kernelRow = (make: Made, at: bigint, needs?: "collapses"): Row => ({
  ...{ make, at: [at, at + GIB] as const },
  ...(needs && { needs }),
});

const rows: Readonly<Record<ScenarioName, Row>> = {
  pmd_free_pte_page: kernelRow(pmd(false), VMALLOC),
  "pmd_free_pte_page/split": kernelRow(pmd(true), VMALLOC),
  pud_free_pmd_page: kernelRow(pud, VMALLOC),
  remove_pagetable: kernelRow(remove("added"), DIRECT),
  // Boot memory is never deferred, and neither is memory without a mark.
  "remove_pagetable/boot": kernelRow(remove("added"), DIRECT),
  "remove_pagetable/vmemmap": kernelRow(remove("vmemmap"), VMEMMAP),
  "remove_pagetable/split": kernelRow(remove("split"), DIRECT),
  kasan_remove_zero_shadow: kernelRow(kasan, SHADOW),
  cpa_collapse_large_pages: kernelRow(collapse, DIRECT, "collapses"),
  "cpa_collapse_large_pages/1G": kernelRow(collapseHuge, DIRECT, "collapses"),
  munmap: { make: munmap, at: USER, user: true },
  zap_pte_range: { make: reclaim, at: USER, user: true, needs: "reclaims" },
  exit: { make: exit, at: USER, user: true },
};

/** Rows that a kernel has. */
export const rowsOf = (k: CellKernel): ScenarioName[] =>
  (Object.keys(rows) as ScenarioName[]).filter((name) => {
    const { needs } = rows[name];
    return needs === undefined || k[needs];
  });

/** What a row can notice of policies and versions. */
export interface RowFacts {
  user: boolean;
  /** The flush whose hook it reaches. */
  flush: "range" | "all" | "none";
  /** It frees a table that has the kernel's mark. */
  marked: boolean;
  /** What else of the kernel it depends on. */
  version: boolean;
}

export function rowFacts(name: ScenarioName, k: CellKernel): RowFacts {
  const { user, make } = rows[name];
  const flush = name.startsWith("p") ? "range" : make === kasan || user ? "none" : "all";
  const split = name.endsWith("/split") || name.startsWith("cpa_");
  const always = make === pud || make === kasan || name === "pmd_free_pte_page" || name === "remove_pagetable/vmemmap";
  const version = make === pud ? k.keepsPd : make === reclaim && k.flushesPastTable;
  return { user: user === true, flush, marked: split ? k.splitsMarked : always, version };
}

/** A row's tables, made under a root; both regions share the PDPT of kernel space. */
export function makeSite(name: ScenarioName, l: Layout, root: number, k: CellKernel): Site {
  const { make, at, user } = rows[name];
  const first = make(l, root, at[0], k);
  if (name === "exit") {
    // Process 1 is nobody's whose walks are watched, and nothing is flushed when it ends.
    return { user: true, regions: [first, { addresses: [], free: [] }] };
  }
  return { user: user === true, regions: [first, make(l, root, at[1], k, user ? undefined : first.pdpt)] };
}
