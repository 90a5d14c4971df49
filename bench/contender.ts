// A contestant as one process: what a round asks of it, and its three kinds: a worker that plays JavaScript and WebAssembly, the native
// program, and a process that reads traces.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { readCase } from "./case-file.js";
import { operationsIn } from "./cases.js";
import { type Check, hashOf } from "./check.js";
import type { NativeBuild } from "./contestants/compile.js";
import { NativeCase } from "./contestants/native.js";
import { joinTimes } from "./figure.js";
import { type LibrarySource, NotPlayedError } from "./library.js";
import { LineProcess } from "./line-process.js";
import { clockNs, type PieceTimes, pieceSize, quietNs } from "./pieces.js";
import { besideCode } from "./root.js";
import type { Asked, Runtime } from "./runtimes.js";
import { isEnough, type Limits } from "./stopwatch.js";
import { playsOfCheck } from "./table-case.js";
import type { Spec } from "./tasks.js";
import type { TraceThroughput } from "./trace-throughput.js";

/** A contestant's process, at one case at a time. */
export interface Contender {
  /** Makes a case ready; how many operations this contestant plays of it. @throws NotPlayedError as `check` does */
  open(caseName: string): Promise<number>;
  /** What the case comes to, or its first so many operations. */
  check(operations?: number): Promise<Check>;
  /** Takes further times. */
  time(limits: Limits): Promise<PieceTimes>;
  close(): Promise<void>;
}

/** A contestant of a block. */
export interface Entrant {
  name: string;
  /** Whose fixed work its times are judged by: a compiler's, or that of the engine that runs JavaScript. */
  calibration: string;
  start(): Promise<Contender>;
}

/** A contestant in a worker of its own (worker.ts); `source` is where its build comes from, if that is not this one. */
export function workerEntrant(name: string, spec: Spec, source?: LibrarySource): Entrant {
  const args = [besideCode("worker.js"), name, ...(source ? [JSON.stringify(source)] : [])];
  return askedEntrant(name, spec, "js", () => LineProcess.start(name, process.execPath, args));
}

/** stalewalk, or its door of this name, in a worker that something else than this Node runs. */
export function runtimeEntrant({ name, start }: Runtime, spec: Spec, contestant: string): Entrant {
  return askedEntrant(name, spec, name, () => start(contestant));
}

function askedEntrant(name: string, spec: Spec, calibration: string, start: () => Promise<Asked>): Entrant {
  return {
    name,
    calibration,
    async start() {
      const asked = await start();
      const ask = async <T>(request: unknown): Promise<T> => {
        const answer = (await asked.ask(JSON.stringify(request))) as T & { notPlayed?: string };
        if (answer.notPlayed !== undefined) throw new NotPlayedError(answer.notPlayed);
        return answer;
      };
      return {
        open: async (name) => (await ask<{ operations: number }>({ open: spec, case: name })).operations,
        check: (operations = undefined) => ask<Check>({ check: operations ?? null }),
        time: (limits) => ask<PieceTimes>({ time: limits }),
        close: () => asked.close(),
      };
    },
  };
}

/** Nanoseconds, and plays at most, of the native program between two looks at the clock. */
const BETWEEN_LOOKS = 5e6;
const MOST_PLAYS = 200;

/** A build of the native contestant; it has a process for each case. */
export function nativeEntrant(build: NativeBuild, files: Readonly<Record<string, string>>): Entrant {
  return {
    name: build.name,
    calibration: "native",
    async start() {
      let native: NativeCase | undefined;
      let operations = 0;
      let size = 0;
      let playNs = 0;
      const current = (): NativeCase => {
        if (!native) throw new Error(`${build.name}: no case has been opened`);
        return native;
      };
      return {
        async open(name) {
          await native?.close();
          const benchCase = readCase(files[name] as string);
          native = await NativeCase.start(build, benchCase);
          operations = operationsIn(benchCase.program);
          size = 0;
          return operations;
        },
        check: () => current().check(playsOfCheck(operations)),
        async time(limits) {
          const end = clockNs() + limits.seconds * 1e9;
          if (size === 0) {
            const { ns } = await current().time(1, 65536);
            playNs = ns.flat().reduce((sum, value) => sum + value, 0);
            size = pieceSize(playNs / operations);
          }
          const plays = Math.max(limits.plays, Math.min(Math.ceil(BETWEEN_LOOKS / Math.max(playNs, 1)), MOST_PLAYS));
          let times = await current().time(plays, size);
          while (clockNs() < end && !isEnough(times, limits)) {
            times = joinTimes([times, await current().time(plays, size)]);
          }
          return times;
        },
        close: async () => native?.close(),
      };
    },
  };
}

/** How often a process reads each file: the best time counts, the first warms the code up. */
const REPETITIONS = 3;

/** A reader of traces: one process has the times of the library and of zcat, whoever asks first starts it. */
class Reading {
  private latest: Promise<TraceThroughput> | undefined;

  constructor(
    private readonly paths: readonly string[],
    private readonly source?: LibrarySource,
  ) {}

  async start(): Promise<TraceThroughput> {
    if (this.source && this.source.kind !== "folder") throw new NotPlayedError("it reads no traces");
    const args = [besideCode("read-traces.js"), String(REPETITIONS), this.source?.path ?? "", ...this.paths];
    this.latest = promisify(execFile)(process.execPath, args).then(({ stdout }) => JSON.parse(stdout));
    return this.latest;
  }

  async result(): Promise<TraceThroughput> {
    return this.latest ?? this.start();
  }
}

/** What else reads them. */
export const READS_TOO = "zcat | wc -l";

/** Readers of traces: this build, zcat, another build. */
export function readingEntrants(
  paths: readonly string[],
  zcat: boolean,
  other?: { name: string; source: LibrarySource },
): Entrant[] {
  const own = new Reading(paths);
  const entrants = [readingEntrant("stalewalk", own, true, ({ seconds }) => seconds)];
  if (zcat) entrants.push(readingEntrant(READS_TOO, own, false, ({ zcatSeconds }) => zcatSeconds ?? Number.NaN));
  if (other)
    entrants.push(readingEntrant(other.name, new Reading(paths, other.source), true, ({ seconds }) => seconds));
  return entrants;
}

function readingEntrant(
  name: string,
  reading: Reading,
  starts: boolean,
  secondsOf: (it: TraceThroughput) => number,
): Entrant {
  return {
    name,
    calibration: "js",
    async start() {
      return {
        // The first of a round: both have the times of one process.
        open: async () => (await (starts ? reading.start() : reading.result())).lines,
        async check() {
          const { lines, bytes, events } = await reading.result();
          const counters = { lines, bytes, events };
          return { hash: hashOf(counters), counters };
        },
        async time() {
          // It was over before: how busy the machine was then cannot be told, and it is taken as it is.
          const seconds = secondsOf(await reading.result());
          return { ns: [[seconds * 1e9]], beside: [[quietNs()]], switches: [[0]] };
        },
        async close() {},
      };
    },
  };
}
