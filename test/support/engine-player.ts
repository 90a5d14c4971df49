// Plays the model's programs on the engine, and dumps the engine's machine in the model's shape, so that the two can be
// compared after every operation.

import type { Cache } from "../../src/hardware/cache.js";
import {
  type Access,
  createMachineSync,
  type MachineConfig as EngineConfig,
  InvalidOptionError,
  type Iommu,
  type Machine,
  ProgramBuilder,
  type WalkOutcome,
} from "../../src/index.js";
import { DescriptorError } from "../../src/queue/index.js";
import type { MachineConfig, MachineDump, Shootdown } from "../model/machine.js";
import type { RamFrames } from "../model/memory.js";
import type { CpuOperation, IommuOperation, Operation } from "../model/operations.js";
import { type MakeMachine, ramEntries } from "./guest-memory.js";

/** What came of an operation, as in the model. */
export type EngineResult = WalkOutcome | { kind: "refused" } | undefined;

const PAGE_SHIFT = 12n;

const physical = (frame: number, index = 0): bigint => (BigInt(frame) << PAGE_SHIFT) + BigInt(index * 8);

/** PASIDs of an IOMMU in the order in which they are first bound: the model's tags. */
function pasidsInOrder(config: MachineConfig, operations: readonly Operation[], iommu: number): number[] {
  const pasids = new Set(config.iommus[iommu]?.pasids.map(({ pasid }) => pasid));
  for (const operation of operations) {
    if (operation.kind === "bind" && operation.iommu === iommu) pasids.add(operation.pasid);
  }
  return [...pasids];
}

/** The machine's option for RAM. */
export function ramOf({ ram }: { ram?: RamFrames | undefined }): Pick<EngineConfig, "ram"> {
  return ram ? { ram: { base: physical(ram.first), bytes: ram.count * 4096 } } : {};
}

function isRam({ ram }: MachineConfig, frame: number): boolean {
  return ram !== undefined && frame >= ram.first && frame < ram.first + ram.count;
}

/** The entries of a frame where they stand: of RAM where its guest has them. Undefined if the machine has none of it. */
export function entriesIn(machine: Machine, config: MachineConfig, frame: number): BigUint64Array | undefined {
  if (!isRam(config, frame)) return machine.frames.view(frame);
  return ramEntries(machine, frame, config.ram!.first);
}

/** A store: of RAM as a guest makes it. */
function writeEntry(machine: Machine, config: MachineConfig, frame: number, index: number, entry: bigint): void {
  if (isRam(config, frame)) entriesIn(machine, config, frame)![index] = entry;
  else machine.frames.writeEntry(physical(frame, index), entry);
}

/** The engine's machine for a configuration of the model, with the PASIDs that the program will bind. */
export function engineMachine(
  config: MachineConfig,
  operations: readonly Operation[],
  module?: WebAssembly.Module,
  make: MakeMachine = createMachineSync,
): Machine {
  const options: EngineConfig = {
    ...(module && { module }),
    levels: config.levels,
    maxPhyAddr: config.maxPhyAddr,
    pages1G: config.pages1G,
    // Room for a frame that is added.
    tables: config.frames.length + 1,
    ...ramOf(config),
    workloadPages: 1,
    cpus: config.cpus.map((cpu) => ({ ...cpu, root: physical(cpu.root) })),
    iommus: config.iommus.map(({ sourceIds: _, deviceOptions, ...iommu }, i) => ({
      ...iommu,
      pasids: pasidsInOrder(config, operations, i),
      devices: iommu.devices.map((deviceTlb, device) => ({
        ...(deviceTlb?.enabled && { deviceTlb, ...deviceOptions?.[device] }),
        sourceId: config.iommus[i]?.sourceIds?.[device] ?? device,
      })),
    })),
  };
  const machine = make(options, config.meddler);
  for (const { frame, state, entries } of config.frames) {
    // A guest does not declare its tables.
    if (!isRam(config, frame)) machine.frames.set(frame, state);
    for (const [index, entry] of entries) writeEntry(machine, config, frame, index, entry);
  }
  for (const [i, { pasids }] of config.iommus.entries()) {
    for (const { pasid, root, fields, domain = 1 } of pasids) {
      machine.iommus[i]?.bind(pasid, { root: physical(root), domain, ...fields });
    }
  }
  return machine;
}

