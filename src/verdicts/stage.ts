// The machine on which programs are tried: one policy, one choice of hardware, one scenario; every program starts from the
// same snapshot. Only the agents that the verdict is about have caches.

import { MAX_INTERLEAVED } from "../engine/limits.js";
import type { WasmModule } from "../engine/wasm-module.js";
import type { Cache } from "../hardware/cache.js";
import { Device } from "../hardware/device.js";
import type { WalkOptions } from "../hardware/walks.js";
import type { Hazard } from "../kernel/hazards.js";
import type { CheckedPolicy } from "../kernel/policy.js";
import type { KernelVersion } from "../kernel/versions.js";
import type { Machine, Snapshot } from "../machine.js";
import type { MachineConfig } from "../machine-config.js";
import { createMachineSync } from "../make-machine.js";
import { Access } from "../paging/access.js";
import { operationBytes } from "../program/operations.js";
import { ProgramBuilder } from "../program/program.js";
import type { CpuOptions, IommuOptions } from "./options.js";
import type { KernelStep, Region } from "./regions.js";
import type { Scenario } from "./scenarios.js";

/** Whose walks a verdict is about. */
export type AgentKind = "iommu" | "cpu";

/** Something that plays at a point of a program. */
export interface Move {
  kind:
    | "probe"
    | "write"
    | "begin"
    | "step"
    | "finish"
    | "reuse"
    | "free"
    | "work"
    | "switch"
    | "unbind"
    | "bind"
    | "exit";
  text: string;
  /** Its operations, one after the other. */
  record: Uint8Array;
  address?: bigint;
  /** Region that it probes, walks or frees in. */
  region?: 0 | 1;
  /** Of a switch: the address space. */
  mm?: number;
  /** Of a walk that begins or goes on: which of the two that may be under way. */
  walk?: 0 | 1;
}

/** An operation of the program itself: a region's free, or a run of the deferred work. */
export interface MainOperation {
  kind: "start" | "free" | "work";
  text: string;
  record: Uint8Array;
  region?: 0 | 1;
}

/** A move and the point at which it plays. */
export interface Placed {
  point: number;
  move: Move;
}

/** A program to try: what the kernel does, and what others do meanwhile. */
export interface Attempt {
  main: readonly MainOperation[];
  placed: readonly Placed[];
}

/** PASID of the device, as in the mails. */
export const PASID = 42;
/** The CPU that the kernel's operations run on, and the one whose walks are watched. */
const WATCHED_CPU = 1;
const CPUS = 2;
/** Frames: every scenario must fit, and little more, since every machine of a search has its own. */
const POOL = 18;
const SMALL = { entries: 16, ways: 16 };
const PSC = { 2: SMALL, 3: SMALL, 4: SMALL } as const;

/** Hazards that are kept of a program. */
export const HAZARD_RECORDS = 16;

/** Bytes of one operation. */
export function recordOf(play: (program: ProgramBuilder) => ProgramBuilder): Uint8Array {
  return play(new ProgramBuilder()).build();
}

/** How walks are made, and which of them an invalidation waits for (docs/rules.md section 14). */
export type Walking = Required<WalkOptions>;

/** Which moves are searched: what every cell is searched with, or others, too, which take longer. */
export type MoveSet = "usual" | "wide";

/** How often a cached leaf answered, and how often one was put in. */
export interface Leaves {
  hits: number;
  fills: number;
}

/** A machine with a kernel, a policy and hardware, set up for one scenario after another. */
export class Stage {
  readonly machine: Machine;
  /** Programs and operations played since the stage was made. */
  programs = 0;
  operations = 0;
  private readonly leafCaches: readonly Cache[];
  private readonly empty: Snapshot;
  private start: Snapshot;
  private readonly placedRecords = new Uint8Array(MAX_INTERLEAVED * operationBytes);
  private latestMain: readonly MainOperation[] | undefined;
  private program = new Uint8Array(0);

