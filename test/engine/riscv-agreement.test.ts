// The engine behind RISC-V's format against the reference model: random tables and programs on a hart with caches, compared
// after every operation: outcomes, all entries (at the end too), and the counters of every cache. STALEWALK_OPERATIONS and
// STALEWALK_SEED as in agreement.test.ts; a fifth of the operations.

import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { RiscvMachine } from "../../src/vectors/riscv/machine.js";
import type { RiscvOutcome } from "../../src/vectors/riscv/outcome.js";
import { Memory } from "../model/memory.js";
import { Hart } from "../model/riscv/hart.js";
import type { Outcome } from "../model/riscv/walk.js";
import { ASIDS, FRAMES, type Program, programs } from "../model/riscv/worlds.js";
import fc from "../support/fast-check.js";
import { riscvBuild } from "../support/riscv.js";

const OPERATIONS = Math.ceil(Number(process.env["STALEWALK_OPERATIONS"] ?? 100_000) / 5);
const SEED = Number(process.env["STALEWALK_SEED"] ?? 20261124);
const LENGTH = 300;

const module = riscvBuild();

/** The model says neither level nor reason. */
function comparable(outcome: RiscvOutcome): Outcome {
  if (outcome.kind !== "ok") return { kind: outcome.kind, cause: outcome.cause };
  const { kind, physicalAddress, pageSize } = outcome;
  return { kind, physicalAddress, pageSize };
}

/** What accesses came to, to know that a run has seen it all. */
type Seen = Record<string, number>;

function expectAgreement({ levels, sizes, operations }: Program, seen: Seen): number {
  const [l1, l2, psc] = sizes as [Program["sizes"][0], Program["sizes"][0], Program["sizes"][0]];
  const machine = new RiscvMachine(module, levels, FRAMES.length);
  const hart = machine.addHart({ l1, l2, psc }, ASIDS);
  const memory = new Memory();
  for (const frame of FRAMES) {
    machine.frames.setTable(frame);
    memory.add(frame, "table");
  }
  const views = FRAMES.map((frame) => machine.frames.view(frame) as BigUint64Array);
  const model = new Hart(memory, levels, { l1, l2, psc });
  const writes: { frame: number; index: number }[] = [];
  const entriesOf = (of: (frame: number, index: number) => bigint | undefined) =>
    writes.map(({ frame, index }) => of(frame, index));
  for (const [at, it] of operations.entries()) {
    const where = `operation ${at}`;
    switch (it.kind) {
      case "access": {
        const expected = model.translate(it.va, it.access);
        const probed = hart.probe(it.va, it.access);
        const outcome = hart.translate(it.va, it.access);
        if (!isDeepStrictEqual(comparable(outcome), expected)) expect(comparable(outcome), where).toEqual(expected);
        if (!isDeepStrictEqual(probed, outcome)) expect(probed, `${where}: probe before`).toEqual(outcome);
        const what = outcome.kind === "ok" ? `ok ${outcome.pageSize}` : outcome.kind;
        seen[what] = (seen[what] ?? 0) + 1;
        break;
      }
      case "write":
        memory.writeEntry(it.frame, it.index, it.entry);
        (views[FRAMES.indexOf(it.frame)] as BigUint64Array)[it.index] = it.entry;
        writes.push({ frame: it.frame, index: it.index });
        break;
      case "controls":
        model.controls = it.controls;
        hart.setControls(it.controls);
        break;
      case "satp":
        model.root = it.root;
        model.asid = it.asid;
        hart.setSatp(it.root, it.asid);
        break;
      case "fence":
        model.fence();
        hart.fence();
        break;
      case "fence-asid":
        model.fenceAsid(it.asid);
        hart.fenceAsid(it.asid);
        break;
      case "fence-address":
        model.fenceAddress(it.va, it.asid);
        hart.fenceAddress(it.va, it.asid);
        break;
    }
    if (it.kind === "write") continue;
    const counters = { engine: hart.counters, model: model.counters };
    if (!isDeepStrictEqual(counters.engine, counters.model)) expect(counters.engine, where).toEqual(counters.model);
    const engine = entriesOf((frame, index) => views[FRAMES.indexOf(frame)]?.[index]);
    const entries = entriesOf((frame, index) => memory.readEntry(frame, index));
    if (!isDeepStrictEqual(engine, entries)) expect(engine, where).toEqual(entries);
  }
  for (const [i, frame] of FRAMES.entries()) {
    const expected = Array.from({ length: 512 }, (_, index) => memory.readEntry(frame, index));
    expect([...(views[i] as BigUint64Array)], `frame ${frame} at the end`).toEqual(expected);
  }
  seen["hits"] = (seen["hits"] ?? 0) + hart.counters.reduce((sum, { hits }) => sum + hits, 0);
  return operations.length;
}

describe("RISC-V engine and reference model", () => {
  it(`agree after each of ${OPERATIONS} random operations`, { timeout: 0 }, () => {
    const seen: Seen = {};
    let done = 0;
    for (let round = 0; done < OPERATIONS; round++) {
      const runs = Math.max(1, Math.min(20, Math.ceil((OPERATIONS - done) / LENGTH)));
      fc.assert(
        fc.property(programs(LENGTH), (program) => {
          done += expectAgreement(program, seen);
        }),
        { seed: SEED + round, numRuns: runs },
      );
    }
    expect(done).toBeGreaterThanOrEqual(OPERATIONS);
    // A short run need not meet everything.
    if (OPERATIONS < 10_000) return;
    for (const what of ["ok 4096", "ok 65536", "ok 2097152", "ok 1073741824", "page-fault", "access-fault", "hits"]) {
      expect(seen[what] ?? 0, what).toBeGreaterThan(0);
    }
  });
});
