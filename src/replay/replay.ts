// The replay: a trace is read once, lowered once, and the same records are played on one machine per policy, in bounded
// pieces.

import { checkInteger, InvalidOptionError } from "../base/errors.js";
import { OPERATIONS_BETWEEN_TURNS, type RunOptions, Turns } from "../base/progress.js";
import { type CostModel, defaultCostModel } from "../cost/index.js";
import { compileEngine } from "../engine/instance.js";
import type { WasmModule } from "../engine/wasm-module.js";
import { checkPolicy, type PolicyName, policies } from "../kernel/policies.js";
import { checkNames, type Policy } from "../kernel/policy.js";
import { resolveKernel } from "../kernel/versions.js";
import { operationBytes } from "../program/operations.js";
import { QueueCounter } from "../queue/index.js";
import {
  compileTrace,
  formatDiagnostic,
  type Mapping,
  type OperationBatch,
  operationNumber,
  type TraceCompiler,
  type TraceSource,
} from "../trace/index.js";
import { assumptions } from "./assumptions.js";
import { MAX_CPUS } from "./cpu-numbers.js";
import { checkDeviceModel, type DeviceModel } from "./device-model.js";
import { type Decided, LookAhead } from "./look-ahead.js";
import { Lowering } from "./lower.js";
import { checkHardware, type ReplayHardware, type ReplayHardwareName } from "./machines.js";
import { PASID, Player } from "./player.js";
import { RecordWriter } from "./records.js";
import type { ReplayConfiguration, ReplayResult } from "./result.js";
import { TimelineBuilder } from "./timeline.js";
import type { ReplayTrace } from "./trace-result.js";
import { recordOf, tracedKernel } from "./traced-kernel.js";

/** Options of {@link replay}. */
export interface ReplayOptions extends RunOptions {
  /** Policies, by name or as data, each with a name of its own. Default: every preset. */
  readonly policies?: readonly (PolicyName | Partial<Policy>)[];
  /**
   * Which Linux the trace is of, as a version or what `uname -r` prints, for recordings that do not say so themselves. Default:
   * the newest that is known.
   */
  readonly kernel?: string;
  /** CPUs, 1 to 256. Default: what the trace's header says (or 2), or as many as its first events name, if those are more. */
  readonly cpus?: number;
  /** Caches of CPUs and IOMMU. Default `skylake`. */
  readonly hardware?: ReplayHardwareName | Partial<ReplayHardware>;
  /** Levels of the tables. Default: 5 if the first events have addresses that need it, else 4. */
  readonly levels?: 4 | 5;
  /** Frames of the kernel's pool, 64 to 65536, 4 KiB each and per policy. Default 4096. */
  readonly pool?: number;
  /** Address spaces at a time, 8 to 4096. Default 1024. */
  readonly mms?: number;
  /** The device-access model. */
  readonly devices?: Partial<DeviceModel>;
  /** Time until deferred work runs, ns. Default 50,000. */
  readonly workDelayNs?: number;
  /** What events cost. Default {@link defaultCostModel}. */
  readonly cost?: CostModel;
  /** Frees that the result lists. Default 1000. */
  readonly maxFrees?: number;
  /** Hazard records that the result lists, per policy; of the walks through one freed table the first three. Default 400. */
  readonly maxHazards?: number;
  /** What events mean. Default: the built-in mapping. */
  readonly mapping?: Mapping;
  /** `strict`: damage of the input is an error. Default `lenient`: it is reported in the result. */
  readonly mode?: "lenient" | "strict";
  /** Name of the trace for the result and for errors. Default `trace`. */
  readonly name?: string;
  /** Version of the package, for the result. */
  readonly packageVersion?: string;
  /** A compiled engine, for hosts that may not compile. */
  readonly module?: WasmModule;
}

const AREA_OPERATIONS = ["area-alloc", "map-pages", "map-physical", "unmap-range"] as const;

/**
 * Plays a trace under each policy.
 * @throws InvalidOptionError for options, TraceFormatError for files that are no trace (in strict mode for any damage), and
 * the signal's reason when aborted
 */
export async function replay(source: TraceSource, options: ReplayOptions = {}): Promise<ReplayResult> {
  const start = performance.now();
  const checked = checkOptions(options);
  const module = options.module ?? (await compileEngine());
  const compiler = compileTrace(source, {
    name: checked.name,
    ...(options.mapping && { mapping: options.mapping }),
    ...(options.mode && { mode: options.mode }),
    ...(options.signal && { signal: options.signal }),
    ...(options.onProgress && { onProgress: options.onProgress }),
  });
  let run: Run | undefined;
  for await (const batch of compiler) {
    run ??= new Run(checked, module, compiler, batch, options.signal);
    await run.take(batch);
  }
  run ??= new Run(checked, module, compiler, undefined, options.signal);
  await run.end();
  return run.finish((performance.now() - start) / 1000);
}

