// The walker (rules.md sections 1 to 3; SDM 4.5 to 4.8): one loop over levels, from any start.
// It writes A and D back if asked to, and returns every step; caches and counters are the agent's business.

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

/** What is the same for every agent of a machine. */
export interface MachineParameters {
  levels: 4 | 5;
  /** Width of physical addresses in bits, 32..52. */
  maxPhyAddr: number;
  /** Whether 1 GiB pages exist. */
  pages1G: boolean;
}

/**
 * How a translation ends. `level` is that of the leaf (ok) or of the entry that faulted (0 for no-pasid, which reads none);
 * `frame` is a frame number.
 */
export type Outcome =
  | { kind: "ok"; physicalAddress: bigint; level: LeafLevel }
  | { kind: "fault"; reason: "not-present" | "reserved" | "no-pasid" | Refusal; errorCode: number; level: Level | 0 }
  | { kind: "non-canonical" }
  | { kind: "absent"; level: Level; frame: number };

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
  /** Write A and D back; false for a probe. */
  writeBack: boolean;
}

/** Walk for one access. The address must be canonical. */
export function walk(
  memory: Memory,
  parameters: MachineParameters,
  start: WalkStart,
  address: bigint,
  access: Access,
  options: WalkOptions,
): WalkResult {
  const { controls } = options;
  const steps: WalkStep[] = [];
  const ended = (outcome: Outcome): WalkResult => ({
    outcome,
    steps,
    leaf: undefined,
    refusedSupervisorLeaf: undefined,
  });
  let rights = start.rights;
  let frame = start.frame;

  for (let level: Level = start.level; ; level = (level - 1) as Level) {
    const index = entryIndex(address, level);
    const entry = memory.readEntry(frame, index);
    if (entry === undefined) return ended({ kind: "absent", level, frame });
    const step: WalkStep = { level, frame, index, entry, written: false, passedWith: undefined };
    steps.push(step);
    const writeBack = (set: bigint): void => {
      if (!options.writeBack || (entry & set) === set) return;
      memory.writeEntry(step.frame, index, entry | set);
      step.written = true;
    };

    if ((entry & PRESENT) === 0n) {
      return ended({ kind: "fault", reason: "not-present", errorCode: accessError(access, controls), level });
    }
    if (reservedBitsSet(entry, level, { ...parameters, nxe: controls.nxe }) !== 0n) {
      return ended({ kind: "fault", reason: "reserved", errorCode: reservedError(access, controls), level });
    }
    rights = combineRights(rights, entry);

    if (isLeaf(entry, level)) {
      const data = rights | (entry & (DIRTY | GLOBAL)) | pageBase(entry, level) | keyField(entry) | PRESENT | ACCESSED;
      const reason = refusal(access, data, controls);
      if (reason !== undefined) {
        const errorCode = protectionError(access, data, controls);
        const result = ended({ kind: "fault", reason, errorCode, level });
        if (reason === "supervisor-page" && (entry & ACCESSED) !== 0n) result.refusedSupervisorLeaf = { level, data };
        return result;
      }
      const dirty = access.type === "write" ? DIRTY : 0n;
      writeBack(ACCESSED | dirty);
      const leaf = { level, data: data | dirty };
      const outcome: Outcome = { kind: "ok", physicalAddress: physicalAddress(leaf, address), level };
      return { outcome, steps, leaf, refusedSupervisorLeaf: undefined };
    }

    const refusesUsers = access.user && (rights & USER) === 0n;
    if (options.supervisorEntries === "stop" && refusesUsers) {
      const errorCode = protectionError(access, rights, controls);
      return ended({ kind: "fault", reason: "supervisor-page", errorCode, level });
    }
    writeBack(ACCESSED);
    if (options.supervisorEntries !== "walk" || !refusesUsers) step.passedWith = rights;
    frame = frameOf(entry);
  }
}
