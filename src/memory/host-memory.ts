// Guest memory that the host keeps, reached by two functions that the engine of `stalewalk/memory` imports (docs/rules.md section 18,
// from 18.11 on).

import { InvalidOptionError } from "../base/errors.js";
import { callback, integer, list, object, physicalAddress } from "../base/schema.js";
import { entries, frameBits, pageShift } from "../engine/abi.js";
import type { EngineExports } from "../engine/exports.js";
import type { HostFrames } from "../paging/frames.js";
import type { FrameRange } from "../paging/ram.js";

const PAGE = entries * 8;
const WHOLE = `a multiple of ${PAGE} up to 2^52`;
/** Slots of the engine's frame store, of which one is none and one more is kept free (assembly/paging/slots.ts). */
const MAX_SLOTS = 2 ** (64 - frameBits) - 2;
/** Exchanges in a row that find another value: no memory is that busy. */
const MAX_LOST = 2 ** 20;

/** A piece of physical memory. Between ranges are holes, and what devices have. */
export interface MemoryRange {
  /** Physical address of its first byte, a multiple of 4096. */
  base: bigint;
  /** Its size in bytes, a multiple of 4096. */
  bytes: number;
}

/**
 * Guest memory that the host keeps. Of `load` and `compareExchange` each is a function of JavaScript, or one that another WebAssembly
 * instance exports with 64-bit integers for all its arguments and its result; that one is called without JavaScript in between. They are
 * called in the middle of an access: they must not use the machine. What they throw comes out of the call that made the access.
 */
export interface GuestMemory {
  /** The 64-bit word (little endian) at a physical address, a multiple of 8 that lies in a range; 0n to 2^64 - 1, or as signed. */
  load(address: bigint): bigint;
  /**
   * Puts `replacement` in the place of `expected` at such an address, in one step that no other writer comes into. Returns the word that
   * stood there; if it was not `expected`, it stays. Values are 0n to 2^64 - 1.
   */
  compareExchange(address: bigint, expected: bigint, replacement: bigint): bigint;
  /** Where memory is, at least one range; none over another. A frame takes about 57 bytes of the engine's own memory. */
  ranges: readonly MemoryRange[];
}

/** Schema of {@link GuestMemory}. @internal */
export const guestMemorySchema = object(
  {
    load: callback(),
    compareExchange: callback(),
    ranges: list(
      object({ base: physicalAddress(), bytes: integer(PAGE, 2 ** 52, WHOLE) }, "an object with `base` and `bytes`"),
      "a list of ranges of memory, at least one",
      1,
    ),
  },
  "an object with `load`, `compareExchange` and `ranges`",
);

type Exchange = GuestMemory["compareExchange"];

/** The frames of ranges that the schema has checked, in the order of the ranges. */
function framesOf(ranges: readonly MemoryRange[], maxPhyAddr: number, beside: number): FrameRange[] {
  const end = ({ base, bytes }: MemoryRange): bigint => base + BigInt(bytes);
  for (const [i, range] of ranges.entries()) {
    const field = `memory.ranges[${i}]`;
    if (range.bytes % PAGE !== 0) throw new InvalidOptionError(`${field}.bytes`, range.bytes, WHOLE);
    if (end(range) > 1n << BigInt(maxPhyAddr)) {
      const expected = `memory that ends at 2^${maxPhyAddr}, the widest physical address, at most`;
      throw new InvalidOptionError(`${field}.base`, range.base, expected);
    }
    const other = ranges.slice(0, i).findIndex((it) => it.base < end(range) && range.base < end(it));
    if (other >= 0) throw new InvalidOptionError(`${field}.base`, range.base, `memory beside that of ranges[${other}]`);
  }
  const frames = ranges.map(({ base, bytes }) => ({ first: Number(base >> BigInt(pageShift)), count: bytes / PAGE }));
  const count = frames.reduce((sum, it) => sum + it.count, 0);
  const most = MAX_SLOTS - beside;
  if (count > most) throw new InvalidOptionError("memory.ranges", `${count} frames`, `at most ${most} in all`);
  return frames;
}

/** Whether a function is an export of a WebAssembly instance: nothing else may stand in a table. */
function isExported(call: unknown): boolean {
  try {
    new WebAssembly.Table({ initial: 1, element: "anyfunc" }).set(0, call);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** A function of JavaScript as the engine calls it: its 64-bit values have no sign then. */
function exchangeWithoutSign(memory: GuestMemory): Exchange {
  let lost = 0;
  return (address, before, after) => {
    const expected = BigInt.asUintN(64, before);
    const stood = memory.compareExchange(address, expected, BigInt.asUintN(64, after));
    if (BigInt.asUintN(64, stood) === expected) lost = 0;
    else if (++lost === MAX_LOST) throw new InvalidOptionError("memory.compareExchange()", stood, WHAT_STOOD);
    return stood;
  };
}

const WHAT_STOOD = "what stood at the address, which `load` has just given";

/** Memory of the host's as a machine has it. @internal */
export class HostMemory implements HostFrames {
  /** Its frames: the first slots of the frame store, in this order. */
  readonly frames: readonly FrameRange[];
  /** How many frames it has. */
  readonly count: number;
  /** What the engine imports. */
  readonly imports: { memory: Pick<GuestMemory, "load" | "compareExchange"> };

  /**
   * Of options that the schema has checked.
   * @param beside frames that the store holds besides
   * @throws InvalidOptionError, also for functions that contradict each other about the first word
   */
  constructor(
    private readonly memory: GuestMemory,
    maxPhyAddr: number,
    beside: number,
  ) {
    this.frames = framesOf(memory.ranges, maxPhyAddr, beside);
    this.count = this.frames.reduce((sum, { count }) => sum + count, 0);
    const load = isExported(memory.load) ? memory.load : (address: bigint) => memory.load(address);
    const compareExchange = isExported(memory.compareExchange) ? memory.compareExchange : exchangeWithoutSign(memory);
    this.imports = { memory: { load, compareExchange } };
    this.tryOut();
  }

  /** Reads the first word, and writes what it is. */
  private tryOut(): void {
    const at = this.memory.ranges[0]?.base ?? 0n;
    const word = this.memory.load(at);
    const bigint = "a 64-bit word as bigint";
    if (typeof word !== "bigint") throw new InvalidOptionError(`memory.load(0x${at.toString(16)})`, word, bigint);
    const same = BigInt.asUintN(64, word);
    const stood: unknown = this.memory.compareExchange(at, same, same);
    if (typeof stood !== "bigint" || BigInt.asUintN(64, stood) !== same) {
      throw new InvalidOptionError(`memory.compareExchange(0x${at.toString(16)}, …)`, stood, WHAT_STOOD);
    }
  }

  /** Tells the engine, before its frame store is made. */
  announce(exports: EngineExports): void {
    (exports as EngineExports & { setHostFrames(frames: number): void }).setHostFrames(this.count);
  }

  /** Whether a slot is a frame of this memory. */
  holds(slot: number): boolean {
    return slot <= this.count;
  }

  /** The word at a physical address, a multiple of 8. */
  load(address: bigint): bigint {
    return BigInt.asUintN(64, this.memory.load(address));
  }

  /** Writes the word at such an address, whatever stands there. */
  store(address: bigint, word: bigint): void {
    const { compareExchange } = this.imports.memory;
    let stood = this.load(address);
    for (;;) {
      const found = BigInt.asUintN(64, compareExchange(address, stood, word));
      if (found === stood) return;
      stood = found;
    }
  }
}
