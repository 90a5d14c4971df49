// What the API adds to the engine: the same hot accesses one call at a time, as a program through `play`, and a workload
// that the engine generates itself.
import { type Access, geometries, type Machine } from "stalewalk";
import { mixedPages, mixedWorkloads, type Sizes } from "./cases.js";
import { chunkOperations, operationBytes } from "./contestants/contestant.js";
import { stalewalkMachine } from "./contestants/stalewalk.js";
import type { Effort } from "./measure.js";
import { type Estimate, median, summarise } from "./statistics.js";
import { timeWithBenchmark } from "./time.js";
import type { TableSet } from "./world.js";

/** One way to ask. */
export interface ApiRow {
  name: string;
  /** Nanoseconds per operation. */
  time: Estimate;
}

/** Bits of a packed outcome that hold the physical address. */
const OUTCOME_ADDRESS = (1n << 56n) - 1n;
/** Rounds of the ways that play ten million operations. */
const LONG_ROUNDS = 2;

interface Way {
  name: string;
  operations: number;
  once: boolean;
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
  return [
    {
      name: "cpu.translate(bigint), one at a time",
      operations,
      once: false,
      play() {
        for (let i = 0; i < operations; i++) {
          const outcome = cpu.translate(addresses[i] as bigint, kinds[i] as Access);
          if (outcome.kind !== "ok" || (outcome.physicalAddress & 0xfffn) !== ((expected[i] as bigint) & 0xfffn))
            disagree(i);
        }
      },
    },
    {
      name: "cpu.physical(high, low), one at a time",
      operations,
      once: false,
      play() {
        for (let i = 0; i < operations; i++) {
          const [high, low] = [halves[4 * i + 3] as number, halves[4 * i + 2] as number];
          if (cpu.physical(high, low, kinds[i] as Access) !== physical[i]) disagree(i);
        }
      },
    },
  ];
}

function ways(set: TableSet, hot: Uint8Array, sizes: Sizes): Way[] {
  const machine = stalewalkMachine({ set, geometry: geometries.skylake, cpus: 1 }, chunkOperations);
  const pages = mixedPages(set);
  return [
    ...singleWays(machine, hot),
    {
      name: "machine.play(program), outcomes returned",
      operations: hot.length / operationBytes,
      once: false,
      play() {
        machine.play(hot);
      },
    },
    ...Object.entries(mixedWorkloads).map(([name, workload]) => ({
      name: `machine.runWorkload, ${name}, ${sizes.mixed} operations`,
      operations: sizes.mixed,
      once: true,
      play() {
        machine.runWorkload({ ...workload, pages }, sizes.mixed);
      },
    })),
  ];
}

/** Measures the API on a table set; `hot` is the program of the case "L1 hit". */
export function measureApi(set: TableSet, hot: Uint8Array, sizes: Sizes, effort: Effort): ApiRow[] {
  const all = ways(set, hot, sizes);
  const times = all.map(() => [] as number[]);
  for (let round = 0; round < effort.rounds; round++) {
    for (const [i, { once, operations, play }] of all.entries()) {
      if (once && round >= LONG_ROUNDS) continue;
      const seconds = timeWithBenchmark(play, () => {}, once ? 1 : effort.samples, once ? 0 : effort.seconds);
      (times[i] as number[]).push((median(seconds) * 1e9) / operations);
    }
  }
  return all.map(({ name }, i) => ({ name, time: summarise(times[i] as number[]) }));
}
