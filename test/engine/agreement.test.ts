// The engine against the reference model: random programs, compared after every operation. Results, fault codes, accessed
// and dirty bits, and the exact content of every cache, its order of replacement and its counters included.
// STALEWALK_OPERATIONS sets how many operations are compared in all; STALEWALK_SEED where the sequence starts.

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Access, Outcome } from "../../src/index.js";
import type { Machine as ModelMachine } from "../model/machine.js";
import { type Operation, type Program, playOnModel, programs } from "../model/programs.js";
import type { Outcome as ModelOutcome } from "../model/walk.js";
import {
  dumpEngine,
  engineMachine,
  everyPlace,
  type Place,
  placesOf,
  stepEngine,
  tablesOf,
} from "../support/engine-player.js";

const OPERATIONS = Number(process.env["STALEWALK_OPERATIONS"] ?? 100_000);
const SEED = Number(process.env["STALEWALK_SEED"] ?? 20261124);
const LENGTH = 200;

/** The model's outcomes carry no page size. */
function comparable(outcome: Outcome | undefined): ModelOutcome | undefined {
  if (outcome?.kind !== "ok") return outcome as ModelOutcome | undefined;
  const { kind, physicalAddress, level } = outcome;
  return { kind, physicalAddress, level };
}

/** What the engine's probe says before an access is made; it must be what the access then gives. */
function foretell(machine: ReturnType<typeof engineMachine>, operation: Operation): Outcome | undefined {
  if (operation.kind === "access")
    return machine.cpus[operation.cpu]!.probe(operation.address, operation.access as Access);
  if (operation.kind !== "request" || operation.device !== undefined) return undefined;
  const access = ((operation.access & 0x13) | 4) as Access;
  return machine.iommus[operation.iommu]!.probe(operation.pasid, operation.address, access);
}

/** The model's probe reads the tables alone, as the engine's `explain` does. */
function explainOf(machine: ReturnType<typeof engineMachine>, operation: Operation): Outcome | undefined {
  if (operation.kind === "probe") {
    return machine.cpus[operation.cpu]!.explain(operation.address, operation.access as Access).outcome;
  }
  if (operation.kind !== "request-probe") return undefined;
  const access = ((operation.access & 0x13) | 4) as Access;
  return machine.iommus[operation.iommu]!.explain(operation.pasid, operation.address, access).outcome;
}

/** Plays a program on both and compares after each operation; returns how many there were. */
function compare({ config, operations }: Program): number {
  const machine = engineMachine(config, operations);
  const views = new Map(config.frames.map(({ frame }) => [frame, machine.frames.view(frame)!]));
  const places = placesOf({ config, operations });
  const dumps = (model: ModelMachine, where: readonly Place[]) => ({
    model: { ...model.dump(), tables: tablesOf(where, (frame, index) => model.memory.readEntry(frame, index)) },
    engine: { ...dumpEngine(machine, config), tables: tablesOf(where, (frame, index) => views.get(frame)?.[index]) },
  });
  const check = (model: ModelMachine, where: readonly Place[], when: string): void => {
    const { engine, model: expected } = dumps(model, where);
    // The fast comparison first: the slow one is there to show what differs.
    if (!isDeepStrictEqual(engine, expected)) expect(engine, when).toEqual(expected);
  };
  const end = playOnModel(config, operations, (index, operation, expected, model) => {
    const where = `operation ${index}`;
    const foretold = foretell(machine, operation);
    const isProbe = operation.kind === "probe" || operation.kind === "request-probe";
    const outcome = isProbe ? explainOf(machine, operation) : stepEngine(machine, operation);
    if (!isDeepStrictEqual(comparable(outcome), expected)) expect(comparable(outcome), where).toEqual(expected);
    if (foretold && !isDeepStrictEqual(foretold, outcome)) expect(foretold, `${where}: probe before`).toEqual(outcome);
    check(model, places, where);
  });
  check(end, everyPlace(config), "at the end");
  return operations.length;
}

describe("engine and reference model", () => {
  it(`agree after each of ${OPERATIONS} random operations`, { timeout: 0 }, () => {
    let done = 0;
    for (let round = 0; done < OPERATIONS; round++) {
      const runs = Math.max(1, Math.min(100, Math.ceil((OPERATIONS - done) / (LENGTH / 2))));
      fc.assert(
        fc.property(programs(LENGTH), (program) => {
          done += compare(program);
        }),
        { seed: SEED + round, numRuns: runs },
      );
    }
    expect(done).toBeGreaterThanOrEqual(OPERATIONS);
  });
});
