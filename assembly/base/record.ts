// A record of a program: one operation in 16 bytes.
//
//   byte 0   operation          bytes 2..3  requester (EVERY_CPU: all of them)
//   byte 1   access or type     bytes 4..7  argument           bytes 8..15  address
//
// An operation with a second 64-bit word takes it from the address of the record that follows it, whose first word is 0.

const OPERATION: usize = 0;
const TYPE: usize = OPERATION + 1;
const REQUESTER: usize = TYPE + 1;
const ARGUMENT: usize = REQUESTER + 2;
const ADDRESS: usize = ARGUMENT + 4;
export const OPERATION_SIZE: usize = ADDRESS + 8;

/** In place of a requester's number: every CPU. */
export const EVERY_CPU: u32 = 0xffff;

/** Writes a record. */
// @ts-ignore: decorator
@inline
export function putRecord(at: usize, operation: u8, type: u32, requester: u32, argument: u32, address: u64): void {
  assert((at & (OPERATION_SIZE - 1)) == 0, "a record is not aligned");
  assert(type <= 0xff && requester <= 0xffff, "type or requester do not fit into a record");
  store<u32>(at, <u32>operation | (type << 8) | (requester << 16));
  store<u32>(at, argument, ARGUMENT);
  store<u64>(at, address, ADDRESS);
}

// @ts-ignore: decorator
@inline
export function operationIn(at: usize): u8 {
  assert((at & (OPERATION_SIZE - 1)) == 0, "a record is not aligned");
  return load<u8>(at, OPERATION);
}

/** Kind of access, or what the operation calls its type. */
// @ts-ignore: decorator
@inline
export function typeIn(at: usize): u32 {
  return load<u8>(at, TYPE);
}

// @ts-ignore: decorator
@inline
export function requesterIn(at: usize): u32 {
  return load<u16>(at, REQUESTER);
}

// @ts-ignore: decorator
@inline
export function argumentIn(at: usize): u32 {
  return load<u32>(at, ARGUMENT);
}

// @ts-ignore: decorator
@inline
export function addressIn(at: usize): u64 {
  return load<u64>(at, ADDRESS);
}

/** The second word of an operation that has one. */
// @ts-ignore: decorator
@inline
export function secondWordIn(at: usize): u64 {
  return load<u64>(at, OPERATION_SIZE + ADDRESS);
}

/** Whether the record behind an operation holds nothing but its second word. */
// @ts-ignore: decorator
@inline
export function isSecondRecord(at: usize): bool {
  return load<u64>(at) == 0;
}
