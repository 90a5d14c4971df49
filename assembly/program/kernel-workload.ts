// Seeded kernel programs: DMA, CPU accesses, vmalloc and vfree of small and huge areas, so that tables are freed, flushes,
// user unmaps, deferred work. The generator keeps its own picture of what is mapped, so that its programs make sense.
//
// Accesses have a pattern. Devices go through buffers from one end to the other, or come back to few pages of them most of the time; each
// has a working set of its own, which stays where it is for a while. Where it is, and how far a device has come, follows from how many
// accesses of devices there were: nothing is kept for each of them.

import { allocate } from "../base/memory";
import {
  OP_ACCESS,
  OP_FLUSH_TLB_ALL,
  OP_FLUSH_TLB_KERNEL_RANGE,
  OP_MMAP,
  OP_MUNMAP,
  OP_NOTHING,
  OP_PURGE,
  OP_RUN_WORK,
  OP_SWITCH_MM,
  OP_VFREE,
  OP_VMALLOC,
} from "../base/operations";
import { below, mixed, next, seed } from "../base/random";
import { OPERATION_SIZE, putRecord } from "../base/record";
import { READ, USER, WRITE } from "../paging/access";

/** Weights are per this many operations, in the order of the kinds; what is left over is DMA. Shares are per this many. */
export const KIND_SCALE: u32 = 1 << 16;
export const SHARE_SCALE: u32 = 1 << 10;
// ---- kinds of operation ----
export const CPU_ACCESS: u32 = 0;
export const VMALLOC: u32 = 1;
export const VFREE: u32 = 2;
export const FLUSH_RANGE: u32 = 3;
export const FLUSH_ALL: u32 = 4;
export const USER_REMAP: u32 = 5;
export const SWITCH_MM: u32 = 6;
export const WORK: u32 = 7;
export const KINDS: u32 = 8;

// ---- patterns of access ----
/** Every page as likely as any other: none comes back soon. */
export const UNIFORM: u32 = 0;
/** One page of the working set after the other, some accesses each. */
export const STREAMS: u32 = 1;
/** Page n of the working set as likely as 1 / n, about. */
export const ZIPF: u32 = 2;
/** How many there are. */
export const PATTERNS: u32 = 3;

/** Accesses of a device to a page of its stream: 512 bytes each. */
const BURST: u32 = 8;

const WEIGHTS: usize = memory.data(KINDS * sizeof<u32>(), sizeof<u32>());

const AREA_SHIFT: u64 = 21;
const AREA_PAGES: u32 = 512;
const MAX_SMALL: u32 = 16;
/** What an area is: unmapped, or pages mapped; with HUGE one 2 MiB leaf. */
const HUGE: u32 = 1 << 16;
/** Pages of a user region that is unmapped and mapped again. */
const USER_PAGES: u32 = 8;

// ---- set up once ----
let areas: usize = 0;
let areaCapacity: u32 = 0;

// ---- the generator: goes on from call to call ----
let areaCount: u32 = 0;
let kernelBase: u64 = 0;
let userBase: u64 = 0;
let userPages: u32 = 0;
let firstDevice: u32 = 0;
let devices: u32 = 1;
let cpus: u32 = 1;
let mms: u32 = 1;
/** Shares per SHARE_SCALE: DMA aimed at the kernel half, areas that are huge. */
let probeShare: u32 = 0;
let hugeShare: u32 = 0;
/** Of all kinds but DMA. */
let weightOfAll: u32 = 0;
let pattern: u32 = 0;
/** Pages of a working set, and accesses of a device (on average) until it has another. */
let workingSet: u32 = 1;
let stay: u32 = 1;
/** Accesses of devices so far. */
let accesses: u32 = 0;
/** Decides with a device's number where its working sets are. */
let places: u64 = 0;

/** Room for so many areas of a synthetic kernel workload; false if memory is out. */
export function createKernelWorkload(max: u32): bool {
  areas = allocate(<usize>max << 2);
  areaCapacity = max;
  return areas != 0;
}

