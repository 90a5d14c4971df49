// What the kernel does to its tables in random programs: ranges that collide, some of them not aligned or beyond their half.

import fc from "../../support/fast-check.js";
import { TLB_FLUSH_ALL } from "./flush.js";
import { misplacedOnes } from "./misplaced.js";
import type { KernelOperation } from "./operations.js";
import { askew, GIB, LAST_PAGES, MIB2, PAGE, pageIn, regions, within } from "./places.js";
import { SITE } from "./sites.js";
import type { Shape } from "./worlds.js";

/** The first ones more often than not; all of them are more than a CPU has ASIDs. */
export const MMS = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7];

/** An operation, and how often it is drawn. */
export type Weighted = { weight: number; arbitrary: fc.Arbitrary<KernelOperation> };

/** Pages of a mapping: a few, a large page and its neighbours, two large pages. */
const pages = fc.constantFrom(1, 1, 2, 3, 8, 33, 34, 512, 512, 513, 1024);
/** Pages of a vfree: also as many as reach the threshold of the lazy purge. */
const freedPages = fc.constantFrom(1, 2, 3, 8, 512, 512, 1024, 8193, 20_000, 262_144);
/** Ranges end inside their half, but for a few. */
const cut = fc.noBias(fc.nat(15)).map((it) => (it === 15 ? (_: bigint, count: number) => count : within));
/** Where the kernel maps: at the start of a region more often than not. */
function kernelPlace(levels: 4 | 5): fc.Arbitrary<bigint> {
  const { vmalloc, direct } = regions(levels);
  return askew(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...vmalloc) },
      { weight: 2, arbitrary: pageIn(vmalloc) },
      { weight: 1, arbitrary: pageIn(direct) },
      { weight: 1, arbitrary: pageIn([LAST_PAGES]) },
    ),
  );
}

/** A vfree. */
export function freeing({ levels }: Pick<Shape, "levels">): fc.Arbitrary<KernelOperation> {
  return fc
    .record({ address: kernelPlace(levels), pages: freedPages, type: fc.constantFrom(0, 0, 0, 1, 2), cut })
    .map(({ cut, ...it }) => ({ kind: "vfree" as const, ...it, pages: cut(it.address, it.pages, levels) }));
}

