// The ABI of the engine: this list is the contract. Pointers are addresses in linear memory; a creator that returns 0 or
// false has run out of memory. Everything is created before the first operation; after that memory does not grow.

// ---- machine ----
export { arenaBytes } from "./layout";
export { setPagingMode } from "./agent";
export { allocate } from "./layout";

// ---- frames ----
export { claimSlot, createFrameStore, frameCapacity, framesUsed, slotOf } from "./frames";
export { clearContents, contentsOf, frameOf, generationOf, levelOf, setState, stateOf } from "./frames";

// ---- caches ----
export { createCache } from "./cache/create";
export { cacheContents, cacheCounter, setCacheClock } from "./cache/inspect";

// ---- agents, contexts, requesters ----
export { addTranslationCache, createAgent, createContext, setControls, setPagingStructureCache } from "./agent";
export { agentCounter, contextRoot, contextTag, setContextRoot, setContextTag } from "./agent";
export { access, addRequester } from "./requesters";

// ---- one translation ----
export { translate } from "./translate";
export { CHAIN, chainLength, explain, probe } from "./explain";

// ---- invalidation, one at a time ----
export { changeControls, flushEverything, invlpg, invlpgRange, invpcid, moveToCr3 } from "./cpu";
export {
  bind,
  invalidateAll,
  invalidateFront,
  invalidateFrontPages,
  invalidatePages,
  invalidatePasid,
  invalidatePasidCache,
} from "./iommu";

// ---- many at once ----
export { play, writeEntry } from "./program";
export { checkProgram, programFault } from "./program-check";
export { createWorkload, generate, setActors, setFlushWeight, startWorkload } from "./workload";

// ---- listing ----
export { listMappings, mappingsDone, startMappings } from "./mappings";
