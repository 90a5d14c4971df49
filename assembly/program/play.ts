// Plays programs: records (base/record.ts) in one call, and single operations at points.

import { unlinkedCount } from "../kernel/unlinked";
import { operationNumber, setOperationNumber } from "../base/clock";
import {
  hasSecondRecord,
  OP_ACCESS,
  OP_BIND,
  OP_CONTROLS,
  OP_FLUSH_ALL,
  OP_INVLPG_RANGE_OR_ALL,
  OP_INVALIDATE_DEVICE_TLB,
  OP_INVALIDATE_DEVICE_TLB_PAGES,
  OP_INVALIDATE_IOMMU,
  OP_INVALIDATE_PAGES,
  OP_INVALIDATE_PASID,
  OP_INVALIDATE_PASID_CACHE,
  OP_INVLPG,
  OP_INVLPG_RANGE,
  OP_INVPCID,
  OP_MOV_TO_CR3,
  OP_NOTHING,
  OP_VMALLOC,
  OP_WALK_BEGIN,
  OP_WALK_FINISH,
  OP_WALK_STEP,
  OP_WRITE_ENTRY,
} from "../base/operations";
import { point, watching, watchPoints } from "../base/points";
import { refuse, resultOf, TABLE_ABSENT } from "../base/refusals";
import {
  addressIn,
  argumentIn,
  EVERY_CPU,
  OPERATION_SIZE,
  operationIn,
  requesterIn,
  secondWordIn,
  typeIn,
} from "../base/record";
import { agentOf, nameOf } from "../hardware/context";
import { changeControls, flushEverything, invlpg, invlpgRange, invpcid, movToCr3 } from "../hardware/cpu";
import { ALL_PAGES_MASK, invalidateAll, invalidateDeviceTlb, invalidatePages } from "../hardware/iommu";
import { isFlushRun, playFlushes } from "../hardware/lane-flushes";
import { hasLane, isRun, playLane } from "../hardware/lane";
import { bind, invalidatePasidCache } from "../hardware/pasid";
import { access, accessInline, beginWalk, contextOf, deviceTlbOf, isCpu, requesterCount } from "../hardware/requesters";
import { finishWalk, stepWalk } from "../hardware/step";
import { CEILING } from "../kernel/flush";
import { playKernel } from "../kernel/operations";
import { OPERATION_DONE } from "../kernel/sites";
import { setEntry } from "../paging/contents";
import { rootFrame } from "../paging/format";
import { HOST, tableAt, wordAt } from "../paging/tables";

/** Starts counting points; operations interleaved play at theirs. */
export function setInterleaved(program: usize, at: usize, count: u32): void {
  watchPoints(playOne.index, program, at, count);
}

/** Plays `count` operations at `program`; each result goes to `results` (8 bytes per record) unless that is 0. */
export function play(program: usize, count: u32, results: usize): void {
  assert(unlinkedCount() == 0, "unlinked tables are on the stack before a program plays");
  const first = operationNumber();
  const end = program + <usize>count * OPERATION_SIZE;
  for (let at = program; at < end; at += OPERATION_SIZE) {
    const operation = operationIn(at);
    const index = (at - program) / OPERATION_SIZE;
    setOperationNumber(first + <u64>index);
    const place: usize = results == 0 ? 0 : results + (index << 3);
    let result: u64;
    if (operation == OP_ACCESS) {
      const requester = requesterIn(at);
      // Whether two accesses of devices in a row are one's is chance: that they have no lane is asked first.
      if (hasLane(requester) && isRun(at, end) && !watching) {
        at = playLane(at, end, place, 1) - OPERATION_SIZE;
        continue;
      }
      result = accessInline(requester, addressIn(at), typeIn(at));
    } else {
      if (isFlushRun(at, end) && !watching && requesterIn(at) != EVERY_CPU) {
        const stopped = playFlushes(at, end, place);
        if (stopped != at) {
          at = stopped - OPERATION_SIZE;
          continue;
        }
      }
      if (operation < OP_WRITE_ENTRY && operation != OP_NOTHING && requesterIn(at) != EVERY_CPU)
        result = resultOf(playOnCpu(at, operation, contextOf(requesterIn(at))));
      else result = playOther(at, operation);
    }
    assert(unlinkedCount() == 0, "an operation left unlinked tables on the stack");
    point(OPERATION_DONE, 0);
    if (place != 0) store<u64>(place, result);
    if (hasSecondRecord(operation)) {
      at += OPERATION_SIZE;
      if (place != 0) store<u64>(place, 0, 8);
    }
  }
  setOperationNumber(first + count);
}

