// PASID-table entries and the PASID cache of an IOMMU (docs/rules.md section 7; VT-d 6.2.1, 9.6).

import { count } from "../base/memory";
import { AGENT_INVALIDATIONS, hasFlag, IS_CPU } from "./agent";
import {
  agentOf,
  CONTEXT_BOUND,
  CONTEXT_BOUND_CONTROLS,
  CONTEXT_BOUND_ROOT,
  CONTEXT_CACHED,
  CONTEXT_ROOT,
  setControls,
  tagOf,
} from "./context";
import { drain } from "./step";

/** Writes the PASID-table entry of a context: root frame and controls, or not present. Caches do not notice. */
export function bind(context: usize, present: bool, root: u64, controls: u32): void {
  assert(!hasFlag(agentOf(context), IS_CPU), "a CPU has no PASID-table entry");
  store<u32>(context, present ? 1 : 0, CONTEXT_BOUND);
  store<u64>(context, root, CONTEXT_BOUND_ROOT);
  store<u32>(context, controls, CONTEXT_BOUND_CONTROLS);
}

/** Drops the PASID-cache entry of a context. */
export function invalidatePasidCache(context: usize): void {
  assert(!hasFlag(agentOf(context), IS_CPU), "a CPU has no PASID cache");
  count(agentOf(context), AGENT_INVALIDATIONS);
  drain(agentOf(context), tagOf(context));
  store<u32>(context, 0, CONTEXT_CACHED);
}

/**
 * Takes root and controls of a context that the PASID cache does not hold from its PASID-table entry. False if there is
 * none; a CPU needs none.
 */
export function readPasidEntry(context: usize): bool {
  if (load<u32>(context, CONTEXT_CACHED) || hasFlag(agentOf(context), IS_CPU)) return true;
  if (!load<u32>(context, CONTEXT_BOUND)) return false;
  store<u64>(context, load<u64>(context, CONTEXT_BOUND_ROOT), CONTEXT_ROOT);
  setControls(context, load<u32>(context, CONTEXT_BOUND_CONTROLS), 0);
  return true;
}
