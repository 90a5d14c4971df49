// Numbers from text, sixteen digits at a time.

// ---- scratch: nothing survives a call ----
/** The number that was read last. */
export let value: u64 = 0;

/** Lanes 15 to 0, then none: read from 16 - n on, it puts n digits in reverse at the front. */
const REVERSE: usize = memory.data<u8>([
  15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
], 16);
/** None, then lanes 0 to 15: read from n on, it puts n digits at the end. */
const ALIGN: usize = memory.data<u8>([
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
], 16);

/** Reads 1 to 16 hexadecimal digits into `value`. Returns the address behind them, 0 if there are none or more. */
export function hexadecimal(p: usize): usize {
  const v = v128.load(p);
  const letter = i8x16.lt_u(i8x16.sub(v128.or(v, i8x16.splat(0x20)), i8x16.splat(97)), i8x16.splat(6));
  const digit = i8x16.lt_u(i8x16.sub(v, i8x16.splat(48)), i8x16.splat(10));
  const n = <usize>ctz(~i8x16.bitmask(v128.or(letter, digit)));
  if (n == 0) return 0;
  if (n == 16 && isHex(load<u8>(p, 16))) return 0;
  const nibbles = v128.and(i8x16.add(v, v128.and(letter, i8x16.splat(9))), i8x16.splat(15));
  const r = i8x16.swizzle(nibbles, v128.load(REVERSE + 16 - n));
  const pairs = v128.and(v128.or(r, i16x8.shr_u(r, 4)), i16x8.splat(0xff));
  value = <u64>i64x2.extract_lane(i8x16.narrow_i16x8_u(pairs, pairs), 0);
  return p + n;
}

function isHex(c: u32): bool {
  return c - 48 < 10 || (c | 32) - 97 < 6;
}

/** Reads 1 to 20 decimal digits into `value`. Returns the address behind them, 0 if there are none, more, or too many for 64 bits. */
export function digits(p: usize): usize {
  const v = i8x16.sub(v128.load(p), i8x16.splat(48));
  const n = <usize>ctz(~i8x16.bitmask(i8x16.lt_u(v, i8x16.splat(10))));
  if (n == 0) return 0;
  const r = i8x16.swizzle(v, v128.load(ALIGN + n));
  const two = i16x8.add(i16x8.mul(v128.and(r, i16x8.splat(0xff)), i16x8.splat(10)), i16x8.shr_u(r, 8));
  const four = i32x4.dot_i16x8_s(two, i32x4.splat(0x00010064));
  const eight = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_u(four, four), i32x4.splat(0x00012710));
  let number = <u64>i32x4.extract_lane(eight, 0) * 100000000 + <u64>i32x4.extract_lane(eight, 1);
  let q = p + n;
  if (n == 16) {
    for (let c: u32 = load<u8>(q) - 48; c < 10; c = load<u8>(++q) - 48) {
      if (q == p + 20 || number > 1844674407370955161 || (number == 1844674407370955161 && c > 5)) return 0;
      number = number * 10 + c;
    }
  }
  value = number;
  return q;
}

/** Reads a number as tracers print it: 0x and hexadecimal, decimal, or decimal behind a minus sign. */
export function anyNumber(p: usize): usize {
  const c = load<u8>(p);
  if (c == 48 && load<u8>(p, 1) == 120) return hexadecimal(p + 2);
  if (c != 45) return digits(p);
  const end = digits(p + 1);
  if (end == 0 || value > 0x8000000000000000) return 0;
  value = 0 - value;
  return end;
}
