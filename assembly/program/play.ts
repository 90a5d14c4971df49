// Programs: operations of 16 bytes, played in one call.
//
//   byte 0   operation          bytes 2..3  requester (EVERY_CPU: all of them)
//   byte 1   access or type     bytes 4..7  argument           bytes 8..15  address
//
// An operation with a second 64-bit word takes it from the address of the record that follows it.

import { agentOf, CONTEXT_TAG } from "../hardware/agent";
import { changeControls, flushEverything, invlpg, invlpgRange, invpcid, movToCr3 } from "../hardware/cpu";
import { FRAME } from "../paging/entry";
import { contentsOf, slotOf } from "../paging/frames";
import {
  bind,
  invalidateAll,
  invalidateDeviceTlb,
  invalidateDeviceTlbPages,
  invalidatePages,
  invalidatePasid,
  invalidatePasidCache,
} from "../hardware/iommu";
import { operationNumber, setOperationNumber } from "../base/clock";
import { hasSecondRecord, OP_VMALLOC, playKernel } from "../kernel/operations";
import { point } from "../base/points";
import { access, accessInline, contextOf, EVERY_CPU, deviceTlbOf, isCpu, requesterCount } from "../hardware/requesters";

export const OPERATION_SIZE: u32 = 16;

/** Writes a record. */
// @ts-ignore: decorator
@inline
export function putRecord(at: usize, operation: u8, type: u32, requester: u32, argument: u32, address: u64): void {
  store<u32>(at, <u32>operation | (type << 8) | (requester << 16));
  store<u32>(at, argument, 4);
  store<u64>(at, address, 8);
}

export const OP_NOTHING: u8 = 0;
/** access = kind of access, address = virtual address; result: the outcome */
export const OP_ACCESS: u8 = 1;
/** address = virtual address */
export const OP_INVLPG: u8 = 2;
/** type 0..3, argument = PCID, address = virtual address */
export const OP_INVPCID: u8 = 3;
/** type 1 = no flush, argument = PCID, address = physical address of the root */
export const OP_MOV_CR3: u8 = 4;
/** argument = controls, address = PKRU */
export const OP_CONTROLS: u8 = 5;
/** argument = pages, address = first page; INVLPG of each */
export const OP_INVLPG_RANGE: u8 = 6;
/** everything, globals included */
export const OP_FLUSH_ALL: u8 = 7;
/** address = physical address of an entry; the next record's address = its new value; result: 1, 0 if no such table */
export const OP_WRITE_ENTRY: u8 = 8;
/** IOMMU of the requester, its PASID */
export const OP_INVALIDATE_PASID: u8 = 9;
/** the same; type 1 = leaves only (IH), argument = AM, address = virtual address */
export const OP_INVALIDATE_PAGES: u8 = 10;
/** IOMMU of the requester, every PASID */
export const OP_INVALIDATE_IOMMU: u8 = 11;
export const OP_INVALIDATE_PASID_CACHE: u8 = 12;
/** the requester's own TLB: all of its PASID */
export const OP_INVALIDATE_DEVICE_TLB: u8 = 13;
/** the requester's own TLB; argument = AM, address = virtual address */
export const OP_INVALIDATE_DEVICE_TLB_PAGES: u8 = 14;
/** PASID-table entry of the requester: type 1 = present, argument = controls, address = physical address of the root */
export const OP_BIND: u8 = 15;

/**
 * flush_tlb_kernel_range(): argument = pages, address = first page. Page by page up to tlb_single_page_flush_ceiling
 * (33), above it everything.
 */
export const OP_FLUSH_KERNEL_RANGE: u8 = 16;

const SINGLE_PAGE_FLUSH_CEILING: u32 = 33;

