// Plays the model's kernel programs on the engine, operation by operation, and dumps the engine in the model's shape.

import {
  createMachineSync,
  type Machine,
  ProgramBuilder,
  refusalOf,
  type Site,
  sites,
  unpackOutcome,
  unpackWalk,
} from "../../src/index.js";
import type { Policy } from "../../src/kernel/policies.js";
import type { Access } from "../../src/paging/access.js";
import { operationBytes } from "../../src/program/operations.js";
import type { KernelConfig, KernelDump } from "../model/kernel/kernel.js";
import type { KernelOperation, KernelProgram, KernelResult } from "../model/kernel/operations.js";
import type { MachineConfig } from "../model/machine.js";
import { comparableOutcome } from "./agreement.js";
import { dumpEngine, ramOf } from "./engine-player.js";
import { type MakeMachine, takeBack } from "./guest-memory.js";

const KINDS = [
  "walk-after-free",
  "write-after-free",
  "walk-of-reused-frame",
  "forged-translation",
  "stale-rights",
  "stale-translation",
];
const MMS = 8;

function policyOf(policy: KernelConfig["policy"]): Policy {
  return {
    name: "random",
    hooks: { kernelRange: policy.hookKernelRange, flushAll: policy.hookFlushAll },
    onlyTableFrees: policy.onlyTableFrees,
    scope: policy.scope,
    timing: policy.async ? "work" : "synchronous",
    free: policy.deferFree ? "deferred" : "immediate",
    worker: policy.invalidateFirst ? "invalidates-first" : "takes-list-first",
    deferUnmarkedOf: policy.deferSites.map((site) => sites[site]!),
    root: policy.root,
    notifyUser: policy.notifyUser,
  };
}

/** The engine's machine for a kernel configuration of the model. */
export function kernelMachine(config: KernelConfig, module?: WebAssembly.Module, make?: MakeMachine): Machine {
  return (make ?? createMachineSync)({
    ...(module && { module }),
    levels: config.levels,
    maxPhyAddr: config.maxPhyAddr,
    pages1G: config.pages1G,
    tables: config.pool,
    ...ramOf(config),
    workloadPages: 1,
    cpus: config.cpus,
    iommus: config.iommus.map(({ deviceOptions, ...iommu }) => ({
      ...iommu,
      devices: iommu.devices.map((deviceTlb, device) =>
        deviceTlb ? { deviceTlb, ...(deviceTlb.enabled && deviceOptions?.[device]) } : {},
      ),
    })),
    kernel: {
      version: config.version,
      ...(config.pti !== undefined && { pti: config.pti }),
      ...(config.invlpgb !== undefined && { invlpgb: config.invlpgb }),
      poolBase: config.poolBase,
      pool: config.pool,
      mms: MMS,
      policy: policyOf(config.policy),
      autoPurge: config.autoPurge,
      detectHazards: config.detect,
      hazardRecords: config.ring,
    },
  });
}

/** Operations without a result. */
const BY_HAND: ReadonlySet<KernelOperation["kind"]> = new Set([
  ...(["invlpg", "invlpg-range", "invpcid", "cpu-flush-all", "iommu-pasid", "iommu-pages", "iommu-all"] as const),
]);

