// Guest memory in place: contiguous physical memory inside the engine's, which host and walks share (docs/rules.md section 18).

import { InvalidOptionError } from "../base/errors.js";
import { integer, object, optional, physicalAddress } from "../base/schema.js";
import { entries, metaSize, pageShift, standingSize } from "../engine/abi.js";

const PAGE = entries * 8;
/** What 32-bit pointers reach. */
const REACH = 2 ** 32;
/** Each of the frame store's five arrays begins on a cache line. */
const ALIGNMENT = 5 * 64;
const WHOLE = `a multiple of ${PAGE} below 2^32`;

/** Guest RAM of a machine. */
export interface RamConfig {
  /** Its size in bytes, a multiple of 4096. Together with all else that the machine holds it must stay below 4 GiB. */
  bytes: number;
  /** Physical address of its first byte, a multiple of 4096. Default 0n. */
  base?: bigint;
}

/** Schema of {@link RamConfig}. @internal */
export const ramSchema = object(
  { bytes: integer(PAGE, REACH - 1, WHOLE), base: optional(physicalAddress()) },
  "an object that describes RAM",
);

/** Frames that follow each other. @internal */
export interface FrameRange {
  first: number;
  count: number;
}

/**
 * The frames of RAM that has been checked by the schema.
 * @param beside frames that the store holds besides
 * @param taken bytes of the engine's memory that are in use
 * @throws InvalidOptionError if it is not of whole pages, not below 2^maxPhyAddr, or does not fit; then it names the most
 * @internal
 */
export function framesOfRam(
  { bytes, base = 0n }: RamConfig,
  maxPhyAddr: number,
  beside: number,
  taken: number,
): FrameRange {
  if (bytes % PAGE !== 0) throw new InvalidOptionError("ram.bytes", bytes, WHOLE);
  if (base + BigInt(bytes) > 1n << BigInt(maxPhyAddr)) {
    throw new InvalidOptionError(
      "ram.base",
      base,
      `RAM that ends at 2^${maxPhyAddr}, the widest physical address, at most`,
    );
  }
  const count = bytes / PAGE;
  if (!fits(count + beside, taken)) {
    const most = mostFrames(taken) - beside;
    const named =
      most < 1
        ? "a machine with less beside it"
        : `at most ${most * PAGE}, what 32-bit addresses leave beside all else`;
    throw new InvalidOptionError("ram.bytes", bytes, named);
  }
  return { first: Number(base >> BigInt(pageShift)), count };
}

/** Whether a frame store for so many frames fits behind what is taken; as `createFrameStore()` of the engine lays it out. */
function fits(frames: number, taken: number): boolean {
  const buckets = 8 * 2 ** Math.max(4, Math.ceil(Math.log2(2 * frames)));
  const perFrame = PAGE + standingSize + metaSize + 1;
  return taken + buckets + (frames + 1) * perFrame + ALIGNMENT < REACH;
}

function mostFrames(taken: number): number {
  let [least, most] = [0, REACH / PAGE];
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (fits(middle, taken)) least = middle;
    else most = middle;
  }
  return least;
}
