// What the kernel does in a cell, as steps that others may come between (rules.md sections 9 to 11): flushes, frees, and the worker.
// Each write to a table, each flush on the watched agent and each free is a step of its own.

import { drain, dropAll, type Hardware, invalidateIommu, invlpg, invpcidOfUser, loadRoot } from "./agent.js";
import type { Entry, Mark, State } from "./world.js";

/** What a policy does; the presets of rules.md section 11, all with the scope of a range. */
export interface CellPolicy {
  hookRange?: boolean;
  hookAll?: boolean;
  async?: boolean;
  deferFree?: boolean;
  invalidateFirst?: boolean;
  root?: "user-only" | "none";
}

export const cellPolicies: Readonly<Record<string, CellPolicy>> = {
  none: {},
  "flush-range": { hookRange: true },
  "flush-async": { hookRange: true, hookAll: true, async: true },
  "flush-on-table-free": { hookRange: true, hookAll: true },
  "deferred-free": { deferFree: true },
  "deferred-free-unlocked": { deferFree: true, invalidateFirst: true },
  "user-root": { root: "user-only" },
  "sva-off": { root: "none" },
};

/** All that steps look at. */
export interface Kernel {
  policy: CellPolicy;
  hardware: Hardware;
  broadcasts: boolean;
}

export type Step = (s: State, k: Kernel) => void;

const PAGE = 4096n;
const MOST_PAGES = 33n;
/** A request of asynchronous invalidation is a text, so that states compare. */
const EVERYTHING = "everything";
const UPPER_HALF: readonly [bigint, bigint] = [0xffff_8000_0000_0000n, 1n << 64n];

export const write =
  (slot: number, entry: Entry): Step =>
  (s) => {
    s.memory = s.memory.with(slot, entry);
  };

/** In kernel mode, and back: with page-table isolation MOV CR3 on both ways. */
function inKernel(s: State, k: Kernel, what: () => void): void {
  const { cpu } = s;
  const { userMode } = cpu;
  if (userMode) loadRoot(s, k.hardware, cpu.asid, false);
  cpu.userMode = false;
  what();
  if (userMode) enterUser(s, k);
}

export function enterUser(s: State, k: Kernel): void {
  const { cpu } = s;
  cpu.userMode = true;
  loadRoot(s, k.hardware, cpu.asid + 2048, cpu.marked.includes(cpu.asid));
  cpu.marked = cpu.marked.filter((it) => it !== cpu.asid);
}

/** flush_tlb_kernel_range() of the first page of a range, one byte short of it: on the CPU, then what is hooked. */
export function flushKernelPage(va: bigint): Step[] {
  return [
    (s, k) => {
      if (!k.hardware.cpu) return;
      if (k.broadcasts) dropAll(s, k.hardware);
      else {
        inKernel(s, k, () => {
          invlpg(s, k.hardware, va);
          if (!k.hardware.cpu?.pti) return;
          invpcidOfUser(s, k.hardware, va);
          s.cpu.othersStale = true;
        });
      }
    },
    (s, k) => {
      if (k.policy.hookRange) tellIommu(s, k, `${va} ${va + PAGE - 1n}`);
    },
  ];
}

/** flush_tlb_all(). */
export function flushAll(): Step[] {
  return [
    (s, k) => {
      if (!k.hardware.cpu) return;
      if (k.broadcasts) dropAll(s, k.hardware);
      else inKernel(s, k, () => dropAll(s, k.hardware));
    },
    (s, k) => {
      if (k.policy.hookAll) tellIommu(s, k, EVERYTHING);
    },
  ];
}

/** flush_tlb_mm_range() of process 0, with the notifier, which no policy changes. */
export function flushUser(start: bigint, end: bigint, stride: bigint): Step[] {
  return [
    (s, k) => {
      const { cpu } = s;
      if (!k.hardware.cpu) return;
      cpu.generations = [cpu.generations[0] + 1, cpu.generations[1]];
      if (cpu.mm !== 0) return;
      const asid = cpu.asids[cpu.asid - 1];
      const all = (end - start) / stride > MOST_PAGES || asid?.generation !== cpu.generations[0] - 1;
      inKernel(s, k, () => {
        for (let at = start; at < end && !all; at += stride) {
          invlpg(s, k.hardware, at);
          if (k.hardware.cpu?.pti) invpcidOfUser(s, k.hardware, at);
        }
        if (all) flushAsid(s, k);
      });
      cpu.asids = cpu.asids.with(cpu.asid - 1, { mm: 0, generation: cpu.generations[0] });
    },
    (s, k) => {
      if (k.hardware.iommu) invalidateIommu(s, k.hardware, [start, end]);
    },
  ];
}

