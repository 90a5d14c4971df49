// A CPU: registers, TLBs, paging-structure caches, and the instructions that invalidate them (SDM 4.10.4.1).

import { checkAddress, checkHalf, checkInteger, rootFrame } from "../base/errors.js";
import { address, integer, object, oneOf, optional } from "../base/schema.js";
import { agentFlag, pcids } from "../engine/abi.js";
import type { Pointer } from "../engine/exports.js";
import {
  type Access,
  type Controls,
  completeControls,
  controlBits,
  controlsSchema,
  linuxControls,
} from "../paging/access.js";
import { type Outcome, unpackOutcome } from "../paging/outcome.js";
import { Agent, type Workshop } from "./agent.js";
import { checkAccess, type Explanation, explainWalk, probeContext, translateBatch } from "./context.js";
import { agentFields, type CpuGeometry, vendorFlag } from "./geometry.js";
import { type WalkOptions, walkFields, walkFlags } from "./walks.js";

/** A CPU: its caches, and how it behaves where processors differ. */
export interface CpuConfig extends CpuGeometry, WalkOptions {
  /** Controls at the start; default {@link linuxControls}. */
  controls?: Partial<Controls>;
  /** Physical address of the root table at the start (CR3); default 0. */
  root?: bigint;
  /** PCID at the start; default 0. */
  pcid?: number;
  /**
   * What INVLPG does to paging-structure caches: `pcid` (Intel, default: all of the current PCID), `all` (AMD,
   * EFER.TCE = 0; the default with `vendor: "amd"`), `path` (AMD, EFER.TCE = 1: only those for the address).
   */
  invlpgScope?: "pcid" | "all" | "path";
}

const SCOPES = ["pcid", "all", "path"] as const;
const SCOPE_FLAGS = { pcid: 0, all: agentFlag.invlpgAll, path: agentFlag.invlpgPath } as const;

/** A CPU. @internal */
export const cpuSchema = object(
  {
    ...agentFields,
    ...walkFields,
    controls: optional(controlsSchema),
    root: optional(address()),
    pcid: optional(integer(0, pcids - 1)),
    invlpgScope: optional(oneOf(SCOPES)),
  },
  "an object that describes a CPU",
);

/** A CPU of a machine. */
export class Cpu extends Agent {
  /** Number of the requester in programs. */
  readonly requester: number;
  /** @internal */
  readonly context: Pointer;
  private current: Readonly<Controls>;

  /** @internal */
  constructor(workshop: Workshop, config: CpuConfig, field: string) {
    const { vendor = "intel", invlpgScope = vendor === "amd" ? "all" : "pcid" } = config;
    const flags = agentFlag.isCpu | vendorFlag(vendor) | SCOPE_FLAGS[invlpgScope] | walkFlags(config);
    super(workshop, config, field, { leaves: pcids, paths: pcids }, flags);
    const { exports } = this.engine;
    this.current = completeControls(config.controls, linuxControls, `${field}.controls`);
    this.context = this.engine.made(exports.createContext(this.pointer, 0), field);
    exports.setControls(this.context, controlBits(this.current), this.current.pkru);
    exports.setContextRoot(this.context, rootFrame(`${field}.root`, config.root ?? 0n));
    exports.setContextTag(this.context, this.current.pcide ? (config.pcid ?? 0) : 0);
    this.requester = exports.addRequester(this.context, 0);
  }

  /** Control bits, EFLAGS.AC and PKRU as they are. */
  get controls(): Readonly<Controls> {
    return this.current;
  }

  /** The engine has gone back to a snapshot with these controls. @internal */
  recall(controls: Readonly<Controls>): void {
    this.current = controls;
  }

  /** Current PCID (0 without CR4.PCIDE). */
  get pcid(): number {
    return this.engine.exports.contextTag(this.context);
  }

  /** Physical address of the current root table. */
  get root(): bigint {
    return this.engine.exports.contextRoot(this.context) << 12n;
  }

