// The walker (rules.md sections 1 to 3 and 14; SDM 4.5 to 4.8): one loop over levels, from any start. It writes A and D back if
// asked to, tells of every step, and pauses before each read and write; caches and counters are the agent's business.

import {
  type Access,
  accessError,
  type Controls,
  protectionError,
  type Refusal,
  refusal,
  reservedError,
} from "./access.js";
import {
  ACCESSED,
  DIRTY,
  EXECUTE_DISABLE,
  entryIndex,
  frameOf,
  GLOBAL,
  isLeaf,
  keyField,
  type LeafLevel,
  type Level,
  levelShift,
  PRESENT,
  pageBase,
  reservedBitsSet,
  USER,
  WRITABLE,
} from "./entry.js";
import type { Memory } from "./memory.js";
import { isInterruptAddress } from "./pasid-entry.js";

/** What is the same for every agent of a machine. */
export interface MachineParameters {
  levels: 4 | 5;
  /** Width of physical addresses in bits, 32..52. */
  maxPhyAddr: number;
  /** Whether 1 GiB pages exist. */
  pages1G: boolean;
}

/** Why a translation is refused: by an entry, by the rights, or by an IOMMU (rules.md section 7). */
export type FaultReason =
  | ("not-present" | "reserved" | Refusal)
  | ("no-pasid" | "pasid-reserved" | "pasid-invalid" | "interrupt-range");

/** What an IOMMU of VT-d adds to a fault. */
export interface Numbered {
  vtdReason?: number;
  recorded?: boolean;
}

/**
 * How a translation ends. `level` is that of the leaf (ok) or of the entry that faulted (0 for no-pasid, which reads none);
 * `frame` is a frame number.
 */
export type Outcome =
  | { kind: "ok"; physicalAddress: bigint; level: LeafLevel }
  | ({ kind: "fault"; reason: FaultReason; errorCode: number; level: Level | 0 } & Numbered)
  | ({ kind: "non-canonical" } & Numbered)
  | { kind: "absent"; level: Level; frame: number }
  /** None yet: the walk is under way, and an entry of this level comes next. */
  | { kind: "under-way"; level: Level };

/** One entry read by a walk. */
export interface WalkStep {
  level: Level;
  /** Frame number of the table. */
  frame: number;
  index: number;
  /** The entry as read. */
  entry: bigint;
  /** Whether A or D was written back. */
  written: boolean;
  /** For a non-leaf entry that the walk went through and may be cached: R/W, U/S and XD of the path so far. Else undefined. */
  passedWith: bigint | undefined;
}

/** A leaf as the translation caches hold it (rules.md section 4); G as in the leaf. */
export interface CachedLeaf {
  level: LeafLevel;
  data: bigint;
}

/** All about one walk. */
export interface WalkResult {
  outcome: Outcome;
  steps: WalkStep[];
  /** Set if the walk completed. */
  leaf: CachedLeaf | undefined;
  /** Set if the leaf was refused as a supervisor page and its A was 1 already. */
  refusedSupervisorLeaf: CachedLeaf | undefined;
}

/** Where a walk starts: a table, and the rights (R/W, U/S, XD) of the path to it. */
export interface WalkStart {
  level: Level;
  /** Frame number of the table. */
  frame: number;
  rights: bigint;
  /** Out of a paging-structure cache: generation of the table's frame when that entry was filled. */
  generation?: number;
}

/** The root of an address space as the start of a walk: nothing is refused yet. */
export function rootStart(root: number, parameters: MachineParameters): WalkStart {
  return { level: parameters.levels, frame: root, rights: WRITABLE | USER };
}

/** Translated bits of an address: the low 48 or 57. */
export function translatedBits(address: bigint, parameters: MachineParameters): bigint {
  return BigInt.asUintN(12 + 9 * parameters.levels, address);
}

/** Whether the bits above the translated ones are copies of the highest translated bit. */
export function isCanonical(address: bigint, parameters: MachineParameters): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(12 + 9 * parameters.levels, address)) === address;
}

/** R/W and U/S of both, XD of either. */
export function combineRights(path: bigint, entry: bigint): bigint {
  return (path & entry & (WRITABLE | USER)) | ((path | entry) & EXECUTE_DISABLE);
}

/** The physical address in bytes that a cached leaf gives for a virtual address. */
export function physicalAddress(leaf: CachedLeaf, address: bigint): bigint {
  return pageBase(leaf.data, leaf.level) | BigInt.asUintN(levelShift(leaf.level), address);
}

/** Rule 3.7: go on and cache the path, go on and cache it not, or fault. */
export type SupervisorEntries = "cache" | "walk" | "stop";

/** What a walk needs besides its start. */
export interface WalkOptions {
  controls: Controls;
  /** What a user access makes of a non-leaf entry with U/S = 0. */
  supervisorEntries: SupervisorEntries;
  /** AMD's hardware has a reserved bit more. */
  vendor: "intel" | "amd";
  /** Write A and D back; false for a probe. */
  writeBack: boolean;
  /** Told of what the walk does, when it does it. */
  listener?: WalkListener;
  /** An IOMMU of VT-d: no translation may lead to the interrupt range. */
  refusesInterrupts: boolean;
}

