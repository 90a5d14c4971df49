// Address spaces: init_mm, the mms with their roots, and which CPU runs which with which PCID.
// Rules: docs/rules.md section 9 (switch_mm_irqs_off, choose_new_asid: arch/x86/mm/tlb.c 6.12).

import { MAX_MMS, PCIDS } from "../base/limits";
import { allocate } from "../base/memory";
import { MM_EXISTS, NO_SUCH_MM, refuse } from "../base/refusals";
import { controlsOf, setContextRoot, setContextTag } from "../hardware/context";
import { INVPCID_ADDRESS, invlpg, invpcid, movToCr3 } from "../hardware/cpu";
import { contextOf } from "../hardware/requesters";
import { copyContents, entriesOf, loadEntry, setEntry } from "../paging/contents";
import { ENTRIES } from "../paging/format";
import { frameOf } from "../paging/frames";
import { levels } from "../paging/mode";
import { PCIDE } from "../paging/x86-64/controls";
import { CPU_SPACE_FLUSHES, ROOT_SYNCS, tally } from "./counters";
import { allocateTable, needFrames } from "./pool";
import { does, PTI } from "./traits";

/** What a CPU runs before its first switch. */
export const INIT_MM: u32 = 0xffff;
/** TLB_NR_DYN_ASIDS: address spaces that a CPU keeps apart. */
export const ASIDS: u32 = 6;
/** With page-table isolation the PCID of user mode is that of the ASID, and this (X86_CR3_PTI_PCID_USER_BIT). */
const USER_PCID: u32 = 1 << 11;
/** Entries of a top-level table that are the user half. */
const HALF: u32 = ENTRIES >> 1;

// ---- an mm ----
const MM_ROOT: usize = 0;
/** A root without the kernel half, for IOMMUs under `root: user-only` and, with page-table isolation, for user mode. */
const MM_SECOND_ROOT: usize = MM_ROOT + 4;
const MM_TLB_GEN: usize = MM_SECOND_ROOT + 4;
/** Operations of it that are under way: each is a user of it (mm_users). */
const MM_UNDER_WAY: usize = MM_TLB_GEN + 4;
const MM_SHIFT: usize = 4;

if (MM_UNDER_WAY + 4 > 1 << MM_SHIFT) ERROR("an mm does not fit into its 2^MM_SHIFT bytes");
if (MAX_MMS > INIT_MM) ERROR("INIT_MM must be no mm's number");
if (ASIDS >= USER_PCID || USER_PCID + ASIDS >= PCIDS) ERROR("each ASID needs a PCID, and one of user mode");

// ---- a CPU ----
export const CPU_MM: usize = 0;
export const CPU_ASID: usize = CPU_MM + 4;
export const CPU_NEXT_ASID: usize = CPU_ASID + 4;
// With page-table isolation: whether it is in user mode; whether what the other ASIDs have cached is out of date
// (invalidate_other); by ASID, a bit for a user PCID that is (user_pcid_flush_mask).
export const CPU_IN_USER: usize = CPU_NEXT_ASID + 4;
export const CPU_OTHERS_STALE: usize = CPU_IN_USER + 4;
export const CPU_USER_STALE: usize = CPU_OTHERS_STALE + 4;
/** Per ASID: mm, and the mm's tlb_gen that the CPU has caught up with. */
export const CPU_ASIDS: usize = CPU_USER_STALE + 4;
export const CPU_SIZE: usize = CPU_ASIDS + ASIDS * 8;

// ---- set up once ----
let initRoot: u32 = 0;
let mms: usize = 0;
let cpus: usize = 0;
export let maxMms: u32 = 0;
export let cpuCount: u32 = 0;

/** Takes the first frame of the pool as init_mm's root. False if memory or the pool is out. */
export function createSpaces(mmCount: u32, cpuTotal: u32): bool {
  mms = allocate(<usize>mmCount << MM_SHIFT);
  cpus = allocate(<usize>cpuTotal * CPU_SIZE);
  if (mms == 0 || cpus == 0) return false;
  maxMms = mmCount;
  cpuCount = cpuTotal;
  initRoot = allocateTable(levels, 0);
  if (initRoot == 0) return false;
  for (let cpu: u32 = 0; cpu < cpuTotal; cpu++) {
    const state = cpuAt(cpu);
    store<u32>(state, INIT_MM, CPU_MM);
    for (let asid: u32 = 0; asid < ASIDS; asid++) store<u32>(state + (<usize>asid << 3), INIT_MM, CPU_ASIDS);
    setContextRoot(contextOf(cpu), frameOf(initRoot));
    setContextTag(contextOf(cpu), 0);
  }
  return true;
}

// @ts-ignore: decorator
@inline
function mmAt(mm: u32): usize {
  assert(mm < maxMms, "there is no such mm");
  return mms + (<usize>mm << MM_SHIFT);
}

// @ts-ignore: decorator
@inline
function cpuAt(cpu: u32): usize {
  assert(cpu < cpuCount, "there is no such CPU");
  return cpus + <usize>cpu * CPU_SIZE;
}

