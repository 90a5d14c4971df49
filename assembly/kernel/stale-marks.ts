// Whose translations become stale when a leaf is cleared or made read-only without a flush that reaches them (docs/rules.md section 12):
// the CPUs' for the kernel half, until the purge; those of IOMMUs and devices for a process, if nobody notifies them.

import { ANY_TAG } from "../cache/living";
import { markStale, mayHoldRegion } from "../cache/stale";
import { AGENT_L1, AGENT_L2 } from "../hardware/agent";
import { DOMAINS_OF_PASID } from "../base/limits";
import { agentOf, CONTEXT_DEVICE_TLBS, CONTEXT_NEXT_SOURCE, nameOf, tagIn } from "../hardware/context";
import { ANY, isDomain } from "../hardware/pasid";
import { contextOf, deviceTlbOf, nextDeviceTlb } from "../hardware/requesters";
import { EntryAt, holdsEntry, loadEntry } from "../paging/contents";
import { isPresent, shiftOf, ENTRIES, MAX_LEAF_LEVEL } from "../paging/format";
import { addressMask } from "../paging/mode";
import { firstBound, isBoundTo, nextBound } from "./bindings";
import { cpuCount, INIT_MM } from "./spaces";

/**
 * `count` leaves of a level, neighbours in one table from the entry at `entries` and the address `va` on, are being cleared
 * (`bit`: STALE), or made read-only (STALE_RIGHTS).
 */
export function markLeaves(mm: u32, entries: EntryAt, va: u64, level: u32, count: u32, bit: u64): void {
  assert(count >= 1 && count <= ENTRIES && level <= MAX_LEAF_LEVEL, "so many leaves stand in no table");
  assert(holdsEntry(entries) && holdsEntry(entries + (<usize>(count - 1) << 3)), "no entries of a table stand here");
  const page = (va & addressMask) >> shiftOf(level);
  if (mm == INIT_MM) markCpus(entries, page, level, count, bit);
  else markDevices(mm, entries, page, level, count, bit);
}

function markCpus(entries: EntryAt, page: u64, level: u32, count: u32, bit: u64): void {
  for (let cpu: u32 = 0; cpu < cpuCount; cpu++) {
    const agent = agentOf(contextOf(cpu));
    markList(agent + AGENT_L1, entries, page, level, count, ANY_TAG, bit);
    markList(agent + AGENT_L2, entries, page, level, count, ANY_TAG, bit);
  }
}

function markDevices(mm: u32, entries: EntryAt, page: u64, level: u32, count: u32, bit: u64): void {
  for (let context = firstBound(); context != 0; context = nextBound(context)) {
    if (!isBoundTo(context, mm)) continue;
    const agent = agentOf(context);
    for (let source = context; source != 0; source = load<usize>(source, CONTEXT_NEXT_SOURCE)) {
      for (let place: u32 = 0; place < DOMAINS_OF_PASID; place++) {
        if (!isDomain(context, place, ANY)) continue;
        markList(agent + AGENT_L1, entries, page, level, count, tagIn(source, place), bit);
        markList(agent + AGENT_L2, entries, page, level, count, tagIn(source, place), bit);
      }
    }
    for (let deviceTlb = load<u32>(context, CONTEXT_DEVICE_TLBS); deviceTlb != 0; deviceTlb = nextDeviceTlb(deviceTlb - 1)) {
      markIn(deviceTlbOf(deviceTlb - 1), entries, page, level, count, nameOf(context), bit);
    }
  }
}

function markList(list: usize, entries: EntryAt, page: u64, level: u32, count: u32, tag: u32, bit: u64): void {
  let cache: usize;
  while ((cache = load<usize>(list)) != 0) {
    markIn(cache, entries, page, level, count, tag, bit);
    list += sizeof<usize>();
  }
}

/** All of the leaves lie in one 2 MiB region (or are one large leaf): most caches have nothing of it. */
function markIn(cache: usize, entries: EntryAt, page: u64, level: u32, count: u32, tag: u32, bit: u64): void {
  if (!mayHoldRegion(cache, page, level)) return;
  for (let i: u32 = 0; i < count; i++) {
    if (isPresent(loadEntry(entries + (<usize>i << 3)))) markStale(cache, page + i, level, tag, bit);
  }
}
