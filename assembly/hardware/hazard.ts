// Hazards: walks through frames that are no longer the table they were, and hits of translations that are out of date.
// Rules: docs/rules.md section 12. The ring keeps the latest records; counts by kind and site never drop anything.

import { operationNumber, time } from "../base/clock";
import { allocate, count } from "../base/memory";
import { asRecorded } from "../paging/access";
import { frameOfLeaf, STALE } from "../paging/format";
import { FREE, frameOf, freedAt, generationOf, NO_SITE, siteOf, stateOf } from "../paging/frames";
import { fault, isFault, UNDER_WAY } from "../paging/outcome";
import { AGENT_ID } from "./agent";

// ---- kinds, in rising harm, and as bits of a record ----
export const WALK_AFTER_FREE: u32 = 0;
export const WRITE_AFTER_FREE: u32 = 1;
export const WALK_OF_REUSED_FRAME: u32 = 2;
export const FORGED_TRANSLATION: u32 = 3;
export const STALE_RIGHTS: u32 = 4;
export const STALE_TRANSLATION: u32 = 5;
export const HAZARD_KINDS: u32 = 6;

// ---- a record ----
export const RECORD_OPERATION: usize = 0;
export const RECORD_TIME: usize = RECORD_OPERATION + 8;
export const RECORD_ADDRESS: usize = RECORD_TIME + 8;
export const RECORD_FRAME: usize = RECORD_ADDRESS + 8;
export const RECORD_FREED_AT: usize = RECORD_FRAME + 8;
export const RECORD_GENERATION_THEN: usize = RECORD_FREED_AT + 8;
export const RECORD_GENERATION_NOW: usize = RECORD_GENERATION_THEN + 4;
export const RECORD_TAG: usize = RECORD_GENERATION_NOW + 4;
export const RECORD_AGENT: usize = RECORD_TAG + 4;
export const RECORD_KINDS: usize = RECORD_AGENT + 2;
export const RECORD_ACCESS: usize = RECORD_KINDS + 1;
export const RECORD_LEVEL: usize = RECORD_ACCESS + 1;
export const RECORD_STATE: usize = RECORD_LEVEL + 1;
export const RECORD_SITE: usize = RECORD_STATE + 1;
export const RECORD_END: usize = RECORD_SITE + 1;
export const RECORD_SIZE: usize = 64;

if (RECORD_SIZE < RECORD_END || RECORD_SIZE % 8 != 0) ERROR("RECORD_SIZE does not hold a record, or not at multiples of 8");
if (RECORD_GENERATION_THEN % 8 != 0 || RECORD_GENERATION_NOW != RECORD_GENERATION_THEN + 4)
  ERROR("both generations of a record are one 64-bit word");
if (HAZARD_KINDS > 8 * <u32>(RECORD_ACCESS - RECORD_KINDS)) ERROR("a record has too few bits for the kinds of a hazard");

/** Records written in all, and how many of them the host has cleared: numbers never come twice. */
export const RECORDED: usize = memory.data(sizeof<u64>(), sizeof<u64>());
export const CLEARED: usize = memory.data(sizeof<u64>(), sizeof<u64>());

// ---- set up once ----
export let detecting: bool = false;
let ring: usize = 0;
let ringSize: u32 = 0;
/** Counts by kind and site; the last column is for no site. */
let counts: usize = 0;
let columns: u32 = 0;

/** Room for the latest `records` records, and for counts of `sites` sites; false if memory is out. */
export function createHazards(records: u32, sites: u32): bool {
  ringSize = records;
  ring = allocate(<usize>records * RECORD_SIZE);
  columns = sites + 1;
  counts = allocate(countsSize());
  return ring != 0 && counts != 0;
}

// @ts-ignore: decorator
@inline
function countsSize(): usize {
  return <usize>(HAZARD_KINDS * columns) << 3;
}

/** Place of a count; a site that is none is the last column. */
function placeOf(kind: u32, site: u32): usize {
  assert(kind < HAZARD_KINDS && columns != 0, "hazards of this kind are not counted");
  return <usize>(kind * columns + min<u32>(site, columns - 1)) << 3;
}

export function detectHazards(on: bool): void {
  detecting = on;
}

/** Forgets records and counts. */
export function clearHazards(): void {
  memory.fill(counts, 0, countsSize());
  store<u64>(CLEARED, load<u64>(RECORDED));
}

/** How often a kind of hazard was met, by the site that freed the frame; one past the last site: by none. */
export function hazardCount(kind: u32, site: u32): u64 {
  return load<u64>(counts + placeOf(kind, site));
}

/** Records written since the start (or the last clear); the ring holds the latest of them. */
export function hazardsRecorded(): u64 {
  return load<u64>(RECORDED) - load<u64>(CLEARED);
}

/** Address of the record with this number, counted from 0; only the latest are there. */
export function hazardRecord(number: u64): usize {
  assert(ringSize != 0 && number < hazardsRecorded(), "there is no such record");
  return placeInRing(load<u64>(CLEARED) + number);
}

