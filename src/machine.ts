// A machine: CPUs and IOMMUs over one set of frames, and programs that play on it.
/// <reference lib="esnext.disposable" preserve="true" />

import { InvalidOptionError } from "./base/errors.js";
import { describeToConsole } from "./base/inspect.js";
import type { RunOptions } from "./base/progress.js";
import { parse } from "./base/schema.js";
import { Engine } from "./engine/instance.js";
import { MAX_AREAS, SCRATCH_WORDS } from "./engine/limits.js";
import { type Image, type Range, State } from "./engine/state.js";
import type { WasmModule } from "./engine/wasm-module.js";
import type { Workshop } from "./hardware/agent.js";
import { Cpu } from "./hardware/cpu.js";
import { Iommu } from "./hardware/iommu.js";
import { Walks } from "./hardware/walks.js";
import { Kernel, poolOf } from "./kernel/kernel.js";
import {
  type MachineConfig,
  machineSchema,
  type PlayOptions,
  resultsWanted,
  type SnapshotOptions,
  snapshotSchema,
} from "./machine-config.js";
import type { Controls } from "./paging/access.js";
import { Frames, type MakeHost } from "./paging/frames.js";
import { defaultPhysicalBits, setPagingMode } from "./paging/paging-mode.js";
import { framesOfRam } from "./paging/ram.js";
import type { KernelWorkloadOptions } from "./program/kernel-workload.js";
import { type Interleaved, Player, type ReachedPoint } from "./program/player.js";
import type { WorkloadOptions } from "./program/workload.js";
import { Workloads } from "./program/workloads.js";

/** State of a machine at one moment; only the machine that took it can go back to it. */
export interface Snapshot {
  /** @internal */
  readonly machine: Machine;
  /** @internal */
  readonly image: Image;
  /** How many frames there were, and which. @internal */
  readonly frames: { readonly size: number; readonly revision: number };
  /** @internal */
  readonly controls: readonly Readonly<Controls>[];
}

/** A machine's options, checked. @internal @throws InvalidOptionError naming the field, the value and what is allowed */
export function checkMachine(config: MachineConfig): MachineConfig {
  return parse(machineSchema, config, "") as MachineConfig;
}

/** CPUs and IOMMUs over one set of frames. */
export class Machine {
  /** Levels of the tables. */
  readonly levels: 4 | 5;
  /** The frame store that all agents share. */
  readonly frames: Frames;
  /** CPUs, by number. */
  readonly cpus: readonly Cpu[];
  /** IOMMUs, by number. */
  readonly iommus: readonly Iommu[];
  /** Walks that are made step by step. */
  readonly walks: Walks;
  /** The kernel, if the machine has one. */
  readonly kernel: Kernel | undefined;
  /** @internal */
  readonly engine: Engine;
  /** @internal */
  readonly player: Player;
  private readonly workloads: Workloads;
  /** Whether the guest's memory is the host's. */
  private readonly hosts: boolean;
  private guest: Uint8Array<ArrayBuffer> | undefined;
  /** Linear memory that holds state: buffers for programs and dumps are left out, and what is only set up. */
  private readonly state: State;

  /** Of options that have been checked. @internal */
  constructor(module: WasmModule, config: MachineConfig, makeHost?: MakeHost) {
    const tables = config.tables ?? Math.max(1024, config.kernel?.pool ?? 512);
    const maxPhyAddr = config.maxPhyAddr ?? defaultPhysicalBits;
    const host = makeHost?.(maxPhyAddr, tables);
    const engine = new Engine(module, host?.imports);
    const { exports } = engine;
    this.engine = engine;
    const levels = setPagingMode(engine, config);
    this.levels = levels;
    const dataEnd = exports.arenaBytes();
    engine.made(exports.createRequesters(), "the list of requesters");
    const scratch = { at: engine.made(exports.allocate(SCRATCH_WORDS * 8), "scratch memory"), words: SCRATCH_WORDS };
    const workshop: Workshop = { engine, levels, scratch, nextAgent: 0 };
    this.cpus = (config.cpus ?? [{}]).map((cpu, i) => new Cpu(workshop, cpu, `cpus[${i}]`));
    this.iommus = (config.iommus ?? []).map((iommu, i) => new Iommu(workshop, iommu, `iommus[${i}]`));
    const actors = {
      cpus: this.cpus.length,
      requesters: this.iommus.reduce((sum, iommu) => sum + iommu.requesterCount, this.cpus.length),
      kernel: config.kernel !== undefined,
    };
    this.walks = new Walks(engine, actors.requesters);
    this.player = new Player(engine, actors);
    this.workloads = new Workloads(engine, this.player.program, actors, config.workloadPages ?? 65536);
    engine.made(exports.createUnlinked(), "the stack of unlinked tables");
    const ram = config.ram && framesOfRam(config.ram, maxPhyAddr, tables, exports.arenaBytes());
    this.frames = new Frames(engine, tables, {
      ram,
      host,
      pool: config.kernel && poolOf(config.kernel),
      beforeDelete: (slot) => this.forgetSlot(slot),
    });
    const framesEnd = exports.arenaBytes();
    if (config.kernel?.invlpgb && !this.cpus.every((_, i) => config.cpus?.[i]?.vendor === "amd")) {
      throw new InvalidOptionError("kernel.invlpgb", true, 'CPUs with `vendor: "amd"`: others have no INVLPGB');
    }
    this.kernel = config.kernel && new Kernel(engine, (program) => this.play(program), config.kernel, this.cpus.length);
    const small: Range[] = [
      [0, dataEnd],
      [scratch.at + scratch.words * 8, this.player.program],
      [framesEnd, exports.arenaBytes()],
    ];
    this.state = new State(engine, small, this.frames.lent, this.frames.shared);
    this.hosts = host !== undefined;
    if (this.kernel) engine.made(exports.createKernelWorkload(MAX_AREAS), "workload areas");
    // Last: memory does not grow from here on, so that the view stays.
    this.guest = config.ram && engine.bytes(exports.contentsOf(1), config.ram.bytes);
  }

