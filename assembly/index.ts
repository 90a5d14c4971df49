// The ABI of the engine: this list is the contract. Pointers are addresses in linear memory; a creator that returns 0 or
// false has run out of memory. Everything is created before the first operation; after that memory does not grow.
//
// Reading order of the folders, each of which uses only those before it:
//   base/      memory, clock, points, records of programs
//   paging/    entries and tables: the format behind its seam, the frame store, the descent
//   cache/     one set-associative cache for every purpose
//   hardware/  CPUs, IOMMUs, devices: walker, translation, invalidation, queues, hazards
//   kernel/    what Linux does to tables, and the policy in force
//   program/   programs checked and played; workloads

// ---- machine ----
export { allocate, arenaBytes } from "./base/memory";
export { latestSparse } from "./base/sparse";
export { setPagingMode } from "./paging/mode";

// ---- frames ----
export { createFrameStore } from "./paging/contents";
export { claimFrames, claimSlot, deleteFrame, framesUsed } from "./paging/frames";
export { slotOf } from "./paging/slots";
export { forgetTouched, nextTouched, touch } from "./paging/frames";
export { clearContents, contentsOf } from "./paging/contents";
export { frameOf, generationOf, levelOf, metaOf, setState, standingOf, stateOf } from "./paging/frames";

// ---- caches ----
export { createCache } from "./cache/create";
export { createGroup } from "./cache/group";
export { cacheContents, cacheCounter, setCacheClock } from "./cache/inspect";

// ---- agents, contexts, requesters ----
export { addTranslationCache, agentCounter, createAgent, leavesOf, pageRequests, pathsOf, setPagingStructureCache } from "./hardware/agent";
export { contextRoot, contextTag, createContext, setContextRoot, setContextTag, setControls } from "./hardware/context";
export { createPasidContext, domainAt } from "./hardware/context";
export { usualFields } from "./hardware/pasid-entry";
export { accessAll } from "./hardware/lane";
export { access, addRequester, createRequesters, setDevice } from "./hardware/requesters";
export { physical } from "./hardware/physical";

// ---- one translation ----
export { translate } from "./hardware/translate";
export { CHAIN, chainLength, explain, probe } from "./hardware/explain";

// ---- walks step by step ----
export { beginWalk } from "./hardware/requesters";
export { finishWalk, stepWalk } from "./hardware/step";
export { walkAt } from "./hardware/walks";

// ---- every leaf of a root ----
export { listMappings, mappingsDone, mappingsPosition } from "./hardware/mappings";

// ---- invalidation, one at a time ----
export { changeControls, flushEverything, invlpg, invlpgRange, invpcid, movToCr3 } from "./hardware/cpu";
export { bind, invalidatePasidCache } from "./hardware/pasid";
export { invalidateAll, invalidateDeviceTlb, invalidatePages } from "./hardware/iommu";
export { executeAmd, executeVtd } from "./hardware/queue/execute";
export { queueCounter } from "./hardware/queue/counters";

// ---- programs ----
export { checkProgram, programFault } from "./program/check";
export { play, setInterleaved } from "./program/play";
export { ignorePoints, pointsReached, recordPoints } from "./base/points";
export { operationNumber, setOperationNumber } from "./base/clock";
export { createWorkload, generate, setActors, setFlushWeight, startWorkload } from "./program/workload";

// ---- kernel ----
export { createKernel, setKernelOptions } from "./kernel/operations";
export { createUnlinked } from "./kernel/unlinked";
export { setPolicy, workWaits } from "./kernel/policy";
export { setKernelTraits } from "./kernel/traits";
export { freedBySite, kernelCounter } from "./kernel/counters";
export { freeFrames, freeSlotAt } from "./kernel/pool";
export { rootOf, spacesOf } from "./kernel/spaces";
export { lazyMaxPages, lazyPages } from "./kernel/vmalloc";
export { createKernelWorkload, generateKernel, setKernelActors } from "./program/kernel-workload";
export { setKernelPattern, setKernelWeight, startKernelWorkload } from "./program/kernel-workload";

// ---- what no state is told by ----
export { TALLIES } from "./program/tallies";

// ---- hazards ----
export { clearHazards, hazardCount, hazardRecord, hazardsRecorded } from "./hardware/hazard";
