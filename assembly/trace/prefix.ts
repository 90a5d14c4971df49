// What stands before the event, where the task's name is in a field of 16: src/trace/prefix.ts says how such lines look.

import { digits, value } from "./numbers";

// ---- scratch: nothing survives a call ----
export let pid: u32 = 0;
export let cpu: u32 = 0;
/** Whole seconds, or 10^9 ticks; and the nanoseconds or ticks beside them. */
export let seconds: u64 = 0;
export let nanoseconds: u64 = 0;
/** Whether the clock counts something else than time. */
export let ticks: bool = false;

const SCALE: usize = memory.data<u32>([0, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1], 16);

// @ts-ignore: decorator
@inline
function skipBlanks(p: usize): usize {
  let q = p;
  while (load<u8>(q) == 32) q++;
  return q;
}

/** Reads the prefix of the line at `start`. Returns the address of the event's name, 0 if the line has to be read with care. */
export function prefix(start: usize): usize {
  if (!i8x16.all_true(i8x16.ge_s(v128.load(start), i8x16.splat(32))) || load<u8>(start) == 35) return 0;
  if (load<u8>(start, 16) != 45) return 0;
  let p = digits(start + 17);
  if (p == 0 || value > 0x7fffffff) return 0;
  pid = <u32>value;
  p = skipBlanks(p);
  if (load<u8>(p) == 40) {
    let c: u32;
    do c = load<u8>(++p);
    while (c == 32 || c == 45 || c - 48 < 10);
    if (c != 41) return 0;
    p = skipBlanks(p + 1);
  }
  if (load<u8>(p) != 91) return 0;
  p = digits(p + 1);
  if (p == 0 || value > 65535 || load<u16>(p) != 0x205d) return 0;
  cpu = <u32>value;
  p = skipBlanks(p + 2);
  if (load<u8>(p) - 48 >= 10) {
    const flags = p;
    while (load<u8>(p) > 32 && p - flags <= 8) p++;
    if (p - flags > 8 || load<u8>(p) != 32) return 0;
    p = skipBlanks(p);
  }
  const first = p;
  p = digits(p);
  // Dashes in these places are those of a date.
  if (p == 0 || (load<u8>(first, 4) == 45 && load<u8>(first, 7) == 45)) return 0;
  seconds = value;
  ticks = load<u8>(p) != 46;
  if (!ticks) {
    if (p - first > 15) return 0;
    const point = p + 1;
    p = digits(point);
    if (p == 0 || p - point > 9) return 0;
    nanoseconds = value * load<u32>(SCALE + ((p - point) << 2));
  } else {
    nanoseconds = seconds % 1000000000;
    seconds /= 1000000000;
  }
  return load<u16>(p) == 0x203a ? skipBlanks(p + 2) : 0;
}
