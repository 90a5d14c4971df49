// Measuring one case: check values first, then rounds in which the contestants take turns, so that a change of the
// machine's speed meets all of them. The native contestant takes its own time.
import { type BenchCase, operationsIn } from "./cases.js";
import { type Check, checkOf, compareChecks } from "./check.js";
import { type Contestant, type Loaded, operationBytes, type Player } from "./contestants/contestant.js";
import { naiveJs } from "./contestants/naive-js.js";
import { NativeCase } from "./contestants/native.js";
import { stalewalk, stalewalk010 } from "./contestants/stalewalk.js";
import { tunedJs } from "./contestants/tuned-js.js";
import { type Estimate, median, summarise } from "./statistics.js";
import { timeWithBenchmark } from "./time.js";

/** Names of the contestants, in the order of the report. */
export type ContestantName = "stalewalk" | "0.1.0" | "native C" | "tuned JS" | "naive JS";

/** What was measured of one case. */
export interface CaseResult {
  name: string;
  /** Operations of the program. */
  operations: number;
  /** Rounds in which every contestant was timed. */
  rounds: number;
  /** Hash of all outcomes, the same for all contestants. */
  check: string;
  /** Faults among them. */
  faults: number;
  /** Share of the translations that a list of caches answered, 0 to 1. */
  hitRates: { l1: number; l2: number };
  /** Nanoseconds per operation; undefined where the contestant does not take part. */
  times: Partial<Record<ContestantName, Estimate>>;
}

/** How much is measured. */
export interface Effort {
  rounds: number;
  /** Samples a round, and how long a round goes on in seconds. */
  samples: number;
  seconds: number;
  /** After so many seconds a case has no further round, as long as it had the least number of them. */
  caseSeconds: number;
  leastRounds: number;
}

/** Enough for medians within a few per cent. */
export const fullEffort: Effort = { rounds: 7, samples: 5, seconds: 0.01, caseSeconds: 1.2, leastRounds: 3 };
/** For the rest of a run that takes too long already. */
export const hurriedEffort: Effort = { rounds: 3, samples: 3, seconds: 0.005, caseSeconds: 0, leastRounds: 3 };
/** For checking that it runs. */
export const quickEffort: Effort = { rounds: 1, samples: 1, seconds: 0, caseSeconds: 0, leastRounds: 1 };
/** Operations from which on one play is enough for a sample, a round and a check; and the rounds of such programs. */
const LONG_PROGRAM = 1e6;
const LONG_ROUNDS = 3;
const LEAST_LONG_ROUNDS = 2;

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
  native: NativeCase | undefined,
  field: Field = javascriptField,
): Promise<{ check: Check; entrants: Entrant[] }> {
  const where = `${benchCase.world.set.name}: ${benchCase.name}`;
  const runs = operationsIn(benchCase.program) >= LONG_PROGRAM ? 1 : 2;
  const entrants = field.map(([name, contestant, part]) => enter(name, contestant, benchCase, partOf(benchCase, part)));
  const [first, ...others] = entrants as [Entrant, ...Entrant[]];
  const check = checkEntrant(first, runs);
  if (native) compareChecks(where, [first.name, check], ["native C", await native.check(runs)]);
  for (const other of others) {
    const whole = other.program.length === first.program.length;
    const mine = whole ? check : checkEntrant(enter(first.name, first.contestant, benchCase, other.program), runs);
    compareChecks(where, [first.name, mine], [other.name, checkEntrant(other, runs)]);
  }
  return { check, entrants };
}

/** Nanoseconds per operation of some samples. */
function timeEntrant({ prepare, loaded, nothing, program }: Entrant, samples: number, seconds: number): number {
  const ready = () => prepare.play();
  const took = median(timeWithBenchmark(() => loaded.play(), ready, samples, seconds));
  // What calling and timing cost, taken in the same way.
  const empty = median(timeWithBenchmark(() => nothing.play(), ready, Math.min(samples, 3), 0));
  return (Math.max(took - empty, 0) * 1e9) / operationsIn(program);
}

/** Measures a case with every contestant; `executable` is the native one, if there is one. */
export async function measureCase(
  benchCase: BenchCase,
  executable: string | undefined,
  effort: Effort,
  onStep: (step: string) => void = () => {},
): Promise<CaseResult> {
  const { name, world, program, prepare } = benchCase;
  const native = executable ? await NativeCase.start(executable, world, prepare, program) : undefined;
  try {
    onStep("checking results");
    const { check, entrants } = await verifyCase(benchCase, native);
    const operations = operationsIn(program);
    const long = operations >= LONG_PROGRAM;
    const rounds = long ? Math.min(LONG_ROUNDS, effort.rounds) : effort.rounds;
    const samples = long ? 1 : effort.samples;
    const rows: Partial<Record<ContestantName, number[]>> = {};
    const note = (who: ContestantName, ns: number) => {
      rows[who] ??= [];
      rows[who].push(ns);
    };
    const least = long ? Math.min(LEAST_LONG_ROUNDS, effort.leastRounds) : effort.leastRounds;
    const started = performance.now();
    const late = () => performance.now() - started > effort.caseSeconds * 1000;
    for (let round = 0; round < rounds && (round < least || !late()); round++) {
      onStep(`round ${round + 1} of ${rounds}`);
      for (const entrant of entrants) {
        const slow = entrant.name === "naive JS" || long;
        note(entrant.name, timeEntrant(entrant, slow ? Math.min(samples, 2) : samples, slow ? 0 : effort.seconds));
        if (entrant.name !== "stalewalk" || !native) continue;
        note("native C", (median(await native.time(samples)) * 1e9) / operations);
      }
    }
    const times = Object.fromEntries(Object.entries(rows).map(([who, values]) => [who, summarise(values)]));
    const faults = check.counters[1] as number;
    const timedRounds = rows.stalewalk?.length ?? 0;
    return {
      name,
      operations,
      rounds: timedRounds,
      check: check.hash,
      faults,
      hitRates: hitRates(benchCase, check),
      times,
    };
  } finally {
    await native?.close();
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
