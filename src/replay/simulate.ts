// The simulation: operations drawn by a profile, played as those of a trace are. An idea gets its cost without a recording.

import { checkInteger } from "../base/errors.js";
import { checkFields, type FieldsOf } from "../base/known-fields.js";
import { compileEngine } from "../engine/compile.js";
import { checkProfile, type Profile, profileNamed } from "./profile.js";
import { type ProfileName, profiles } from "./profiles.js";
import type { ReplayResult } from "./result.js";
import { checkOptions, Run, type RunSettings, SETTINGS } from "./run.js";
import { SyntheticWorkload } from "./synthetic.js";
import type { ReplayTrace } from "./trace-result.js";
import { profileKernel } from "./traced-kernel.js";

/** Options of {@link simulate}. */
export interface SimulateOptions extends RunSettings {
  /** What is drawn: a preset's name, or data. Default `vmalloc-churn`. */
  readonly profile?: ProfileName | Profile;
  /**
   * Operations of the program that each policy plays, device accesses included: 1,000 to 10^9. The program ends with the batch that
   * reaches it. Default 1,000,000.
   */
  readonly operations?: number;
  /** Seed of all that is drawn, 32 bits; of the device accesses too, unless `devices.seed` says another. Default 1. */
  readonly seed?: number;
  /** Which Linux. Default: the profile's. */
  readonly kernel?: string;
  /** CPUs. Default: the profile's, else 2. */
  readonly cpus?: number;
  /** Levels of the tables. Default 4. */
  readonly levels?: 4 | 5;
}

/** Fields of {@link SimulateOptions}. */
export const SIMULATE_FIELDS: FieldsOf<SimulateOptions> = { ...SETTINGS, profile: true, operations: true, seed: true };

/** Operations of the kernel drawn at a time: few enough that the host has its turns, and that a short program ends where asked. */
const MOST = 256;
const LEAST = 8;

/**
 * Plays a synthetic workload under each policy. The result has the shape of a replay's; the same profile, seed, length and options
 * give the same figures on every machine.
 * @throws InvalidOptionError for options, and the signal's reason when aborted
 * @example
 * ```ts
 * import { simulate, toCsv } from "stalewalk/replay";
 *
 * const options = { profile: "table-frees", operations: 20_000, policies: ["none", "flush-range"] } as const;
 * console.log(toCsv(await simulate(options)).split("\n").length); // 4
 * ```
 */
export async function simulate(options: SimulateOptions = {}): Promise<ReplayResult> {
  const start = performance.now();
  checkFields(options, SIMULATE_FIELDS);
  const profile = chooseProfile(options.profile ?? "vmalloc-churn");
  const operations = checkInteger("operations", options.operations ?? 1_000_000, 1000, 1e9);
  const seed = checkInteger("seed", options.seed ?? 1, 0, 0xffff_ffff);
  const { source: _, ...told } = profile.devices ?? {};
  const checked = checkOptions({ ...options, devices: { ...told, seed, ...options.devices } });
  const kernel = profileKernel(profile.kernel, options.kernel);
  const cpus = checked.cpus ?? profile.cpus ?? 2;
  const levels = checked.levels ?? 4;
  const module = options.module ?? (await compileEngine());
  options.signal?.throwIfAborted();
  const workload = new SyntheticWorkload(profile, { seed, cpus, levels, most: MOST });
  const run = new Run(
    checked,
    module,
    { kernel, cpus, levels, workload: { profile, seed, operations } },
    options.signal,
  );
  while (run.records < operations) {
    await run.take(
      workload.next(Math.max(LEAST, Math.min(MOST, drawAtOnce(operations, run.records, workload.events)))),
    );
    options.onProgress?.({ done: Math.min(run.records, operations), total: operations, unit: "operations" });
  }
  await run.end();
  return run.finish(traceResult(workload, profile, cpus), (performance.now() - start) / 1000);
}

/** How many more of the kernel's operations it takes, by what one of them came to so far; few as long as that is not known. */
function drawAtOnce(operations: number, records: number, drawn: number): number {
  return drawn < 2 * LEAST ? LEAST : Math.ceil(((operations - records) * drawn) / records);
}

function chooseProfile(given: ProfileName | Profile): Profile {
  return typeof given === "string" ? profileNamed(profiles, given) : checkProfile(given);
}

/** What was drawn, in the words of a trace. */
function traceResult({ counts, events, now }: SyntheticWorkload, { name }: Profile, cpus: number): ReplayTrace {
  return {
    name,
    format: "synthetic",
    complete: true,
    damaged: false,
    findings: [],
    findingsDropped: 0,
    lost: { counted: 0, uncounted: 0 },
    lines: 0,
    damagedLines: 0,
    bytes: 0,
    events,
    counts: {},
    unknown: {},
    operations: Object.fromEntries(counts),
    cpus,
    firstTimeNs: 0,
    timeUnit: "ns",
    durationNs: now,
  };
}