function shootdownOn(machine: Machine, cpu: number, operation: Shootdown): void {
  const target = machine.cpus[cpu]!;
  if (operation.kind === "invlpg") target.invlpg(operation.address);
  else if (operation.kind === "invpcid") target.invpcid(operation.type, operation.pcid, operation.address);
  else if (operation.kind === "flush-range") target.flushRange(operation.start, operation.end);
  else {
    const { start, pages } = operation;
    machine.play(new ProgramBuilder().invlpgRangeOrAll(target.requester, start, pages).build());
  }
}

function stepCpu(machine: Machine, operation: CpuOperation): WalkOutcome | undefined {
  const cpu = machine.cpus[operation.cpu]!;
  switch (operation.kind) {
    case "access":
      return cpu.translate(operation.address, operation.access as Access);
    case "begin":
      return machine.walks.begin(operation.walk, cpu.requester, operation.address, operation.access as Access);
    case "probe":
      return cpu.probe(operation.address, operation.access as Access);
    case "mov-cr3":
      cpu.movToCr3(physical(operation.root), operation.pcid, operation.noFlush);
      return undefined;
    case "controls":
      cpu.setControls(operation.controls);
      return undefined;
    default:
      shootdownOn(machine, operation.cpu, operation);
      return undefined;
  }
}

/** Whether hardware refuses a descriptor. */
function submitted(iommu: Iommu, words: [bigint, bigint], device: number | undefined): EngineResult {
  try {
    iommu.submit(words, device);
    return undefined;
  } catch (error) {
    if (error instanceof DescriptorError) return { kind: "refused" };
    throw error;
  }
}

function stepIommu(machine: Machine, operation: IommuOperation): EngineResult {
  const iommu = machine.iommus[operation.iommu]!;
  switch (operation.kind) {
    case "request":
      return iommu.request(operation.pasid, operation.address, operation.access as Access, operation.device);
    case "begin": {
      const { walk, pasid, address, access, device } = operation;
      return machine.walks.begin(walk, iommu.requester(pasid, device), address, access as Access);
    }
    case "request-probe":
      return iommu.probe(operation.pasid, operation.address, operation.access as Access);
    case "bind":
      iommu.bind(operation.pasid, {
        root: physical(operation.root),
        ...operation.fields,
        domain: operation.domain,
      });
      return undefined;
    case "invalidate-pasid-cache":
      iommu.invalidatePasidCache(operation.pasid);
      return undefined;
    case "invalidate-pasid":
      iommu.invalidatePasid(operation.pasid);
      return undefined;
    case "invalidate-pages":
      iommu.invalidatePages(operation.pasid, operation.address, operation.am, operation.ih);
      return undefined;
    case "invalidate-all":
      iommu.invalidateAll();
      return undefined;
    case "invalidate-device-pasid":
      iommu.invalidateDeviceTlb(operation.device, operation.pasid);
      return undefined;
    case "invalidate-device-pages":
      iommu.invalidateDeviceTlb(operation.device, operation.pasid, { va: operation.address, am: operation.am });
      return undefined;
    case "submit":
      return submitted(iommu, operation.words as [bigint, bigint], operation.device);
  }
}

/** Whether a frame may be deleted. */
function deleted(machine: Machine, frame: number): EngineResult {
  try {
    machine.frames.delete(frame);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidOptionError) return { kind: "refused" };
    throw error;
  }
}