  /**
   * Guest RAM, if the machine has any: the very bytes that walks read their tables from and set A and D in, from the physical
   * address `ram.base` on. Always the same array; whoever writes there invalidates caches as on hardware (docs/rules.md section 18).
   */
  get ram(): Uint8Array<ArrayBuffer> | undefined {
    return this.engine.whileAlive(this.guest);
  }

  /** Nothing may lead to a slot that is given up. */
  private forgetSlot(slot: number): void {
    if (this.walks.underWay().some((walk) => walk !== undefined)) {
      throw new InvalidOptionError("frames.delete()", "called while a walk is under way", "a call before or after it");
    }
    for (const { psc } of [...this.cpus, ...this.iommus]) for (const cache of psc.values()) cache.forgetSlot(slot);
  }

  /**
   * Frames that the machine, or a call of {@link Machine.frames}, may have written to since the last call, by walks that set A and D, say,
   * for whoever has the tables elsewhere too. What was given out by `frames.view` is always among them; what the host writes to
   * {@link Machine.ram} is not seen. The first call gives all frames, and costs every later snapshot and restore a little.
   */
  changedFrames(): number[] {
    const { frameOf, slotOf } = this.engine.exports;
    return this.state.takeChanged().flatMap((slot) => {
      const frame = frameOf(slot);
      return slotOf(frame) === slot ? [Number(frame)] : [];
    });
  }

  /** Whether {@link dispose} was called. */
  get disposed(): boolean {
    return this.engine.disposed;
  }

  /** Bytes of the engine's memory in use. */
  get memoryBytes(): number {
    return this.engine.exports.arenaBytes();
  }

  /**
   * Plays a packed program (see {@link ProgramBuilder}) inside the engine.
   * @returns one packed result a record: of accesses the outcome (see `unpackOutcome`), of walks under way what
   * `unpackWalk` says, of `reuse` and `giveBack` a frame number, of others 1; or why it was refused (see {@link refusalOf}).
   * A second record has 0
   * @throws InvalidOptionError naming the first operation that this machine cannot play; then none has been played
   */
  play(program: Uint8Array, options?: PlayOptions): BigUint64Array {
    return this.player.play(program, options === undefined || resultsWanted(options));
  }

  /**
   * Room for a program in the engine's own memory, from which {@link play} plays without a copy what stands in its first records. It keeps
   * what was written there until another program is played, or a workload generates one.
   * @param records how many records, 1 to 65,536
   * @throws InvalidOptionError naming the field, the value and what is allowed
   * @example
   * ```ts
   * import { Access, createMachine, ProgramBuilder } from "stalewalk";
   *
   * const machine = await createMachine({ tables: 1, cpus: [{ root: 0x1000n }] });
   * machine.frames.setTable(1);
   * const builder = new ProgramBuilder();
   * for (let i = 0n; i < 1000n; i++) builder.access(0, i << 12n, Access.userRead);
   * const program = builder.build(machine.programMemory(builder.count));
   * for (let round = 0; round < 100; round++) machine.play(program, { results: false });
   * console.log(machine.cpus[0].counters.translations); // 100000
   * ```
   */
  programMemory(records: number): Uint8Array<ArrayBuffer> {
    return this.player.memory(records);
  }