/** Plays one operation between or inside others. */
export function playOne(at: usize): u64 {
  const operation = operationIn(at);
  if (operation == OP_ACCESS) return access(requesterIn(at), addressIn(at), typeIn(at));
  return playOther(at, operation);
}

function playOther(at: usize, operation: u8): u64 {
  if (operation == OP_NOTHING) return 0;
  if (operation == OP_WRITE_ENTRY) return resultOf(writeEntry(addressIn(at), secondWordIn(at)));
  if (operation >= OP_VMALLOC) return playKernel(at, operation);
  if (operation >= OP_WALK_BEGIN) return playWalk(at, operation);
  if (operation < OP_WRITE_ENTRY || operation == OP_INVLPG_RANGE_OR_ALL) return resultOf(playOnCpus(at, operation));
  playOnIommu(at, operation);
  return 1;
}

function playWalk(at: usize, operation: u8): u64 {
  assert(operation <= OP_WALK_FINISH, "no operation of a walk");
  const walk = argumentIn(at);
  if (operation == OP_WALK_BEGIN) return beginWalk(walk, requesterIn(at), addressIn(at), typeIn(at));
  return operation == OP_WALK_STEP ? stepWalk(walk) : finishWalk(walk);
}

/** False if a CPU refused. */
function playOnCpus(at: usize, operation: u8): bool {
  const requester = requesterIn(at);
  if (requester != EVERY_CPU) return playOnCpu(at, operation, contextOf(requester));
  let done = true;
  for (let cpu: u32 = 0; cpu < requesterCount; cpu++) {
    if (isCpu(cpu) && !playOnCpu(at, operation, contextOf(cpu))) done = false;
  }
  return done;
}

function playOnIommu(at: usize, operation: u8): void {
  const requester = requesterIn(at);
  const context = contextOf(requester);
  const type = typeIn(at);
  const argument = argumentIn(at);
  const address = addressIn(at);
  if (operation == OP_INVALIDATE_PASID) invalidatePages(context, 0, ALL_PAGES_MASK, false);
  else if (operation == OP_INVALIDATE_PAGES) invalidatePages(context, address, argument, type != 0);
  else if (operation == OP_INVALIDATE_IOMMU) invalidateAll(agentOf(context));
  else if (operation == OP_INVALIDATE_PASID_CACHE) invalidatePasidCache(context, false);
  else if (operation == OP_INVALIDATE_DEVICE_TLB) invalidateDeviceTlb(deviceTlbOf(requester), nameOf(context), 0, ALL_PAGES_MASK);
  else if (operation == OP_INVALIDATE_DEVICE_TLB_PAGES)
    invalidateDeviceTlb(deviceTlbOf(requester), nameOf(context), address, argument);
  else if (operation == OP_BIND) bind(context, type != 0, rootFrame(address), argument & 0xffff, argument >> 16);
}

function playOnCpu(at: usize, operation: u8, context: usize): bool {
  assert(operation != OP_ACCESS && operation <= OP_INVLPG_RANGE_OR_ALL, "no operation of a CPU");
  const type = typeIn(at);
  const argument = argumentIn(at);
  const address = addressIn(at);
  switch (operation) {
    case OP_INVLPG:
      invlpg(context, address);
      break;
    case OP_INVPCID:
      return invpcid(context, type, argument, address);
    case OP_MOV_TO_CR3:
      movToCr3(context, rootFrame(address), argument, type != 0);
      break;
    case OP_CONTROLS:
      changeControls(context, argument, <u32>address);
      break;
    case OP_INVLPG_RANGE:
      invlpgRange(context, address, argument);
      break;
    case OP_FLUSH_ALL:
      flushEverything(context);
      break;
    case OP_INVLPG_RANGE_OR_ALL:
      if (argument > CEILING) flushEverything(context);
      else invlpgRange(context, address, argument);
      break;
  }
  return true;
}

/** Writes an entry by physical address; refused if its frame is not in the frame store. */
function writeEntry(physicalAddress: u64, value: u64): bool {
  const table = tableAt(HOST, physicalAddress >> 12);
  if (table == 0) return refuse(TABLE_ABSENT);
  setEntry(wordAt(table, physicalAddress), value);
  return true;
}