/** Everything that maps, unmaps, or says of address spaces. */
export function mappingOperations({ levels, cpus }: Shape): Weighted[] {
  const { vmalloc, direct, user } = regions(levels);
  const mm = fc.constantFrom(...MMS);
  const cpu = fc.nat(cpus - 1);
  const draft = <T extends KernelOperation>(weight: number, arbitrary: fc.Arbitrary<T>): Weighted => ({
    weight,
    arbitrary,
  });
  const vmallocAt = kernelPlace(levels);
  const blocks = fc.constantFrom(1, 1, 2, 3);
  const type = fc.constantFrom(0, 1, 2, 2, 3, 4, 6, 6, 7, 16, 17);
  return [
    draft(
      12,
      fc
        .record({
          ...{ address: vmallocAt, pages, huge: fc.nat(9), shift: fc.constantFrom(12, 21, 21, 30), cut },
          keep: fc.noBias(fc.nat(5)).map((it) => it === 5),
        })
        .map(({ address, pages, huge, shift, keep, cut }) => ({
          kind: "vmalloc" as const,
          keep,
          address: huge === 9 ? (address / GIB) * GIB : address,
          // 4 KiB leaves of a whole GiB would need more tables than there are.
          pages: huge === 9 ? 262_144 : cut(address, pages, levels),
          shift: huge === 9 ? 30 : shift,
        })),
    ),
    draft(8, freeing({ levels })),
    draft(
      5,
      fc.record({ kind: fc.constant("hot-add" as const), address: askew(fc.constantFrom(...direct)), blocks, type }),
    ),
    draft(
      5,
      fc.record({ kind: fc.constant("hot-remove" as const), address: askew(fc.constantFrom(...direct)), blocks, type }),
    ),
    // 1 GiB at once: by one leaf, taken away by its place or together with its neighbours.
    draft(
      2,
      fc.record({
        kind: fc.constantFrom("hot-add" as const, "hot-add" as const, "hot-remove" as const),
        address: fc.constantFrom(...direct),
        blocks: fc.constantFrom(512, 512, 513, 1024),
        type: fc.constantFrom(8, 8, 9, 12),
      }),
    ),
    draft(
      4,
      fc.record({
        kind: fc.constantFrom("cpa-split" as const, "cpa-collapse" as const),
        address: pageIn([...direct, ...direct, ...vmalloc]),
      }),
    ),
    draft(4, fc.record({ kind: fc.constant("mm-create" as const), mm })),
    draft(2, fc.record({ kind: fc.constant("mm-destroy" as const), mm })),
    draft(5, fc.record({ kind: fc.constant("switch-mm" as const), cpu, mm })),
    draft(4, fc.record({ kind: fc.constant("enter-user" as const), cpu })),
    draft(1, fc.record({ kind: fc.constant("enter-kernel" as const), cpu })),
    draft(1, fc.record({ kind: fc.constant("set-pcide" as const), cpu, on: fc.boolean() })),
    draft(
      6,
      fc
        .record({
          mm,
          address: askew(pageIn(user)),
          large: fc.constantFrom(0, 0, 0, 1),
          readOnly: fc.constantFrom(0, 0, 2),
          pages,
          cut,
        })
        .map(({ mm, address, large, readOnly, pages, cut }) => {
          const start = large ? (address / MIB2) * MIB2 : address;
          const count = cut(start, large ? Math.max(1, Math.floor(pages / 512)) * 512 : pages, levels);
          return { kind: "mmap" as const, mm, address: start, pages: count, type: large + readOnly };
        }),
    ),
    draft(
      5,
      fc
        .record({
          kind: fc.constantFrom("munmap" as const, "munmap" as const, "mprotect" as const, "dont-need" as const),
          mm,
          address: askew(pageIn(user)),
          pages,
          cut,
        })
        .map(({ cut, ...it }) => ({ ...it, pages: cut(it.address, it.pages, levels) })),
    ),
    draft(
      1,
      mm.chain((it) => fc.constantFrom(...misplacedOnes(levels, it))),
    ),
    draft(
      2,
      fc
        .record({
          kind: fc.constantFrom("table-clear" as const, "table-free" as const, "table-free" as const),
          // What is known of the mark, for a free.
          mark: fc.constantFrom(undefined, undefined, "kernel" as const, "none" as const),
          site: fc.constantFrom(...Object.values(SITE)),
          // Few places, so that a free follows its clear; aligned to what the site frees.
          at: fc.constantFrom(0, 1, 3),
          level: fc.constantFrom<(0 | 1 | 2 | 3)[]>(0, 0, 0, 0, 1, 2, 3),
        })
        .map(({ kind, mark, site, at, level }) => {
          const address = (site === 1 ? ((vmalloc[at] ?? 0n) / GIB) * GIB : vmalloc[at]) ?? 0n;
          if (kind === "table-clear" || mark === undefined) return { kind, site, level, address };
          return { kind, site, level, address, mark };
        }),
    ),
    draft(
      2,
      fc
        .record({
          mm,
          address: pageIn(user),
          pages,
          shift: fc.constantFrom(12, 12, 21),
          how: fc.constantFrom("range", "range", "range", "bytes", "empty", "backwards", "beyond", "all"),
        })
        .map(({ mm, address, pages, shift, how }) => {
          const start = how === "bytes" ? address + 0x800n : address;
          const bytes = BigInt(how === "beyond" ? pages : within(address, pages, levels)) * PAGE;
          const odd = new Map([
            ["empty", start],
            ["backwards", start > 0n ? start - 1n : 0n],
            ["all", TLB_FLUSH_ALL],
          ]);
          return { kind: "flush-mm-range" as const, mm, start, end: odd.get(how) ?? start + bytes, shift };
        }),
    ),
    draft(
      2,
      fc
        .record({
          ...{ address: pageIn([...vmalloc, LAST_PAGES]), pages, short: fc.constantFrom(0n, 0n, 1n, 0x800n, "all") },
          frees: fc.boolean(),
        })
        .map(({ address, pages, short, frees }) => {
          const end = address + BigInt(within(address, pages, levels)) * PAGE;
          return {
            kind: "flush-kernel-range" as const,
            frees,
            start: address,
            // The engine's programs cannot say 2^64; what a purge makes of it can.
            end: typeof short === "string" || end >> 64n !== 0n ? TLB_FLUSH_ALL : end - short,
          };
        }),
    ),
  ];
}
