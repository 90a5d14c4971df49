// Mixed kernel programs: DMA, CPU accesses, vmalloc and vfree of small and huge areas (so that tables are freed), flushes,
// user unmaps, deferred work, generated and played inside the engine. Nothing here needs Node.
import { geometries, type KernelWorkloadOptions, type Machine, type PolicyName } from "stalewalk";
import { type Check, hashOf } from "./check.js";
import type { Library } from "./library.js";
import type { PiecewiseTask } from "./task.js";

type KernelPattern = NonNullable<KernelWorkloadOptions["pattern"]>;

/** Policies whose kernel programs are measured. */
export const kernelPolicies: readonly PolicyName[] = ["none", "flush-range", "deferred-free"];
/**
 * The tables of these rows, by how accesses choose their pages: all alike, as version 0.1.0 had it, or as devices go through buffers and
 * CPUs come back to few pages.
 */
export const kernelTables: Readonly<Record<string, KernelPattern>> = {
  "kernel programs": "uniform",
  "kernel programs with locality": "streams",
};
/** So many pieces, by effort. */
export const kernelPieces = { quick: 4, usual: 24, full: 24 } as const;
/** Operations of one generated program: one piece. */
export const KERNEL_PIECE = 8192;
const USER_BASE = 0x7f0000000000n;
const USER_PAGES = 4096;
const PASIDS = [1, 2];

/** Two CPUs, one IOMMU with two processes' PASIDs and a device with a TLB of its own. A library that has one pattern knows no name for it. */
export function kernelMachine(
  policy: PolicyName,
  detectHazards: boolean,
  library: Library,
  pattern: KernelPattern | undefined,
): { machine: Machine; options: KernelWorkloadOptions } {
  const machine = library.createMachineSync({
    tables: 1024,
    cpus: [geometries.skylake, geometries.skylake],
    iommus: [{ ...geometries.vtd, pasids: PASIDS, devices: [{ deviceTlb: { entries: 64, ways: 4 } }] }],
    kernel: { pool: 1024, policy, detectHazards },
  });
  const { kernel, iommus } = machine;
  const iommu = iommus[0];
  if (!kernel || !iommu) throw new Error("the machine was made without a kernel or an IOMMU");
  for (const [mm, pasid] of PASIDS.entries()) {
    kernel.run((program) => program.mmCreate(mm).mmap(mm, USER_BASE, USER_PAGES));
    kernel.run((program) => program.switchMm(mm, mm).svaBind(iommu.requester(pasid, 0), mm));
  }
  const devices = { first: iommu.requester(PASIDS[0] as number, 0), count: PASIDS.length };
  return {
    machine,
    options: { user: { base: USER_BASE, pages: USER_PAGES }, mms: PASIDS.length, devices, ...(pattern && { pattern }) },
  };
}

/** What must be the same whether hazards are looked for or not, and in another version: agents, caches, tables freed. */
function countersOf({ kernel, cpus, iommus }: Machine): unknown {
  const agents = [...cpus, ...iommus].map((agent) => [agent.counters, agent.caches.map(({ counters }) => counters)]);
  return [kernel?.tablesFreed, agents];
}

/** Kernel programs under a policy: of one piece each, one after the other, from the same beginning every time. */
export function kernelTask(
  operations: number,
  policy: PolicyName,
  detect: boolean,
  library: Library,
  pattern: KernelPattern | undefined,
): PiecewiseTask {
  const { machine, options } = kernelMachine(policy, detect, library, pattern);
  const start = machine.snapshot();
  const pieces = Array.from({ length: Math.ceil(operations / KERNEL_PIECE) }, (_, i) => () => {
    machine.runKernelWorkload({ ...options, seed: BigInt(i + 1) }, KERNEL_PIECE);
  });
  return {
    operations: pieces.length * KERNEL_PIECE,
    check(): Check {
      machine.restore(start);
      for (const piece of pieces) piece();
      const { kernel } = machine;
      const counters = {
        "tables freed": Object.values(kernel?.tablesFreed ?? {}).reduce((sum, count) => sum + count, 0),
        translations: [...machine.cpus, ...machine.iommus].reduce((sum, agent) => sum + agent.counters.translations, 0),
      };
      const rounds = { "IOMMU rounds": kernel?.counters.iommuRounds ?? 0 };
      const notes = detect ? { ...rounds, hazards: kernel?.hazardCounts.total ?? 0 } : rounds;
      return { hash: hashOf(countersOf(machine)), counters, notes };
    },
    prepare: () => machine.restore(start),
    pieces: () => pieces,
  };
}