/** Runs one operation on the engine. */
export function stepEngine(machine: Machine, config: MachineConfig, operation: Operation): EngineResult {
  if ("cpu" in operation) return stepCpu(machine, operation);
  if ("iommu" in operation) return stepIommu(machine, operation);
  if (operation.kind === "step") return machine.walks.step(operation.walk);
  if (operation.kind === "finish") return machine.walks.finish(operation.walk);
  if (operation.kind === "delete-frame") return deleted(machine, operation.frame);
  if (operation.kind === "add-frame") {
    if (!machine.frames.has(operation.frame)) machine.frames.setTable(operation.frame);
  } else if (operation.kind === "write-entry") {
    const { frame, index, entry } = operation;
    if (!machine.frames.has(frame)) return { kind: "refused" };
    writeEntry(machine, config, frame, index, entry);
  } else {
    for (const cpu of machine.cpus.keys()) {
      if ((operation.mask >>> cpu) & 1) shootdownOn(machine, cpu, operation.operation);
    }
  }
  return undefined;
}

function dumpCache(cache: Cache): MachineDump["cpus"][number]["l1"][number] {
  return { ways: cache.contents(), counters: cache.counters };
}

/** Caches of a list as the model dumps them: a disabled cache is there, empty. */
function dumpList(
  caches: readonly Cache[],
  configured: readonly { enabled: boolean }[],
): ReturnType<typeof dumpCache>[] {
  const enabled = caches.values();
  return configured.map(({ enabled: on }) => (on ? dumpCache(enabled.next().value!) : EMPTY));
}

const EMPTY = { ways: [], counters: { lookups: 0, hits: 0, fills: 0, evictions: 0, invalidated: 0 } };

/** Everything that can be seen of the engine's machine, in the model's shape. */
export function dumpEngine(machine: Machine, config: MachineConfig): MachineDump {
  const psc = (caches: ReadonlyMap<number, Cache>, configured: MachineConfig["cpus"][number]["psc"]) =>
    Object.fromEntries(
      Object.entries(configured)
        .filter(([level]) => Number(level) <= config.levels)
        .map(([level, { enabled }]) => [level, enabled ? dumpCache(caches.get(Number(level))!) : EMPTY]),
    );
  return {
    cpus: machine.cpus.map((cpu, i) => {
      const { invalidations, ...counters } = cpu.counters;
      const { l1, l2, psc: structures } = config.cpus[i]!;
      return {
        counters,
        l1: dumpList(cpu.l1, l1),
        l2: dumpList(cpu.l2, l2),
        psc: psc(cpu.psc, structures),
        invalidations,
      };
    }),
    iommus: machine.iommus.map((iommu, i) => {
      const { invalidations, ...counters } = iommu.counters;
      const { l1, l2, psc: structures, devices } = config.iommus[i]!;
      return {
        counters,
        l1: dumpList(iommu.l1, l1),
        l2: dumpList(iommu.l2, l2),
        psc: psc(iommu.psc, structures),
        pageRequests: iommu.pageRequests,
        invalidations,
        devices: iommu.devices.map(({ tlb }, device) => (tlb ? dumpCache(tlb) : devices[device] ? EMPTY : undefined)),
      };
    }),
    walks: machine.walks.underWay().map((walk) => {
      if (!walk) return undefined;
      const { address, level, frame, next } = walk;
      return { address, pause: { level: level as 1, frame, what: next } };
    }),
  };
}

/** A slot of a table. */
export type Place = readonly [frame: number, index: number];

/** Slots that a program has written or may have walked: those that are not zero at the start, and those it writes. */
export function placesOf({ config, operations }: { config: MachineConfig; operations: readonly Operation[] }): Place[] {
  const places: Place[] = config.frames.flatMap(({ frame, entries }) =>
    entries.map(([index]): Place => [frame, index]),
  );
  for (const operation of operations) {
    if (operation.kind === "write-entry") places.push([operation.frame, operation.index]);
  }
  return places;
}

/** Every slot of every frame. */
export function everyPlace(config: MachineConfig): Place[] {
  return config.frames.flatMap(({ frame }) => Array.from({ length: 512 }, (_, index): Place => [frame, index]));
}

/** The entries at some places. */
export function tablesOf(
  places: readonly Place[],
  entry: (frame: number, index: number) => bigint | undefined,
): (bigint | undefined)[] {
  return places.map(([frame, index]) => entry(frame, index));
}
