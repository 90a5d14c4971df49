// The bare walker: one context over a set of tables, without any cache. For looking at tables and for checking them.
/// <reference lib="esnext.disposable" preserve="true" />

import { checkAddress, rootFrame } from "../base/errors.js";
import { describeToConsole } from "../base/inspect.js";
import { object, optional, parse } from "../base/schema.js";
import { agentFlag } from "../engine/abi.js";
import type { Pointer } from "../engine/exports.js";
import { Engine, type EngineOptions, engineFields } from "../engine/instance.js";
import { WALKER_SCRATCH_WORDS as SCRATCH_WORDS } from "../engine/limits.js";
import type { WasmModule } from "../engine/wasm-module.js";
import {
  type Access,
  type Controls,
  completeControls,
  controlBits,
  controlsSchema,
  linuxControls,
} from "../paging/access.js";
import { Frames } from "../paging/frames.js";
import { listMappings, type MappingBatch } from "../paging/mappings.js";
import { type Outcome, unpackOutcome } from "../paging/outcome.js";
import { type PagingMode, pagingFields, setPagingMode } from "../paging/paging-mode.js";
import { checkAccess, type Explanation, explainWalk, probeContext, type Scratch, translateBatch } from "./context.js";
import { type Vendor, vendorField, vendorFlag } from "./geometry.js";

/** A walker's paging mode, capacity and controls. */
export interface WalkerOptions extends PagingMode, EngineOptions {
  /** Capacity in table frames, 1 to 2^19; memory for it (4 KiB each) is taken at once. Default 1024. */
  tables?: number;
  /** Default {@link linuxControls}. */
  controls?: Partial<Controls>;
  /** Whose walker it is. Default `intel`; with `amd` bit 8 of PML4 and PML5 entries must be zero. */
  vendor?: Vendor;
}

const walkerSchema = object({ ...pagingFields, ...engineFields, ...vendorField, controls: optional(controlsSchema) });

/** A walker's options, checked. @internal @throws InvalidOptionError naming the field, the value and what is allowed */
export function checkWalker(options: WalkerOptions): WalkerOptions {
  return parse(walkerSchema, options, "") as WalkerOptions;
}

/** Walks page tables as a CPU does (SDM 4.5 to 4.7), caching nothing: every answer is what the tables say now. */
export class Walker {
  /** Levels of the tables. */
  readonly levels: 4 | 5;
  /** The tables. */
  readonly frames: Frames;
  private readonly context: Pointer;
  private readonly scratch: Scratch;
  private readonly requester: number;
  private current: Controls;

  private readonly engine: Engine;

  /** Of options that have been checked. @internal */
  constructor(module: WasmModule, options: WalkerOptions) {
    const engine = new Engine(module);
    const { exports } = engine;
    this.engine = engine;
    this.levels = setPagingMode(engine, options);
    this.current = completeControls(options.controls, { ...linuxControls, pcide: false });
    engine.made(exports.createRequesters(), "the list of requesters");
    this.scratch = { at: engine.made(exports.allocate(SCRATCH_WORDS * 8), "scratch memory"), words: SCRATCH_WORDS };
    const agent = engine.made(exports.createAgent(0, agentFlag.isCpu | vendorFlag(options.vendor), 1, 1), "agent");
    this.context = engine.made(exports.createContext(agent, 0), "context");
    this.requester = exports.addRequester(this.context, 0);
    exports.setControls(this.context, controlBits(this.current), this.current.pkru);
    this.frames = new Frames(engine, options.tables ?? 1024);
  }

  /** Makes a frame a table; see {@link Frames.setTable}. */
  setTable(frame: number, entries?: BigUint64Array | Uint8Array, level?: number): void {
    this.frames.setTable(frame, entries, level);
  }

  /** Sets the root table (CR3) by its physical address. */
  setRoot(physicalAddress: bigint): void {
    this.engine.exports.setContextRoot(this.context, rootFrame("root", physicalAddress));
  }

  /** Controls as they are. */
  get controls(): Readonly<Controls> {
    return this.current;
  }

  /** Changes some controls; the others stay as they are. */
  setControls(change: Partial<Controls>): void {
    this.current = completeControls(change, this.current);
    this.engine.exports.setControls(this.context, controlBits(this.current), this.current.pkru);
  }

  /**
   * Walks and sets A at every level used, D at the leaf on a write.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  translate(va: bigint, access: Access): Outcome {
    const address = checkAddress("virtual address", va);
    return unpackOutcome(this.engine.calls.translate(this.context, address, checkAccess(access)));
  }

  /**
   * Walks for many addresses, as `translate` does one after the other.
   * @param outcomes receives one packed outcome an address (see `unpackOutcome`); default a new array
   */
  translateMany(
    addresses: BigUint64Array,
    access: Access,
    outcomes: BigUint64Array = new BigUint64Array(addresses.length),
  ): BigUint64Array {
    return translateBatch(this.engine, this.scratch, this.requester, addresses, access, outcomes);
  }

  /** What `translate` would answer, without side effects. */
  probe(va: bigint, access: Access): Outcome {
    return probeContext(this.engine, this.context, va, access);
  }

  /** The whole chain of entries, level by level, with the outcome; no side effects. */
  explain(va: bigint, access: Access): Explanation {
    return explainWalk(this.engine, this.context, va, access);
  }

  /** Every leaf reachable from the root, in address order; shared tables are listed once per path. */
  mappings(): Generator<MappingBatch> {
    return listMappings(this.engine, this.context, this.scratch);
  }
  /** Whether {@link dispose} was called. */
  get disposed(): boolean {
    return this.engine.disposed;
  }

  /** Lets go of the engine's memory; every later use of the walker and of its frames throws. */
  dispose(): void {
    this.engine.dispose();
  }

  /** The same, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

describeToConsole(Walker, (walker) =>
  walker.disposed
    ? { disposed: true }
    : { levels: walker.levels, frames: walker.frames.size, controls: walker.controls },
);
