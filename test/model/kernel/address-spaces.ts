// Address spaces (rules.md section 9): init_mm, the processes' mms, the second root without the kernel half, the ASID slots
// of each CPU, and which PASID is bound to which mm.

import type { Cpu } from "../cpu.js";
import { frameOf, isLeaf, type Level, PRESENT } from "../entry.js";
import { forgetPasid } from "./driver.js";
import { enterKernel, kernelMode, type Mode, markUserPcid } from "./isolation.js";
import type { Kernel } from "./kernel.js";
import { USER_SITE } from "./policy.js";
import type { Answer } from "./refusals.js";

/** A process's address space. */
export interface AddressSpace {
  root: number;
  /** The root for IOMMUs without the kernel half, once there is one. */
  userRoot: number | undefined;
  /** TLB generation. */
  generation: number;
  /** Operations of it that are under way: at their points it can't be destroyed. */
  underWay: number;
}

/** The ASID slots of a CPU. */
interface CpuSlots {
  /** What the CPU runs; undefined: init_mm. */
  mm: number | undefined;
  /** Slot of what it runs. */
  current: number;
  slots: ({ mm: number; generation: number } | undefined)[];
  /** Next slot in round-robin order. */
  next: number;
  /** How often a slot was taken from another mm. */
  taken: number;
  mode: Mode;
}

const ASIDS = 6;
const KERNEL_ENTRIES = 256;

/** A PASID that somebody has bound. */
interface Binding {
  iommu: number;
  pasid: number;
  mm: number;
  /** How often it was bound. */
  users: number;
  /** Whether the entry of the PASID is still there: not after the end of its mm. */
  entry: boolean;
}

/** All address spaces. */
export class AddressSpaces {
  readonly mms = new Map<number, AddressSpace>();
  readonly slots: CpuSlots[];
  /** Bound PASIDs, by IOMMU and then PASID index. */
  bindings: Binding[] = [];

  /** `initMm`: frame number of the kernel's own root. */
  constructor(
    readonly initMm: number,
    cpus: number,
  ) {
    this.slots = Array.from({ length: cpus }, () => ({
      mm: undefined,
      current: 0,
      slots: new Array(ASIDS).fill(undefined),
      next: 0,
      taken: 0,
      mode: kernelMode(),
    }));
  }

  /** Roots into which an entry of a root is copied: init_mm's kernel half into every mm, an mm's user half into its second root. */
  copiesOf(root: number, index: number): number[] {
    if (root === this.initMm) return [...this.mms.values()].map((mm) => mm.root);
    if (index >= KERNEL_ENTRIES) return [];
    return [...this.mms.values()].flatMap((mm) => (mm.root === root && mm.userRoot !== undefined ? [mm.userRoot] : []));
  }

  /** What a CPU has. */
  slotsOf(cpu: number): CpuSlots {
    const slots = this.slots[cpu];
    if (slots === undefined) throw new RangeError(`CPU ${cpu}: expected 0..${this.slots.length - 1}`);
    return slots;
  }
}

/** A new mm: its kernel half is a copy of init_mm's. Refused if it exists or no frame is free. */
export function mmCreate(k: Kernel, number: number): Answer {
  if (k.spaces.mms.has(number)) return "mm-exists";
  if (k.pti && k.memory.freeStack().length < 2) {
    k.memory.outOfFrames += 1;
    return "no-free-frame";
  }
  const root = k.memory.allocateTable(k.parameters.levels, "none");
  if (root === undefined) return "no-free-frame";
  for (let index = KERNEL_ENTRIES; index < 512; index++) {
    k.memory.writeEntry(root, index, k.memory.readEntry(k.spaces.initMm, index) ?? 0n);
  }
  const mm: AddressSpace = { root, userRoot: undefined, generation: 0, underWay: 0 };
  if (k.pti) mm.userRoot = makeUserRoot(k, mm);
  k.spaces.mms.set(number, mm);
  return "done";
}

/** The end of an mm: its PASIDs are let go of, all its tables released. Refused if it does not exist or runs. */
export function mmDestroy(k: Kernel, number: number): Answer {
  const mm = k.spaces.mms.get(number);
  if (mm === undefined) return "no-such-mm";
  if (mm.underWay > 0 || k.spaces.slots.some((cpu) => cpu.mm === number)) return "mm-runs";
  k.spaces.mms.delete(number);
  // A slot never matches an mm that is made later under the same number (context ids are unique in the kernel).
  for (const cpu of k.spaces.slots) cpu.slots = cpu.slots.map((slot) => (slot?.mm === number ? undefined : slot));
  if (k.policy.notifyUser) tearDownMm(k, number);
  k.points.reach("EXIT_UNBOUND", number);

  const release = (frame: number): void => k.memory.release(frame, USER_SITE, k.hazards.operation);
  // Tables may name each other in a circle, but none is entered from inside itself, and none twice.
  const releaseBelow = (path: readonly number[], entries: number): void => {
    const level = (k.parameters.levels - path.length + 1) as Level;
    if (level === 1) return;
    for (let index = 0; index < entries; index++) {
      const entry = k.memory.readEntry(path.at(-1) ?? 0, index) ?? 0n;
      const below = frameOf(entry);
      if ((entry & PRESENT) === 0n || isLeaf(entry, level)) continue;
      if (path.includes(below) || !k.memory.isTable(below)) continue;
      releaseBelow([...path, below], 512);
      release(below);
    }
  };
  releaseBelow([mm.root], KERNEL_ENTRIES);
  tearDownMm(k, number);
  k.spaces.bindings = k.spaces.bindings.filter((binding) => binding.mm !== number);
  release(mm.root);
  if (mm.userRoot !== undefined) release(mm.userRoot);
  return "done";
}

