// Mixed kernel programs: DMA, CPU accesses, vmalloc and vfree of small and huge areas (so that tables are freed), flushes,
// user unmaps, deferred work, generated and played inside the engine. Each policy with hazard detection on and off.
import { geometries, type KernelWorkloadOptions, type Machine, type PolicyName } from "stalewalk";
import { type Check, hashOf } from "./check.js";
import { type Library, present } from "./library.js";
import type { PiecewiseTask } from "./task.js";
import { yardstick } from "./yardstick/index.js";

/** Kernel programs of so many operations. */
export interface KernelSpec {
  kind: "kernel";
  operations: number;
}

/** Policies whose kernel programs are measured. */
export const kernelPolicies: readonly PolicyName[] = ["none", "flush-range", "deferred-free"];
/** Operations of one generated program: one piece. */
export const KERNEL_PIECE = 8192;
const USER_BASE = 0x7f0000000000n;
const USER_PAGES = 4096;
const PASIDS = [1, 2];

/** Two CPUs, one IOMMU with two processes' PASIDs and a device with a TLB of its own. */
export function kernelMachine(
  policy: PolicyName,
  detectHazards: boolean,
  library: Library,
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
  // Version 0.1.0 has this pattern alone, and no name for it.
  const pattern = library === yardstick ? {} : ({ pattern: "uniform" } as const);
  return {
    machine,
    options: { user: { base: USER_BASE, pages: USER_PAGES }, mms: PASIDS.length, devices, ...pattern },
  };
}

/** What must be the same whether hazards are looked for or not, and in another version: agents, caches, tables freed. */
function countersOf({ kernel, cpus, iommus }: Machine): unknown {
  const agents = [...cpus, ...iommus].map((agent) => [agent.counters, agent.caches.map(({ counters }) => counters)]);
  return [kernel?.tablesFreed, agents];
}

/** The contestants: hazard detection, version. */
export const kernelField: Readonly<Record<string, readonly [boolean, Library]>> = {
  stalewalk: [true, present],
  "detection off": [false, present],
  "0.1.0": [true, yardstick],
};

/** A contestant under a policy, or another build: programs of one piece each, one after the other, from the same beginning every time. */
export function openKernelTask(
  { operations }: KernelSpec,
  policy: string,
  contestant: string,
  other?: Library,
): PiecewiseTask {
  const [detect, library] = other ? [true, other] : (kernelField[contestant] as (typeof kernelField)[string]);
  const { machine, options } = kernelMachine(policy as PolicyName, detect, library);
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