/** Where stands which mm a CPU runs, and what its ASIDs are. */
export function spacesOf(cpu: u32): usize {
  return cpuAt(cpu);
}

export function exists(mm: u32): bool {
  return mm < maxMms && load<u32>(mmAt(mm), MM_ROOT) != 0;
}

/** The same; if not, the operation is refused. */
export function needMm(mm: u32): bool {
  return exists(mm) || refuse(NO_SUCH_MM);
}

/** Slot of the frame of the root of an mm (or of init_mm). */
export function rootOf(mm: u32): u32 {
  return mm == INIT_MM ? initRoot : load<u32>(mmAt(mm), MM_ROOT);
}

export function secondRootOf(mm: u32): u32 {
  return load<u32>(mmAt(mm), MM_SECOND_ROOT);
}

export function tlbGenOf(mm: u32): u32 {
  return load<u32>(mmAt(mm), MM_TLB_GEN);
}

export function nextTlbGen(mm: u32): u32 {
  const gen = tlbGenOf(mm) + 1;
  store<u32>(mmAt(mm), gen, MM_TLB_GEN);
  return gen;
}

/** A new mm: a root with init_mm's kernel half. False if it exists or no frame is left. */
export function createMm(mm: u32): bool {
  if (mm >= maxMms) return refuse(NO_SUCH_MM);
  if (exists(mm)) return refuse(MM_EXISTS);
  if (!needFrames(does(PTI) ? 2 : 1)) return false;
  const root = allocateTable(levels, 0);
  const half: usize = HALF << 3;
  copyContents(initRoot, root, half, half);
  store<u32>(mmAt(mm), root, MM_ROOT);
  store<u32>(mmAt(mm), 0, MM_SECOND_ROOT);
  if (does(PTI)) needSecondRoot(mm);
  return true;
}

export function forgetMm(mm: u32): void {
  assert(!isInUse(mm), "a CPU runs the mm that is forgotten, or an operation of it is under way");
  store<u32>(mmAt(mm), 0, MM_ROOT);
  store<u32>(mmAt(mm), 0, MM_SECOND_ROOT);
}

/** The root without the kernel half, made at the first need; 0 if no frame is left. */
export function needSecondRoot(mm: u32): u32 {
  let second = secondRootOf(mm);
  if (second != 0) return second;
  second = allocateTable(levels, 0);
  if (second == 0) return 0;
  copyContents(rootOf(mm), second, 0, HALF << 3);
  store<u32>(mmAt(mm), second, MM_SECOND_ROOT);
  return second;
}

/** A top-level entry of a root has changed: init_mm's go to every root, an mm's user entries to its second root. */
export function syncTopEntry(mm: u32, index: u32): void {
  assert(index < ENTRIES && (mm == INIT_MM) == (index >= HALF), "the entry is in the other half");
  const at = <usize>index << 3;
  const entry = loadEntry(entriesOf(rootOf(mm)) + at);
  if (mm != INIT_MM) {
    const second = secondRootOf(mm);
    if (second == 0) return;
    setEntry(entriesOf(second) + at, entry);
    tally(ROOT_SYNCS);
    return;
  }
  for (let other: u32 = 0; other < maxMms; other++) {
    if (exists(other)) setEntry(entriesOf(rootOf(other)) + at, entry);
  }
}

export function mmOfCpu(cpu: u32): u32 {
  return load<u32>(cpuAt(cpu), CPU_MM);
}

/** An operation of an mm begins that others may come into: until `endOf` the mm can't be destroyed. */
export function beginOf(mm: u32): void {
  store<u32>(mmAt(mm), load<u32>(mmAt(mm), MM_UNDER_WAY) + 1, MM_UNDER_WAY);
}

export function endOf(mm: u32): void {
  assert(load<u32>(mmAt(mm), MM_UNDER_WAY) != 0, "no operation of the mm is under way");
  store<u32>(mmAt(mm), load<u32>(mmAt(mm), MM_UNDER_WAY) - 1, MM_UNDER_WAY);
}

/** Whether a CPU runs an mm, or an operation of it is under way. */
export function isInUse(mm: u32): bool {
  if (load<u32>(mmAt(mm), MM_UNDER_WAY) != 0) return true;
  for (let cpu: u32 = 0; cpu < cpuCount; cpu++) if (mmOfCpu(cpu) == mm) return true;
  return false;
}

/** Address of the tlb_gen that the CPU has caught up with under its current ASID. */
export function caughtUpGen(cpu: u32): usize {
  assert(load<u32>(cpuAt(cpu), CPU_ASID) < ASIDS, "the CPU has no such ASID");
  const state = cpuAt(cpu);
  return state + CPU_ASIDS + (<usize>load<u32>(state, CPU_ASID) << 3) + 4;
}

/** Loads the root that a CPU runs once more, in kernel mode; with `flush` it drops what its PCID has. */
function loadRoot(cpu: u32, flush: bool): void {
  assert(exists(mmOfCpu(cpu)), "the CPU runs an mm that is gone");
  const asid = load<u32>(cpuAt(cpu), CPU_ASID);
  if (flush) {
    invalidateUserAsid(cpu, asid);
    tally(CPU_SPACE_FLUSHES);
  }
  movToCr3(contextOf(cpu), frameOf(rootOf(mmOfCpu(cpu))), asid + 1, !flush);
}