/** switch_mm_irqs_off with choose_new_asid. Refused if the mm does not exist. */
export function switchMm(k: Kernel, cpuNumber: number, number: number): Answer {
  const mm = k.spaces.mms.get(number);
  if (mm === undefined) return "no-such-mm";
  enterKernel(k, cpuNumber);
  const cpu = k.cpu(cpuNumber);
  const own = k.spaces.slotsOf(cpuNumber);
  if (cpu.context.controls.pcide && own.mode.othersStale) {
    own.mode.othersStale = false;
    own.slots = own.slots.map((slot, asid) => (asid === own.current ? slot : undefined));
  }
  const slot = chooseSlot(own, number, cpu);
  const noFlush = own.slots[slot]?.mm === number && own.slots[slot].generation === mm.generation;
  own.mm = number;
  own.current = slot;
  own.slots[slot] = { mm: number, generation: mm.generation };
  if (!noFlush) markUserPcid(k, cpuNumber, slot);
  cpu.movCr3(mm.root, slot + 1, noFlush);
  if (!noFlush || !cpu.context.controls.pcide) k.counters.cpuSpaceFlushes += 1;
  return "done";
}

function chooseSlot(own: CpuSlots, number: number, cpu: Cpu): number {
  if (!cpu.context.controls.pcide) return 0;
  const held = own.slots.findIndex((slot) => slot?.mm === number);
  if (held >= 0) return held;
  const taken = own.next;
  own.next = (own.next + 1) % ASIDS;
  if (own.slots[taken] !== undefined) own.taken += 1;
  return taken;
}

/** Bind a PASID to an mm. Refused if the policy binds nothing, the mm does not exist, or its second root finds no frame. */
export function svaBind(k: Kernel, iommu: number, pasid: number, number: number): Answer {
  const mm = k.spaces.mms.get(number);
  if (mm === undefined) return "no-such-mm";
  if (k.policy.root === "none") return "sharing-off";
  const bound = bindingOf(k, iommu, pasid);
  if (bound !== undefined) {
    if (bound.mm !== number) return "pasid-taken";
    bound.users += 1;
    return "done";
  }
  if (k.policy.root === "user-only" && mm.userRoot === undefined) {
    mm.userRoot = makeUserRoot(k, mm);
    if (mm.userRoot === undefined) return "no-free-frame";
  }
  k.iommu(iommu).bind({ pasid, root: (k.policy.root === "user-only" ? mm.userRoot : undefined) ?? mm.root });
  const index = (it: { iommu: number; pasid: number }): number => k.iommu(it.iommu).indexOf(it.pasid);
  k.spaces.bindings = [...k.spaces.bindings, { iommu, pasid, mm: number, users: 1, entry: true }].sort(
    (a, b) => a.iommu - b.iommu || index(a) - index(b),
  );
  forgetPasid(k, iommu, pasid);
  return "done";
}

/** Let go of a PASID; the last one clears its entry. Refused if it is not bound. */
export function svaUnbind(k: Kernel, iommu: number, pasid: number): Answer {
  const bound = bindingOf(k, iommu, pasid);
  if (bound === undefined) return "not-bound";
  bound.users -= 1;
  if (bound.users > 0) return "done";
  k.spaces.bindings = k.spaces.bindings.filter((it) => it !== bound);
  tearDown(k, bound);
  return "done";
}

function bindingOf(k: Kernel, iommu: number, pasid: number): Binding | undefined {
  return k.spaces.bindings.find((it) => it.iommu === iommu && it.pasid === pasid);
}

/** The entry of a PASID is cleared, and what was cached of it invalidated. */
function tearDown(k: Kernel, binding: Binding): void {
  binding.entry = false;
  k.iommu(binding.iommu).unbind(binding.pasid);
  forgetPasid(k, binding.iommu, binding.pasid);
}

/** The same for every PASID of an mm whose entry is still there. */
function tearDownMm(k: Kernel, number: number): void {
  for (const binding of k.spaces.bindings) if (binding.mm === number && binding.entry) tearDown(k, binding);
}

function makeUserRoot(k: Kernel, mm: AddressSpace): number | undefined {
  const root = k.memory.allocateTable(k.parameters.levels, "none");
  if (root === undefined) return undefined;
  for (let index = 0; index < KERNEL_ENTRIES; index++) {
    const entry = k.memory.readEntry(mm.root, index) ?? 0n;
    if ((entry & PRESENT) !== 0n) k.memory.writeEntry(root, index, entry);
  }
  return root;
}
