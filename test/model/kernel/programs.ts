// fast-check arbitraries of whole kernel programs on small worlds: a pool that runs dry, few 2 MiB regions that collide, several
// mms and PASIDs, any policy, and operations interleaved at random points. Now and then an address is not aligned, or a range
// leaves its half; colliding and refused operations are frequent.

import fc from "../../support/fast-check.js";
import { closeFrees } from "./close-frees.js";
import { byHand } from "./hand-programs.js";
import { freeing, MMS, mappingOperations, type Weighted } from "./mapping-programs.js";
import type { KernelOperation, KernelProgram } from "./operations.js";
import { pageIn, regions } from "./places.js";
import { stories } from "./stories.js";
import { KERNEL_PASIDS, kernelConfig, type Shape } from "./worlds.js";

export { KERNEL_PASIDS } from "./worlds.js";

/** Access codes of accesses and of requests. */
const ACCESSES = [0, 0, 1, 1, 2, 4, 5, 6, 8, 12, 13, 16, 20, 17, 28];
const REQUESTS = [4, 4, 4, 5, 5, 6, 20];

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
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("flush-all" as const), frees: fc.boolean() }) },
    { weight: 2, arbitrary: fc.constant({ kind: "time" as const, ns: 0n }) },
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

function runsOf({ often, from }: { often: number; from: number }): KernelProgram["interleaved"] {
  return Array.from({ length: often === 3 ? 24 : 0 }, (_, i) => ({
    point: from + i,
    operation: { kind: "run-work" as const },
  }));
}

/** The same without deferred work: queues fill. */
function asleep<T>(from: readonly T[], operationOf: (it: T) => KernelOperation): T[] {
  return from.filter((it) => operationOf(it).kind !== "run-work");
}

function programOf(shape: Shape, maxLength: number): fc.Arbitrary<KernelProgram> {
  const agents = agentOperations(shape);
  const work = workOperations(shape);
  const mapping = mappingOperations(shape);
  const taking: Weighted[] = [reuse(shape), { weight: 1, arbitrary: fc.constant({ kind: "give-back" as const }) }];
  const hand = { weight: 5, arbitrary: byHand(shape) };
  const main = fc.oneof(...agents, ...mapping, ...bindOperations(shape), ...work, ...taking, hand);
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
  // What an agent, an attacker, the worker, another CPU's vfree and the kernel elsewhere do in the middle of an operation.
  const other = fc.oneof(
    ...[...agents, ...taking, hand],
    { weight: 6, arbitrary: fc.constant({ kind: "run-work" as const }) },
    { weight: 3, arbitrary: freeing(shape) },
    { weight: 8, arbitrary: fc.oneof(...mapping).filter(({ kind }) => !NEVER_INSIDE.has(kind)) },
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
      // Now and then the worker runs at one point after the other, so that it meets itself; or not at all, so that requests are lost.
      worker: fc.record({ often: fc.noBias(fc.nat(4)), from: fc.nat(maxLength) }),
      detours: fc.array(
        fc.record({
          after: fc.nat(maxLength),
          operations: fc.array(
            main.filter(({ kind }) => !NEVER_INSIDE.has(kind)),
            { minLength: 1, maxLength: 12 },
          ),
        }),
        { maxLength: 2 },
      ),
    })
    .map(({ config, cold, parts, interleaved, worker, detours }) => {
      const drawn = worker.often === 0 ? asleep(parts.flat(), (it) => it) : parts.flat();
      const meanwhile = worker.often === 0 ? asleep(interleaved, ({ operation }) => operation) : interleaved;
      return {
        config,
        detours,
        operations: closeFrees([...(cold === 4 ? [] : prelude(shape)), ...drawn])
          .slice(0, maxLength)
          .map((operation, i) => (operation.kind === "time" ? { ...operation, ns: BigInt(i) * 1000n } : operation)),
        interleaved: [...meanwhile, ...runsOf(worker)].toSorted((a, b) => a.point - b.point),
      };
    });
}

/**
 * What does not happen in the middle of an operation: single steps are a trace's, and what takes two records (or none) of a
 * program cannot be interleaved.
 */
const NEVER_INSIDE: ReadonlySet<KernelOperation["kind"]> = new Set([
  ...(["table-clear", "table-free", "set-pcide", "flush-kernel-range", "flush-mm-range"] as const),
]);

const SHAPES: readonly Shape[] = [
  { levels: 4, cpus: 1, iommus: 1 },
  { levels: 4, cpus: 2, iommus: 2 },
  { levels: 4, cpus: 4, iommus: 1 },
  { levels: 5, cpus: 2, iommus: 1 },
  { levels: 4, cpus: 1, iommus: 3 },
];

/**
 * Random kernel programs of 1 to `maxLength` operations (first a short prelude mostly), more than half of that on average, with up
 * to as many interleaved, sorted by point. Every IOMMU has two devices (with or without a device TLB).
 */
export function kernelPrograms(maxLength: number): fc.Arbitrary<KernelProgram> {
  return fc.oneof(...SHAPES.map((shape) => programOf(shape, maxLength)));
}