/** How often a kind of operation is drawn: out of KIND_SCALE, together with all others. */
export function setKernelWeight(kind: u32, weight: u32): void {
  if (kind < KINDS) store<u32>(WEIGHTS + (<usize>kind << 2), weight);
}

function sumOfWeights(): u32 {
  let sum: u32 = 0;
  for (let kind: u32 = 0; kind < KINDS; kind++) sum += load<u32>(WEIGHTS + (<usize>kind << 2));
  return sum;
}

/** Who takes part: CPUs 0.., mms 0.., requesters `device`..`device + count - 1`. */
export function setKernelActors(cpuCount: u32, mmCount: u32, device: u32, count: u32): void {
  cpus = cpuCount;
  mms = mmCount;
  firstDevice = device;
  devices = count;
}

/** Starts: `count` areas of 2 MiB from `base`, `pages` user pages from `user` in every mm (mapped by the caller). */
export function startKernelWorkload(
  seedValue: u64,
  base: u64,
  count: u32,
  user: u64,
  pages: u32,
  probes: u32,
  huge: u32,
): void {
  seed(seedValue);
  kernelBase = base;
  areaCount = min<u32>(count, areaCapacity);
  userBase = user;
  userPages = pages;
  probeShare = probes;
  hugeShare = huge;
  memory.fill(areas, 0, <usize>areaCapacity << 2);
  weightOfAll = sumOfWeights();
  pattern = UNIFORM;
  accesses = 0;
  places = seedValue;
}

/** How accesses choose their pages, from now on: the pattern, pages of a working set, accesses of a device until it has another. */
export function setKernelPattern(kind: u32, pages: u32, accessesUntil: u32): void {
  assert(kind < PATTERNS, "there is no such pattern");
  pattern = kind;
  workingSet = max<u32>(1, min(pages, userPages));
  stay = max<u32>(1, accessesUntil);
}

/** Writes the next `count` records of the workload to `program`. */
export function generateKernel(program: usize, count: u32): void {
  const end = program + <usize>count * OPERATION_SIZE;
  let at = program;
  while (at < end) {
    const draw = next();
    let left = <u32>draw & (KIND_SCALE - 1);
    // Mostly it is DMA, which has what is left over.
    let kind: u32 = left < weightOfAll ? 0 : KINDS;
    while (kind < KINDS && left >= load<u32>(WEIGHTS + (<usize>kind << 2))) {
      left -= load<u32>(WEIGHTS + (<usize>kind << 2));
      kind++;
    }
    const records = twoRecords(kind);
    if (kind == KINDS) putDma(at, draw);
    else if (records && at + OPERATION_SIZE >= end) putRecord(at, OP_NOTHING, 0, 0, 0, 0);
    else putKind(at, kind, draw);
    at += records && at + OPERATION_SIZE < end ? 2 * OPERATION_SIZE : OPERATION_SIZE;
  }
}

// @ts-ignore: decorator
@inline
function twoRecords(kind: u32): bool {
  return kind == FLUSH_RANGE || kind == USER_REMAP;
}

function putKind(at: usize, kind: u32, draw: u64): void {
  if (kind == CPU_ACCESS) putCpuAccess(at, draw);
  else if (kind == VMALLOC) putVmalloc(at);
  else if (kind == VFREE) putVfree(at);
  else if (kind == FLUSH_RANGE) putFlushRange(at);
  else if (kind == FLUSH_ALL) putRecord(at, OP_FLUSH_TLB_ALL, 0, 0, 0, 0);
  else if (kind == USER_REMAP) putRemap(at);
  else if (kind == SWITCH_MM) putRecord(at, OP_SWITCH_MM, 0, below(cpus), below(mms), 0);
  else putRecord(at, OP_RUN_WORK, 0, 0, 0, 0);
}

// @ts-ignore: decorator
@inline
function areaAddress(area: u32): u64 {
  assert(area < areaCount, "there is no such area");
  return kernelBase + (<u64>area << AREA_SHIFT);
}

// @ts-ignore: decorator
@inline
function stateOf(area: u32): u32 {
  return load<u32>(areas + (<usize>area << 2));
}