/** One operation as the engine's records. */
function encode(machine: Machine, operation: KernelOperation, program: ProgramBuilder): ProgramBuilder {
  const requester = (iommu: number, pasid: number, device?: number) => machine.iommus[iommu]!.requester(pasid, device);
  switch (operation.kind) {
    case "access":
      return program.access(operation.cpu, operation.address, operation.access as Access);
    case "request":
      return program.access(
        requester(operation.iommu, operation.pasid, operation.device),
        operation.address,
        operation.access as Access,
      );
    case "begin-access":
      return program.beginWalk(operation.walk, operation.cpu, operation.address, operation.access as Access);
    case "begin-request": {
      const { walk, iommu, pasid, device, address, access } = operation;
      return program.beginWalk(walk, requester(iommu, pasid, device), address, access as Access);
    }
    case "step":
      return program.stepWalk(operation.walk);
    case "finish":
      return program.finishWalk(operation.walk);
    case "probe":
    case "request-probe":
    case "set-pcide":
      throw new Error(`${operation.kind} is not an operation of the engine's programs`);
    case "vmalloc":
      return program.vmalloc(operation.address, operation.pages, operation.shift as 12 | 21 | 30, operation.keep);
    case "vfree": {
      const how = (["lazy", "flush", "unlisted"] as const)[operation.type];
      return program.vfree(operation.address, operation.pages, how);
    }
    case "give-back":
      return program.giveBack();
    case "time":
      return program.time(operation.ns);
    case "invlpg":
      return program.invlpg(operation.cpu, operation.address);
    case "invpcid":
      return program.invpcid(operation.cpu, operation.type, operation.pcid, operation.address);
    case "invlpg-range":
      return program.invlpgRange(operation.cpu, operation.address, operation.pages);
    case "cpu-flush-all":
      return program.flushAll(operation.cpu);
    case "iommu-pasid":
      return program.invalidatePasid(requester(operation.iommu, operation.pasid));
    case "iommu-pages": {
      const { iommu, pasid, address, am, ih } = operation;
      return program.invalidatePages(requester(iommu, pasid), address, am, ih);
    }
    case "iommu-all":
      return program.invalidateIommu(requester(operation.iommu, operation.pasid));
    case "purge":
      return program.purge();
    case "flush-all":
      return program.flushTlbAll(operation.frees);
    case "run-work":
      return program.runWork();
    case "hot-add":
    case "hot-remove": {
      const { kind, address, blocks, type } = operation;
      const options = {
        bootTables: (type & 1) !== 0,
        smallPages: (type & 2) !== 0,
        shadow: (type & 4) !== 0,
        hugePages: (type & 8) !== 0,
        splitVmemmap: (type & 16) !== 0,
      };
      return kind === "hot-add"
        ? program.hotAdd(address, blocks, options)
        : program.hotRemove(address, blocks, options);
    }
    case "cpa-split":
      return program.cpaSplit(operation.address);
    case "cpa-collapse":
      return program.cpaCollapse(operation.address);
    case "mm-create":
      return program.mmCreate(operation.mm);
    case "mm-destroy":
      return program.mmDestroy(operation.mm);
    case "switch-mm":
      return program.switchMm(operation.cpu, operation.mm);
    case "sva-bind":
      return program.svaBind(requester(operation.iommu, operation.pasid), operation.mm);
    case "sva-unbind":
      return program.svaUnbind(requester(operation.iommu, operation.pasid));
    case "mmap": {
      const options = { large: (operation.type & 1) !== 0, readOnly: (operation.type & 2) !== 0 };
      return program.mmap(operation.mm, operation.address, operation.pages, options);
    }
    case "munmap":
      return program.munmap(operation.mm, operation.address, operation.pages);
    case "dont-need":
      return program.dontNeed(operation.mm, operation.address, operation.pages);
    case "mprotect":
      return program.mprotect(operation.mm, operation.address, operation.pages);
    case "flush-kernel-range":
      return program.flushTlbKernelRange(operation.start, operation.end, operation.frees);
    case "local-flush-all":
      return program.localFlushTlbAll(operation.cpu);
    case "enter-user":
      return program.enterUser(operation.cpu);
    case "enter-kernel":
      return program.enterKernel(operation.cpu);
    case "flush-mm-range":
      return program.flushTlbMmRange(operation.mm, operation.start, operation.end, operation.shift);
    case "reuse":
      if (operation.type === 0) return program.reuse();
      return program.reuse(operation.type === 1 ? { userLeaf: operation.address } : { word: operation.address });
    case "table-clear":
      return program.tableClear(sites[operation.site] as Site, operation.address, operation.level);
    case "table-free":
      return program.tableFree(sites[operation.site] as Site, operation.address, operation.level, operation.mark);
  }
}

function doneOf(result: bigint): "done" {
  if (result !== 1n) throw new Error(`a kernel operation gave 0x${result.toString(16)}; expected 1 or a refusal`);
  return "done";
}

/** Plays a program operation by operation; what is interleaved goes with the operation in which its point lies. */
export class KernelPlayer {
  private reached = 0;
  private index = 0;
  /** Records of what is interleaved, in order, and how many of them lie behind. */
  private readonly interleaved: Uint8Array;
  private behind = 0;

  constructor(
    readonly machine: Machine,
    private readonly program: KernelProgram,
  ) {
    const records = new ProgramBuilder();
    for (const { operation } of program.interleaved) encode(machine, operation, records);
    this.interleaved = records.build();
  }

  /** Another player at the same place of the program, on the same machine. */
  copy(): KernelPlayer {
    const other = new KernelPlayer(this.machine, this.program);
    other.reached = this.reached;
    other.index = this.index;
    other.behind = this.behind;
    return other;
  }

  /** Plays operations that are no part of the program, and takes them back. */
  detour(operations: readonly KernelOperation[]): void {
    takeBack(this.machine, () => {
      for (const it of operations) this.machine.play(encode(this.machine, it, new ProgramBuilder()).build());
    });
  }