// @ts-ignore: decorator
@inline
function placeInRing(number: u64): usize {
  return ring + <usize>(number % <u64>ringSize) * RECORD_SIZE;
}

// ---- scratch: nothing survives a call ----
// What the current walk has met.
/** Slot of the first bad table that the current walk read from; 0 = none. */
export let badSlot: u32 = 0;
let badLevel: u32 = 0;
let generationThen: u32 = 0;
let kinds: u32 = 0;

// @ts-ignore: decorator
@inline
export function beginWalk(): void {
  badSlot = 0;
}

/** The walk reads from a bad table. `generation`: that of the pointer which led here. */
export function meet(slot: u32, level: u32, generation: u32): void {
  assert(slot != 0 && badSlot == 0, "a walk is in one bad table first");
  badSlot = slot;
  badLevel = level;
  generationThen = generation;
  kinds = 1 << (stateOf(slot) == FREE ? WALK_AFTER_FREE : WALK_OF_REUSED_FRAME);
}

/** The walk writes A or D to a bad table or behind one. */
export function meetWrite(): void {
  assert(badSlot != 0, "the walk has met no bad table");
  kinds |= 1 << WRITE_AFTER_FREE;
}

/** Records the walk that has ended. */
export function reportWalk(agent: usize, tag: u32, va: u64, access: u32, outcome: u64): void {
  assert(badSlot != 0 && kinds != 0, "the walk has met no bad table");
  if (!isFault(outcome)) kinds |= 1 << FORGED_TRANSLATION;
  const site = siteOf(badSlot);
  const at = record(agent, tag, va, access, kinds, badLevel, site);
  if (at == 0) return;
  store<u64>(at, frameOf(badSlot), RECORD_FRAME);
  store<u64>(at, freedAt(badSlot), RECORD_FREED_AT);
  store<u32>(at, generationThen, RECORD_GENERATION_THEN);
  store<u32>(at, generationOf(badSlot), RECORD_GENERATION_NOW);
  store<u8>(at, stateOf(badSlot), RECORD_STATE);
}

/**
 * Records that a walk under way has met a bad table, by reading an entry from it or by writing A or D to one read before. What
 * more comes of the walk is added by `worsen`. Number of the record, counted from 1.
 */
export function reportStep(agent: usize, tag: u32, va: u64, access: u32, slot: u32, level: u32, generation: u32, byWrite: bool): u64 {
  beginWalk();
  meet(slot, level, generation);
  if (byWrite) kinds = 1 << WRITE_AFTER_FREE;
  reportWalk(agent, tag, va, access, fault(UNDER_WAY, level, 0));
  return load<u64>(RECORDED);
}

/** A walk that has been recorded, under this number, comes to a further kind of harm. */
export function worsen(number: u64, site: u32, kind: u32): void {
  assert(number != 0 && number <= load<u64>(RECORDED), "there is no such record");
  count(counts, placeOf(kind, site));
  if (number <= load<u64>(CLEARED) || number + ringSize <= load<u64>(RECORDED)) return;
  const at = placeInRing(number - 1);
  store<u8>(at, load<u8>(at, RECORD_KINDS) | <u8>(<u32>1 << kind), RECORD_KINDS);
}

/** Records the use of a translation that is out of date, or whose rights are. */
export function reportStaleHit(agent: usize, tag: u32, va: u64, access: u32, leaf: u64, level: u32): void {
  const at = record(agent, tag, va, access, 1 << (leaf & STALE ? STALE_TRANSLATION : STALE_RIGHTS), level, NO_SITE);
  if (at == 0) return;
  store<u64>(at, frameOfLeaf(leaf), RECORD_FRAME);
  store<u64>(at, 0, RECORD_FREED_AT);
  store<u64>(at, 0, RECORD_GENERATION_THEN);
  store<u8>(at, 0, RECORD_STATE);
}

function record(agent: usize, tag: u32, va: u64, access: u32, kindBits: u32, level: u32, site: u32): usize {
  for (let kind: u32 = 0; kind < HAZARD_KINDS; kind++) {
    if (kindBits & (1 << kind)) count(counts, placeOf(kind, site));
  }
  const number = load<u64>(RECORDED);
  store<u64>(RECORDED, number + 1);
  if (ringSize == 0) return 0;
  const at = placeInRing(number);
  store<u64>(at, operationNumber(), RECORD_OPERATION);
  store<u64>(at, time(), RECORD_TIME);
  store<u64>(at, va, RECORD_ADDRESS);
  store<u32>(at, tag, RECORD_TAG);
  store<u16>(at, <u16>load<u32>(agent, AGENT_ID), RECORD_AGENT);
  store<u8>(at, <u8>kindBits, RECORD_KINDS);
  store<u8>(at, <u8>asRecorded(access), RECORD_ACCESS);
  store<u8>(at, <u8>level, RECORD_LEVEL);
  store<u8>(at, <u8>site, RECORD_SITE);
  return at;
}
