// The ABI of the engine: this list is the contract. Pointers are addresses in linear memory; a creator that returns 0 or
// false has run out of memory. Everything is created before the first operation; after that memory does not grow.

// ---- agents, contexts, requesters ----
export {
  addTranslationCache,
  agentCounter,
  contextRoot,
  contextTag,
  createAgent,
  createContext,
  setContextRoot,
  setContextTag,
  setControls,
  setPagingMode,
  setPagingStructureCache,
} from "./agent";
// ---- caches ----
export { createCache } from "./cache/create";
export { cacheContents, cacheCounter, setCacheClock } from "./cache/inspect";
// ---- invalidation, one at a time ----
export { changeControls, flushEverything, invlpg, invlpgRange, invpcid, moveToCr3 } from "./cpu";
export { CHAIN, chainLength, explain, probe } from "./explain";
// ---- frames ----
export {
  claimSlot,
  clearContents,
  contentsOf,
  createFrameStore,
  frameCapacity,
  frameOf,
  framesUsed,
  generationOf,
  levelOf,
  setState,
  slotOf,
  stateOf,
} from "./frames";
export {
  bind,
  invalidateAll,
  invalidateFront,
  invalidateFrontPages,
  invalidatePages,
  invalidatePasid,
  invalidatePasidCache,
} from "./iommu";
// ---- machine ----
export { allocate, arenaBytes } from "./layout";
export { ignorePoints, pointsReached, setInterleaved } from "./points";

// ---- kernel ----
export { createKernel, setKernelOptions } from "./kernel/operations";
export { setPolicy, workWaits } from "./kernel/policy";
export { freedBySite, kernelCounter } from "./kernel/counters";
export { freeFrames, freeSlotAt } from "./kernel/pool";
export { rootOf, secondRootOf } from "./kernel/spaces";
export { mmGeneration } from "./kernel/flush";
export { lazyMaxPages, lazyPages } from "./kernel/vmalloc";

export { createKernelWorkload, generateKernel, setKernelActors, setKernelWeight, startKernelWorkload } from "./kernel/workload";

// ---- queues ----
export { executeAmd, executeVtd, setPasid } from "./queue/submit";

// ---- hazards ----
export { clearHazards, hazardCount, hazardRecord, hazardsRecorded } from "./hazard";
export { operationNumber, setOperationNumber } from "./clock";
export { freedAt, marksOf, siteOf } from "./frames";

// ---- listing ----
export { listMappings, mappingsDone, startMappings } from "./mappings";
// ---- many at once ----
export { play, writeEntry } from "./program";
export { checkProgram, programFault } from "./program-check";
export { access, accessAll, addRequester } from "./requesters";
// ---- one translation ----
export { translate } from "./translate";
export { createWorkload, generate, setActors, setFlushWeight, startWorkload } from "./workload";
