// fast-check arbitraries of whole kernel programs on small worlds: a pool that runs dry, few 2 MiB regions that collide, several
// mms and PASIDs, any policy, and operations interleaved at random points. Now and then an address is not aligned, or a range
// leaves its half; colliding and refused operations are frequent.

import fc from "../../support/fast-check.js";
import { TLB_FLUSH_ALL } from "./flush.js";
import type { KernelOperation, KernelProgram } from "./operations.js";
import { SITE } from "./sites.js";
import { stories } from "./stories.js";
import { KERNEL_PASIDS, kernelConfig, type Shape } from "./worlds.js";

export { KERNEL_PASIDS } from "./worlds.js";

const MIB2 = 0x20_0000n;
const GIB = 0x4000_0000n;
const PAGE = 0x1000n;

const MMS = [0, 1, 2];
/** The last 2 MiB of all addresses: a range there may end at 2^64. */
const LAST_PAGES = (1n << 64n) - MIB2;

/** Regions of 2 MiB by number of levels: two vmalloc PDs, the direct map around the end of a PD, the heap of a process. */
function regions(levels: 4 | 5): { vmalloc: bigint[]; direct: bigint[]; user: bigint[] } {
  const vmalloc = levels === 4 ? 0xffff_c900_0000_0000n : 0xffa0_0000_0000_0000n;
  const direct = levels === 4 ? 0xffff_8880_0000_0000n : 0xff11_0000_0000_0000n;
  const top = 1n << BigInt(11 + 9 * levels);
  return {
    vmalloc: [vmalloc, vmalloc + MIB2, vmalloc + 2n * MIB2, vmalloc + GIB - MIB2, vmalloc + GIB],
    direct: [direct, direct + MIB2, direct + GIB - MIB2, direct + GIB],
    user: [0n, MIB2, GIB, top - MIB2],
  };
}

type Weighted = { weight: number; arbitrary: fc.Arbitrary<KernelOperation> };

/** A region and a page in it; near its edges more often than not. */
function pageIn(places: readonly bigint[]): fc.Arbitrary<bigint> {
  return fc
    .tuple(fc.constantFrom(...places), fc.constantFrom(0, 0, 0, 1, 2, 5, 511))
    .map(([region, page]) => region + BigInt(page) * PAGE);
}

/** Mostly the address as it is, else one that is not aligned. */
function askew(address: fc.Arbitrary<bigint>): fc.Arbitrary<bigint> {
  return fc
    .tuple(address, fc.noBias(fc.nat(29)))
    .map(([it, odd]) => it + ([0n, 0x1n, 0x800n][odd === 28 ? 1 : odd === 29 ? 2 : 0] ?? 0n));
}

/** Pages of a mapping: a few, a large page and its neighbours, two large pages. */
const pages = fc.constantFrom(1, 1, 2, 3, 8, 33, 34, 512, 512, 513, 1024);
/** Pages of a vfree: also as many as reach the threshold of the lazy purge. */
const freedPages = fc.constantFrom(1, 2, 3, 8, 512, 512, 1024, 8193, 20_000, 262_144);
/** Access codes of accesses and of requests. */
const ACCESSES = [0, 0, 1, 1, 2, 4, 5, 6, 8, 12, 13, 16, 20, 17, 28];
const REQUESTS = [4, 4, 4, 5, 5, 6, 20];

/** Number of pages cut so that the range ends inside its half. */
function within(address: bigint, count: number, levels: 4 | 5): number {
  const half = 1n << BigInt(11 + 9 * levels);
  const end = address < half ? half : 1n << 64n;
  const left = (end - address) / PAGE;
  return left < BigInt(count) ? Number(left) : count;
}

function agentOperations({ levels, cpus, iommus }: Shape): Weighted[] {
  const { vmalloc, direct, user } = regions(levels);
  // Kernel addresses twice: that is where tables go away.
  const address = fc
    .tuple(pageIn([...vmalloc, ...vmalloc, ...direct, ...user]), fc.constantFrom(0n, 0xff8n))
    .map(([page, offset]) => page + offset);
  const cpu = fc.nat(cpus - 1);
  const iommu = fc.nat(iommus - 1);
  const [first = 0, second = 0, third = 0] = KERNEL_PASIDS;
  const pasid = fc.constantFrom(first, first, first, second, second, third);
  const device = fc.constantFrom(undefined, undefined, 0, 1);
  const access = fc.constantFrom(...ACCESSES);
  const walk = fc.constantFrom(0, 1);
  const request = fc.constantFrom(...REQUESTS);
  return [
    {
      weight: 26,
      arbitrary: fc.record({ kind: fc.constant("access" as const), cpu, address, access }),
    },
    {
      weight: 30,
      arbitrary: fc.record({
        kind: fc.constant("request" as const),
        iommu,
        device,
        pasid,
        address,
        access: request,
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("begin-access" as const), walk, cpu, address, access }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant("begin-request" as const),
        walk,
        iommu,
        device,
        pasid,
        address,
        access: request,
      }),
    },
    { weight: 20, arbitrary: fc.record({ kind: fc.constant("step" as const), walk }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("finish" as const), walk }) },
  ];
}

