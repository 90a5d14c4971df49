// Mixed kernel programs: DMA, CPU accesses, vmalloc and vfree of small and huge areas (so that tables are freed), flushes,
// user unmaps, deferred work, generated and played inside the engine. Each policy with hazard detection on and off, in turn.
import { geometries, type KernelWorkloadOptions, type Machine, type PolicyName } from "stalewalk";
import { type Estimate, median, summarise } from "./statistics.js";
import { timeWithBenchmark } from "./time.js";
import { type Library, present, yardstick } from "./yardstick/index.js";

/** One policy. */
export interface KernelRow {
  policy: PolicyName;
  /** Operations of the program. */
  operations: number;
  /** Nanoseconds per operation with detection on, and off. */
  on: Estimate;
  off: Estimate;
  /** Version 0.1.0 with detection on. */
  before: Estimate;
  /** Whether the program came to the same there: not where the rules of kernels and IOMMUs have changed since. */
  sameBefore: boolean;
  /** Time with detection over time without, the median over pairs of rounds. */
  ratio: number;
  /** What the program came to: tables freed, rounds of IOMMU invalidation, walks (or hits) with a hazard. */
  tablesFreed: number;
  iommuRounds: number;
  hazards: number;
}

/** Policies whose kernel programs are measured. */
export const kernelPolicies: readonly PolicyName[] = ["none", "flush-range", "deferred-free"];
const USER_BASE = 0x7f0000000000n;
const USER_PAGES = 4096;
const PASIDS = [1, 2];

/** Two CPUs, one IOMMU with two processes' PASIDs and a device with a TLB of its own. */
function kernelMachine(
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
  return { machine, options: { user: { base: USER_BASE, pages: USER_PAGES }, mms: PASIDS.length, devices } };
}

/** What must be the same whether hazards are looked for or not. */
function fingerprint({ kernel, cpus, iommus }: Machine): string {
  const caches = [...cpus, ...iommus].flatMap((agent) => agent.caches.map(({ counters }) => counters));
  const agents = [...cpus, ...iommus].map(({ counters }) => counters);
  return JSON.stringify([kernel?.counters, kernel?.tablesFreed, agents, caches]);
}

/** What must be the same in another version: what agents and caches counted, tables freed, hazards. */
function hazardsOf({ kernel, cpus, iommus }: Machine): string {
  const agents = [...cpus, ...iommus].map((agent) => [agent.counters, agent.caches.map(({ counters }) => counters)]);
  return JSON.stringify([kernel?.tablesFreed, kernel?.hazardCounts, agents]);
}

/** Measures the kernel programs of `operations` operations each. @throws Error if detection changed what happened */
export function measureKernel(
  operations: number,
  rounds: number,
  policies: readonly PolicyName[] = kernelPolicies,
  onStep: (step: string) => void = () => {},
): KernelRow[] {
  return policies.map((policy) => {
    const field = [
      kernelMachine(policy, true, present),
      kernelMachine(policy, false, present),
      kernelMachine(policy, true, yardstick),
    ] as const;
    const times: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      onStep(`kernel program, ${policy}: round ${round + 1} of ${rounds}`);
      for (const [i, { machine, options }] of field.entries()) {
        const play = () => machine.runKernelWorkload({ ...options, seed: BigInt(round + 1) }, operations);
        times[i as 0 | 1 | 2].push((median(timeWithBenchmark(play, () => {}, 1, 0)) * 1e9) / operations);
      }
    }
    const [{ machine }, { machine: blind }, { machine: old }] = field;
    if (fingerprint(machine) !== fingerprint(blind)) {
      throw new Error(`${policy}: the same kernel program came to something else with hazard detection off`);
    }
    const [on, off, before] = times;
    const freed = Object.values(machine.kernel?.tablesFreed ?? {}).reduce((sum, count) => sum + count, 0);
    return {
      policy,
      operations,
      on: summarise(on),
      off: summarise(off),
      before: summarise(before),
      sameBefore: hazardsOf(machine) === hazardsOf(old),
      ratio: median(on.map((time, round) => time / (off[round] as number))),
      tablesFreed: freed,
      iommuRounds: machine.kernel?.counters.iommuRounds ?? 0,
      hazards: machine.kernel?.hazardCounts.total ?? 0,
    };
  });
}
