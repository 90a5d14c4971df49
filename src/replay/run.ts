// Operations under way: lowered once, and the same records played on one machine per policy, in bounded pieces. Whose operations
// they are, those of a trace or drawn ones, is the caller's business.

import { checkInteger, InvalidOptionError } from "../base/errors.js";
import { type FieldsOf, RUN_FIELDS } from "../base/known-fields.js";
import { OPERATIONS_BETWEEN_TURNS, type RunOptions, Turns } from "../base/progress.js";
import { type CostModel, defaultCostModel } from "../cost/index.js";
import type { WasmModule } from "../engine/wasm-module.js";
import { checkPolicy, type PolicyName, policies } from "../kernel/policies.js";
import { checkNames, type Policy } from "../kernel/policy.js";
import { resolveKernel } from "../kernel/versions.js";
import { operationBytes } from "../program/operations.js";
import { QueueCounter } from "../queue/index.js";
import type { OperationBatch } from "../trace/index.js";
import { assumptions } from "./assumptions.js";
import { checkDeviceModel, type DeviceModel } from "./device-model.js";
import { type Decided, LookAhead } from "./look-ahead.js";
import { Lowering } from "./lower.js";
import { checkHardware, type ReplayHardware, type ReplayHardwareName } from "./machines.js";
import { MarkBuilder } from "./marks.js";
import { PASID, Player } from "./player.js";
import { RecordWriter } from "./records.js";
import type { ReplayConfiguration, ReplayKernel, ReplayResult, ReplayWorkload } from "./result.js";
import { TimelineBuilder } from "./timeline.js";
import type { ReplayTrace } from "./trace-result.js";
import { recordOf } from "./traced-kernel.js";

/** Options of every run: of a trace, or of a synthetic workload. */
export interface RunSettings extends RunOptions {
  /** Policies, by name or as data, each with a name of its own. Default: every preset. */
  readonly policies?: readonly (PolicyName | Partial<Policy>)[];
  /** Which Linux, as a version or what `uname -r` prints. */
  readonly kernel?: string;
  /** CPUs, 1 to 256. */
  readonly cpus?: number;
  /** Levels of the tables. */
  readonly levels?: 4 | 5;
  /** Caches of CPUs and IOMMU. Default `skylake`. */
  readonly hardware?: ReplayHardwareName | Partial<ReplayHardware>;
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
  /** Keep single events by their times too, up to 20,000 of a kind, for pictures: `ReplayResult.marks`. Default no. */
  readonly marks?: boolean;
  /** Version of the package, for the result. */
  readonly packageVersion?: string;
  /** A compiled engine, for hosts that may not compile. */
  readonly module?: WasmModule;
}

/** What a run needs to be told beside its options. */
export interface RunFacts {
  readonly kernel: ReplayKernel;
  readonly cpus: number;
  readonly levels: 4 | 5;
  /** What is drawn, if no trace is played. */
  readonly workload?: ReplayWorkload;
}

/** Options of a run, checked. */
export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fields of {@link RunSettings}. */
export const SETTINGS: FieldsOf<RunSettings> = {
  ...RUN_FIELDS,
  ...{ policies: true, kernel: true, cpus: true, levels: true, hardware: true, pool: true, mms: true, devices: true },
  ...{
    workDelayNs: true,
    cost: true,
    maxFrees: true,
    maxHazards: true,
    marks: true,
    packageVersion: true,
    module: true,
  },
};

/** Checks what a replay and a simulation have in common, and fills in what is not given. @throws InvalidOptionError */
export function checkOptions(options: RunSettings) {
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
    marks: options.marks ?? false,
    packageVersion: options.packageVersion,
  };
}

/** Operations under way on all machines. */
export class Run {
  readonly #configuration: ReplayConfiguration;
  readonly #packageVersion: string | undefined;
  readonly #players: readonly Player[];
  readonly #writer: RecordWriter;
  readonly #timeline: TimelineBuilder;
  readonly #marks: MarkBuilder | undefined;
  readonly #lowering: Lowering;
  readonly #queue = new QueueCounter();
  readonly #ahead = new LookAhead();
  readonly #turns: Turns;
  /** Operations that were played, under all policies, since somebody last looked. */
  #played = 0;

  constructor(checked: CheckedOptions, module: WasmModule, facts: RunFacts, signal: AbortSignal | undefined) {
    this.#turns = new Turns(signal);
    const { hardware, pool, mms, devices, workDelayNs, maxFrees, maxHazards } = checked;
    const { kernel, cpus, levels, workload } = facts;
    this.#packageVersion = checked.packageVersion;
    this.#configuration = {
      policies: checked.policies,
      ...(workload && { workload }),
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
    this.#players = checked.policies.map(
      (policy, i) => new Player(policy, playerOptions, (ns) => this.#marks?.hazard(i, ns)),
    );
    this.#writer = new RecordWriter(
      (program) => {
        for (const player of this.#players) player.play(program, this.#lowering.frees);
        this.#played += (program.length / operationBytes) * this.#players.length;
      },
      Math.floor(OPERATIONS_BETWEEN_TURNS / this.#players.length),
    );
    const sample = () => {
      this.#writer.flush();
      return this.#players.map((player) => player.sample());
    };
    this.#timeline = new TimelineBuilder(sample);
    this.#marks = checked.marks ? new MarkBuilder(this.#players.length, sample) : undefined;
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
      onMark: (kind) => this.#marks?.at(kind, this.#lowering.now),
    });
    this.#lowering.begin();
  }

  /** Plays a batch, which is valid during the call only. */
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

  /** Records so far, of each policy. */
  get records(): number {
    return this.#writer.next;
  }

  /** The result; `trace` says what was played. */
  finish(trace: ReplayTrace, secondsSoFar: number): ReplayResult {
    const start = performance.now();
    this.#lowering.end();
    const result = this.partial(trace, secondsSoFar + (performance.now() - start) / 1000);
    for (const player of this.#players) player.machine.dispose();
    return result;
  }

  /** The result of what was played so far; playing goes on. */
  partial(trace: ReplayTrace, seconds: number): ReplayResult {
    this.#writer.flush();
    const { timeline, policies: timelines } = this.#timeline.build();
    const { frees, accesses } = this.#lowering;
    const flushes = this.#lowering.flushes;
    const results = this.#players.map((player, i) =>
      player.result(timelines[i]!, flushes, this.#configuration.costModel),
    );
    const operations = this.#players.reduce((sum, player) => sum + player.operations, 0);
    const playSeconds = this.#players.reduce((sum, player) => sum + player.seconds, 0);
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
      ...(this.#marks && { marks: this.#marks.build(this.#lowering.now) }),
      throughput: {
        operations,
        playSeconds,
        seconds,
        operationsPerSecond: playSeconds > 0 ? operations / playSeconds : 0,
      },
    };
  }
}
