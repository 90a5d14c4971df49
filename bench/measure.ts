// Measuring one case: check values first, then rounds in which the contestants take turns, so that a change of the
// machine's speed meets all of them. The builds of the native contestant take their own time.
import type { BenchRow, SuiteName } from "../src/benchmark/result.js";
import { median } from "../src/benchmark/statistics.js";
import { type BenchCase, operationsIn } from "./cases.js";
import { type Check, checkOf, compareChecks, hashOf, namedCounters } from "./check.js";
import type { NativeBuild } from "./contestants/compile.js";
import { type Contestant, type Loaded, operationBytes, type Player } from "./contestants/contestant.js";
import { naiveJs } from "./contestants/naive-js.js";
import { NativeCase } from "./contestants/native.js";
import { stalewalk, stalewalk010, stalewalkInRam } from "./contestants/stalewalk.js";
import { tunedJs } from "./contestants/tuned-js.js";
import { CaseRows, type Effort, goesOn } from "./rows.js";
import { timeWithBenchmark } from "./time.js";

/** Names of the contestants, in the order of the report. */
export type ContestantName = "stalewalk" | "guest RAM" | "0.1.0" | NativeBuild["name"] | "tuned JS" | "naive JS";

/** What was measured of one case. */
export interface CaseResult {
  rows: BenchRow[];
  /** Faults among the outcomes. */
  faults: number;
  /** Share of the translations that a list of caches answered, 0 to 1. */
  hitRates: { l1: number; l2: number };
}

/** Operations from which on one play is enough for a sample, a round and a check; and the least number of its rounds. */
const LONG_PROGRAM = 1e6;
const LEAST_LONG_ROUNDS = 3;

/** A JavaScript contestant on its own machine, with its part of the programs loaded. */
interface Entrant {
  name: ContestantName;
  contestant: Contestant;
  player: Player;
  program: Uint8Array;
  prepare: Loaded;
  loaded: Loaded;
  nothing: Loaded;
}

/** Who plays, and how much of the program. */
export type Field = readonly (readonly [
  ContestantName,
  Contestant,
  keyof BenchCase & ("tunedPart" | "naivePart" | "program"),
])[];

/** The JavaScript contestants; stalewalk comes first. */
export const javascriptField: Field = [
  ["stalewalk", stalewalk, "program"],
  ["0.1.0", stalewalk010, "program"],
  ["tuned JS", tunedJs, "tunedPart"],
  ["naive JS", naiveJs, "naivePart"],
];

/** Tables in the frame store, and in guest RAM: what it costs to leave them where a guest has them. */
export const ramField: Field = [
  ["stalewalk", stalewalk, "program"],
  ["guest RAM", stalewalkInRam, "program"],
];

function enter(
  name: ContestantName,
  contestant: Contestant,
  { world, prepare }: BenchCase,
  program: Uint8Array,
): Entrant {
  const player = contestant.create(world);
  const [ready, loaded, nothing] = [player.load(prepare), player.load(program), player.load(new Uint8Array(0))];
  return { name, contestant, player, program, prepare: ready, loaded, nothing };
}

function partOf(benchCase: BenchCase, which: Field[number][2]): Uint8Array {
  const part = which === "program" ? undefined : benchCase[which];
  return part === undefined ? benchCase.program : benchCase.program.subarray(0, part * operationBytes);
}

const checkEntrant = ({ player, prepare, loaded }: Entrant, runs: number): Check =>
  checkOf(player, [prepare, loaded], runs);

/**
 * Compares all contestants on a case. Who plays only the beginning is compared with stalewalk on that.
 * @returns the check value of the first of the field over the whole program, and everyone's machine
 * @throws MismatchError
 */
export async function verifyCase(
  benchCase: BenchCase,
  natives: readonly NativeCase[],
  field: Field = javascriptField,
): Promise<{ check: Check; entrants: Entrant[] }> {
  const where = `${benchCase.world.set.name}: ${benchCase.name}`;
  const runs = operationsIn(benchCase.program) >= LONG_PROGRAM ? 1 : 2;
  const entrants = field.map(([name, contestant, part]) => enter(name, contestant, benchCase, partOf(benchCase, part)));
  const [first, ...others] = entrants as [Entrant, ...Entrant[]];
  const check = checkEntrant(first, runs);
  for (const native of natives) compareChecks(where, [first.name, check], [native.name, await native.check(runs)]);
  for (const other of others) {
    const whole = other.program.length === first.program.length;
    const mine = whole ? check : checkEntrant(enter(first.name, first.contestant, benchCase, other.program), runs);
    compareChecks(where, [first.name, mine], [other.name, checkEntrant(other, runs)]);
  }
  return { check, entrants };
}

/** Seconds that some samples took. */
function timeEntrant({ prepare, loaded, nothing }: Entrant, samples: number, seconds: number): number[] {
  const ready = () => prepare.play();
  const took = timeWithBenchmark(() => loaded.play(), ready, samples, seconds);
  // What calling and timing cost, taken in the same way.
  const empty = median(timeWithBenchmark(() => nothing.play(), ready, Math.min(samples, 3), 0));
  return took.map((time) => Math.max(time - empty, 0));
}

/** Measures a case with every contestant; `builds` are the native ones, if there are any. @throws MismatchError */
export async function measureCase(
  suite: SuiteName,
  benchCase: BenchCase,
  builds: readonly NativeBuild[],
  effort: Effort,
  onStep: (step: string) => void = () => {},
  field: Field = javascriptField,
): Promise<CaseResult> {
  const { name, world, program, prepare } = benchCase;
  const started = performance.now();
  const natives: NativeCase[] = [];
  try {
    for (const build of builds) natives.push(await NativeCase.start(build, world, prepare, program));
    onStep("comparing results");
    const { check, entrants } = await verifyCase(benchCase, natives, field);
    const digest = `${check.hash}${hashOf(check.counters)}`;
    const counters = namedCounters(check.counters);
    const rows = new CaseRows({ suite, table: world.set.name, case: name, unit: "operation", digest, counters });
    const operations = operationsIn(program);
    const long = operations >= LONG_PROGRAM;
    const samples = long ? 1 : effort.samples;
    const limits = long ? { ...effort, leastRounds: Math.min(LEAST_LONG_ROUNDS, effort.leastRounds) } : effort;
    for (let round = 0; goesOn(limits, round, started); round++) {
      onStep(`round ${round + 1}`);
      for (const entrant of entrants) {
        const slow = entrant.name === "naive JS" || long;
        const times = timeEntrant(entrant, slow ? Math.min(samples, 2) : samples, slow ? 0 : effort.roundSeconds);
        rows.note(entrant.name, operationsIn(entrant.program), times);
        if (entrant.name !== "stalewalk") continue;
        for (const native of natives) rows.note(native.name, operations, await native.time(samples));
      }
    }
    return { rows: rows.all, faults: check.counters[1] as number, hitRates: hitRates(benchCase, check) };
  } finally {
    for (const native of natives) await native.close();
  }
}

function hitRates({ world: { geometry } }: BenchCase, { counters }: Check): CaseResult["hitRates"] {
  const l1 = geometry.l1?.length ?? 0;
  const l2 = geometry.l2?.length ?? 0;
  const hits = (first: number, count: number) => {
    let sum = 0;
    for (let cache = first; cache < first + count; cache++) sum += counters[6 + cache * 5 + 1] as number;
    return sum / Math.max(1, counters[0] as number);
  };
  return { l1: hits(0, l1), l2: hits(l1, l2) };
}
