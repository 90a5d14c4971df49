// Guest memory that stands in an array, in an array that workers share, or in the memory of another WebAssembly instance.

import { InvalidOptionError } from "../base/errors.js";
import { integer, list, object, parse, physicalAddress } from "../base/schema.js";
import { entries } from "../engine/abi.js";
import { accessorsOf, type PlacedRange, type WasmMemory } from "./accessors.js";
import type { GuestMemory } from "./host-memory.js";

const PAGE = entries * 8;
const WORD = 8;

/** Where guest memory may stand. */
export type MemorySource = Uint8Array | ArrayBufferLike | WasmMemory;

const placedSchema = list(
  object(
    {
      base: physicalAddress(),
      bytes: integer(PAGE, 2 ** 52, `a multiple of ${PAGE}`),
      offset: integer(0, 2 ** 52, "a multiple of 8 inside the source"),
    },
    "an object with `base`, `bytes` and `offset`",
  ),
  "a list of ranges, at least one",
  1,
);

/** Whether memory may be written to by several agents at once. */
const isShared = (buffer: ArrayBufferLike): boolean =>
  typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;

const isBuffer = (source: unknown): source is ArrayBufferLike =>
  source instanceof ArrayBuffer || isShared(source as ArrayBufferLike);

/** The ranges that a source of so many bytes holds, checked. */
function placed(length: number, given: readonly PlacedRange[] | undefined): readonly PlacedRange[] {
  const whole = [{ base: 0n, bytes: length - (length % PAGE), offset: 0 }];
  const ranges = parse(placedSchema, given ?? whole, "ranges") as readonly PlacedRange[];
  for (const [i, { bytes, offset }] of ranges.entries()) {
    if (offset % WORD !== 0 || offset + bytes > length) {
      const expected = `a multiple of 8, with \`bytes\` behind it that the source of ${length} bytes has`;
      throw new InvalidOptionError(`ranges[${i}].offset`, offset, expected);
    }
  }
  return ranges;
}

/** From a physical address to the number of its word in the source. */
function wordIn(ranges: readonly PlacedRange[]): (address: bigint) => number {
  const places = ranges.map(({ base, bytes, offset }) => ({
    first: Number(base),
    end: Number(base) + bytes,
    shift: offset - Number(base),
  }));
  return (physical) => {
    const address = Number(physical);
    for (const { first, end, shift } of places) {
      if (address >= first && address < end) return (address + shift) / WORD;
    }
    throw new RangeError(`physical address 0x${physical.toString(16)}: in no range of the memory`);
  };
}

/** Words with nobody else who writes while a function runs. */
function plainly(words: BigUint64Array, ranges: readonly PlacedRange[]): GuestMemory {
  const wordAt = wordIn(ranges);
  return {
    ranges: ranges.map(({ base, bytes }) => ({ base, bytes })),
    load: (address) => words[wordAt(address)] as bigint,
    compareExchange(address, expected, replacement) {
      const at = wordAt(address);
      const stood = words[at] as bigint;
      if (stood === expected) words[at] = replacement;
      return stood;
    },
  };
}

/** Words that others may write at any time. */
function atomically(words: BigUint64Array, ranges: readonly PlacedRange[]): GuestMemory {
  const wordAt = wordIn(ranges);
  return {
    ranges: ranges.map(({ base, bytes }) => ({ base, bytes })),
    load: (address) => Atomics.load(words, wordAt(address)),
    compareExchange: (address, expected, replacement) =>
      Atomics.compareExchange(words, wordAt(address), expected, replacement),
  };
}

/**
 * Guest memory in a `Uint8Array` or buffer, in a `SharedArrayBuffer` (then A and D are set atomically), or in a `WebAssembly.Memory`,
 * shared or not: a small module then reads and writes it, without JavaScript in between, also after it has grown.
 * @param ranges which physical memory stands where in it. Default one range from physical address 0 on, of all whole pages
 * @throws InvalidOptionError for a range that the source does not have, or a source that begins inside a 64-bit word
 * @example
 * ```ts
 * import { guestMemory } from "stalewalk/memory";
 *
 * // 640 KiB from physical address 0 on, and 1 MiB from 1 MiB on, one behind the other in one array; between them is a hole.
 * const bytes = new Uint8Array(0xa0000 + 0x100000);
 * const memory = guestMemory(bytes, [
 *   { base: 0n, bytes: 0xa0000, offset: 0 },
 *   { base: 0x100000n, bytes: 0x100000, offset: 0xa0000 },
 * ]);
 * bytes[0xa0008] = 7;
 * console.log(memory.load(0x100008n), memory.compareExchange(0x100008n, 7n, 0x27n), bytes[0xa0008]); // 7n 7n 39
 * ```
 */
export function guestMemory(source: MemorySource, ranges?: readonly PlacedRange[]): GuestMemory {
  if (source instanceof WebAssembly.Memory) {
    const all = placed(source.buffer.byteLength, ranges);
    return {
      ...accessorsOf(source, isShared(source.buffer), all),
      ranges: all.map(({ base, bytes }) => ({ base, bytes })),
    };
  }
  const bytes = isBuffer(source) ? new Uint8Array(source) : source;
  if (!(bytes instanceof Uint8Array)) {
    const expected = "a Uint8Array, an ArrayBuffer, a SharedArrayBuffer or a WebAssembly.Memory";
    throw new InvalidOptionError("source", source, expected);
  }
  if (bytes.byteOffset % WORD !== 0) {
    throw new InvalidOptionError("source.byteOffset", bytes.byteOffset, "a multiple of 8");
  }
  const all = placed(bytes.length, ranges);
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / WORD));
  return isShared(bytes.buffer) ? atomically(words, all) : plainly(words, all);
}
