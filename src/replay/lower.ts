// Lowering: operations of a trace (src/trace/operations.ts) become records of a program, in order, with time, deferred work
// and the accesses of devices in between. What a flush or free does is the policy's business, later, in the engine.

import { operationTypes } from "../engine/abi.js";
import type { KernelRecord } from "../kernel/versions.js";
import { Operation } from "../program/operations.js";
import type { QueueCounter } from "../queue/summary.js";
import { OPERATION_NAMES, type OperationBatch } from "../trace/index.js";
import { DeviceAccesses, USER_PAGE } from "./accesses.js";
import { KernelAreas } from "./areas.js";
import { CpuNumbers } from "./cpu-numbers.js";
import type { DeviceModel } from "./device-model.js";
import { TableFrees } from "./frees.js";
import type { MarkKind } from "./marks.js";
import { pageOf, type RecordWriter } from "./records.js";
import { AddressSpaces, DEVICE_MM, IDLE_MM } from "./spaces.js";
import { TableEvents } from "./table-events.js";
import type { TimelineBuilder } from "./timeline.js";
import type { FlushCalls } from "./trace-result.js";
import { type PlayedName, UNPLAYED, type Unplayed } from "./unplayed.js";

/** What lowering depends on. */
export interface LoweringOptions {
  readonly levels: 4 | 5;
  readonly cpus: number;
  readonly mms: number;
  /** Requester of the device's PASID. */
  readonly requester: number;
  /** What the traced kernel does. */
  readonly kernel: KernelRecord;
  readonly devices: DeviceModel;
  readonly workDelayNs: number;
  readonly maxFrees: number;
  /** Called after what {@link MarkKind} names was written down. */
  readonly onMark: (kind: MarkKind) => void;
}

const ALL_ONES = 0xffff_ffff;
/** Callers of __flush_tlb_all() that carry out a flush of all CPUs; do_flush_tlb_all() ends in a jump, so its caller shows. */
const EXECUTION =
  /^(do_flush_tlb_all|smp_call_function_many_cond|on_each_cpu_cond_mask|generic_exec_single|(__)?flush_smp_call_function_queue)\b/;

/** `note`: what the look-ahead found out about the operation, 0 if nothing. */
type Handler = (batch: OperationBatch, index: number, at: number, note: number) => void;

/** Turns the operations of a trace into records, one by one. */
export class Lowering {
  readonly accesses: DeviceAccesses;
  readonly frees: TableFrees;
  readonly spaces: AddressSpaces;
  readonly #areas: KernelAreas;
  readonly #writer: RecordWriter;
  readonly #options: LoweringOptions;
  readonly #timeline: TimelineBuilder;
  readonly #queue: QueueCounter;
  readonly #handlers: readonly Handler[];
  readonly #tables: TableEvents;
  readonly #cpus: CpuNumbers;
  readonly #skipped = new Map<string, number>();
  readonly #isExecution = new Map<number, boolean>();
  readonly #flushes = { kernelRange: 0, all: 0, local: 0, mm: 0 };
  #first: number | undefined;
  #now = 0;
  #told = -1;
  #workDue = Number.POSITIVE_INFINITY;