type Checked = ReturnType<typeof checkOptions>;

function checkOptions(options: ReplayOptions) {
  const asked = options.policies ?? (Object.keys(policies) as PolicyName[]);
  if (asked.length === 0 || asked.length > 64) {
    throw new InvalidOptionError("policies", `${asked.length} policies`, "1 to 64");
  }
  if (options.kernel !== undefined) resolveKernel(options.kernel, "kernel");
  if (options.cpus !== undefined) checkInteger("cpus", options.cpus, 1, 256);
  if (options.levels !== undefined) checkInteger("levels", options.levels, 4, 5);
  const pool = checkInteger("pool", options.pool ?? 4096, 64, 1 << 16);
  const devices = checkDeviceModel(options.devices);
  const hardware = checkHardware(options.hardware ?? "skylake");
  if (devices.pageRequests && hardware.dialect !== "vtd") {
    throw new InvalidOptionError("devices.pageRequests", true, 'hardware with `dialect: "vtd"`');
  }
  if (devices.workingSet / 512 + 16 > pool) {
    throw new InvalidOptionError("pool", pool, `room for the tables of ${devices.workingSet} user pages`);
  }
  return {
    policies: checkNames(
      asked.map((policy, i) => checkPolicy(policy, `policies[${i}]`)),
      "policies",
    ),
    kernel: options.kernel,
    cpus: options.cpus,
    levels: options.levels,
    hardware,
    pool,
    mms: checkInteger("mms", options.mms ?? 1024, 8, 4096),
    devices,
    workDelayNs: checkInteger("workDelayNs", options.workDelayNs ?? 50_000, 0, 1e12),
    cost: options.cost ?? defaultCostModel,
    maxFrees: checkInteger("maxFrees", options.maxFrees ?? 1000, 0, 1 << 20),
    maxHazards: checkInteger("maxHazards", options.maxHazards ?? 400, 0, 1 << 20),
    name: options.name ?? "trace",
    packageVersion: options.packageVersion,
  };
}

/** A replay under way. */
class Run {
  readonly #configuration: ReplayConfiguration;
  readonly #packageVersion: string | undefined;
  readonly #name: string;
  readonly #compiler: TraceCompiler;
  readonly #players: readonly Player[];
  readonly #writer: RecordWriter;
  readonly #timeline: TimelineBuilder;
  readonly #lowering: Lowering;
  readonly #queue = new QueueCounter();
  readonly #ahead = new LookAhead();
  readonly #turns: Turns;
  /** Operations that were played, under all policies, since somebody last looked. */
  #played = 0;