function flushAsid(s: State, k: Kernel): void {
  if (k.hardware.cpu?.pti && !s.cpu.marked.includes(s.cpu.asid)) s.cpu.marked = [...s.cpu.marked, s.cpu.asid].sort();
  loadRoot(s, k.hardware, s.cpu.asid, true);
}

function tellIommu(s: State, k: Kernel, range: string): void {
  if (!k.hardware.iommu) return;
  if (k.policy.async) s.requests = [...s.requests, range];
  else invalidate(s, k, range);
}

/** Also of a PASID whose entry is being cleared: Linux keeps its cache tags, and the worker and an unbind exclude each other. */
function invalidate(s: State, k: Kernel, range: string): void {
  if (!k.hardware.iommu) return;
  const [start = "", end = ""] = range.split(" ");
  invalidateIommu(s, k.hardware, range === EVERYTHING ? EVERYTHING : [BigInt(start), BigInt(end)]);
}

/** A table is given back, or waits for the worker; user tables never do. */
export const free =
  (table: number, mark: Mark): Step =>
  (s, k) => {
    if (k.policy.deferFree && mark === "kernel") s.list = [...s.list, table].sort((a, b) => a - b);
    else s.freed = s.freed.with(table, 1);
  };

/** The PASID has no entry any more: PASID cache, IOTLB, device TLB. */
export const clearPasid: Step[] = [
  (s) => {
    s.bound = false;
  },
  (s, k) => {
    if (!k.hardware.iommu) return;
    drain(s, k.hardware);
    s.pasidCached = false;
    invalidateIommu(s, k.hardware, "everything");
  },
];

/** The PASID has an entry again. */
export function bindPasid(s: State, k: Kernel): void {
  s.bound = true;
  for (const step of clearPasid.slice(1)) step(s, k);
}

/** Whether a run of the worker would do anything. */
export const hasWork = (s: State): boolean => s.requests.length + s.list.length > 0;

/** The worker, which is told how far it has come; false when it has ended. */
export function stepWork(s: State, k: Kernel, at: number): number | "done" {
  const [request] = s.requests;
  if (at === 0 && request !== undefined) {
    s.requests = s.requests.slice(1);
    invalidate(s, k, request);
    return 0;
  }
  const first = k.policy.invalidateFirst;
  const take = (): void => {
    s.taken = s.list;
    s.list = [];
  };
  switch (at) {
    case 0:
      if (s.list.length === 0) return "done";
      if (first) invalidate(s, k, `${UPPER_HALF[0]} ${UPPER_HALF[1]}`);
      else take();
      return 1;
    case 1:
      if (first) take();
      else invalidate(s, k, `${UPPER_HALF[0]} ${UPPER_HALF[1]}`);
      return 2;
    default: {
      const [table] = s.taken;
      if (table === undefined) return "done";
      s.taken = s.taken.slice(1);
      s.freed = s.freed.with(table, 1);
      return 2;
    }
  }
}

/** switch_mm_irqs_off() of the watched CPU; in user mode again if it was. */
export function switchMm(s: State, k: Kernel, mm: 0 | 1): void {
  const { cpu } = s;
  const { userMode } = cpu;
  cpu.userMode = false;
  if (userMode) loadRoot(s, k.hardware, cpu.asid, false);
  if (cpu.othersStale) cpu.asids = cpu.asids.map((it, i) => (i === cpu.asid - 1 ? it : undefined));
  cpu.othersStale = false;
  let place = cpu.asids.findIndex((it) => it?.mm === mm);
  if (place < 0) {
    place = cpu.next;
    cpu.next = (cpu.next + 1) % cpu.asids.length;
  }
  const generation = cpu.generations[mm];
  const isFresh = cpu.asids[place]?.mm === mm && cpu.asids[place]?.generation === generation;
  cpu.mm = mm;
  cpu.asid = place + 1;
  cpu.asids = cpu.asids.with(place, { mm, generation });
  if (isFresh) loadRoot(s, k.hardware, cpu.asid, false);
  else flushAsid(s, k);
  if (userMode) enterUser(s, k);
}