function setState(area: u32, state: u32): void {
  assert(area < areaCount, "there is no such area");
  store<u32>(areas + (<usize>area << 2), state);
}

// @ts-ignore: decorator
@inline
function putDma(at: usize, draw: u64): void {
  const requester = firstDevice + <u32>(((draw >> 16) & 0xff) * <u64>devices >> 8);
  const probes = (<u32>(draw >> 24) & (SHARE_SCALE - 1)) < probeShare;
  const va = probes
    ? areaAddress(below(areaCount)) + (<u64>below(MAX_SMALL) << 12)
    : userBase + (<u64>pageOfDevice(requester) << 12);
  putRecord(at, OP_ACCESS, USER | (draw >> 34 & 1 ? WRITE : READ), requester, 0, va | ((draw >> 52) & 0xff8));
}

/** The user page that a device accesses next. */
// @ts-ignore: decorator
@inline
function pageOfDevice(requester: u32): u32 {
  if (pattern == UNIFORM) return below(userPages);
  const turn = accesses++ / devices;
  const page = pattern == STREAMS ? turn / BURST % workingSet : skewed(workingSet);
  const room = userPages - workingSet + 1;
  const place = mixed(places + (<u64>requester << 32) + turn / stay);
  return page + <u32>((place >> 32) * room >> 32);
}

/** A number below `bound`, n about as likely as 1 / n: each half of what is left is drawn from as often as the whole. */
function skewed(bound: u32): u32 {
  return below(max<u32>(1, bound >> below(32 - clz(bound))));
}

/** A number below `bound` for a CPU, which has a working set too, unless the pattern is uniform. */
function ofCpu(bound: u32): u32 {
  return pattern == UNIFORM ? below(bound) : skewed(bound);
}

/** The CPU reads what is mapped: a page of an area, or of the user's. */
function putCpuAccess(at: usize, draw: u64): void {
  const area = ofCpu(areaCount);
  const pages = stateOf(area) & HUGE ? AREA_PAGES : stateOf(area);
  const cpu = below(cpus);
  if (pages == 0) putRecord(at, OP_ACCESS, USER | READ, cpu, 0, userBase + (<u64>ofCpu(userPages) << 12));
  else putRecord(at, OP_ACCESS, READ, cpu, 0, areaAddress(area) + (<u64>ofCpu(pages) << 12) + ((draw >> 52) & 0xff8));
}

function putVmalloc(at: usize): void {
  const area = below(areaCount);
  if (stateOf(area) != 0) {
    putFree(at, area);
  } else if (below(SHARE_SCALE) < hugeShare) {
    setState(area, HUGE);
    putRecord(at, OP_VMALLOC, <u32>AREA_SHIFT, 0, AREA_PAGES, areaAddress(area));
  } else {
    const pages = 1 + below(MAX_SMALL);
    setState(area, pages);
    putRecord(at, OP_VMALLOC, 12, 0, pages, areaAddress(area));
  }
}

function putVfree(at: usize): void {
  const area = below(areaCount);
  if (stateOf(area) == 0) putRecord(at, OP_PURGE, 0, 0, 0, 0);
  else putFree(at, area);
}

function putFree(at: usize, area: u32): void {
  const state = stateOf(area);
  setState(area, 0);
  putRecord(at, OP_VFREE, 0, 0, state & HUGE ? AREA_PAGES : state, areaAddress(area));
}

function putFlushRange(at: usize): void {
  const start = areaAddress(below(areaCount));
  putRecord(at, OP_FLUSH_TLB_KERNEL_RANGE, 0, 0, 0, start);
  putRecord(at + OPERATION_SIZE, OP_NOTHING, 0, 0, 0, start + (<u64>(1 + below(64)) << 12));
}

/** Unmaps a few user pages and maps them again. */
function putRemap(at: usize): void {
  const mm = below(mms);
  const pages = min<u32>(USER_PAGES, userPages);
  const va = userBase + (<u64>below(userPages - pages + 1) << 12);
  putRecord(at, OP_MUNMAP, 0, mm, pages, va);
  putRecord(at + OPERATION_SIZE, OP_MMAP, 0, mm, pages, va);
}