function reuse({ levels }: Shape): Weighted {
  const { vmalloc } = regions(levels);
  // As someone's page tables would look, as data that looks present without A and D, as text.
  const contents: { type: 0 | 1 | 2; address: bigint }[] = [
    { type: 0, address: 0n },
    { type: 1, address: 0x12_3000n },
    { type: 2, address: 0x1234_5007n },
    { type: 2, address: 0x6161_6161_6161_6160n },
    { type: 2, address: vmalloc[0] ?? 0n },
  ];
  const forged = fc.constantFrom(...contents, ...contents.slice(1, 2));
  return { weight: 2, arbitrary: forged.map((it) => ({ kind: "reuse" as const, ...it })) };
}

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

function freeing({ levels }: Pick<Shape, "levels">): fc.Arbitrary<KernelOperation> {
  return fc
    .record({ address: kernelPlace(levels), pages: freedPages, type: fc.constantFrom(0, 0, 0, 1) })
    .map((it) => ({ kind: "vfree" as const, ...it, pages: within(it.address, it.pages, levels) }));
}

/** Operations on ranges that are empty, of the other half, or not aligned. */
function misplacedOnes(levels: 4 | 5, mm: number): KernelOperation[] {
  const { vmalloc, direct, user } = regions(levels);
  const [kernel, own] = [vmalloc[0] ?? 0n, user[0] ?? 0n];
  return [
    { kind: "vmalloc", address: own, pages: 1, shift: 12 },
    { kind: "vfree", address: kernel, pages: 0, type: 0 },
    { kind: "hot-remove", address: direct[0] ?? 0n, blocks: 0, type: 0 },
    { kind: "mmap", mm, address: kernel, pages: 1, type: 0 },
    { kind: "munmap", mm, address: own, pages: 0 },
    { kind: "mmap", mm, address: own + PAGE, pages: 512, type: 1 },
    { kind: "vmalloc", address: kernel + 1n, pages: 1, shift: 12 },
    { kind: "munmap", mm, address: own + 0x800n, pages: 1 },
    { kind: "hot-add", address: (direct[0] ?? 0n) + PAGE, blocks: 1, type: 0 },
    { kind: "flush-kernel-range", start: kernel, end: kernel },
  ];
}

