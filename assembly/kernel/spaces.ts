// Address spaces: init_mm, the mms with their roots, and which CPU runs which with which PCID.
// Rules: docs/rules.md section 9 (switch_mm_irqs_off, choose_new_asid: arch/x86/mm/tlb.c 6.12).

import { PCIDE } from "../paging/access";
import { CONTEXT_CONTROLS, levels, setContextRoot, setContextTag } from "../hardware/agent";
import { movToCr3 } from "../hardware/cpu";
import { contentsOf, frameOf } from "../paging/frames";
import { allocate } from "../base/memory";
import { contextOf } from "../hardware/requesters";
import { CPU_SPACE_FLUSHES, ROOT_SYNCS, tally } from "./counters";
import { allocateTable } from "./pool";

/** What a CPU runs before its first switch. */
export const INIT_MM: u32 = 0xffff;
const ASIDS: u32 = 6;
const HALF: u32 = 256;

// ---- an mm ----
const MM_ROOT: usize = 0;
/** A root without the kernel half, for IOMMUs under `root: user-only`; 0 = none. */
const MM_SECOND_ROOT: usize = MM_ROOT + 4;
const MM_GENERATION: usize = MM_SECOND_ROOT + 4;
const MM_SHIFT: usize = 4;

// ---- a CPU ----
const CPU_MM: usize = 0;
const CPU_SLOT: usize = CPU_MM + 4;
const CPU_NEXT_SLOT: usize = CPU_SLOT + 4;
/** Per slot: mm, generation. */
const CPU_SLOTS: usize = CPU_NEXT_SLOT + 8;
const CPU_SIZE: usize = 64;

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
    for (let slot: u32 = 0; slot < ASIDS; slot++) store<u32>(state + (<usize>slot << 3), INIT_MM, CPU_SLOTS);
    setContextRoot(contextOf(cpu), frameOf(initRoot));
    setContextTag(contextOf(cpu), 0);
  }
  return true;
}

// @ts-ignore: decorator
@inline
function mmAt(mm: u32): usize {
  return mms + (<usize>mm << MM_SHIFT);
}

// @ts-ignore: decorator
@inline
function cpuAt(cpu: u32): usize {
  return cpus + <usize>cpu * CPU_SIZE;
}

export function exists(mm: u32): bool {
  return mm < maxMms && load<u32>(mmAt(mm), MM_ROOT) != 0;
}

/** Slot of the root of an mm (or of init_mm). */
export function rootOf(mm: u32): u32 {
  return mm == INIT_MM ? initRoot : load<u32>(mmAt(mm), MM_ROOT);
}

export function secondRootOf(mm: u32): u32 {
  return load<u32>(mmAt(mm), MM_SECOND_ROOT);
}

export function generationOfMm(mm: u32): u32 {
  return load<u32>(mmAt(mm), MM_GENERATION);
}

export function nextGeneration(mm: u32): u32 {
  const generation = generationOfMm(mm) + 1;
  store<u32>(mmAt(mm), generation, MM_GENERATION);
  return generation;
}

/** A new mm: a root with init_mm's kernel half. False if it exists or no frame is left. */
export function createMm(mm: u32): bool {
  if (mm >= maxMms || exists(mm)) return false;
  const root = allocateTable(levels, 0);
  if (root == 0) return false;
  const half: usize = HALF << 3;
  memory.copy(contentsOf(root) + half, contentsOf(initRoot) + half, half);
  store<u32>(mmAt(mm), root, MM_ROOT);
  store<u32>(mmAt(mm), 0, MM_SECOND_ROOT);
  return true;
}

export function forgetMm(mm: u32): void {
  store<u32>(mmAt(mm), 0, MM_ROOT);
  store<u32>(mmAt(mm), 0, MM_SECOND_ROOT);
}

/** The root without the kernel half, made at the first need; 0 if no frame is left. */
export function needSecondRoot(mm: u32): u32 {
  let second = secondRootOf(mm);
  if (second != 0) return second;
  second = allocateTable(levels, 0);
  if (second == 0) return 0;
  memory.copy(contentsOf(second), contentsOf(rootOf(mm)), HALF << 3);
  store<u32>(mmAt(mm), second, MM_SECOND_ROOT);
  return second;
}

/** A top-level entry of a root has changed: init_mm's go to every root, an mm's user entries to its second root. */
export function syncTopEntry(mm: u32, index: u32): void {
  const at = <usize>index << 3;
  const entry = load<u64>(contentsOf(rootOf(mm)) + at);
  if (mm != INIT_MM) {
    const second = secondRootOf(mm);
    if (second == 0) return;
    store<u64>(contentsOf(second) + at, entry);
    tally(ROOT_SYNCS);
    return;
  }
  for (let other: u32 = 0; other < maxMms; other++) {
    if (exists(other)) store<u64>(contentsOf(rootOf(other)) + at, entry);
  }
}

export function mmOfCpu(cpu: u32): u32 {
  return load<u32>(cpuAt(cpu), CPU_MM);
}

export function isRunning(mm: u32): bool {
  for (let cpu: u32 = 0; cpu < cpuCount; cpu++) if (mmOfCpu(cpu) == mm) return true;
  return false;
}

/** Address of the generation that the CPU's current slot has caught up with. */
export function slotGeneration(cpu: u32): usize {
  const state = cpuAt(cpu);
  return state + CPU_SLOTS + (<usize>load<u32>(state, CPU_SLOT) << 3) + 4;
}

/** Loads the root that a CPU runs once more, dropping what its PCID has. */
export function reload(cpu: u32): void {
  const pcid = load<u32>(cpuAt(cpu), CPU_SLOT) + 1;
  movToCr3(contextOf(cpu), frameOf(rootOf(mmOfCpu(cpu))), pcid, false);
  tally(CPU_SPACE_FLUSHES);
}

/** Makes a CPU run an mm; false if there is no such mm. */
export function switchMm(cpu: u32, mm: u32): bool {
  if (!exists(mm)) return false;
  const state = cpuAt(cpu);
  const generation = generationOfMm(mm);
  let slot: u32 = 0;
  while (slot < ASIDS && load<u32>(state + (<usize>slot << 3), CPU_SLOTS) != mm) slot++;
  let upToDate = false;
  if (slot < ASIDS) {
    upToDate = load<u32>(state + (<usize>slot << 3) + 4, CPU_SLOTS) == generation;
  } else {
    slot = load<u32>(state, CPU_NEXT_SLOT);
    store<u32>(state, (slot + 1) % ASIDS, CPU_NEXT_SLOT);
    store<u32>(state + (<usize>slot << 3), mm, CPU_SLOTS);
  }
  store<u32>(state + (<usize>slot << 3) + 4, generation, CPU_SLOTS);
  store<u32>(state, mm, CPU_MM);
  store<u32>(state, slot, CPU_SLOT);
  const context = contextOf(cpu);
  if (!upToDate || !(load<u32>(context, CONTEXT_CONTROLS) & PCIDE)) tally(CPU_SPACE_FLUSHES);
  movToCr3(context, frameOf(rootOf(mm)), slot + 1, upToDate);
  return true;
}

/** Forgets an mm in the slots of all CPUs, so that a new mm of the same number does not inherit them. */
export function forgetSlots(mm: u32): void {
  for (let cpu: u32 = 0; cpu < cpuCount; cpu++) {
    for (let slot: u32 = 0; slot < ASIDS; slot++) {
      const at = cpuAt(cpu) + (<usize>slot << 3);
      if (load<u32>(at, CPU_SLOTS) == mm) store<u32>(at, INIT_MM, CPU_SLOTS);
    }
  }
}