  /**
   * Plays a program with operations of other agents interleaved: each at a *point* of the program (docs/rules.md section
   * 13), counted from 0. Both programs are at most 65,536 records.
   * @returns outcomes of the program's records, and how many points it reached
   */
  playInterleaved(program: Uint8Array, interleaved: Interleaved): { results: BigUint64Array; points: number } {
    return this.player.playInterleaved(program, interleaved);
  }

  /** The same without a copy of the results; how many points it reached. @internal */
  playPlaced(program: Uint8Array, interleaved: Interleaved): number {
    return this.player.playPlaced(program, interleaved);
  }

  /**
   * Plays a program as {@link playInterleaved} does, up to a point and what is interleaved there, and stops: agents, frames, caches and
   * kernel can be looked at as they stand in the middle of an operation. The machine must not play anything afterwards.
   * @throws InvalidOptionError if the program does not reach that point
   */
  playUntil(program: Uint8Array, interleaved: Interleaved, point: number): void {
    this.player.playUntil(program, interleaved, point);
  }

  /** The points that the latest {@link playInterleaved} reached, in order; of very long programs the first 4096. */
  reachedPoints(): ReachedPoint[] {
    return this.player.reachedPoints();
  }

  /**
   * Generates and plays `operations` operations of a synthetic workload. Deterministic: what this leaves behind depends
   * on the machine and the options only.
   * @throws InvalidOptionError; or the signal's reason if aborted
   */
  runWorkload(options: WorkloadOptions, operations: number, run: RunOptions = {}): void {
    this.workloads.run(options, operations, run);
  }

  /**
   * The same for a synthetic kernel workload; the machine has a kernel. A record is an operation, or the second record of
   * one.
   * @throws InvalidOptionError; or the signal's reason if aborted
   */
  runKernelWorkload(options: KernelWorkloadOptions, records: number, run: RunOptions = {}): void {
    if (!this.kernel) throw new InvalidOptionError("kernel", undefined, "a machine that was made with one");
    this.workloads.runKernel(options, records, run);
  }

  /**
   * The first `operations` operations of a synthetic workload as a packed program, not played.
   * @throws InvalidOptionError naming the field, the value and what is allowed, and while a workload runs
   */
  generate(options: WorkloadOptions, operations: number): Uint8Array {
    return this.workloads.generate(options, operations);
  }

  /**
   * Keeps the state of everything: tables, caches, counters, hazards, kernel; what RAM holds only if asked. Costs a copy of the
   * machine's memory.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  snapshot(options: SnapshotOptions = {}): Snapshot {
    const { ram = false } = parse(snapshotSchema, options, "options") as SnapshotOptions;
    if (ram && this.hosts) throw new InvalidOptionError("options.ram", ram, "false: the host keeps the guest's memory");
    const { size, revision } = this.frames;
    const controls = this.cpus.map((cpu) => cpu.controls);
    return { machine: this, image: this.state.take(ram), frames: { size, revision }, controls };
  }

  /**
   * Goes back to a snapshot. Quickest is to go back to the same one again and again: only frames that were written to since are
   * copied then, and those whose contents `frames.view` has given out.
   * @throws InvalidOptionError if it is another machine's, or if frames have been added or deleted by hand since
   */
  restore(snapshot: Snapshot): void {
    if (snapshot.machine !== this) throw new InvalidOptionError("snapshot", "another machine's", "one of this machine");
    const { size, revision } = snapshot.frames;
    if (size !== this.frames.size) {
      throw new InvalidOptionError("frames.size", this.frames.size, `${size}, as in the snapshot`);
    }
    if (revision !== this.frames.revision) {
      throw new InvalidOptionError(
        "snapshot",
        "one of other frames",
        "one taken after the latest was added or deleted",
      );
    }
    this.state.bringBack(snapshot.image);
    for (const [i, cpu] of this.cpus.entries()) cpu.recall(snapshot.controls[i] as Readonly<Controls>);
  }

  /** Lets go of the engine's memory; every later use of the machine and of what belongs to it throws. */
  dispose(): void {
    this.guest = undefined;
    this.engine.dispose();
  }

  /** The same, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

describeToConsole(Machine, (machine) =>
  machine.disposed
    ? { disposed: true }
    : {
        levels: machine.levels,
        cpus: machine.cpus.length,
        iommus: machine.iommus.map(({ pasids }) => ({ pasids: pasids.length })),
        kernel: machine.kernel && {
          policy: machine.kernel.policy.name,
          freeFrames: machine.kernel.freeFrames().length,
        },
        frames: machine.frames.size,
        memoryBytes: machine.memoryBytes,
      },
);
