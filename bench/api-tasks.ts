// What the API adds to the engine: the same hot accesses one call at a time, as a program through `play`, and a workload
// that the engine generates itself.
import { type Access, geometries, type Machine } from "stalewalk";
import { mixedPages, mixedWorkloads, planCases, type SizesName, sizesByName } from "./cases.js";
import { hashOf, namedCounters } from "./check.js";
import { chunkOperations, chunksOf, operationBytes } from "./contestants/contestant.js";
import { cpuCounters, stalewalkMachine } from "./contestants/stalewalk.js";
import { type Library, NotPlayedError, present } from "./library.js";
import { processorNs } from "./pieces.js";
import { syntheticTables } from "./tables/synthetic.js";
import type { PiecewiseTask, Task, WholeTask } from "./task.js";
import type { TableSet } from "./world.js";

/** The API on a set of tables. */
export interface ApiSpec {
  kind: "api";
  /** How large the synthetic tables are. */
  scale: number;
  sizes: SizesName;
}

/** The table of these rows. */
export const API_TABLE = "through the API";

const TRANSLATE = "cpu.translate(bigint), one at a time";
const PHYSICAL = "cpu.physical(high, low), one at a time";
const PLAY = "machine.play(program), outcomes returned";

const workloadCases = new Map(Object.entries(mixedWorkloads).map(([name, it]) => [`machine.runWorkload, ${name}`, it]));

/** The cases: the ways through the API. */
export const apiCases: readonly string[] = [TRANSLATE, PHYSICAL, PLAY, ...workloadCases.keys()];

/** Bits of a packed outcome that hold the physical address. */
const OUTCOME_ADDRESS = (1n << 56n) - 1n;

/** Tables that all ways share. */
let latest: { scale: number; set: TableSet } | undefined;

/** A way through the API; the accesses of single calls are those of the case "L1 hit". */
export function openApiTask({ scale, sizes }: ApiSpec, name: string, library: Library = present): Task {
  if (latest?.scale !== scale) latest = { scale, set: syntheticTables(scale) };
  const { set } = latest;
  const workload = workloadCases.get(name);
  if (workload) return workloadTask(set, workload, sizesByName[sizes].mixed, library);
  const [hot] = planCases(sizesByName[sizes], 1);
  if (!hot) throw new Error("there are no cases");
  const machine = stalewalkMachine({ set, geometry: geometries.skylake, cpus: 1 }, chunkOperations, library);
  const { program } = hot.build(set);
  return name === PLAY ? playTask(machine, program) : singleTask(machine, program, name);
}

function playTask(machine: Machine, program: Uint8Array): PiecewiseTask {
  return {
    operations: program.length / operationBytes,
    check: () => ({ hash: hashOf(Array.from(machine.play(program), String)), counters: {} }),
    prepare() {},
    pieces: (size) => chunksOf(program, size).map((chunk) => () => machine.play(chunk)),
  };
}

/** Single calls are compared with the program's outcomes, so that neither can be optimised away. */
function singleTask(machine: Machine, hot: Uint8Array, name: string): PiecewiseTask {
  const cpu = machine.cpus[0];
  if (!cpu) throw new Error("the machine has no CPU");
  const words = new BigUint64Array(hot.slice().buffer);
  const halves = new Uint32Array(words.buffer);
  const operations = hot.length / operationBytes;
  if (name === PHYSICAL && !cpu.physical) throw new NotPlayedError("it has no cpu.physical()");
  const expected = machine.play(hot);
  const addresses = Array.from({ length: operations }, (_, i) => words[2 * i + 1] as bigint);
  const kinds = Array.from(addresses, (_, i) => (Number((words[2 * i] as bigint) >> 8n) & 0xff) as Access);
  const physical = Array.from(expected, (outcome) => Number(outcome & OUTCOME_ADDRESS));
  const disagree = (i: number): never => {
    throw new Error(`access ${i}: the single call and the program disagree`);
  };
  const translate = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const outcome = cpu.translate(addresses[i] as bigint, kinds[i] as Access);
      if (outcome.kind !== "ok" || (outcome.physicalAddress & 0xfffn) !== ((expected[i] as bigint) & 0xfffn))
        disagree(i);
    }
  };
  const inNumbers = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const [high, low] = [halves[4 * i + 3] as number, halves[4 * i + 2] as number];
      if (cpu.physical(high, low, kinds[i] as Access) !== physical[i]) disagree(i);
    }
  };
  const calls = name === TRANSLATE ? translate : inNumbers;
  return {
    operations,
    // Each pass compares every address: one that is through has come to these.
    check() {
      calls(0, operations);
      return { hash: hashOf(physical), counters: {} };
    },
    prepare() {},
    pieces(size) {
      const starts = Array.from({ length: Math.ceil(operations / size) }, (_, i) => i * size);
      return starts.map((start) => () => calls(start, Math.min(operations, start + size)));
    },
  };
}

/** A workload is one piece: its set-up belongs to it. */
function workloadTask(
  set: TableSet,
  workload: (typeof mixedWorkloads)[keyof typeof mixedWorkloads],
  operations: number,
  library: Library,
): WholeTask {
  const world = { set, geometry: geometries.skylake, cpus: 1 };
  const options = { ...workload, pages: mixedPages(set) };
  const machine = stalewalkMachine(world, chunkOperations, library);
  return {
    operations,
    processorTime: true,
    // A machine of its own: what a workload comes to depends on the caches before.
    check() {
      const fresh = stalewalkMachine(world, chunkOperations, library);
      fresh.runWorkload(options, operations);
      const [counters = []] = fresh.cpus.map(cpuCounters);
      fresh.dispose();
      return { hash: hashOf(counters), counters: namedCounters(counters) };
    },
    sample() {
      const start = processorNs();
      machine.runWorkload(options, operations);
      return processorNs() - start;
    },
  };
}
