// What the API adds to the engine: the same hot accesses one call at a time, as a program through `play`, and a workload
// that the engine generates itself.
import { type Access, geometries, type Machine } from "stalewalk";
import type { BenchRow } from "../src/benchmark/result.js";
import { mixedPages, mixedWorkloads, type Sizes } from "./cases.js";
import { hashOf } from "./check.js";
import { chunkOperations, operationBytes } from "./contestants/contestant.js";
import { cpuCounters, stalewalkMachine } from "./contestants/stalewalk.js";
import { CaseRows, type Effort, goesOn } from "./rows.js";
import { timeWithBenchmark } from "./time.js";
import type { TableSet } from "./world.js";

/** Bits of a packed outcome that hold the physical address. */
const OUTCOME_ADDRESS = (1n << 56n) - 1n;
/** Rounds of the ways that play millions of operations. */
const LONG_ROUNDS = 3;
const TABLE = "through the API";

interface Way {
  name: string;
  operations: number;
  once: boolean;
  /** What it came to, played once before it is timed. */
  digest(): string;
  play(): void;
}

/** Single calls are checked against the program's outcomes, so that neither can be optimised away. */
function singleWays(machine: Machine, hot: Uint8Array): Way[] {
  const cpu = machine.cpus[0];
  if (!cpu) throw new Error("the machine has no CPU");
  const words = new BigUint64Array(hot.slice().buffer);
  const operations = hot.length / operationBytes;
  const access = (i: number) => (Number((words[2 * i] as bigint) >> 8n) & 0xff) as Access;
  const expected = machine.play(hot);
  const addresses = Array.from({ length: operations }, (_, i) => words[2 * i + 1] as bigint);
  const kinds = Array.from({ length: operations }, (_, i) => access(i));
  const disagree = (i: number): never => {
    throw new Error(`access ${i}: the single call and the program disagree`);
  };
  const physical = Array.from(expected, (outcome) => Number(outcome & OUTCOME_ADDRESS));
  const halves = new Uint32Array(words.buffer);
  const translateAll = (): void => {
    for (let i = 0; i < operations; i++) {
      const outcome = cpu.translate(addresses[i] as bigint, kinds[i] as Access);
      if (outcome.kind !== "ok" || (outcome.physicalAddress & 0xfffn) !== ((expected[i] as bigint) & 0xfffn))
        disagree(i);
    }
  };
  const physicalAll = (): void => {
    for (let i = 0; i < operations; i++) {
      const [high, low] = [halves[4 * i + 3] as number, halves[4 * i + 2] as number];
      if (cpu.physical(high, low, kinds[i] as Access) !== physical[i]) disagree(i);
    }
  };
  // Each pass compares every address: one that is through has come to these.
  const digest = (play: () => void) => () => {
    play();
    return hashOf(physical);
  };
  return [
    {
      name: "cpu.translate(bigint), one at a time",
      operations,
      once: false,
      digest: digest(translateAll),
      play: translateAll,
    },
    {
      name: "cpu.physical(high, low), one at a time",
      operations,
      once: false,
      digest: digest(physicalAll),
      play: physicalAll,
    },
  ];
}

function ways(set: TableSet, hot: Uint8Array, sizes: Sizes): Way[] {
  const world = { set, geometry: geometries.skylake, cpus: 1 };
  const machine = stalewalkMachine(world, chunkOperations);
  const pages = mixedPages(set);
  const outcomes = (): string => hashOf(Array.from(machine.play(hot), String));
  return [
    ...singleWays(machine, hot),
    {
      name: "machine.play(program), outcomes returned",
      operations: hot.length / operationBytes,
      once: false,
      digest: outcomes,
      play() {
        machine.play(hot);
      },
    },
    ...Object.entries(mixedWorkloads).map(([name, workload]) => ({
      name: `machine.runWorkload, ${name}`,
      operations: sizes.mixed,
      once: true,
      // A machine of its own: what a workload comes to depends on the caches before.
      digest() {
        const fresh = stalewalkMachine(world, chunkOperations);
        fresh.runWorkload({ ...workload, pages }, sizes.mixed);
        const counters = fresh.cpus.map(cpuCounters);
        fresh.dispose();
        return hashOf(counters);
      },
      play() {
        machine.runWorkload({ ...workload, pages }, sizes.mixed);
      },
    })),
  ];
}

/** Measures the API on a table set; `hot` is the program of the case "L1 hit". @throws Error if single calls and programs disagree */
export function measureApi(set: TableSet, hot: Uint8Array, sizes: Sizes, effort: Effort): BenchRow[] {
  const started = performance.now();
  const all = ways(set, hot, sizes).map((way) => {
    const head = { suite: "translate", table: TABLE, case: way.name, unit: "operation" } as const;
    return { ...way, rows: new CaseRows({ ...head, digest: way.digest(), counters: {} }) };
  });
  for (let round = 0; goesOn(effort, round, started); round++) {
    for (const { once, operations, play, rows } of all) {
      if (once && round >= LONG_ROUNDS) continue;
      const seconds = timeWithBenchmark(play, () => {}, once ? 1 : effort.samples, once ? 0 : effort.roundSeconds);
      rows.note("stalewalk", operations, seconds);
    }
  }
  return all.flatMap(({ rows }) => rows.all);
}
