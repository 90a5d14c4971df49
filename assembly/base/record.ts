// A record of a program: one operation in 16 bytes.
//
//   byte 0   operation          bytes 2..3  requester (EVERY_CPU: all of them)
//   byte 1   access or type     bytes 4..7  argument           bytes 8..15  address
//
// An operation with a second 64-bit word takes it from the address of the record that follows it, whose first word is 0.

import { MAX_REQUESTERS } from "./limits";

export const OPERATION_CODE: usize = 0;
export const OPERATION_TYPE: usize = OPERATION_CODE + 1;
export const OPERATION_REQUESTER: usize = OPERATION_TYPE + 1;
export const OPERATION_ARGUMENT: usize = OPERATION_REQUESTER + 2;
export const OPERATION_ADDRESS: usize = OPERATION_ARGUMENT + 4;
export const OPERATION_SIZE: usize = OPERATION_ADDRESS + 8;

/** In place of a requester's number: every CPU. */
export const EVERY_CPU: u32 = 0xffff;

if (OPERATION_ADDRESS % 8 != 0 || OPERATION_SIZE % 8 != 0) ERROR("the 64-bit words of a record are not aligned");
if (EVERY_CPU != u16.MAX_VALUE)
  ERROR("EVERY_CPU is not the last number that a record's requester can be");
if (MAX_REQUESTERS > EVERY_CPU) ERROR("a record cannot name MAX_REQUESTERS requesters");
if (OPERATION_REQUESTER + 2 != OPERATION_ARGUMENT || OPERATION_ARGUMENT != 4)
  ERROR("putRecord writes operation, type and requester as one word of 4 bytes");

/** Writes a record. */
// @ts-ignore: decorator
@inline
export function putRecord(at: usize, operation: u8, type: u32, requester: u32, argument: u32, address: u64): void {
  assert((at & (OPERATION_SIZE - 1)) == 0, "a record is not aligned");
  assert(type <= 0xff && requester <= 0xffff, "type or requester do not fit into a record");
  store<u32>(at, <u32>operation | (type << (8 * <u32>OPERATION_TYPE)) | (requester << (8 * <u32>OPERATION_REQUESTER)));
  store<u32>(at, argument, OPERATION_ARGUMENT);
  store<u64>(at, address, OPERATION_ADDRESS);
}

// @ts-ignore: decorator
@inline
export function operationIn(at: usize): u8 {
  assert((at & (OPERATION_SIZE - 1)) == 0, "a record is not aligned");
  return load<u8>(at, OPERATION_CODE);
}

/** Kind of access, or what the operation calls its type. */
// @ts-ignore: decorator
@inline
export function typeIn(at: usize): u32 {
  return load<u8>(at, OPERATION_TYPE);
}

// @ts-ignore: decorator
@inline
export function requesterIn(at: usize): u32 {
  return load<u16>(at, OPERATION_REQUESTER);
}

// @ts-ignore: decorator
@inline
export function argumentIn(at: usize): u32 {
  return load<u32>(at, OPERATION_ARGUMENT);
}

// @ts-ignore: decorator
@inline
export function addressIn(at: usize): u64 {
  return load<u64>(at, OPERATION_ADDRESS);
}

/** The second word of an operation that has one. */
// @ts-ignore: decorator
@inline
export function secondWordIn(at: usize): u64 {
  return load<u64>(at, OPERATION_SIZE + OPERATION_ADDRESS);
}

/** Whether the record behind an operation holds nothing but its second word. */
// @ts-ignore: decorator
@inline
export function isSecondRecord(at: usize): bool {
  return load<u64>(at) == 0;
}
