// What `tableClear` unlinked, found again by site and address (docs/rules.md section 10.9): a record for each frame of the store,
// since a table waits in one place only, and buckets of them by what they are looked for with.

import { allocate } from "../base/memory";
import { frameCapacity } from "../paging/frames";
import { SITES } from "./sites";

// ---- a record, by slot ----
const ADDRESS: usize = 0;
/** Slot of the next record of the same bucket. */
const NEXT: usize = ADDRESS + 8;
/** Site + 1; 0 = the frame is not remembered. */
const SITE: usize = NEXT + 4;
const RECORD_SHIFT: usize = 4;

if (SITE + 4 > 1 << RECORD_SHIFT) ERROR("a record does not fit into its 2^RECORD_SHIFT bytes");

/** 2^64 divided by the golden ratio, as in the frame store. */
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

// ---- set up once ----
let records: usize = 0;
/** Slots of the first record of each bucket. */
let buckets: usize = 0;
let bucketShift: u64 = 0;

/** Room for every frame of the store; false if memory is out. */
export function createRemembered(): bool {
  const frames = frameCapacity();
  let bits: u64 = 1;
  while ((<u64>1 << bits) < <u64>frames) bits++;
  bucketShift = 64 - bits;
  records = allocate((<usize>frames + 1) << RECORD_SHIFT);
  buckets = allocate(<usize>(<u64>4 << bits));
  return records != 0 && buckets != 0;
}

// @ts-ignore: decorator
@inline
function recordOf(slot: u32): usize {
  assert(slot != 0 && slot <= frameCapacity(), "no frame has this slot");
  return records + (<usize>slot << RECORD_SHIFT);
}

/** The head of a bucket: a link like those in the records. */
function bucketOf(site: u8, va: u64): usize {
  const bucket = ((va + <u64>site) * SPREAD) >> bucketShift;
  return buckets + (<usize>bucket << 2);
}

/** Slot of the table that was unlinked at an address by a site; 0 if there is none. */
export function remembered(site: u8, va: u64): u32 {
  let slot = load<u32>(bucketOf(site, va));
  while (slot != 0) {
    const record = recordOf(slot);
    if (load<u64>(record, ADDRESS) == va && load<u32>(record, SITE) == <u32>site + 1) return slot;
    slot = load<u32>(record, NEXT);
  }
  return 0;
}

/** A table takes the place of the one that was remembered there, and leaves the place where it was itself. */
export function remember(site: u8, va: u64, slot: u32): void {
  assert(site < SITES, "there is no such site");
  const other = remembered(site, va);
  if (other != 0) forget(other);
  if (load<u32>(recordOf(slot), SITE) != 0) forget(slot);
  const head = bucketOf(site, va);
  const record = recordOf(slot);
  store<u64>(record, va, ADDRESS);
  store<u32>(record, load<u32>(head), NEXT);
  store<u32>(record, <u32>site + 1, SITE);
  store<u32>(head, slot);
}

export function forget(slot: u32): void {
  const record = recordOf(slot);
  assert(load<u32>(record, SITE) != 0, "the frame is not remembered");
  let link = bucketOf(<u8>(load<u32>(record, SITE) - 1), load<u64>(record, ADDRESS));
  while (load<u32>(link) != slot) link = recordOf(load<u32>(link)) + NEXT;
  store<u32>(link, load<u32>(record, NEXT));
  store<u32>(record, 0, SITE);
}
