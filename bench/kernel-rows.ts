// Mixed kernel programs: DMA, CPU accesses, vmalloc and vfree of small and huge areas (so that tables are freed), flushes,
// user unmaps, deferred work, generated and played inside the engine. Each policy with hazard detection on and off, in turn.
import { geometries, type KernelWorkloadOptions, type Machine, type PolicyName } from "stalewalk";
import type { BenchRow } from "../src/benchmark/result.js";
import { hashOf, MismatchError } from "./check.js";
import { CaseRows, type Effort, goesOn } from "./rows.js";
import { timeWithBenchmark } from "./time.js";
import { type Library, present, yardstick } from "./yardstick/index.js";

/** Policies whose kernel programs are measured. */
export const kernelPolicies: readonly PolicyName[] = ["none", "flush-range", "deferred-free"];
const TABLE = "kernel programs";
/** Operations that are compared before anything is timed, on machines of their own. */
const COMPARED = 100_000;
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

/** What a policy's programs came to. */
export interface KernelCounts {
  tablesFreed: number;
  iommuRounds: number;
  hazards: number;
}

/** The contestants: name, hazard detection, version. */
const FIELD = [
  ["stalewalk", true, present],
  ["detection off", false, present],
  ["0.1.0", true, yardstick],
] as const;

/**
 * Measures the kernel programs of one policy, one program a round, of `operations` operations.
 * @throws MismatchError if detection changed what happened
 */
export function measureKernel(
  policy: PolicyName,
  operations: number,
  effort: Effort,
  onStep: (step: string) => void = () => {},
): { rows: BenchRow[]; counts: KernelCounts } {
  const started = performance.now();
  onStep("comparing results");
  const { sameBefore, digest, counters } = compareKernels(policy, Math.min(operations, COMPARED));
  const rows = new CaseRows({ suite: "kernel", table: TABLE, case: policy, unit: "operation", digest, counters });
  const field = FIELD.map(([name, detect, library]) => ({
    ...kernelMachine(policy, detect, library),
    // Where the rules of kernels and IOMMUs have changed since, the same program is not the same work.
    name: name === "0.1.0" && !sameBefore ? "0.1.0 (other rules)" : name,
  }));
  for (let round = 0; goesOn(effort, round, started); round++) {
    onStep(`round ${round + 1}`);
    for (const { machine, options, name } of field) {
      const play = () => machine.runKernelWorkload({ ...options, seed: BigInt(round + 1) }, operations);
      const seconds = timeWithBenchmark(play, () => {}, 1, 0);
      rows.note(name, operations, seconds);
    }
  }
  const [{ machine }, { machine: blind }] = field as [(typeof field)[0], (typeof field)[0]];
  sameOrThrow(policy, machine, blind);
  const freed = sum(machine.kernel?.tablesFreed);
  const iommuRounds = machine.kernel?.counters.iommuRounds ?? 0;
  const counts = { tablesFreed: freed, iommuRounds, hazards: machine.kernel?.hazardCounts.total ?? 0 };
  for (const { machine } of field) machine.dispose();
  return { rows: rows.all, counts };
}

function compareKernels(
  policy: PolicyName,
  operations: number,
): { sameBefore: boolean; digest: string; counters: Record<string, number> } {
  const machines = FIELD.map(([, detect, library]) => {
    const { machine, options } = kernelMachine(policy, detect, library);
    machine.runKernelWorkload({ ...options, seed: 0n }, operations);
    return machine;
  });
  const [machine, blind, old] = machines as [Machine, Machine, Machine];
  sameOrThrow(policy, machine, blind);
  const counters = {
    "tables freed": sum(machine.kernel?.tablesFreed),
    "IOMMU rounds": machine.kernel?.counters.iommuRounds ?? 0,
    hazards: machine.kernel?.hazardCounts.total ?? 0,
  };
  const result = { sameBefore: hazardsOf(machine) === hazardsOf(old), digest: hashOf(fingerprint(machine)), counters };
  for (const one of machines) one.dispose();
  return result;
}

function sum(counts: Readonly<Record<string, number>> = {}): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}

function sameOrThrow(policy: PolicyName, machine: Machine, blind: Machine): void {
  if (fingerprint(machine) === fingerprint(blind)) return;
  throw new MismatchError(
    `${TABLE}: ${policy}: the same program came to something else with hazard detection off: it is not timed`,
  );
}
