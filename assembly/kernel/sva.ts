// Binding address spaces to PASIDs (iommu_sva_bind_device), and an attacker who takes freed frames.

import { allocate } from "../base/memory";
import { FILL, FORGE_USER_LEAF } from "../base/operations";
import { NOT_BOUND, NOTHING_TAKEN, PASID_TAKEN, refuse, refusedResult, resultOf, SHARING_OFF } from "../base/refusals";
import { CONTEXT_NEXT, DEFAULT_DOMAIN, entryOf } from "../hardware/context";
import { bind, firstOfAll } from "../hardware/pasid";
import { usualFields } from "../hardware/pasid-entry";
import { contextOf, isCpu } from "../hardware/requesters";
import { clearContents, entriesOf, setEntry } from "../paging/contents";
import { leafEntry, PAGE_FORGED } from "../paging/format";
import { frameOf } from "../paging/frames";
import { TABLE_BYTES } from "../paging/tables";
import { countUsers, firstBound, forgetBinding, isBoundTo, isKept, nextBound, noteBinding } from "./bindings";
import { forgetPasid } from "./driver";
import { has, NO_SHARED_TABLES, USER_ONLY_ROOT } from "./policy";
import { allocateData, returnData } from "./pool";
import { needMm, needSecondRoot, rootOf } from "./spaces";

/** A PASID is one mm's: who binds it again has a share in the binding, another mm is refused (-EBUSY). */
export function svaBind(requester: u32, mm: u32): bool {
  assert(!isCpu(requester), "a CPU has no PASID");
  if (!needMm(mm)) return false;
  if (has(NO_SHARED_TABLES)) return refuse(SHARING_OFF);
  const context = entryOf(contextOf(requester));
  if (isKept(context)) {
    if (!isBoundTo(context, mm)) return refuse(PASID_TAKEN);
    countUsers(context, 1);
    return true;
  }
  const root = has(USER_ONLY_ROOT) ? needSecondRoot(mm) : rootOf(mm);
  if (root == 0) return false;
  const bound = bind(context, true, frameOf(root), usualFields(), DEFAULT_DOMAIN);
  assert(bound, "there is always room for the domain of SVA");
  noteBinding(context, mm);
  forgetPasid(context);
  return true;
}

/** The last one who lets go clears the entry of the PASID. */
export function svaUnbind(requester: u32): bool {
  assert(!isCpu(requester), "a CPU has no PASID");
  const context = entryOf(contextOf(requester));
  if (!isKept(context)) return refuse(NOT_BOUND);
  if (countUsers(context, -1) != 0) return true;
  forgetBinding(context);
  tearDown(context);
  return true;
}

/** The entry of a PASID is cleared, and what was cached of it invalidated (intel_pasid_tear_down_entry). */
function tearDown(context: usize): void {
  bind(context, false, 0, 0, 0);
  forgetPasid(context);
}

/** Clears the entries of all PASIDs of an mm: what the mmu notifier does at the mm's end (intel_mm_release). */
export function tearDownMm(mm: u32): void {
  for (let context = firstBound(); context != 0; context = nextBound(context)) {
    if (isBoundTo(context, mm)) tearDown(context);
  }
}

/** Whoever has bound an mm lets go of it, as files are closed. */
export function dropBindings(mm: u32): void {
  for (let context = firstOfAll(); context != 0; context = load<usize>(context, CONTEXT_NEXT)) {
    if (isKept(context) && isBoundTo(context, mm)) forgetBinding(context);
  }
}

// ---- frames taken and not given back, oldest first: a ring of slots ----
const FIRST_TAKEN: usize = memory.data(sizeof<u32>(), sizeof<u32>());
const NEXT_TAKEN: usize = memory.data(sizeof<u32>(), sizeof<u32>());

// ---- set up once ----
let taken: usize = 0;
let takenSize: u32 = 0;

export function createTakenList(most: u32): bool {
  taken = allocate(<usize>most << 2);
  takenSize = most;
  return taken != 0;
}

/** Gives the frame back that was taken longest ago; the result is its frame number. */
export function giveBack(): u64 {
  assert(load<u32>(NEXT_TAKEN) - load<u32>(FIRST_TAKEN) <= takenSize, "more frames are taken than there are");
  const first = load<u32>(FIRST_TAKEN);
  if (first == load<u32>(NEXT_TAKEN)) return resultOf(refuse(NOTHING_TAKEN));
  const slot = load<u32>(taken + (<usize>(first % takenSize) << 2));
  store<u32>(FIRST_TAKEN, first + 1);
  returnData(slot);
  return frameOf(slot);
}

/** Takes the frame freed last for data of one's choice; the result is its frame number. */
export function reuse(type: u32, word: u64): u64 {
  const slot = allocateData();
  if (slot == 0) return refusedResult();
  const entry = type == FORGE_USER_LEAF ? leafEntry(word, 1, PAGE_FORGED) : type == FILL ? word : 0;
  if (entry == 0) clearContents(slot);
  else {
    const first = entriesOf(slot);
    for (let at = first; at < first + TABLE_BYTES; at += 8) setEntry(at, entry);
  }
  const last = load<u32>(NEXT_TAKEN);
  assert(last - load<u32>(FIRST_TAKEN) < takenSize, "the ring of taken frames is full");
  store<u32>(taken + (<usize>(last % takenSize) << 2), slot);
  store<u32>(NEXT_TAKEN, last + 1);
  return frameOf(slot);
}