/** flush_tlb_local() */
export function reload(cpu: u32): void {
  loadRoot(cpu, true);
}

// ---- page-table isolation ----

// @ts-ignore: decorator
@inline
function hasPcids(cpu: u32): bool {
  return (controlsOf(contextOf(cpu)) & PCIDE) != 0;
}

/** The user PCID of an ASID is to be flushed when it is loaded next. */
function invalidateUserAsid(cpu: u32, asid: u32): void {
  const state = cpuAt(cpu);
  if (does(PTI) && hasPcids(cpu)) store<u32>(state, load<u32>(state, CPU_USER_STALE) | (1 << asid), CPU_USER_STALE);
}

/** A CPU leaves user mode; whether it was there. */
export function enterKernel(cpu: u32): bool {
  const state = cpuAt(cpu);
  if (!load<u32>(state, CPU_IN_USER)) return false;
  store<u32>(state, 0, CPU_IN_USER);
  loadRoot(cpu, false);
  return true;
}

/** A CPU goes on in user mode (SWITCH_TO_USER_CR3); without page-table isolation that is no other root. */
export function enterUser(cpu: u32): bool {
  const state = cpuAt(cpu);
  if (!does(PTI) || load<u32>(state, CPU_IN_USER)) return true;
  if (mmOfCpu(cpu) == INIT_MM) return refuse(NO_SUCH_MM);
  const asid = load<u32>(state, CPU_ASID);
  const stale = load<u32>(state, CPU_USER_STALE);
  store<u32>(state, 1, CPU_IN_USER);
  store<u32>(state, stale & ~(1 << asid), CPU_USER_STALE);
  movToCr3(contextOf(cpu), frameOf(secondRootOf(mmOfCpu(cpu))), USER_PCID | (asid + 1), !((stale >> asid) & 1));
  return true;
}

/** flush_tlb_one_user(): a page under the PCID of the kernel and, with page-table isolation, under that of user mode. */
export function flushPage(cpu: u32, va: u64): void {
  const context = contextOf(cpu);
  invlpg(context, va);
  if (does(PTI) && hasPcids(cpu)) invpcid(context, INVPCID_ADDRESS, USER_PCID | (load<u32>(cpuAt(cpu), CPU_ASID) + 1), va);
}

/** What a flush of a kernel page leaves to the next switch: the other ASIDs. */
export function invalidateOthers(cpu: u32): void {
  store<u32>(cpuAt(cpu), 1, CPU_OTHERS_STALE);
}

/** clear_asid_other(): no other ASID than the current one holds an mm any more. */
function forgetOthers(state: usize): void {
  store<u32>(state, 0, CPU_OTHERS_STALE);
  for (let asid: u32 = 0; asid < ASIDS; asid++) {
    if (asid != load<u32>(state, CPU_ASID)) store<u32>(state + (<usize>asid << 3), INIT_MM, CPU_ASIDS);
  }
}

/** Makes a CPU run an mm; false if there is no such mm. */
export function switchMm(cpu: u32, mm: u32): bool {
  if (!needMm(mm)) return false;
  enterKernel(cpu);
  const state = cpuAt(cpu);
  const gen = tlbGenOf(mm);
  const apart = hasPcids(cpu);
  if (apart && load<u32>(state, CPU_OTHERS_STALE)) forgetOthers(state);
  let asid: u32 = 0;
  while (apart && asid < ASIDS && load<u32>(state + (<usize>asid << 3), CPU_ASIDS) != mm) asid++;
  let upToDate = false;
  if (!apart) {
    // ASID 0, whoever held it, and without a word to the round robin.
    store<u32>(state, mm, CPU_ASIDS);
  } else if (asid < ASIDS) {
    upToDate = load<u32>(state + (<usize>asid << 3) + 4, CPU_ASIDS) == gen;
  } else {
    asid = load<u32>(state, CPU_NEXT_ASID);
    store<u32>(state, (asid + 1) % ASIDS, CPU_NEXT_ASID);
    store<u32>(state + (<usize>asid << 3), mm, CPU_ASIDS);
  }
  store<u32>(state + (<usize>asid << 3) + 4, gen, CPU_ASIDS);
  store<u32>(state, mm, CPU_MM);
  store<u32>(state, asid, CPU_ASID);
  loadRoot(cpu, !upToDate);
  return true;
}

/** Forgets an mm in the ASIDs of all CPUs, so that a new mm of the same number does not inherit them. */
export function forgetAsids(mm: u32): void {
  for (let cpu: u32 = 0; cpu < cpuCount; cpu++) {
    for (let asid: u32 = 0; asid < ASIDS; asid++) {
      const at = cpuAt(cpu) + (<usize>asid << 3);
      if (load<u32>(at, CPU_ASIDS) == mm) store<u32>(at, INIT_MM, CPU_ASIDS);
    }
  }
}
