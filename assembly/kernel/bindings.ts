// Which mm the kernel has bound a PASID to (iommu_sva_bind_device), and whom a notifier of an mm must tell.

import { allocate } from "../base/memory";
import { CONTEXT_BOUND, CONTEXT_NEXT, CONTEXT_REQUESTER } from "../hardware/context";
import { firstOfAll } from "../hardware/pasid";
import { requesterCount } from "../hardware/requesters";

// ---- set up once ----
/** By requester: number of the mm + 1, 0 = none; and how often it was bound. Where the array stands; what it holds is state. */
let mms: usize = 0;
const USERS: usize = 4;

/** Room for every requester there is; false if memory is out. */
export function createBindings(): bool {
  mms = allocate(<usize>requesterCount << 3);
  return mms != 0;
}

// @ts-ignore: decorator
@inline
function placeOf(context: usize): usize {
  assert(mms != 0 && load<u32>(context, CONTEXT_REQUESTER) < requesterCount, "there is no such requester");
  return mms + (<usize>load<u32>(context, CONTEXT_REQUESTER) << 3);
}

/** Notes that a PASID is bound to an mm; the PASID-table entry is the caller's business. */
export function noteBinding(context: usize, mm: u32): void {
  assert(load<u32>(context, CONTEXT_BOUND) == 1, "the PASID-table entry is not present");
  store<u32>(placeOf(context), mm + 1);
  store<u32>(placeOf(context), 1, USERS);
}

/** One more or one less that has bound it; how many there are then. */
export function countUsers(context: usize, change: i32): u32 {
  assert(isKept(context) && <i32>load<u32>(placeOf(context), USERS) + change >= 0, "nobody has bound this PASID");
  const users = load<u32>(placeOf(context), USERS) + change;
  store<u32>(placeOf(context), users, USERS);
  return users;
}

/** Whether somebody has bound a PASID and not let go of it. */
// @ts-ignore: decorator
@inline
export function isKept(context: usize): bool {
  return load<u32>(placeOf(context)) != 0;
}

export function forgetBinding(context: usize): void {
  store<u32>(placeOf(context), 0);
}

/** The first bound PASID, of any IOMMU; 0 if there is none. */
export function firstBound(): usize {
  return boundFrom(firstOfAll());
}

/** The next one, in order of IOMMU and PASID index. */
export function nextBound(context: usize): usize {
  return boundFrom(load<usize>(context, CONTEXT_NEXT));
}

// @ts-ignore: decorator
@inline
function boundFrom(first: usize): usize {
  let context = first;
  while (context != 0 && !load<u32>(context, CONTEXT_BOUND)) context = load<usize>(context, CONTEXT_NEXT);
  return context;
}

/** Whether a bound PASID has the tables of this mm. */
// @ts-ignore: decorator
@inline
export function isBoundTo(context: usize, mm: u32): bool {
  return load<u32>(placeOf(context)) == mm + 1;
}

