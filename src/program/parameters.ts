// What the parts of a record mean, operation by operation: the names that errors use, and the values that are allowed.

import { allPagesMask, maxWalks, pcids, operationTypes as types } from "../engine/abi.js";
import type { OperationName } from "./operations.js";
import { sites } from "./sites.js";

/** Who an operation is of. */
export type Actor = "requester" | "cpu" | "pasid" | "device" | "mm";

/** The parts of a record that an operation uses, by the names of the builder's arguments. */
export interface Parameters {
  /** What its requester number is the number of. */
  readonly who?: Actor;
  /** Its argument. */
  readonly argument?: string;
  /** Its address. */
  readonly address?: string;
  /** The address of its second record. */
  readonly second?: string;
  /** Its type, and what that may be. */
  readonly type?: readonly [name: string, allowed: string];
  /** The largest value of its argument, where that is less than 32 bits. */
  readonly most?: number;
}

const PCID = pcids - 1;
const WALK = maxWalks - 1;
const SITE = ["site", `one of ${sites.join(", ")}`] as const;
/** Level of a table that a site frees; 0 is its own. */
const LEVEL = 3;

/** log2 of the largest leaf of `vmalloc`, and of a step of `flushTlbMmRange`. */
export const LEAST_SHIFT = 12;
export const MOST_SHIFT = 30;

/** By operation. @internal */
export const parameters: Readonly<Record<OperationName, Parameters>> = {
  nothing: {},
  access: {
    who: "requester",
    address: "va",
    type: ["access", "one of the values of Access"],
  },
  invlpg: { who: "cpu", address: "va" },
  invpcid: { who: "cpu", argument: "pcid", address: "va", most: PCID, type: ["type", "one of 0, 1, 2, 3"] },
  movToCr3: { who: "cpu", argument: "pcid", address: "root", most: PCID },
  controls: { who: "cpu", argument: "controls", address: "pkru" },
  invlpgRange: { who: "cpu", argument: "pages", address: "start" },
  flushAll: { who: "cpu" },
  writeEntry: { address: "physicalAddress", second: "entry" },
  invalidatePasid: { who: "pasid" },
  invalidatePages: { who: "pasid", argument: "am", address: "va", most: allPagesMask },
  invalidateIommu: { who: "pasid" },
  invalidatePasidCache: { who: "pasid" },
  invalidateDeviceTlb: { who: "device" },
  invalidateDeviceTlbPages: { who: "device", argument: "am", address: "va", most: allPagesMask },
  bind: { who: "pasid", argument: "controls", address: "root" },
  invlpgRangeOrAll: { who: "cpu", argument: "pages", address: "start" },
  walkBegin: {
    who: "requester",
    argument: "walk",
    address: "va",
    most: WALK,
    type: ["access", "one of the values of Access"],
  },
  walkStep: { argument: "walk", most: WALK },
  walkFinish: { argument: "walk", most: WALK },
  vmalloc: {
    argument: "pages",
    address: "va",
    type: ["shift", `log2 of the largest leaf, from ${LEAST_SHIFT} to ${MOST_SHIFT}`],
  },
  vfree: { argument: "pages", address: "va" },
  purge: {},
  hotAdd: { argument: "blocks", address: "va" },
  hotRemove: { argument: "blocks", address: "va" },
  cpaSplit: { address: "va" },
  cpaCollapse: { address: "va" },
  mmCreate: { argument: "mm" },
  mmDestroy: { argument: "mm" },
  switchMm: { who: "cpu", argument: "mm" },
  svaBind: { who: "pasid", argument: "mm" },
  svaUnbind: { who: "pasid" },
  mmap: { who: "mm", argument: "pages", address: "va" },
  munmap: { who: "mm", argument: "pages", address: "va" },
  dontNeed: { who: "mm", argument: "pages", address: "va" },
  mprotect: { who: "mm", argument: "pages", address: "va" },
  flushTlbKernelRange: { address: "start", second: "end" },
  flushTlbAll: {},
  localFlushTlbAll: { who: "cpu" },
  flushTlbMmRange: {
    who: "mm",
    address: "start",
    second: "end",
    type: ["shift", `log2 of a step, from ${LEAST_SHIFT} to ${MOST_SHIFT}`],
  },
  reuse: { address: "contents" },
  runWork: {},
  tableClear: { address: "va", argument: "level", most: LEVEL, type: SITE },
  tableFree: { address: "va", argument: "level", most: LEVEL | types.unmarked, type: SITE },
  time: { address: "ns" },
  giveBack: {},
  enterUser: { who: "cpu" },
  enterKernel: { who: "cpu" },
};

/** What errors call a part of an operation's record, whether its operation uses it or not. @internal */
export function parameterName(
  operation: OperationName,
  part: "who" | "argument" | "address" | "second" | "type",
): string {
  const named = parameters[operation][part];
  const name = typeof named === "object" ? named[0] : named;
  return `${operation}.${part === "who" ? whoName(name) : (name ?? part)}`;
}

function whoName(name: string | undefined): string {
  return name === "cpu" || name === "mm" ? name : "requester";
}