/** Plays `count` operations at `program`; each result goes to `results` (8 bytes a record) unless that is 0. */
export function play(program: usize, count: u32, results: usize): void {
  const first = operationNumber();
  const end = program + <usize>count * OPERATION_SIZE;
  for (let at = program; at < end; at += OPERATION_SIZE) {
    const operation = load<u8>(at);
    setOperationNumber(first + <u64>((at - program) / OPERATION_SIZE));
    let result: u64;
    if (operation == OP_ACCESS) result = accessInline(load<u16>(at, 2), load<u64>(at, 8), load<u8>(at, 1));
    else result = playOther(at, operation);
    point();
    if (results != 0) store<u64>(results + (((at - program) / OPERATION_SIZE) << 3), result);
    if (operation == OP_WRITE_ENTRY || hasSecondRecord(operation)) {
      at += OPERATION_SIZE;
      if (results != 0) store<u64>(results + (((at - program) / OPERATION_SIZE) << 3), 0);
    }
  }
  setOperationNumber(first + count);
}

/** Plays one operation between or inside others. */
export function playOne(at: usize): u64 {
  const operation = load<u8>(at);
  if (operation == OP_ACCESS) return access(load<u16>(at, 2), load<u64>(at, 8), load<u8>(at, 1));
  return playOther(at, operation);
}

function playOther(at: usize, operation: u8): u64 {
  if (operation == OP_NOTHING) return 0;
  if (operation == OP_WRITE_ENTRY) return writeEntry(load<u64>(at, 8), load<u64>(at, 24)) ? 1 : 0;
  if (operation >= OP_VMALLOC) return playKernel(at, operation);
  if (operation < OP_WRITE_ENTRY || operation == OP_FLUSH_KERNEL_RANGE) playOnCpus(at, operation);
  else playOnIommu(at, operation);
  return 0;
}

function playOnCpus(at: usize, operation: u8): void {
  const requester = <u32>load<u16>(at, 2);
  if (requester != EVERY_CPU) {
    playOnCpu(at, operation, contextOf(requester));
    return;
  }
  for (let cpu: u32 = 0; cpu < requesterCount; cpu++) {
    if (isCpu(cpu)) playOnCpu(at, operation, contextOf(cpu));
  }
}

function playOnIommu(at: usize, operation: u8): void {
  const requester = <u32>load<u16>(at, 2);
  const context = contextOf(requester);
  const agent = agentOf(context);
  const tag = load<u32>(context, CONTEXT_TAG);
  const type = load<u8>(at, 1);
  const argument = load<u32>(at, 4);
  const address = load<u64>(at, 8);
  if (operation == OP_INVALIDATE_PASID) invalidatePasid(agent, tag);
  else if (operation == OP_INVALIDATE_PAGES) invalidatePages(agent, tag, address, argument, type != 0);
  else if (operation == OP_INVALIDATE_IOMMU) invalidateAll(agent);
  else if (operation == OP_INVALIDATE_PASID_CACHE) invalidatePasidCache(context);
  else if (operation == OP_INVALIDATE_DEVICE_TLB) invalidateDeviceTlb(deviceTlbOf(requester), tag);
  else if (operation == OP_INVALIDATE_DEVICE_TLB_PAGES) invalidateDeviceTlbPages(deviceTlbOf(requester), tag, address, argument);
  else if (operation == OP_BIND) bind(context, type != 0, (address & FRAME) >> 12, argument);
}

function playOnCpu(at: usize, operation: u8, context: usize): void {
  const type = load<u8>(at, 1);
  const argument = load<u32>(at, 4);
  const address = load<u64>(at, 8);
  if (operation == OP_INVLPG) invlpg(context, address);
  else if (operation == OP_INVLPG_RANGE) invlpgRange(context, address, argument);
  else if (operation == OP_FLUSH_ALL) flushEverything(context);
  else if (operation == OP_FLUSH_KERNEL_RANGE) {
    if (argument > SINGLE_PAGE_FLUSH_CEILING) flushEverything(context);
    else invlpgRange(context, address, argument);
  } else if (operation == OP_INVPCID) invpcid(context, type, argument, address);
  else if (operation == OP_MOV_CR3) movToCr3(context, (address & FRAME) >> 12, argument, type != 0);
  else if (operation == OP_CONTROLS) changeControls(context, argument, <u32>address);
}

/** Writes an entry by physical address; false if its frame is not in the frame store. */
function writeEntry(physicalAddress: u64, value: u64): bool {
  const slot = slotOf(physicalAddress >> 12);
  if (slot == 0) return false;
  store<u64>(contentsOf(slot) + (<usize>physicalAddress & 0xff8), value);
  return true;
}
