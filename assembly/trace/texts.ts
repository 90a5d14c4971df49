// Texts that the host has numbered: symbols, names of devices, reasons. Known are those of lines that were read with care.

import { same } from "./bytes";
import { VECTOR } from "./memory";

/** Half of the slots are used at most: then all texts are forgotten, and learned again. */
const SLOTS: i32 = 2048;
const POOL_BYTES: i32 = 1 << 16;
/** What is longer is never known. */
const MAX_TEXT: usize = 4096;

const AT: usize = 0;
const LENGTH: usize = AT + 4;
const NUMBER: usize = LENGTH + 4;
const SLOT_BYTES: i32 = 16;

const TABLE: usize = memory.data(SLOTS * SLOT_BYTES, VECTOR);
const POOL: usize = memory.data(POOL_BYTES + VECTOR, VECTOR);
const USED_BYTES: usize = memory.data(sizeof<u32>(), sizeof<u32>());
const USED_SLOTS: usize = memory.data(sizeof<u32>(), sizeof<u32>());

/** The slot of a text, or the empty one where it would stand. */
function slotOf(at: usize, length: usize): usize {
  const words = length < 8 ? load<u64>(at) << ((8 - length) << 3) : load<u64>(at) ^ (load<u64>(at + length - 8) * 0x9e3779b97f4a7c15);
  let index = <i32>(((words + length) * 0x9e3779b97f4a7c15) >> 32);
  while (true) {
    index &= SLOTS - 1;
    const slot = TABLE + index * SLOT_BYTES;
    const known = <usize>load<u32>(slot, AT);
    if (known == 0 || (load<u32>(slot, LENGTH) == <u32>length && same(at, known, length))) return slot;
    index++;
  }
}

/** The number of a text of one byte or more; 0 if it is not known. */
export function numberOf(at: usize, length: usize): u32 {
  return load<u32>(slotOf(at, length), NUMBER);
}

/** Notes the number of a text, 1 or more. */
export function know(at: usize, length: usize, number: u32): void {
  if (length == 0 || length > MAX_TEXT) return;
  let slot = slotOf(at, length);
  if (load<u32>(slot, NUMBER) != 0) return;
  if (load<i32>(USED_SLOTS) == SLOTS / 2 || load<i32>(USED_BYTES) + <i32>length > POOL_BYTES) {
    memory.fill(TABLE, 0, SLOTS * SLOT_BYTES);
    store<u32>(USED_BYTES, 0);
    store<u32>(USED_SLOTS, 0);
    slot = slotOf(at, length);
  }
  const own = POOL + load<u32>(USED_BYTES);
  memory.copy(own, at, length);
  store<u32>(slot, <u32>own, AT);
  store<u32>(slot, <u32>length, LENGTH);
  store<u32>(slot, number, NUMBER);
  store<u32>(USED_BYTES, load<u32>(USED_BYTES) + <u32>length);
  store<u32>(USED_SLOTS, load<u32>(USED_SLOTS) + 1);
}