  /** Plays the next main operation and the point after it. */
  next(): KernelResult {
    const operation = this.program.operations[this.index]!;
    const { exports } = (this.machine as unknown as { engine: { exports: { setOperationNumber(n: bigint): void } } })
      .engine;
    exports.setOperationNumber(BigInt(this.index++));
    const own =
      operation.kind === "set-pcide"
        ? this.setPcide(operation)
        : encode(this.machine, operation, new ProgramBuilder()).build();
    const { results, points } = this.machine.playInterleaved(own, this.waiting());
    // An operation of two records counts as one here.
    exports.setOperationNumber(BigInt(this.index));
    this.reached += points;
    const result = results[0]!;
    const { kind } = operation;
    if (kind === "set-pcide") return 1;
    if (kind === "begin-access" || kind === "begin-request" || kind === "step" || kind === "finish") {
      const outcome = unpackWalk(result);
      return outcome ? comparableOutcome(outcome) : 0;
    }
    if (kind === "access" || kind === "request") return comparableOutcome(unpackOutcome(result));
    const refusal = refusalOf(result);
    if (refusal) return refusal;
    if (operation.kind === "reuse" || operation.kind === "give-back") return Number(result);
    return BY_HAND.has(operation.kind) ? "done" : doneOf(result);
  }

  /** Controls are not an operation of programs: a record of nothing follows, for the point after it. */
  private setPcide({ cpu, on }: Extract<KernelOperation, { kind: "set-pcide" }>): Uint8Array {
    this.machine.cpus[cpu]!.setControls({ pcide: on });
    return new Uint8Array(operationBytes);
  }

  /** What is interleaved at points that are still to come, counted from here. */
  private waiting(): { operations: Uint8Array; points: number[] } {
    const { interleaved } = this.program;
    while ((interleaved[this.behind]?.point ?? Infinity) < this.reached) this.behind++;
    return {
      operations: this.interleaved.subarray(this.behind * operationBytes),
      points: interleaved.slice(this.behind).map(({ point }) => point - this.reached),
    };
  }
}

/** What can be seen of the engine's kernel, in the model's shape. */
export function dumpKernel(machine: Machine, config: KernelConfig): KernelDump {
  const kernel = machine.kernel!;
  const counters = Object.fromEntries(Object.entries(kernel.counters).filter(([, count]) => count !== 0));
  const frames = Array.from({ length: config.pool }, (_, i) => {
    const frame = config.poolBase + i;
    const { state, generation } = machine.frames.describe(frame)!;
    return { frame, state, generation };
  });
  const { first, count } = config.ram ?? { first: 0, count: 0 };
  for (let frame = first; frame < first + count; frame++) {
    if (frame >= config.poolBase && frame < config.poolBase + config.pool) continue;
    const { state, generation } = machine.frames.describe(frame)!;
    frames.push({ frame, state, generation });
  }
  return {
    ...dumpEngine(machine, config as unknown as MachineConfig),
    counters,
    tablesFreed: Object.fromEntries(
      sites.map((site, i) => [i, kernel.tablesFreed[site]] as const).filter(([, count]) => count !== 0),
    ),
    hazards: dumpHazards(machine),
    frames,
    freeStack: kernel.freeFrames(),
  };
}

function dumpHazards(machine: Machine): KernelDump["hazards"] {
  const kernel = machine.kernel!;
  const { bySite, byKind, dropped } = kernel.hazardCounts;
  const counts = new Map<string, number>();
  for (const kind of KINDS) {
    let atSites = 0;
    for (const [i, site] of sites.entries()) {
      const count = bySite[site]?.[kind as keyof typeof byKind] ?? 0;
      if (count > 0) counts.set(`${kind}/${i}`, count);
      atSites += count;
    }
    const rest = byKind[kind as keyof typeof byKind] - atSites;
    if (rest > 0) counts.set(`${kind}/none`, rest);
  }
  return {
    records: kernel.hazards().map((hazard) => {
      const stale = hazard.kinds[0]?.startsWith("stale");
      const freed = hazard.site !== undefined;
      return {
        operation: hazard.operation,
        time: BigInt(hazard.time),
        agent: hazard.agent,
        tag: hazard.tag,
        address: hazard.address,
        level: hazard.level as 1,
        frame: hazard.frame,
        cachedGeneration: hazard.generations.cached,
        generation: hazard.generations.now,
        state: stale ? undefined : hazard.state,
        kinds: hazard.kinds,
        site: freed ? sites.indexOf(hazard.site!) : undefined,
        freedIn: freed ? hazard.freedAt : undefined,
        access: hazard.access,
      };
    }),
    dropped,
    counts: Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