/** Where a walk stands: before the read of an entry, or before A or D is set in it. */
export interface Pause {
  level: Level;
  /** Frame number of the table. */
  frame: number;
  what: "read" | "mark";
}

/** Who is told of the steps of a walk. `generation`: of the table's frame, as the pointer to it says. */
export interface WalkListener {
  /** An entry is about to be read. */
  read(table: TableRead): void;
  /** A or D is about to be set in an entry that was read. */
  marked(table: TableRead): void;
  /** The walk goes through a non-leaf entry; `below`: generation of the next table's frame when the entry was read. */
  passed(step: WalkStep, below: number): void;
}

/** The table that a step of a walk is about. */
export interface TableRead {
  level: Level;
  /** Frame number. */
  frame: number;
  generation: number;
}

/** Walk for one access, from begin to end. The address must be canonical. */
export function walk(...of: Parameters<typeof walkInSteps>): WalkResult {
  return toTheEnd(walkInSteps(...of));
}

/** What comes of something that pauses if nothing happens in its pauses. */
export function toTheEnd<T>(steps: Generator<unknown, T, void>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same with a pause before every read of memory and every setting of A or D. */
export function* walkInSteps(
  memory: Memory,
  parameters: MachineParameters,
  start: WalkStart,
  address: bigint,
  access: Access,
  options: WalkOptions,
): Generator<Pause, WalkResult, void> {
  const { controls, listener } = options;
  const steps: WalkStep[] = [];
  const ended = (outcome: Outcome): WalkResult => ({
    outcome,
    steps,
    leaf: undefined,
    refusedSupervisorLeaf: undefined,
  });
  let pathRights = start.rights;
  let frame = start.frame;
  let level: Level = start.level;
  let generation = start.generation ?? memory.generation(frame);

  for (;;) {
    if (!memory.has(frame)) return ended({ kind: "absent", level, frame });
    yield { level, frame, what: "read" };
    const table: TableRead = { level, frame, generation };
    listener?.read(table);
    const index = entryIndex(address, level);
    const entry = memory.readEntry(frame, index) as bigint;
    const below = memory.generation(frameOf(entry));
    const step: WalkStep = { level, frame, index, entry, written: false, passedWith: undefined };
    steps.push(step);
    /** False if the entry is not what was read any more: then nothing is written. */
    const writeBack = function* (set: bigint): Generator<Pause, boolean, void> {
      if (!options.writeBack || (entry & set) === set) return true;
      yield { level: step.level, frame: step.frame, what: "mark" };
      if (!memory.exchange(step.frame, index, entry, entry | set)) return false;
      listener?.marked(table);
      step.written = true;
      return true;
    };

    if ((entry & PRESENT) === 0n) {
      return ended({ kind: "fault", reason: "not-present", errorCode: accessError(access, controls), level });
    }
    if (reservedBitsSet(entry, level, { ...parameters, nxe: controls.nxe, amd: options.vendor === "amd" }) !== 0n) {
      return ended({ kind: "fault", reason: "reserved", errorCode: reservedError(access, controls), level });
    }
    const rights = combineRights(pathRights, entry);

    if (isLeaf(entry, level)) {
      const data = rights | (entry & (DIRTY | GLOBAL)) | pageBase(entry, level) | keyField(entry) | PRESENT | ACCESSED;
      const reason = refusal(access, data, controls);
      if (reason !== undefined) {
        const errorCode = protectionError(access, data, controls);
        const result = ended({ kind: "fault", reason, errorCode, level });
        if (reason === "supervisor-page" && (entry & ACCESSED) !== 0n) result.refusedSupervisorLeaf = { level, data };
        return result;
      }
      if (options.refusesInterrupts && isInterruptAddress(physicalAddress({ level, data }, address))) {
        return ended({ kind: "fault", reason: "interrupt-range", errorCode: 0, level });
      }
      const marks = access.type === "write" || (access.orWrite === true && (rights & WRITABLE) !== 0n);
      const dirty = marks ? DIRTY : 0n;
      if (!(yield* writeBack(ACCESSED | dirty))) continue;
      const leaf = { level, data: data | dirty };
      const outcome: Outcome = { kind: "ok", physicalAddress: physicalAddress(leaf, address), level };
      return { outcome, steps, leaf, refusedSupervisorLeaf: undefined };
    }

    const refusesUsers = access.user && (rights & USER) === 0n;
    if (options.supervisorEntries === "stop" && refusesUsers) {
      const errorCode = protectionError(access, rights, controls);
      return ended({ kind: "fault", reason: "supervisor-page", errorCode, level });
    }
    if (!(yield* writeBack(ACCESSED))) continue;
    if (options.supervisorEntries !== "walk" || !refusesUsers) {
      step.passedWith = rights;
      listener?.passed(step, below);
    }
    pathRights = rights;
    frame = frameOf(entry);
    level = (level - 1) as Level;
    generation = below;
  }
}