  constructor(
    checked: Checked,
    module: WasmModule,
    compiler: TraceCompiler,
    first: OperationBatch | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#turns = new Turns(signal);
    const { hardware, pool, mms, devices, workDelayNs, maxFrees, maxHazards } = checked;
    const kernel = tracedKernel(compiler.summary.trace.kernel, checked.kernel);
    const cpus = checked.cpus ?? Math.min(MAX_CPUS, countCpus(compiler.summary.trace.cpus, first));
    const levels = checked.levels ?? (first && needsFiveLevels(first) ? 5 : 4);
    this.#compiler = compiler;
    this.#name = checked.name;
    this.#packageVersion = checked.packageVersion;
    this.#configuration = {
      policies: checked.policies,
      kernel,
      cpus,
      cpuGeometry: { name: hardware.name, geometry: hardware.cpu },
      iommuGeometry: { name: hardware.name, geometry: hardware.iommu },
      geometrySource: hardware.source,
      dialect: hardware.dialect,
      supervisorEntries: hardware.supervisorEntries,
      levels,
      pool,
      mms,
      workDelayNs,
      devices,
      costModel: checked.cost,
      maxFrees,
      maxHazards,
    };
    const playerOptions = {
      module,
      hardware,
      kernel: kernel.version,
      cpus,
      levels,
      pool,
      mms,
      maxHazards,
      pageRequests: devices.pageRequests,
    };
    this.#players = checked.policies.map((policy) => new Player(policy, playerOptions));
    this.#writer = new RecordWriter(
      (program) => {
        for (const player of this.#players) player.play(program, this.#lowering.frees);
        this.#played += (program.length / operationBytes) * this.#players.length;
      },
      Math.floor(OPERATIONS_BETWEEN_TURNS / this.#players.length),
    );
    this.#timeline = new TimelineBuilder(() => {
      this.#writer.flush();
      return this.#players.map((player) => player.sample());
    });
    const requester = this.#players[0]!.machine.iommus[0]!.requester(PASID, devices.pageRequests ? 0 : undefined);
    this.#lowering = new Lowering(this.#writer, this.#timeline, this.#queue, {
      levels,
      cpus,
      mms,
      requester,
      kernel: recordOf(kernel),
      devices,
      workDelayNs,
      maxFrees,
    });
    this.#lowering.begin();
  }

  async take(batch: OperationBatch): Promise<void> {
    for (const decided of this.#ahead.push(batch)) await this.#play(decided);
  }

  async #play({ batch, notes }: Decided): Promise<void> {
    for (let i = 0; i < batch.count; i++) {
      this.#lowering.lower(batch, i, notes.size === 0 ? 0 : (notes.get(i) ?? 0));
      if (this.#played === 0) continue;
      const due = this.#turns.after(this.#played);
      this.#played = 0;
      if (due) await this.#turns.give();
    }
  }

  /** The end of the trace: what was held back is played. */
  async end(): Promise<void> {
    for (const decided of this.#ahead.end()) await this.#play(decided);
  }

  finish(secondsSoFar: number): ReplayResult {
    const start = performance.now();
    this.#lowering.end();
    this.#writer.flush();
    const { timeline, policies: timelines } = this.#timeline.build();
    const { frees, accesses } = this.#lowering;
    const flushes = this.#lowering.flushes;
    const results = this.#players.map((player, i) =>
      player.result(timelines[i]!, flushes, this.#configuration.costModel),
    );
    const trace = this.#trace();
    const operations = this.#players.reduce((sum, player) => sum + player.operations, 0);
    const playSeconds = this.#players.reduce((sum, player) => sum + player.seconds, 0);
    for (const player of this.#players) player.machine.dispose();
    return {
      format: "stalewalk-replay",
      version: 1,
      packageVersion: this.#packageVersion,
      configuration: this.#configuration,
      assumptions: assumptions(this.#configuration, trace.timeUnit),
      trace,
      program: {
        records: this.#writer.next,
        accesses: accesses.count,
        kernelProbes: accesses.probes,
        frees: frees.bySite,
        freesBeforeFlush: frees.beforeFlush,
        freesDeferred: frees.deferred,
        flushes,
        skipped: this.#lowering.skipped,
      },
      frees: frees.list,
      timeline,
      queue: this.#queue.summary,
      policies: results,
      throughput: {
        operations,
        playSeconds,
        seconds: secondsSoFar + (performance.now() - start) / 1000,
        operationsPerSecond: playSeconds > 0 ? operations / playSeconds : 0,
      },
    };
  }

  #trace(): ReplayTrace {
    const { trace, operations } = this.#compiler.summary;
    const { firstTime, lastTime, originSeconds } = trace;
    return {
      name: this.#name,
      format: trace.format,
      complete: trace.complete,
      damaged: trace.damaged,
      findings: trace.diagnostics.map((d) => ({ severity: d.severity, text: formatDiagnostic(d, this.#name) })),
      findingsDropped: trace.diagnosticsDropped,
      lost: trace.lost,
      lines: trace.lines,
      damagedLines: trace.damagedLines,
      bytes: trace.bytes,
      events: trace.events,
      counts: Object.fromEntries(trace.counts),
      unknown: Object.fromEntries(trace.unknown),
      operations: Object.fromEntries(operations),
      cpus: trace.cpus,
      firstTimeNs: (firstTime ?? 0) + originSeconds * 1e9,
      timeUnit: trace.timeUnit,
      durationNs: Math.max(0, (lastTime ?? 0) - (firstTime ?? 0)),
    };
  }
}

/** CPUs of a trace: what its header says, or what its first events show, if that is more: the header counts only once. */
function countCpus(header: number | undefined, first: OperationBatch | undefined): number {
  const seen = new Set<number>();
  for (let i = 0; i < (first?.count ?? 0); i++) seen.add(first!.cpu[i]!);
  return Math.max(header ?? 2, seen.size, 1);
}

/** Whether the first events have kernel areas below the kernel half of four levels. */
function needsFiveLevels(batch: OperationBatch): boolean {
  const areas = new Set(AREA_OPERATIONS.map(operationNumber));
  for (let i = 0; i < batch.count; i++) {
    const high = batch.words[batch.offset[i]! + 1]!;
    if (areas.has(batch.kind[i]!) && high >= 0xff00_0000 && high < 0xffff_8000) return true;
  }
  return false;
}
