// A CPU (rules.md section 6; SDM 4.10.4.1): an agent with one current context, and the instructions that invalidate.

import { type Controls, decodeAccess } from "./access.js";
import { Agent } from "./agent.js";
import type { AgentConfig, Context, InvlpgScope, Vendor } from "./agent-config.js";
import type { Memory } from "./memory.js";
import {
  isCanonical,
  type MachineParameters,
  type Outcome,
  toTheEnd,
  translatedBits,
  type WalkResult,
} from "./walk.js";
import type { Begun, Drain } from "./walks.js";

/** A CPU as it starts. */
export interface CpuConfig extends AgentConfig {
  /** Frame number of the root table. */
  root: number;
  /** Current PCID, 0..4095; taken as 0 if `controls.pcide` is off. */
  pcid: number;
  controls: Controls;
  /** Default `intel`. */
  vendor?: Vendor;
  invlpgScope: InvlpgScope;
  /** Default `atomic`. */
  walks?: "atomic" | "stepwise";
  /** Default `all`. */
  drain?: Drain;
}

/** Most pages of one flushed range: a longer one is a mistake of the caller. */
const MAX_PAGES = 1n << 20n;

/** A CPU. */
export class Cpu {
  readonly agent: Agent;
  readonly #invlpgScope: InvlpgScope;
  #root: number;
  #pcid: number;
  #controls: Controls;
  /** Invalidating operations so far: INVLPG (one per page of a range), INVPCID, and MOV to CR3 or CR4 that drop something. */
  invalidations = 0;

  constructor(memory: Memory, parameters: MachineParameters, config: CpuConfig) {
    this.agent = new Agent(memory, parameters, config, {
      cpu: true,
      vendor: config.vendor ?? "intel",
      supervisorEntries: "cache",
      refusesInterrupts: false,
      cacheSupervisorLeaves: false,
      walks: config.walks ?? "atomic",
      drain: config.drain ?? "all",
    });
    this.#invlpgScope = config.invlpgScope;
    this.#root = config.root;
    this.#controls = { ...config.controls };
    this.#pcid = this.#controls.pcide ? config.pcid : 0;
  }

  /** The current context. */
  get context(): Context {
    return { root: this.#root, controls: this.#controls, tag: this.#pcid };
  }

  /** Translate for an access; the code is that of rules.md section 2. */
  access(address: bigint, accessCode: number): Outcome {
    return toTheEnd(this.#inSteps(address, accessCode));
  }

  /** The same access, of which the walk is only to begin. */
  begin(address: bigint, accessCode: number): Begun {
    const { tag } = this.context;
    return { agent: this.agent, tag, address, device: undefined, steps: this.#inSteps(address, accessCode) };
  }

  *#inSteps(address: bigint, accessCode: number): Begun["steps"] {
    return (yield* this.agent.translate(this.context, address, decodeAccess(accessCode))).outcome;
  }

  /** What the tables say about an access, without side effects. */
  probe(address: bigint, accessCode: number): Outcome {
    return this.agent.probe(this.context, address, decodeAccess(accessCode));
  }

  /** A probe with its chain of entries; undefined if the address is not canonical. */
  explain(address: bigint, accessCode: number): WalkResult | undefined {
    return this.agent.explain(this.context, address, decodeAccess(accessCode));
  }

  /** INVLPG; nothing happens for an address that is not canonical (SDM vol. 2, INVLPG). */
  invlpg(address: bigint): void {
    this.invalidations += 1;
    if (!isCanonical(address, this.agent.parameters)) return;
    this.#waitForPage(address);
    this.agent.dropAddress(address, this.#pcid, { globals: true });
    if (this.#invlpgScope === "all") this.agent.dropPagingStructures();
    if (this.#invlpgScope === "pcid") this.agent.dropPagingStructures(this.#pcid);
    if (this.#invlpgScope === "path") this.agent.dropPath(address, this.#pcid);
  }

  /**
   * INVLPG of each 4 KiB page from `start`, aligned down, while below `end` (bytes). Pages between the halves are counted at
   * once: none of them is canonical.
   * @throws RangeError if it is more than 2^20 pages besides
   */
  flushRange(start: bigint, end: bigint): void {
    const half = 1n << BigInt(11 + 9 * this.agent.parameters.levels);
    const upper = (1n << 64n) - half;
    const hole = start < half && end > upper ? upper - half : 0n;
    if (end - start - hole > MAX_PAGES << 12n) {
      throw new RangeError(`range 0x${start.toString(16)}..0x${end.toString(16)}: expected at most ${MAX_PAGES} pages`);
    }
    for (let address = (start >> 12n) << 12n; address < end; ) {
      if (address >= half && address < upper) {
        const next = end < upper ? end : upper;
        this.invalidations += Number((next - address + 4095n) >> 12n);
        address = upper;
        continue;
      }
      this.invlpg(address);
      address += 4096n;
    }
  }

  /** INVLPG of each of some pages, none beyond 2^64; of more than 33 pages everything instead. */
  rangeOrAll(start: bigint, pages: number): void {
    const first = (start >> 12n) << 12n;
    const end = first + BigInt(pages) * 4096n;
    if (pages > 33) this.invpcid(2, 0n, 0);
    else this.flushRange(first, end < 1n << 64n ? end : 1n << 64n);
  }

  /**
   * INVPCID. False if it is a #GP, which drops nothing: type 0 with an address that is not canonical, types 0 and 1 with a PCID
   * other than 0 while PCIDE is off.
   */
  invpcid(type: 0 | 1 | 2 | 3, address: bigint, pcid: number): boolean {
    if (type === 0 && !isCanonical(address, this.agent.parameters)) return false;
    if (type < 2 && pcid !== 0 && !this.#controls.pcide) return false;
    this.invalidations += 1;
    this.#drop(type, address, pcid);
    return true;
  }

  #drop(type: 0 | 1 | 2 | 3, address: bigint, pcid: number): void {
    switch (type) {
      case 0:
        this.#waitForPage(address);
        this.agent.dropAddress(address, pcid, { globals: false });
        this.agent.dropPath(address, pcid);
        return;
      case 1:
        this.agent.waitForWalks({});
        this.agent.dropTag(pcid);
        return;
      case 2:
        this.agent.waitForWalks({});
        this.agent.dropAll({ globals: true });
        return;
      case 3:
        this.agent.waitForWalks({});
        this.agent.dropAll({ globals: false });
        return;
    }
  }

  /** MOV to CR3. Without CR4.PCIDE the PCID is 0 and `noFlush` is ignored. */
  movCr3(root: number, pcid: number, noFlush: boolean): void {
    this.agent.waitForWalks({});
    this.#root = root;
    this.#pcid = this.#controls.pcide ? pcid : 0;
    if (this.#controls.pcide && noFlush) return;
    this.invalidations += 1;
    this.agent.dropTag(this.#pcid);
  }

  /** Change the controls, all at once. */
  setControls(controls: Controls): void {
    this.agent.waitForWalks({});
    const before = this.#controls;
    this.#controls = { ...controls };
    const pcideCleared = before.pcide && !controls.pcide;
    if (before.pge !== controls.pge || pcideCleared) {
      this.invalidations += 1;
      this.agent.dropAll({ globals: true });
    } else if (!before.smep && controls.smep) {
      this.invalidations += 1;
      this.agent.dropTag(this.#pcid);
    }
    if (pcideCleared) this.#pcid = 0;
  }

  #waitForPage(address: bigint): void {
    const start = (translatedBits(address, this.agent.parameters) >> 12n) << 12n;
    this.agent.waitForWalks({ pages: { start, end: start + 4096n } });
  }
}
