// Text of QEMU's monitor commands `info tlb` and `info mem`, parsed and written (target/i386/monitor.c: print_pte,
// mem_print). Both directions share one notation, so that an engine and a listing can be compared line for line.
//   info tlb   ffffffff81000000: 0000000001000000 -GPDA----      one line a leaf; the flags are those of the leaf alone
//   info mem   0000000000400000-00000000004b0000 00000000000b0000 ur-   R/W and U/S are ANDed over all levels
import { ListingFormatError } from "./error.js";

/** Flag letters of `info tlb` in print order: XD, global, large page, dirty, accessed, PCD, PWT, U/S, R/W. */
export const TLB_FLAGS = "XGPDACTUW";
// The bit of a page-table entry behind each letter of TLB_FLAGS.
const FLAG_BITS = [63n, 8n, 7n, 6n, 5n, 4n, 3n, 2n, 1n];
const FLAG_P = 1 << 2;
// QEMU 7.2 prints frames of at most 50 bits: bits 12..49, 21..49, 30..49 by page size.
const PHYSICAL_MASK = [0n, 0x3fffffffff000n, 0x3ffffffe00000n, 0x3ffffc0000000n];
const RW = 1n << 1n;
const US = 1n << 2n;

/** Size in bytes of the page a leaf at this level maps: 4 KiB (1), 2 MiB (2), 1 GiB (3). */
export function pageSizeOfLevel(level: number): bigint {
  return 1n << BigInt(12 + 9 * (level - 1));
}

/** A parsed `info tlb` listing: columns of equal length, ascending by (unsigned) address. */
export interface TlbListing {
  /** Name of the text as the caller gave it. */
  file: string;
  /** Number of leaves: the length of every column. */
  count: number;
  /** Sign-extended virtual address of each leaf. */
  address: BigUint64Array;
  /** Physical address of each page, in bytes. */
  physical: BigUint64Array;
  /** Flags of each leaf; bit i stands for letter i of {@link TLB_FLAGS}. */
  flags: Uint16Array;
  /** Line of each leaf in the text, from 1. */
  line: Uint32Array;
}

/** One line of `info mem`: a range of neighbouring pages with equal rights. */
export interface MemRange {
  /** First address, as printed. */
  start: bigint;
  /** Address after the last byte, as printed (sign-extended like an address). */
  end: bigint;
  /** Size in bytes, as printed. */
  size: bigint;
  /** True if every level allows user access. */
  user: boolean;
  /** True if every level allows writes. */
  write: boolean;
}

/** A leaf in the terms of `info tlb`. */
export interface TlbRow {
  /** Sign-extended virtual address. */
  address: bigint;
  /** Physical address of the page, in bytes. */
  physical: bigint;
  /** Bit i stands for letter i of {@link TLB_FLAGS}. */
  flags: number;
}

/** The mappings of a walker, in batches (the shape of `Walker.mappings()`). */
export interface LeafBatch {
  /** Number of leaves. */
  count: number;
  /** Sign-extended virtual addresses. */
  virtualAddress: BigUint64Array;
  /** Raw leaf entries. */
  entry: BigUint64Array;
  /** Cumulative R/W, U/S and XD in the bit positions of an entry. */
  rights: BigUint64Array;
  /** 1, 2 or 3. */
  level: Uint8Array;
}

const TLB_LINE = /^([0-9a-f]{16}): ([0-9a-f]{16}) ([X-][G-][P-][D-][A-][C-][T-][U-][W-])$/;
const MEM_LINE = /^([0-9a-f]{16})-([0-9a-f]{16}) ([0-9a-f]{16}) ([u-])r([w-])$/;

/**
 * Parses the text of `info tlb`. Empty lines are skipped.
 *
 * @throws ListingFormatError naming the first line that does not have the form, or is not above the line before
 */
export function parseInfoTlb(text: string, file = "info tlb"): TlbListing {
  let room = 1024;
  let address = new BigUint64Array(room);
  let physical = new BigUint64Array(room);
  let flags = new Uint16Array(room);
  let line = new Uint32Array(room);
  let count = 0;
  for (const { content, number } of linesOf(text)) {
    const match = TLB_LINE.exec(content);
    if (!match) {
      throw new ListingFormatError(file, number, content, "a line like ffffffff81000000: 0000000001000000 -GPDA----");
    }
    const at = BigInt(`0x${match[1]}`);
    if (count > 0 && at <= address[count - 1]!) {
      throw new ListingFormatError(file, number, content, "an address above that of the line before");
    }
    if (count === room) {
      room *= 2;
      address = grown(address, new BigUint64Array(room));
      physical = grown(physical, new BigUint64Array(room));
      flags = grown(flags, new Uint16Array(room));
      line = grown(line, new Uint32Array(room));
    }
    address[count] = at;
    physical[count] = BigInt(`0x${match[2]}`);
    flags[count] = parseFlags(match[3]!);
    line[count] = number;
    count++;
  }
  return {
    file,
    count,
    address: address.subarray(0, count),
    physical: physical.subarray(0, count),
    flags: flags.subarray(0, count),
    line: line.subarray(0, count),
  };
}