  constructor(
    readonly policy: CheckedPolicy,
    readonly agent: AgentKind,
    readonly options: IommuOptions | CpuOptions,
    readonly version: KernelVersion,
    readonly walking: Walking,
    readonly module?: WasmModule,
    readonly moves: MoveSet = "usual",
  ) {
    this.machine = createMachineSync({
      ...hardware(options, walking),
      ...(module && { module }),
      tables: this.pool,
      workloadPages: 1,
      kernel: {
        ...{ version, pool: this.pool, mms: 2, policy, hazardRecords: HAZARD_RECORDS },
        ...("invlpgb" in options && { pti: options.pti, invlpgb: options.invlpgb }),
      },
    });
    const { cpus, iommus } = this.machine;
    this.leafCaches = [iommus[0] ?? cpus[WATCHED_CPU], ...(iommus[0]?.devices ?? [])].flatMap((it) => {
      if (it === undefined) return [];
      return it instanceof Device ? (it.tlb ?? []) : [...it.l1, ...it.l2];
    });
    this.empty = this.machine.snapshot();
    this.start = this.empty;
  }

  /**
   * Whether a walk step by step can come to more than whole walks do: not with paging-structure caches, which keep every pointer
   * that it would, unless they keep none below U/S = 0, or invalidations drop those and leave the walk alone, or the page request
   * that follows a whole walk does (docs/decisions/13-walks-in-the-search.md).
   */
  inPieces({ split }: Scenario): boolean {
    const { walking, options } = this;
    if (walking.walks === "atomic") return false;
    if (walking.drain !== "all") return true;
    if (!("pagingStructureCaches" in options)) return false;
    const { pagingStructureCaches, pageRequests, supervisorEntries } = options;
    return !pagingStructureCaches || pageRequests || (split === true && supervisorEntries === "walk");
  }

  /** Whether the device sends page requests for what it is refused. */
  get sendsPageRequests(): boolean {
    return "pageRequests" in this.options && this.options.pageRequests;
  }

  /** Requester of the agent that probes. */
  get requester(): number {
    const iommu = this.machine.iommus[0];
    return iommu ? iommu.requester(PASID, 0) : WATCHED_CPU;
  }

  /** Frames: with page-table isolation each of the two processes has one more. */
  private get pool(): number {
    return POOL + ("pti" in this.options && this.options.pti ? 2 : 0);
  }

  /** Whether flushes of kernel addresses go by INVLPGB. */
  get broadcasts(): boolean {
    const { record } = this.kernel.version;
    return "invlpgb" in this.options && this.options.invlpgb && record.traits.includes("usesInvlpgb");
  }

  /** Whether the watched CPU's walks are made in user mode, under a root and PCID of its own: with page-table isolation. */
  inUserMode({ user }: Scenario): boolean {
    return user && "pti" in this.options && this.options.pti;
  }

  /** What happens before the regions are made. */
  private preparing(scenario: Scenario): readonly KernelStep[] {
    const { requester } = this;
    if (this.agent === "cpu") {
      return [
        { text: "processes 0 and 1", play: (p) => p.mmCreate(0).mmCreate(1) },
        this.inUserMode(scenario)
          ? {
              text: `CPU ${WATCHED_CPU} runs process 0, in user mode (PCID 2049; the kernel's is 1)`,
              play: (p) => p.switchMm(WATCHED_CPU, 0).enterUser(WATCHED_CPU),
            }
          : { text: `CPU ${WATCHED_CPU} runs process 0 (PCID 1)`, play: (p) => p.switchMm(WATCHED_CPU, 0) },
      ];
    }
    return [
      {
        text: `iommu_sva_bind_device(): PASID ${PASID} of a device gets the page tables of a process`,
        play: (p) => p.mmCreate(0).svaBind(requester, 0),
      },
    ];
  }

  /**
   * Sets a scenario up, with one or both of its regions; returns what was done. `drained`: frames that are free then are given away, so that
   * whoever takes a frame takes one that the program has freed.
   */
  enter(scenario: Scenario, regions: readonly (0 | 1)[] = [0, 1], drained = false): KernelStep[] {
    const steps = [...this.preparing(scenario), ...regions.flatMap((i) => (scenario.regions[i] as Region).setUp)];
    this.machine.restore(this.empty);
    for (const step of steps) this.kernel.run(step.play);
    if (this.kernel.counters.outOfFrames > 0) throw new Error(`${scenario.name} needs more than ${this.pool} frames`);
    if (drained) for (const _ of this.kernel.freeFrames()) this.kernel.run((p) => p.reuse("zeroes"));
    this.kernel.clearHazards();
    this.start = this.machine.snapshot();
    return steps;
  }

