// The ABI of the engine as TypeScript sees it; assembly/index.ts is the other side. i64 is bigint, pointers are numbers.

/** A pointer into the engine's linear memory. */
export type Pointer = number;

/** Everything that the engine's module exports. */
export interface EngineExports {
  readonly memory: WebAssembly.Memory;
  readonly CHAIN: WebAssembly.Global<"i32">;
  readonly chainLength: WebAssembly.Global<"i32">;

  arenaBytes(): number;
  allocate(bytes: number): Pointer;
  setPagingMode(levels: number, maxPhyAddr: number, pages1G: boolean): void;

  createFrameStore(frames: number): number;
  claimSlot(frame: bigint): number;
  slotOf(frame: bigint): number;
  contentsOf(slot: number): Pointer;
  frameOf(slot: number): bigint;
  generationOf(slot: number): number;
  stateOf(slot: number): number;
  levelOf(slot: number): number;
  setState(slot: number, state: number, level: number): void;
  clearContents(slot: number): void;
  framesUsed(): number;

  createCache(sets: number, ways: number, levels: number, span: number, replacement: number, tags: number): Pointer;
  cacheCounter(cache: Pointer, which: number): bigint;
  cacheContents(cache: Pointer, out: Pointer, most: number): number;
  setCacheClock(cache: Pointer, clock: number): void;

  createAgent(id: number, flags: number): Pointer;
  addTranslationCache(agent: Pointer, list: number, cache: Pointer): number;
  setPagingStructureCache(agent: Pointer, level: number, cache: Pointer): void;
  agentCounter(agent: Pointer, which: number): bigint;
  createContext(agent: Pointer, tag: number): Pointer;
  contextRoot(context: Pointer): bigint;
  setContextRoot(context: Pointer, frame: bigint): void;
  contextTag(context: Pointer): number;
  setContextTag(context: Pointer, tag: number): void;
  setControls(context: Pointer, controls: number, pkru: number): void;
  addRequester(context: Pointer, deviceTlb: Pointer): number;

  access(requester: number, va: bigint, access: number): bigint;
  accessAll(requester: number, at: Pointer, count: number, access: number): void;
  translate(context: Pointer, va: bigint, access: number): bigint;
  probe(context: Pointer, va: bigint, access: number): bigint;
  explain(context: Pointer, va: bigint, access: number): bigint;

  changeControls(context: Pointer, controls: number, pkru: number): void;
  flushEverything(context: Pointer): void;
  invlpg(context: Pointer, va: bigint): void;
  invlpgRange(context: Pointer, start: bigint, pages: bigint): void;
  invpcid(context: Pointer, type: number, tag: number, va: bigint): void;
  movToCr3(context: Pointer, root: bigint, pcid: number, noFlush: boolean): void;

  bind(context: Pointer, present: boolean, root: bigint, controls: number): void;
  invalidatePasidCache(context: Pointer): void;
  invalidatePasid(agent: Pointer, tag: number): void;
  invalidatePages(agent: Pointer, tag: number, va: bigint, am: number, leavesOnly: boolean): void;
  invalidateAll(agent: Pointer): void;
  invalidateDeviceTlb(deviceTlb: Pointer, tag: number): void;
  invalidateDeviceTlbPages(deviceTlb: Pointer, tag: number, va: bigint, am: number): void;

  readonly programFault: WebAssembly.Global<"i32">;
  checkProgram(program: Pointer, count: number): number;
  play(program: Pointer, count: number, results: Pointer): void;
  createWorkload(most: number): Pointer;
  setActors(first: number, span: number, tags: number, writes: number): void;
  setFlushWeight(kind: number, weight: number): void;
  startWorkload(seed: bigint, kind: number, count: number, stride: number, exponent: number): void;
  generate(program: Pointer, count: number): void;

  mappingsPosition(): bigint;
  mappingsDone(): number;
  listMappings(context: Pointer, from: bigint, out: Pointer, most: number): number;

  setInterleaved(program: Pointer, points: Pointer, count: number): void;
  pointsReached(): number;
  ignorePoints(): void;
  createKernel(poolBase: bigint, pool: number, mms: number, cpus: number, records: number): number;
  setKernelOptions(autoPurge: boolean, detect: boolean): void;
  setPolicy(bits: number, scope: number, deferSites: number): void;
  workWaits(): number;
  kernelCounter(which: number): bigint;
  queueCounter(which: number): bigint;
  freedBySite(site: number): bigint;
  freeFrames(): number;
  freeSlotAt(place: number): number;
  rootOf(mm: number): number;
  lazyPages(): bigint;
  lazyMaxPages(): bigint;
  createKernelWorkload(most: number): number;
  setKernelWeight(kind: number, weight: number): void;
  setKernelActors(cpus: number, mms: number, device: number, count: number): void;
  startKernelWorkload(
    seed: bigint,
    base: bigint,
    areas: number,
    user: bigint,
    pages: number,
    probes: number,
    huge: number,
  ): void;
  generateKernel(program: Pointer, count: number): void;
  executeVtd(context: Pointer, deviceTlb: number, qw0: bigint, qw1: bigint): void;
  executeAmd(context: Pointer, deviceTlb: number, w0: bigint, w1: bigint): void;
  setPasid(context: Pointer, pasid: number): void;

  clearHazards(): void;
  hazardCount(kind: number, site: number): bigint;
  hazardsRecorded(): bigint;
  hazardRecord(number: number): Pointer;
  operationNumber(): bigint;
  setOperationNumber(number: bigint): void;
}