  /**
   * Translates as the CPU would: TLBs, paging-structure caches, tables; sets A and D, fills the caches.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  translate(va: bigint, access: Access): Outcome {
    const address = checkAddress("virtual address", va);
    return unpackOutcome(this.engine.calls.translate(this.context, address, checkAccess(access)));
  }

  /**
   * The same in numbers, for emulators: no garbage, whatever comes of it.
   * @param high bits 63 to 32 of the virtual address, as a 32-bit integer with or without sign
   * @param low bits 31 to 0
   * @returns the physical address; below 0 a fault, which `unpackFault` explains
   * @throws InvalidOptionError naming the field, the value and what is allowed
   * @example
   * ```ts
   * import { Access, createMachine, unpackFault } from "stalewalk";
   *
   * const machine = await createMachine({ cpus: [{ root: 0x1000n }] });
   * machine.frames.setTable(1);
   * const at = machine.cpus[0].physical(0, 0x1000, Access.userRead);
   * if (at < 0) console.log(unpackFault(at)); // { kind: 'fault', reason: 'not-present', errorCode: 4, level: 4 }
   * ```
   */
  physical(high: number, low: number, access: Access): number {
    return this.engine.calls.physical(
      this.requester,
      checkHalf("high", high),
      checkHalf("low", low),
      checkAccess(access),
    );
  }

  /**
   * Translates many addresses for one kind of access, as `translate` does one after the other.
   * @param outcomes receives one packed outcome an address (see `unpackOutcome`); default a new array
   */
  translateMany(
    addresses: BigUint64Array,
    access: Access,
    outcomes: BigUint64Array = new BigUint64Array(addresses.length),
  ): BigUint64Array {
    return translateBatch(this.engine, this.scratch, this.requester, addresses, access, outcomes);
  }

  /** What `translate` would answer, caches included, without any side effect. */
  probe(va: bigint, access: Access): Outcome {
    return probeContext(this.engine, this.context, va, access);
  }

  /** What the tables say, whatever is cached: the whole chain, without any side effect. */
  explain(va: bigint, access: Access): Explanation {
    return explainWalk(this.engine, this.context, va, access);
  }

  /**
   * INVLPG: the page of `va` in the current PCID and global; paging-structure caches by `invlpgScope`. An address that is not
   * canonical, a tagged pointer for instance, drops nothing (SDM vol. 2: a NOP).
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  invlpg(va: bigint): void {
    this.engine.exports.invlpg(this.context, checkAddress("virtual address", va));
  }

  /**
   * INVLPG of each 4 KiB page from `start` (aligned down) while below `end`; between the halves there is nothing to drop.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  flushRange(start: bigint, end: bigint): void {
    const first = checkAddress("start", start) & ~0xfffn;
    const last = checkAddress("end", end);
    if (last > first) this.engine.exports.invlpgRange(this.context, first, (last - first + 0xfffn) >> 12n);
  }

  /**
   * INVPCID: 0 = one address of a PCID, 1 = a PCID, 2 = everything, 3 = everything but globals.
   * @returns false if the instruction is a #GP, which drops nothing: type 0 with an address that is not canonical, types 0 and 1
   *   with a PCID other than 0 while CR4.PCIDE is 0 (SDM vol. 2)
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  invpcid(type: 0 | 1 | 2 | 3, pcid = 0, va = 0n): boolean {
    checkInteger("INVPCID type", type, 0, 3);
    checkInteger("PCID", pcid, 0, pcids - 1);
    return this.engine.exports.invpcid(this.context, type, pcid, checkAddress("virtual address", va)) !== 0;
  }

  /**
   * MOV CR3; `noFlush` is bit 63, which only counts with CR4.PCIDE.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  movToCr3(root: bigint, pcid = 0, noFlush = false): void {
    checkInteger("PCID", pcid, 0, pcids - 1);
    this.engine.exports.movToCr3(this.context, rootFrame("root", root), pcid, noFlush);
  }

  /** Drops everything, globals and paging-structure caches included: CR4.PGE off and on, or INVPCID type 2. */
  flushAll(): void {
    this.engine.exports.flushEverything(this.context);
  }

  /** Writes controls; what a change of CR4 implies is dropped (PGE, PCIDE 1 to 0, SMEP 0 to 1). */
  setControls(change: Partial<Controls>): void {
    this.current = completeControls(change, this.current);
    this.engine.exports.changeControls(this.context, controlBits(this.current), this.current.pkru);
  }
}
