// The ABI of the engine: this list is the contract. Pointers are addresses in linear memory; a creator that returns 0 or
// false has run out of memory. Everything is created before the first operation; after that memory does not grow.

// ---- machine ----
export { allocate, arenaBytes } from "./layout";
export { setPagingMode } from "./agent";

// ---- frames ----
export { claimSlot, createFrameStore, framesUsed, slotOf } from "./frames";
export { clearContents, contentsOf, frameOf, generationOf, levelOf, setState, stateOf } from "./frames";

// ---- caches ----
export { createCache } from "./cache/create";
export { cacheContents, cacheCounter, setCacheClock } from "./cache/inspect";

// ---- agents, contexts, requesters ----
export { addTranslationCache, agentCounter, createAgent, setPagingStructureCache } from "./agent";
export { contextRoot, contextTag, createContext, setContextRoot, setContextTag, setControls } from "./agent";
export { access, accessAll, addRequester } from "./requesters";
export { setPasid } from "./queue/submit";

// ---- one translation ----
export { translate } from "./translate";
export { CHAIN, chainLength, explain, probe } from "./explain";

// ---- every leaf of a root ----
export { listMappings, mappingsDone, startMappings } from "./mappings";

// ---- invalidation, one at a time ----
export { changeControls, flushEverything, invlpg, invlpgRange, invpcid, moveToCr3 } from "./cpu";
export { bind, invalidatePasidCache } from "./iommu";
export { invalidateAll, invalidateFront, invalidateFrontPages, invalidatePages, invalidatePasid } from "./iommu";
export { executeAmd, executeVtd } from "./queue/submit";

// ---- programs ----
export { checkProgram, programFault } from "./program-check";
export { play } from "./program";
export { ignorePoints, pointsReached, setInterleaved } from "./points";
export { operationNumber, setOperationNumber } from "./clock";
export { createWorkload, generate, setActors, setFlushWeight, startWorkload } from "./workload";

// ---- kernel ----
export { createKernel, setKernelOptions } from "./kernel/operations";
export { setPolicy, workWaits } from "./kernel/policy";
export { freedBySite, kernelCounter } from "./kernel/counters";
export { freeFrames, freeSlotAt } from "./kernel/pool";
export { rootOf } from "./kernel/spaces";
export { lazyMaxPages, lazyPages } from "./kernel/vmalloc";
export { createKernelWorkload, generateKernel, setKernelActors } from "./kernel/workload";
export { setKernelWeight, startKernelWorkload } from "./kernel/workload";

// ---- hazards ----
export { clearHazards, hazardCount, hazardRecord, hazardsRecorded } from "./hazard";