  get kernel(): NonNullable<Machine["kernel"]> {
    if (!this.machine.kernel) throw new Error("the stage's machine has no kernel");
    return this.machine.kernel;
  }

  /** Where programs begin. */
  get beginning(): Snapshot {
    return this.start;
  }

  /** Goes back to where programs begin. */
  rewind(): void {
    this.machine.restore(this.start);
  }

  /** Plays a program from the start; how many points it reached. */
  play(attempt: Attempt): number {
    this.count(1, attempt);
    return this.playUncounted(attempt);
  }

  /** Counts so many programs of the length of this one. */
  count(programs: number, { main, placed }: Attempt): void {
    this.programs += programs;
    this.operations += programs * (main.length - 1 + placed.length);
  }

  /** The same as {@link play} of a program that is none of those that are tried. */
  playUncounted({ main, placed }: Attempt): number {
    this.machine.restore(this.start);
    let at = 0;
    for (const { move } of placed) {
      this.placedRecords.set(move.record, at);
      at += move.record.length;
    }
    if (main !== this.latestMain) {
      this.latestMain = main;
      this.program = new Uint8Array(main.length * operationBytes);
      for (const [i, { record }] of main.entries()) this.program.set(record, i * operationBytes);
    }
    return this.machine.playPlaced(this.program, {
      operations: this.placedRecords.subarray(0, at),
      points: pointsOf(placed),
    });
  }

  /**
   * Hazards of the watched agent since the start. A CPU's use of a translation that vfree() left behind is what lazy
   * purging means, not a walk through a freed table: not counted here.
   */
  hazards(): Hazard[] {
    const all = this.kernel.hazards();
    if (all.length === 0) return all;
    const watched = this.agent === "cpu" ? WATCHED_CPU : CPUS;
    return all.filter(
      ({ agent, kind }) => agent === watched && !(this.agent === "cpu" && kind === "stale-translation"),
    );
  }

  /** What the caches of leaves that the watched agent looks into have done since they were made. */
  leaves(): Leaves {
    let hits = 0;
    let fills = 0;
    for (const cache of this.leafCaches) {
      hits += cache.counter("hits");
      fills += cache.counter("fills");
    }
    return { hits, fills };
  }

  /** Frame of the table of a level on the way to an address, as the tables are now. */
  tableFrame(address: bigint, level: number, user: boolean): number | undefined {
    const [cpu, watched] = this.machine.cpus;
    const iommu = this.machine.iommus[0];
    const explained = !user
      ? cpu?.explain(address, Access.supervisorRead)
      : (iommu?.explain(PASID, address, Access.userRead) ?? watched?.explain(address, Access.userRead));
    return explained?.chain.find((step) => step.level === level)?.tableFrame;
  }
}

/** The point of each operation of what is placed. */
export function pointsOf(placed: readonly Placed[]): number[] {
  const points: number[] = [];
  for (const { point, move } of placed) {
    for (let left = move.record.length; left > 0; left -= operationBytes) points.push(point);
  }
  return points;
}

function hardware(options: IommuOptions | CpuOptions, walking: Walking): MachineConfig {
  if ("invlpgScope" in options) {
    const vendor = options.invlpgScope === "pcid" ? "intel" : "amd";
    const watched = { vendor, l1: [SMALL], psc: PSC, invlpgScope: options.invlpgScope, ...walking } as const;
    return { cpus: [{ vendor }, watched] };
  }
  const { cacheSupervisorLeaves, supervisorEntries, pagingStructureCaches, deviceTlb, pageRequests } = options;
  const iommu = {
    l1: [SMALL],
    ...(pagingStructureCaches && { psc: PSC }),
    pasids: [PASID],
    devices: [deviceTlb || pageRequests ? { deviceTlb: SMALL, pageRequests } : {}],
    cacheSupervisorLeaves,
    supervisorEntries,
    ...walking,
  };
  return { cpus: [{}, {}], iommus: [iommu] };
}