function mappingOperations({ levels, cpus }: Shape): Weighted[] {
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
        .record({ address: vmallocAt, pages, huge: fc.nat(9), shift: fc.constantFrom(12, 21, 21, 30) })
        .map(({ address, pages, huge, shift }) => ({
          kind: "vmalloc" as const,
          address: huge === 9 ? (address / GIB) * GIB : address,
          // 4 KiB leaves of a whole GiB would need more tables than there are.
          pages: huge === 9 ? 262_144 : within(address, pages, levels),
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
        })
        .map(({ mm, address, large, readOnly, pages }) => {
          const start = large ? (address / MIB2) * MIB2 : address;
          const count = within(start, large ? Math.max(1, Math.floor(pages / 512)) * 512 : pages, levels);
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
        })
        .map((it) => ({ ...it, pages: within(it.address, it.pages, levels) })),
    ),
    draft(
      1,
      mm.chain((it) => fc.constantFrom(...misplacedOnes(levels, it))),
    ),
    draft(
      2,
      fc
        .record({
          // With what is known of the mark, for a free.
          step: fc.constantFrom(["table-clear"] as const, ["table-free"] as const, ["table-free", true] as const),
          site: fc.constantFrom(...Object.values(SITE)),
          // Few places, so that a free follows its clear; aligned to what the site frees.
          at: fc.constantFrom(0, 1, 3),
        })
        .map(({ step, site, at }) => {
          const address = (site === 1 ? ((vmalloc[at] ?? 0n) / GIB) * GIB : vmalloc[at]) ?? 0n;
          if (step[0] === "table-clear" || !step[1]) return { kind: step[0], site, address };
          return { kind: step[0], site, address, mark: at === 1 ? ("kernel" as const) : ("none" as const) };
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
        .record({ address: pageIn([...vmalloc, LAST_PAGES]), pages, short: fc.constantFrom(0n, 0n, 1n, 0x800n, "all") })
        .map(({ address, pages, short }) => {
          const end = address + BigInt(within(address, pages, levels)) * PAGE;
          return {
            kind: "flush-kernel-range" as const,
            start: address,
            // The engine's programs cannot say 2^64; what a purge makes of it can.
            end: typeof short === "string" || end >> 64n !== 0n ? TLB_FLUSH_ALL : end - short,
          };
        }),
    ),
  ];
}

function bindOperations({ iommus }: Shape): Weighted[] {
  const place = { iommu: fc.nat(iommus - 1), pasid: fc.constantFrom(...KERNEL_PASIDS) };
  return [
    {
      weight: 7,
      arbitrary: fc.record({ kind: fc.constant("sva-bind" as const), ...place, mm: fc.constantFrom(...MMS) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("sva-unbind" as const), ...place }) },
  ];
}

function workOperations({ cpus }: Shape): Weighted[] {
  return [
    { weight: 4, arbitrary: fc.constant({ kind: "run-work" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "purge" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "flush-all" as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("local-flush-all" as const), cpu: fc.nat(cpus - 1) }) },
  ];
}

/** Mms with something mapped, running and bound: where a random program starts more often than not. */
function prelude({ levels, cpus, iommus }: Shape): KernelOperation[] {
  const { vmalloc, user } = regions(levels);
  return [
    { kind: "vmalloc", address: vmalloc[0] ?? 0n, pages: 3, shift: 12 },
    { kind: "mm-create", mm: 0 },
    { kind: "mmap", mm: 0, address: user[0] ?? 0n, pages: 3, type: 0 },
    { kind: "switch-mm", cpu: cpus - 1, mm: 0 },
    ...KERNEL_PASIDS.slice(0, 2).map(
      (pasid, place): KernelOperation => ({ kind: "sva-bind", iommu: place % iommus, pasid, mm: 0 }),
    ),
  ];
}

/** What neither walks the kernel's tables for the kernel nor allocates one. */
const QUIET: ReadonlySet<KernelOperation["kind"]> = new Set([
  ...(["access", "request", "reuse", "run-work", "purge"] as const),
  ...(["begin-access", "begin-request", "step", "finish"] as const),
  ...(["flush-all", "flush-kernel-range", "flush-mm-range", "local-flush-all"] as const),
]);

/**
 * Every bare free follows its clear, or is followed by it before the kernel walks its tables again: a table that is freed
 * and stays linked would be handed out while the kernel still uses it, a state that no kernel is in and that no rule says
 * anything about. Agents and attackers come in between.
 */
function closeFrees(operations: readonly KernelOperation[]): KernelOperation[] {
  const cleared = new Set<string>();
  let linked: KernelOperation[] = [];
  return operations.flatMap((operation) => {
    const due = QUIET.has(operation.kind) ? [] : linked;
    if (due.length > 0) linked = [];
    if (operation.kind === "table-clear" || operation.kind === "table-free") {
      const { kind, site, address } = operation;
      const place = `${site} ${address}`;
      if (kind === "table-clear") cleared.add(place);
      else if (!cleared.delete(place)) linked.push({ kind: "table-clear", site, address });
    }
    return [...due, operation];
  });
}

function programOf(shape: Shape, maxLength: number): fc.Arbitrary<KernelProgram> {
  const agents = agentOperations(shape);
  const work = workOperations(shape);
  const main = fc.oneof(...[...agents, ...mappingOperations(shape), ...bindOperations(shape), ...work, reuse(shape)]);
  const sequences = stories({
    ...shape,
    ...regions(shape.levels),
    pasids: KERNEL_PASIDS,
    mms: MMS,
    reuse: reuse(shape).arbitrary,
  });
  const parts = fc.oneof(
    { weight: 7, arbitrary: main.map((operation) => [operation]) },
    { weight: 1, arbitrary: sequences },
  );
  // What an agent, an attacker, the worker and another CPU's vfree do in the middle of an operation.
  const other = fc.oneof(
    ...agents,
    reuse(shape),
    { weight: 6, arbitrary: fc.constant({ kind: "run-work" as const }) },
    { weight: 3, arbitrary: freeing(shape) },
  );
  return fc
    .record({
      config: kernelConfig(shape),
      cold: fc.noBias(fc.nat(4)),
      parts: fc.array(parts, { minLength: 1, maxLength, size: "max" }),
      interleaved: fc.array(fc.record({ point: fc.nat(2 * maxLength), operation: other }), {
        maxLength,
        size: "max",
      }),
    })
    .map(({ config, cold, parts, interleaved }) => ({
      config,
      operations: closeFrees([...(cold === 4 ? [] : prelude(shape)), ...parts.flat()]).slice(0, maxLength),
      interleaved: interleaved.toSorted((a, b) => a.point - b.point),
    }));
}

const SHAPES: readonly Shape[] = [
  { levels: 4, cpus: 1, iommus: 1 },
  { levels: 4, cpus: 2, iommus: 2 },
  { levels: 4, cpus: 4, iommus: 1 },
  { levels: 5, cpus: 2, iommus: 1 },
];

/**
 * Random kernel programs of 1 to `maxLength` operations (first a short prelude mostly), more than half of that on average, with up
 * to as many interleaved, sorted by point. Every IOMMU has two devices (with or without a device TLB).
 */
export function kernelPrograms(maxLength: number): fc.Arbitrary<KernelProgram> {
  return fc.oneof(...SHAPES.map((shape) => programOf(shape, maxLength)));
}
