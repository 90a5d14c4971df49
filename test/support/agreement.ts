// Plays a program on the engine and on the reference model and compares: outcomes, accessed and dirty bits, and the exact
// content of every cache, its order of replacement and its counters included.

import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { Access, Machine, Outcome } from "../../src/index.js";
import type { Machine as ModelMachine } from "../model/machine.js";
import { type Operation, type Program, playOnModel } from "../model/programs.js";
import type { Outcome as ModelOutcome } from "../model/walk.js";
import { dumpEngine, engineMachine, everyPlace, type Place, placesOf, stepEngine, tablesOf } from "./engine-player.js";

/** How two machines are compared. */
export interface AgreementOptions {
  /** Called with the engine's machine before each operation. */
  before?: (index: number, machine: Machine) => void;
  /** Caches and tables are compared after every n-th operation; outcomes after each. Default 1. */
  every?: number;
}

/** The model's outcomes carry no page size. */
export function comparable(outcome: Outcome | undefined): ModelOutcome | undefined {
  if (outcome?.kind !== "ok") return outcome as ModelOutcome | undefined;
  const { kind, physicalAddress, level } = outcome;
  return { kind, physicalAddress, level };
}

/** SVA requests are user accesses, whatever the operation says. */
const asUser = (access: number): Access => ((access & 0x13) | 4) as Access;

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

/** Plays a program on both and compares; returns how many operations there were. */
export function expectAgreement({ config, operations }: Program, options: AgreementOptions = {}): number {
  const { before, every = 1 } = options;
  const machine = engineMachine(config, operations);
  const views = new Map(config.frames.map(({ frame }) => [frame, machine.frames.view(frame)!]));
  const places = placesOf({ config, operations });
  const check = (model: ModelMachine, where: readonly Place[], when: string): void => {
    const expected = {
      ...model.dump(),
      tables: tablesOf(where, (frame, index) => model.memory.readEntry(frame, index)),
    };
    const engine = { ...dumpEngine(machine, config), tables: tablesOf(where, (frame, i) => views.get(frame)?.[i]) };
    // The fast comparison first: the slow one is there to show what differs.
    if (!isDeepStrictEqual(engine, expected)) expect(engine, when).toEqual(expected);
  };
  const end = playOnModel(config, operations, (index, operation, expected, model) => {
    const where = `operation ${index}`;
    before?.(index, machine);
    const foretold = foretell(machine, operation);
    const isProbe = operation.kind === "probe" || operation.kind === "request-probe";
    const outcome = isProbe ? explainOf(machine, operation) : stepEngine(machine, operation);
    if (!isDeepStrictEqual(comparable(outcome), expected)) expect(comparable(outcome), where).toEqual(expected);
    if (foretold && !isDeepStrictEqual(foretold, outcome)) expect(foretold, `${where}: probe before`).toEqual(outcome);
    if (index % every === 0) check(model, places, where);
  });
  check(end, everyPlace(config), "at the end");
  return operations.length;
}

/** Every cache of a machine. */
export function cachesOf(machine: Machine): Machine["cpus"][number]["l1"][number][] {
  const ofDevices = machine.iommus.flatMap(({ devices }) => devices.flatMap(({ tlb }) => (tlb ? [tlb] : [])));
  return [...[...machine.cpus, ...machine.iommus].flatMap(({ caches }) => caches), ...ofDevices];
}
