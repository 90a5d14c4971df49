// A smaller input that breaks a target as well: fast-check's shrinking of bytes, as long as it takes and at most a minute.
import fc from "../support/fast-check.js";
import type { FuzzTarget } from "./target.js";

const MOST_MS = 60_000;

/** The smallest input found for which the target still throws what is no refusal, read in the same ways. */
export async function shrink(target: FuzzTarget, broken: Uint8Array, turn: number): Promise<Uint8Array> {
  const arbitrary = fc.uint8Array({ maxLength: broken.length });
  const end = performance.now() + MOST_MS;
  let smallest: Uint8Array = broken;
  for (let better = true; better; ) {
    better = false;
    for (const { value } of arbitrary.shrink(Uint8Array.from(smallest), undefined)) {
      if (performance.now() > end) return smallest;
      if (!(await breaks(target, value, turn))) continue;
      smallest = value;
      better = true;
      break;
    }
  }
  return smallest;
}

async function breaks(target: FuzzTarget, bytes: Uint8Array, turn: number): Promise<boolean> {
  try {
    await target.run(bytes.slice(), turn);
    return false;
  } catch {
    return true;
  }
}
