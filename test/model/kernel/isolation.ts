// Page-table isolation (rules.md 9.10 to 9.15): user mode under a root and a PCID of its own, and what flushes leave to later switches.

import type { Kernel } from "./kernel.js";
import type { Answer } from "./refusals.js";

/** The PCID of user mode is this far above that of the ASID. */
const USER_PCID = 2048;

/** What isolation keeps of a CPU. */
export interface Mode {
  user: boolean;
  /** ASIDs whose user PCID is flushed when it is loaded next. */
  marked: Set<number>;
  /** What the other ASIDs have cached is out of date. */
  othersStale: boolean;
}

/** A CPU at the start. */
export function kernelMode(): Mode {
  return { user: false, marked: new Set(), othersStale: false };
}

/** To user mode; refused in init_mm. */
export function enterUser(k: Kernel, number: number): Answer {
  const { mm, current, mode } = k.spaces.slotsOf(number);
  if (!k.pti || mode.user) return "done";
  if (mm === undefined) return "no-such-mm";
  const root = k.spaces.mms.get(mm)?.userRoot;
  if (root === undefined) throw new Error(`mm ${mm} has no second root`);
  mode.user = true;
  k.cpu(number).movCr3(root, USER_PCID + current + 1, !mode.marked.delete(current));
  return "done";
}

/** To kernel mode. */
export function enterKernel(k: Kernel, number: number): Answer {
  const { mm, current, mode } = k.spaces.slotsOf(number);
  if (!mode.user) return "done";
  mode.user = false;
  k.cpu(number).movCr3(k.spaces.mms.get(mm ?? -1)?.root ?? 0, current + 1, true);
  return "done";
}

/** Something that a CPU does in kernel mode; then it goes back to where it was. */
export function interrupted(k: Kernel, number: number, what: () => void): void {
  const { user } = k.spaces.slotsOf(number).mode;
  enterKernel(k, number);
  what();
  if (user) enterUser(k, number);
}

/** The kernel drops what an ASID has cached: the user PCID follows later. */
export function markUserPcid(k: Kernel, number: number, asid: number): void {
  if (k.pti && k.cpu(number).context.controls.pcide) k.spaces.slotsOf(number).mode.marked.add(asid);
}

/** INVLPG, and the same page of the user PCID. */
export function flushPage(k: Kernel, number: number, address: bigint): void {
  const cpu = k.cpu(number);
  cpu.invlpg(address);
  if (k.pti && cpu.context.controls.pcide) {
    cpu.invpcid(0, BigInt.asUintN(64, address), USER_PCID + k.spaces.slotsOf(number).current + 1);
  }
}