  constructor(writer: RecordWriter, timeline: TimelineBuilder, queue: QueueCounter, options: LoweringOptions) {
    this.#writer = writer;
    this.#timeline = timeline;
    this.#queue = queue;
    this.#options = options;
    this.accesses = new DeviceAccesses(options.devices, writer, options.requester);
    this.spaces = new AddressSpaces(writer, options.mms, options.cpus);
    this.#areas = new KernelAreas(writer, this.accesses, options.devices.cpuTouches, options.levels);
    this.frees = new TableFrees(writer, this.accesses, options);
    this.#cpus = new CpuNumbers(options.cpus);
    this.#tables = new TableEvents({
      frees: this.frees,
      areas: this.#areas,
      now: () => this.#now,
      tell: () => this.#tell(),
      skip: (reason) => this.#skip(reason),
      scheduleWork: () => this.#scheduleWork(),
    });
    const table: Readonly<Record<string, Handler>> = this.#table();
    const unplayed: Readonly<Record<string, Unplayed>> = UNPLAYED;
    this.#handlers = OPERATION_NAMES.map((name) => {
      const handler = table[name];
      const reason = unplayed[name];
      if (handler) return handler;
      if (reason && "told" in reason) return () => {};
      // Nothing that happened is passed over: what the model has no words for is named in the result.
      return () => this.#skip(reason ? reason.lost : `operation ${name}, for which there is no handler`);
    });
  }

  /** What has to be there before the trace begins: the device's process, bound to its PASID, and something that CPUs run. */
  begin(): void {
    const { cpus, requester, devices } = this.#options;
    const writer = this.#writer;
    writer.put(Operation.mmCreate, 0, 0, DEVICE_MM, 0, 0);
    writer.put(Operation.mmCreate, 0, 0, IDLE_MM, 0, 0);
    for (let cpu = 0; cpu < cpus; cpu++) writer.put(Operation.switchMm, 0, cpu, IDLE_MM, 0, 0);
    writer.putPage(Operation.mmap, 0, DEVICE_MM, devices.workingSet, USER_PAGE);
    writer.put(Operation.svaBind, 0, requester, DEVICE_MM, 0, 0);
  }

  /** One operation; `note`: what the look-ahead found out about it. */
  lower(batch: OperationBatch, index: number, note = 0): void {
    const time = batch.time[index]!;
    this.#first ??= time;
    if (time - this.#first > this.#now) this.#advance(time - this.#first);
    this.#timeline.events++;
    this.#handlers[batch.kind[index]!]!(batch, index, batch.offset[index]!, note);
  }

  /** The end of the trace: mappings and deferred work that were under way. */
  end(): void {
    this.#areas.settleAll();
    if (this.#workDue !== Number.POSITIVE_INFINITY) this.#advance(this.#workDue);
    this.#runWork();
  }

  /** Nanoseconds from the first event to the latest. */
  get now(): number {
    return this.#now;
  }

  get flushes(): FlushCalls {
    return { ...this.#flushes };
  }

  /** What could not be played, by reason. */
  get skipped(): Record<string, number> {
    const skipped = Object.fromEntries(this.#skipped);
    if (this.spaces.evicted > 0)
      skipped["address space ended early: more at a time than the model has"] = this.spaces.evicted;
    if (this.#cpus.shared > 0) {
      skipped[`operation of a CPU beyond the ${this.#options.cpus} modelled: played on another`] = this.#cpus.shared;
    }
    return skipped;
  }

  /** Time passes: devices work, and deferred work runs when it is due. */
  #advance(to: number): void {
    if (to >= this.#workDue) {
      this.#pass(Math.max(this.#now, this.#workDue));
      this.#runWork();
    }
    this.#pass(to);
  }

  #pass(to: number): void {
    const count = this.accesses.owed(to - this.#now);
    if (count > 0) {
      this.#tell();
      this.accesses.background(count);
    }
    this.#now = to;
    this.#timeline.advance(to);
  }

  #tell(): void {
    if (this.#told === this.#now) return;
    this.#told = this.#now;
    this.#writer.time(Math.floor(this.#now));
  }

  #runWork(): void {
    this.#workDue = Number.POSITIVE_INFINITY;
    this.#tell();
    this.#writer.put(Operation.runWork, 0, 0, 0, 0, 0);
    this.#options.onMark("worker");
  }

  #scheduleWork(): void {
    if (this.#workDue === Number.POSITIVE_INFINITY) this.#workDue = this.#now + this.#options.workDelayNs;
  }

  #skip(reason: string): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
  }

  #cpu(batch: OperationBatch, index: number): number {
    return this.#cpus.of(batch.cpu[index]!);
  }

  #settle(batch: OperationBatch, index: number): void {
    this.#areas.settle(batch.pid[index]!, this.#cpu(batch, index));
  }

  #table(): Record<PlayedName, Handler> {
    const tables = this.#tables;
    const settle: Handler = (batch, index) => this.#settle(batch, index);
    return {
      "map-pages": (batch, index, at) => this.#mapPages(batch, index, at),
      "map-physical": (batch, index, at) => this.#mapPhysical(batch, index, at),
      "unmap-range": (batch, index, at) => this.#unmap(batch, index, at),
      "area-alloc": settle,
      "vmalloc-return": settle,
      "vmap-return": settle,
      "ioremap-return": settle,
      "flush-kernel-range": (batch, index, at) => this.#flushRange(batch, index, at),
      "flush-all": (batch, index, at, note) => this.#flushAll(batch, index, at, note),
      "local-flush-all": (batch, index, at) => this.#flushLocal(batch, index, at),
      "cpu-flush-page": (batch, index, at) => {
        this.#writer.put(Operation.invlpg, 0, this.#cpu(batch, index), 0, batch.words[at]!, batch.words[at + 1]!);
      },
      "flush-mm": (batch, index, at) => this.#flushMm(batch, index, at),
      "mm-create": ({ words }, _, at) => {
        this.spaces.need(AddressSpaces.key(words[at]!, words[at + 1]!));
      },
      "mm-destroy": ({ words }, _, at) => {
        if (!this.spaces.destroy(AddressSpaces.key(words[at]!, words[at + 1]!))) {
          this.#skip("end of an address space that the trace had not named before");
        }
      },
      "table-detach": (batch, index, at) => tables.detach(batch, index, at),
      "table-detach-return": (batch, index) => this.frees.end(batch.pid[index]!),
      "table-free": (batch, index, at, note) => this.#free(batch, index, at, note),
      "table-release": (batch, _, at) => tables.release(batch, at),
      "table-discard": (batch, _, at) => tables.discard(batch, at),
      "table-worker": () => this.#runWork(),
      "attribute-flush": (batch, index, at) => tables.changed(batch, index, at),
      "memory-remove": (batch, index, at) => tables.removing(batch, index, at),
      "hot-remove": (batch, index, at) => tables.hotRemove(batch, index, at),
      "queue-descriptor": ({ words }, _, at) => {
        const word = (i: number) => (BigInt(words[at + i + 1]!) << 32n) | BigInt(words[at + i]!);
        this.#queue.add(word(4), word(6), word(8), word(10), words[at + 12]!);
      },
    };
  }

  #mapPages(batch: OperationBatch, index: number, at: number): void {
    this.#settle(batch, index);
    const { words } = batch;
    // Larger pages follow piece by piece, as map-physical.
    if (words[at + 6]! > 12) return;
    const page = pageOf(words[at]!, words[at + 1]!);
    const end = pageOf(words[at + 2]!, words[at + 3]!);
    if (!this.#areas.holds(page, end)) this.#skip("mapping outside the kernel half");
    else if (!this.#areas.map(page, end, this.#cpu(batch, index))) this.#skip("mapping of more than 1 GiB");
  }

  #mapPhysical(batch: OperationBatch, index: number, at: number): void {
    this.#settle(batch, index);
    const { words } = batch;
    const page = pageOf(words[at]!, words[at + 1]!);
    const end = pageOf(words[at + 2]!, words[at + 3]!);
    const frame = pageOf(words[at + 4]!, words[at + 5]!);
    const pid = batch.pid[index]!;
    if (!this.#areas.holds(page, end)) this.#skip("mapping outside the kernel half");
    else if (!this.#areas.mapPhysical(page, end, frame, words[at + 8]!, pid, this.#cpu(batch, index))) {
      this.#skip("mapping of more than 1 GiB");
    }
  }

  #unmap(batch: OperationBatch, index: number, at: number): void {
    this.#settle(batch, index);
    const { words } = batch;
    const page = pageOf(words[at]!, words[at + 1]!);
    const end = pageOf(words[at + 2]!, words[at + 3]!);
    if (!this.#areas.holds(page, end)) this.#skip("unmapping outside the kernel half");
    else if (!this.#areas.unmap(page, end)) this.#skip("unmapping of more than 4 TiB");
  }

  #flushRange(batch: OperationBatch, index: number, at: number): void {
    const { words } = batch;
    let [low, high, endLow, endHigh] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!];
    this.#flushes.kernelRange++;
    this.#timeline.kernelFlushes++;
    const pid = batch.pid[index]!;
    const ordered = endHigh > high || (endHigh === high && endLow > low);
    if (!ordered || !this.#areas.holds(pageOf(low, high), pageOf(endLow, endHigh) + 1)) {
      // The kernel computes end - start without a sign: everything is flushed.
      this.#skip("flush of a range that is none: played as one of everything");
      [low, high, endLow, endHigh] = [0, 0xffff_8000, ALL_ONES, ALL_ONES];
    }
    this.#tell();
    const frees = this.frees.beforeFlushOf(pid);
    this.#writer.putRange(
      Operation.flushTlbKernelRange,
      frees ? operationTypes.freesTables : 0,
      0,
      low,
      high,
      endLow,
      endHigh,
    );
    if (frees) this.frees.afterFlush(pid, this.#now, batch.strings.get(words[at + 4]!));
    this.#scheduleWork();
    this.#options.onMark("flush-kernel-range");
  }

  #flushAll(batch: OperationBatch, index: number, at: number, collapsed: number): void {
    this.#flushes.all++;
    this.#timeline.kernelFlushes++;
    const pid = batch.pid[index]!;
    this.#tell();
    if (collapsed > 0) this.#tables.collapse(pid, collapsed);
    const frees = this.frees.beforeFlushOf(pid);
    this.#writer.put(Operation.flushTlbAll, frees ? operationTypes.freesTables : 0, 0, 0, 0, 0);
    if (frees) this.frees.afterFlush(pid, this.#now, batch.strings.get(batch.words[at]!));
    this.#scheduleWork();
    this.#options.onMark("flush-all");
  }

  #flushLocal(batch: OperationBatch, index: number, at: number): void {
    const caller = batch.words[at]!;
    let execution = this.#isExecution.get(caller);
    if (execution === undefined) {
      execution = EXECUTION.test(batch.strings.get(caller));
      this.#isExecution.set(caller, execution);
    }
    if (execution) return;
    this.#flushes.local++;
    this.#writer.put(Operation.localFlushTlbAll, 0, this.#cpu(batch, index), 0, 0, 0);
  }

  #flushMm(batch: OperationBatch, index: number, at: number): void {
    const { words } = batch;
    const number = this.spaces.need(AddressSpaces.key(words[at]!, words[at + 1]!));
    this.spaces.run(this.#cpu(batch, index), number);
    const [low, high, endLow, endHigh] = [words[at + 2]!, words[at + 3]!, words[at + 4]!, words[at + 5]!];
    const ordered = endHigh > high || (endHigh === high && endLow > low);
    // The user half of 5 levels ends at 2^56; an end beyond it, or before the start, flushes everything.
    const all = endHigh >= 0x0100_0000 || !ordered;
    const shift = Math.min(30, Math.max(12, words[at + 6]!));
    this.#flushes.mm++;
    this.#writer.putRange(
      Operation.flushTlbMmRange,
      shift,
      number,
      all ? 0 : low,
      all ? 0 : high,
      all ? ALL_ONES : endLow,
      all ? ALL_ONES : endHigh,
    );
    this.#options.onMark("flush-mm");
  }

  #free(batch: OperationBatch, index: number, at: number, note: number): void {
    const before = this.#tables.count;
    this.#tables.free(batch, index, at, note);
    this.#timeline.frees += this.#tables.count - before;
    this.#options.onMark("table-free");
  }
}
