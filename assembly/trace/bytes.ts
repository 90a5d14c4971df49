// Bytes, sixteen at a time.

/** Whether the `length` bytes at `a` and `b` are the same; up to 16 more are read. */
// @ts-ignore: decorator
@inline
export function same(a: usize, b: usize, length: usize): bool {
  let left = length;
  let p = a;
  let q = b;
  for (; left > 16; left -= 16) {
    if (!i8x16.all_true(i8x16.eq(v128.load(p), v128.load(q)))) return false;
    p += 16;
    q += 16;
  }
  // What lies behind them counts as equal.
  return ((i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(q))) | (-1 << <i32>left)) & 0xffff) == 0xffff;
}

/** Address of the first byte at or behind `p` that is `a` or `b`: one of them is a newline, so that there is one. */
export function find(p: usize, a: u8, b: u8): usize {
  let q = p;
  while (true) {
    const v = v128.load(q);
    const mask = i8x16.bitmask(v128.or(i8x16.eq(v, i8x16.splat(a)), i8x16.eq(v, i8x16.splat(b))));
    if (mask != 0) return q + ctz(mask);
    q += 16;
  }
}