/**
 * Parses the text of `info mem`. Empty lines are skipped; the result keeps the order of the text.
 *
 * @throws ListingFormatError naming the first line that does not have the form
 */
export function parseInfoMem(text: string, file = "info mem"): (MemRange & { line: number })[] {
  const ranges: (MemRange & { line: number })[] = [];
  for (const { content, number } of linesOf(text)) {
    const match = MEM_LINE.exec(content);
    if (!match) {
      const expected = "a line like 0000000000400000-00000000004b0000 00000000000b0000 ur-";
      throw new ListingFormatError(file, number, content, expected);
    }
    ranges.push({
      line: number,
      start: BigInt(`0x${match[1]}`),
      end: BigInt(`0x${match[2]}`),
      size: BigInt(`0x${match[3]}`),
      user: match[4] === "u",
      write: match[5] === "w",
    });
  }
  return ranges;
}

/** A leaf entry in the terms of `info tlb`. QEMU suppresses the letter P for 4 KiB pages, where bit 7 is PAT. */
export function tlbRow(address: bigint, entry: bigint, level: number): TlbRow {
  let flags = 0;
  for (let i = 0; i < FLAG_BITS.length; i++) {
    if ((entry >> FLAG_BITS[i]!) & 1n) flags |= 1 << i;
  }
  if (level === 1) flags &= ~FLAG_P;
  return { address, physical: entry & PHYSICAL_MASK[level]!, flags };
}

/** One line of `info tlb`, without line end. */
export function formatTlbRow(row: TlbRow): string {
  let flags = "";
  for (let i = 0; i < TLB_FLAGS.length; i++) flags += row.flags & (1 << i) ? TLB_FLAGS[i] : "-";
  return `${hex16(row.address)}: ${hex16(row.physical)} ${flags}`;
}

/** One line of `info mem`, without line end. */
export function formatMemRange(range: MemRange): string {
  const rights = `${range.user ? "u" : "-"}r${range.write ? "w" : "-"}`;
  return `${hex16(range.start)}-${hex16(range.end)} ${hex16(range.size)} ${rights}`;
}

/** The leaves of a walker in the terms of `info tlb`, in address order. */
export function* tlbRows(batches: Iterable<LeafBatch>): Generator<TlbRow> {
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) {
      yield tlbRow(batch.virtualAddress[i]!, batch.entry[i]!, batch.level[i]!);
    }
  }
}

/**
 * The leaves of a walker in the terms of `info mem`: neighbours with equal U/S and R/W become one range, whatever their
 * frames. Like QEMU it works on the translated bits, so a range may run from the lower into the upper half, and prints
 * start, end and size sign-extended.
 *
 * @param levels 4 or 5
 */
export function* memRanges(batches: Iterable<LeafBatch>, levels: number): Generator<MemRange> {
  const bits = BigInt(12 + 9 * levels);
  const translated = (1n << bits) - 1n;
  const canonical = (value: bigint) =>
    (value >> (bits - 1n)) & 1n ? BigInt.asUintN(64, value | ~translated) : BigInt.asUintN(64, value);
  let start = -1n;
  let end = -1n;
  let rights = 0n;
  const range = (): MemRange => ({
    start: canonical(start),
    end: canonical(end),
    size: canonical(end - start),
    user: (rights & US) !== 0n,
    write: (rights & RW) !== 0n,
  });
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) {
      const address = batch.virtualAddress[i]! & translated;
      const own = batch.rights[i]! & (US | RW);
      if (address !== end || own !== rights) {
        if (start >= 0n) yield range();
        start = address;
        rights = own;
      }
      end = address + pageSizeOfLevel(batch.level[i]!);
    }
  }
  if (start >= 0n) yield range();
}

/** The whole text of `info tlb` for a walker's mappings, each line ended by a line feed. */
export function formatInfoTlb(batches: Iterable<LeafBatch>): string {
  const lines: string[] = [];
  for (const row of tlbRows(batches)) lines.push(`${formatTlbRow(row)}\n`);
  return lines.join("");
}

/** The whole text of `info mem` for a walker's mappings, each line ended by a line feed. */
export function formatInfoMem(batches: Iterable<LeafBatch>, levels: number): string {
  const lines: string[] = [];
  for (const range of memRanges(batches, levels)) lines.push(`${formatMemRange(range)}\n`);
  return lines.join("");
}

function parseFlags(text: string): number {
  let flags = 0;
  for (let i = 0; i < text.length; i++) if (text[i] !== "-") flags |= 1 << i;
  return flags;
}

function hex16(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

/** The lines of a text that are not empty, one at a time: a text of many lines must not become as many strings. */
function* linesOf(text: string): Generator<{ content: string; number: number }> {
  let number = 0;
  for (let start = 0; start < text.length; ) {
    number++;
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const content = text.slice(start, end > start && text[end - 1] === "\r" ? end - 1 : end);
    if (content !== "") yield { content, number };
    start = end + 1;
  }
}

function grown<T extends BigUint64Array | Uint16Array | Uint32Array>(from: T, to: T): T {
  // The union's set() takes what this one array has.
  (to as { set(values: ArrayLike<bigint | number>): void }).set(from);
  return to;
}
