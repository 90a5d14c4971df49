// Plays a program on the engine and on the reference model and compares: outcomes, accessed and dirty bits, and the exact
// content of every cache, its order of replacement and its counters included.

import type { Access, Machine, Outcome, WalkOutcome } from "../../src/index.js";
import type { MachineDump, Machine as ModelMachine } from "../model/machine.js";
import type { Memory } from "../model/memory.js";
import type { Result as ModelResult } from "../model/operations.js";
import { type Operation, type Program, playOnModel } from "../model/programs.js";
import type { Outcome as ModelOutcome } from "../model/walk.js";
import { agree } from "./agree.js";
import {
  dumpEngine,
  type EngineResult,
  engineMachine,
  entriesIn,
  type Place,
  placesOf,
  stepEngine,
  tablesOf,
} from "./engine-player.js";
import { type MakeMachine, takeBack } from "./guest-memory.js";

/** How two machines are compared. */
export interface AgreementOptions {
  /** Called with the engine's machine before each operation. */
  before?: (index: number, machine: Machine) => void;
  /** Caches and tables are compared after every n-th operation; outcomes after each. Default 1. */
  every?: number;
  /** Another build of the engine. */
  module?: WebAssembly.Module | undefined;
  /** What makes the engine's machine, if not `createMachineSync`. */
  make?: MakeMachine | undefined;
}

/** The model's outcomes carry no page size. */
export function comparableOutcome(outcome: WalkOutcome): ModelOutcome {
  if (outcome.kind !== "ok") return outcome as ModelOutcome;
  const { kind, physicalAddress, level } = outcome;
  return { kind, physicalAddress, level };
}

/** The same of whatever came of an operation. */
export function comparable(result: EngineResult): ModelResult {
  return result?.kind === "ok" ? comparableOutcome(result) : (result as ModelResult);
}

/** SVA requests are user accesses, whatever the operation says. */
const asUser = (access: number): Access => ((access & 0x11) | 4) as Access;

/** What the engine's probe says before an access is made; it must be what the access then gives. */
function foretell(machine: Machine, operation: Operation): Outcome | undefined {
  if (operation.kind === "access") {
    return machine.cpus[operation.cpu]!.probe(operation.address, operation.access as Access);
  }
  if (operation.kind !== "request" || operation.device !== undefined) return undefined;
  return machine.iommus[operation.iommu]!.probe(operation.pasid, operation.address, asUser(operation.access));
}

/** The model's probe reads the tables alone, as the engine's `explain` does. */
function explainOf(machine: Machine, operation: Operation): Outcome | undefined {
  if (operation.kind === "probe") {
    return machine.cpus[operation.cpu]!.explain(operation.address, operation.access as Access).outcome;
  }
  if (operation.kind !== "request-probe") return undefined;
  const { pasid, address, access } = operation;
  return machine.iommus[operation.iommu]!.explain(pasid, address, asUser(access)).outcome;
}

/** What the model has after an operation: its outcome, and everything that can be seen, if that is compared now. */
export interface Step {
  outcome: ModelResult;
  seen: { dump: MachineDump; tables: readonly (bigint | undefined)[] } | undefined;
}

/** The engine's side of a comparison: plays a program along with the model's steps. */
export class Follower {
  readonly machine: Machine;
  /** Slots that are compared after each operation; after the last, all there are. */
  readonly places: readonly Place[];
  private views: ReadonlyMap<number, BigUint64Array> = new Map();

  constructor(
    private readonly program: Program,
    private readonly options: AgreementOptions = {},
  ) {
    const { config, operations } = program;
    this.machine = engineMachine(config, operations, options.module, options.make);
    this.lookAgain();
    this.places = placesOf(program);
  }

  /** Views of the frames that there are now. */
  private lookAgain(): void {
    const { config } = this.program;
    const views = config.frames.map(({ frame }) => [frame, entriesIn(this.machine, config, frame)] as const);
    this.views = new Map(views.flatMap(([frame, view]) => (view ? [[frame, view] as const] : [])));
  }

  /** Plays an operation. @throws AssertionError if it does not do what the model does */
  follow(index: number, { outcome: expected, seen }: Step): void {
    const { machine } = this;
    const operation = this.program.operations[index]!;
    const where = `operation ${index}`;
    this.options.before?.(index, machine);
    const foretold = foretell(machine, operation);
    const isProbe = operation.kind === "probe" || operation.kind === "request-probe";
    const outcome = isProbe ? explainOf(machine, operation) : stepEngine(machine, this.program.config, operation);
    if (operation.kind === "delete-frame" || operation.kind === "add-frame") this.lookAgain();
    agree(comparable(outcome), expected, where);
    // Nobody foretells what somebody else will write in between.
    if (foretold && this.program.config.meddler === undefined) agree(foretold, outcome, `${where}: probe before`);
    if (seen) this.check(seen, this.places, where);
    for (const { after, operations } of this.program.detours ?? []) if (after === index) this.detour(operations);
  }

  /** Plays operations that are no part of the program, and takes them back. */
  private detour(operations: readonly Operation[]): void {
    takeBack(this.machine, () => {
      for (const operation of operations) {
        if (operation.kind !== "probe" && operation.kind !== "request-probe")
          stepEngine(this.machine, this.program.config, operation);
      }
    });
  }

  check({ dump, tables }: NonNullable<Step["seen"]>, places: readonly Place[], when: string): void {
    const engine = tablesOf(places, (frame, index) => this.views.get(frame)?.[index]);
    agree({ ...dumpEngine(this.machine, this.program.config), tables: engine }, { ...dump, tables }, when);
  }
}

/** What can be seen of the model's machine. */
export const seenOf = (model: ModelMachine, places: readonly Place[]): NonNullable<Step["seen"]> => ({
  dump: model.dump(),
  tables: tablesOf(places, (frame, index) => model.memory.readEntry(frame, index)),
});

/** What the frames of the model hold. */
export function contentsOf(memory: Memory): Map<number, BigUint64Array> {
  const contents = new Map<number, BigUint64Array>();
  for (const frame of memory.frames()) {
    const entries = new BigUint64Array(512);
    for (let index = 0; index < 512; index++) entries[index] = memory.readEntry(frame, index) ?? 0n;
    contents.set(frame, entries);
  }
  return contents;
}

/** Plays a program on both and compares; returns how many operations there were. */
export function expectAgreement(program: Program, options: AgreementOptions = {}): number {
  const { config, operations } = program;
  const { every = 1 } = options;
  const engine = new Follower(program, options);
  const end = playOnModel(config, operations, (index, _operation, outcome, model) =>
    engine.follow(index, { outcome, seen: index % every === 0 ? seenOf(model, engine.places) : undefined }),
  );
  engine.check(seenOf(end, []), [], "at the end");
  const contents = contentsOf(end.memory);
  const own = [...contents.keys()].map((frame) => [frame, entriesIn(engine.machine, config, frame)?.slice()] as const);
  agree(engine.machine.frames.size, contents.size, "at the end: frames");
  agree(new Map(own), contents, "at the end: frames");
  return operations.length;
}

/** Every cache of a machine. */
export function cachesOf(machine: Machine): Machine["cpus"][number]["l1"][number][] {
  const ofDevices = machine.iommus.flatMap(({ devices }) => devices.flatMap(({ tlb }) => (tlb ? [tlb] : [])));
  return [...[...machine.cpus, ...machine.iommus].flatMap(({ caches }) => caches), ...ofDevices];
}
