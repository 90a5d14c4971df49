// Checking a program before it is played: what `play` may then take for granted.

import { MAX_WALKS, PCIDS } from "../base/limits";
import {
  hasSecondRecord,
  KEEP_TABLES,
  LAST_KERNEL_OPERATION,
  OP_ACCESS,
  OP_ENTER_USER,
  OP_INVLPG_RANGE_OR_ALL,
  OP_FLUSH_TLB_MM_RANGE,
  OP_INVALIDATE_DEVICE_TLB,
  OP_INVALIDATE_DEVICE_TLB_PAGES,
  OP_INVALIDATE_PAGES,
  OP_INVPCID,
  OP_LOCAL_FLUSH_TLB_ALL,
  OP_MOV_TO_CR3,
  OP_NOTHING,
  OP_SVA_BIND,
  OP_SVA_UNBIND,
  OP_SWITCH_MM,
  OP_TABLE_CLEAR,
  OP_TABLE_FREE,
  OP_VMALLOC,
  OP_WALK_BEGIN,
  OP_WALK_FINISH,
  OP_WRITE_ENTRY,
  UNMARKED,
} from "../base/operations";
import {
  argumentIn,
  EVERY_CPU,
  isSecondRecord,
  OPERATION_SIZE,
  operationIn,
  requesterIn,
  typeIn,
} from "../base/record";
import { ALL_PAGES_MASK } from "../hardware/iommu";
import { deviceTlbOf, isCpu, requesterCount } from "../hardware/requesters";
import { hasKernel } from "../kernel/operations";
import { SITES } from "../kernel/sites";
import { ACCESS_CODES, FETCH, TYPE } from "../paging/access";

// ---- what is wrong with an operation ----
export const FINE: u32 = 0;
export const BAD_CODE: u32 = 1;
export const BAD_REQUESTER: u32 = 2;
export const BAD_TYPE: u32 = 3;
export const BAD_ARGUMENT: u32 = 4;
export const NO_SECOND_RECORD: u32 = 5;
/** How many there are. */
export const PROGRAM_FAULTS: u32 = 6;

if (ACCESS_CODES > 1 << 8) ERROR("an access code does not fit into the byte of a record");

// ---- scratch: nothing survives a call ----
/** What is wrong with the operation that the last check stopped at; 0 = nothing. */
export let programFault: u32 = 0;

/** Whether the eight records behind one begin as it does. */
// @ts-ignore: decorator
@inline
function areAlike(at: usize, head: u32): bool {
  const near = otherwise(at, OPERATION_SIZE, head) | otherwise(at, 2 * OPERATION_SIZE, head);
  const next = otherwise(at, 3 * OPERATION_SIZE, head) | otherwise(at, 4 * OPERATION_SIZE, head);
  const then = otherwise(at, 5 * OPERATION_SIZE, head) | otherwise(at, 6 * OPERATION_SIZE, head);
  const last = otherwise(at, 7 * OPERATION_SIZE, head) | otherwise(at, 8 * OPERATION_SIZE, head);
  return (near | next | then | last) == 0;
}

/** 0 if the first word of the record so many bytes on is `head`. */
// @ts-ignore: decorator
@inline
function otherwise(at: usize, offset: usize, head: u32): u32 {
  return load<u32>(at + offset) ^ head;
}

/** Index of the first operation that cannot be played, or `count`. */
export function checkProgram(program: usize, count: u32): u32 {
  programFault = FINE;
  // An access is fine if one that begins alike was: nothing but its first four bytes is looked at.
  let fine: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = program + <usize>i * OPERATION_SIZE;
    const head = load<u32>(at);
    if (head == fine) {
      // Mostly one of many.
      while (i + 8 < count && areAlike(program + <usize>i * OPERATION_SIZE, fine)) i += 8;
      continue;
    }
    if (operationIn(at) == OP_ACCESS) fine = head;
    programFault = faultOf(at);
    if (programFault != FINE) return i;
    if (!hasSecondRecord(operationIn(at))) continue;
    if (i + 1 == count || !isSecondRecord(at + OPERATION_SIZE)) {
      programFault = NO_SECOND_RECORD;
      return i;
    }
    i++;
  }
  return count;
}

function faultOf(at: usize): u32 {
  const operation = operationIn(at);
  if (operation >= OP_VMALLOC) return kernelFaultOf(at, operation);
  if (operation > OP_WALK_FINISH) return BAD_CODE;
  if (operation == OP_NOTHING || operation == OP_WRITE_ENTRY) return FINE;
  const type = typeIn(at);
  const requester = requesterIn(at);
  const argument = argumentIn(at);
  const forCpu = operation < OP_WRITE_ENTRY || operation == OP_INVLPG_RANGE_OR_ALL;
  if (operation >= OP_WALK_BEGIN) {
    if (argument >= MAX_WALKS) return BAD_ARGUMENT;
    if (operation != OP_WALK_BEGIN) return FINE;
  }
  if (operation == OP_ACCESS || operation == OP_WALK_BEGIN) {
    if (requester >= requesterCount) return BAD_REQUESTER;
    return type >= ACCESS_CODES || (type & TYPE) > FETCH ? BAD_TYPE : FINE;
  }
  if (requester == EVERY_CPU ? !forCpu : requester >= requesterCount || isCpu(requester) != forCpu)
    return BAD_REQUESTER;
  if (operation == OP_INVPCID && type > 3) return BAD_TYPE;
  if ((operation == OP_INVPCID || operation == OP_MOV_TO_CR3) && argument >= PCIDS) return BAD_ARGUMENT;
  if ((operation == OP_INVALIDATE_PAGES || operation == OP_INVALIDATE_DEVICE_TLB_PAGES) && argument > ALL_PAGES_MASK)
    return BAD_ARGUMENT;
  if ((operation == OP_INVALIDATE_DEVICE_TLB || operation == OP_INVALIDATE_DEVICE_TLB_PAGES) && deviceTlbOf(requester) == 0) {
    return BAD_REQUESTER;
  }
  return FINE;
}

function kernelFaultOf(at: usize, operation: u8): u32 {
  if (!hasKernel || operation > LAST_KERNEL_OPERATION) return BAD_CODE;
  const type = typeIn(at);
  const who = requesterIn(at);
  if (operation == OP_SWITCH_MM || operation == OP_LOCAL_FLUSH_TLB_ALL || operation >= OP_ENTER_USER) {
    if (who >= requesterCount || !isCpu(who)) return BAD_REQUESTER;
  } else if (operation == OP_SVA_BIND || operation == OP_SVA_UNBIND) {
    if (who >= requesterCount || isCpu(who)) return BAD_REQUESTER;
  } else if (operation == OP_TABLE_CLEAR || operation == OP_TABLE_FREE) {
    if (type >= SITES) return BAD_TYPE;
    if (argumentIn(at) > (operation == OP_TABLE_FREE ? UNMARKED | 3 : 3)) return BAD_ARGUMENT;
  } else if (operation == OP_VMALLOC || operation == OP_FLUSH_TLB_MM_RANGE) {
    const shift = type & (KEEP_TABLES - 1);
    if (shift < 12 || shift > 30) return BAD_TYPE;
  }
  return FINE;
}
