// The steps of a site one by one, for traces.

import { MARK_KERNEL, stateOf, TABLE } from "../frames";
import { point } from "../points";
import { freeTable } from "./policy";
import { PUD_FREE_PMD_PAGE } from "./sites";
import { INIT_MM } from "./spaces";
import { findEntry, inKernelHalf, needEntry, PAGE_TABLE, tableOf } from "./tables";

/** What `tableClear` unlinked, found again by site and address: address, slot, site. The latest 256. */
const REMEMBERED: usize = memory.data(256 * 16, 8);
const NEXT: usize = memory.data(4, 4);
const MOST: usize = 256;
const SLOT: usize = 8;
const SITE: usize = 12;

function remembered(site: u8, va: u64): usize {
  for (let i: usize = 0; i < MOST; i++) {
    const at = REMEMBERED + (i << 4);
    if (load<u64>(at) == va && load<u32>(at, SLOT) != 0 && load<u32>(at, SITE) == <u32>site) return at;
  }
  return 0;
}

function remember(site: u8, va: u64, slot: u32): void {
  const next = load<u32>(NEXT);
  const at = REMEMBERED + (((<usize>next) & (MOST - 1)) << 4);
  store<u32>(NEXT, next + 1);
  store<u64>(at, va);
  store<u32>(at, slot, SLOT);
  store<u32>(at, site, SITE);
}

/** The entry that points at the table of a level (0: the site's own) for an address, tables made as needed; 0 if that fails. */
function entryOf(site: u8, va: u64, level: u32): usize {
  if (!inKernelHalf(va, 1)) return 0;
  const table = level != 0 ? level : site == PUD_FREE_PMD_PAGE ? 2 : 1;
  // A walk has to find the table before it can be cleared: a trace may have begun later than the table.
  if (needEntry(INIT_MM, va, table, MARK_KERNEL, PAGE_TABLE) == 0) return 0;
  return findEntry(INIT_MM, va, table + 1);
}

/** Unlinks the table of a level at an address; it is remembered unless it has been freed already. */
export function tableClear(site: u8, va: u64, level: u32): bool {
  const entry = entryOf(site, va, level);
  if (entry == 0) return false;
  const slot = tableOf(load<u64>(entry));
  if (slot != 0 && stateOf(slot) == TABLE) remember(site, va, slot);
  store<u64>(entry, 0);
  point();
  return true;
}

/** Frees the table that `tableClear` unlinked; or, where free precedes clear, the one that is still linked. */
export function tableFree(site: u8, va: u64, level: u32): bool {
  const at = remembered(site, va);
  let slot: u32;
  if (at != 0) {
    slot = load<u32>(at, SLOT);
    store<u32>(at, 0, SLOT);
  } else {
    const entry = entryOf(site, va, level);
    if (entry == 0) return false;
    slot = tableOf(load<u64>(entry));
    if (slot == 0 || stateOf(slot) != TABLE) return false;
  }
  freeTable(slot, site);
  point();
  return true;
}
