// The recorded accesses on a CPU with caches: made once cold, once warm. A hit must answer as the walk did, error codes and
// protection keys included, from the rights that were cached.

import { describe, expect, it } from "vitest";
import { createMachineSync, type Machine, type Outcome } from "../../src/index.js";
import { accessOf } from "../../src/vectors/compare.js";
import type { WalkVector } from "../../src/vectors/index.js";
import { recordedVectors, vectorFixture, vectorsOf } from "../support/vectors.js";

const TABLES = 1024;
const cache = { entries: 4, ways: 4 };

class Cpus {
  readonly #machines = new Map<string, Machine>();

  machineFor({ levels, maxPhyAddr, tables }: WalkVector): Machine {
    const mode = `${levels} ${maxPhyAddr}`;
    const known = this.#machines.get(mode);
    if (known && known.frames.size + tables.length <= TABLES) return known;
    const psc = { 2: cache, 3: cache, 4: cache, 5: cache };
    const cpus = [{ l1: [cache], l2: [{ entries: 8, ways: 4 }], psc }];
    const machine = createMachineSync({ levels, maxPhyAddr, tables: TABLES, workloadPages: 1, cpus });
    this.#machines.set(mode, machine);
    return machine;
  }
}

/** What is wrong with one vector; nothing if it is as recorded, cold and warm. */
function playCached(vector: WalkVector, cpus: Cpus): string[] {
  const machine = cpus.machineFor(vector);
  const cpu = machine.cpus[0]!;
  const { expected, tables, virtualAddress } = vector;
  for (const { frame, index, before } of tables) {
    if (!machine.frames.has(frame)) machine.frames.setTable(frame);
    machine.frames.view(frame)![index] = before;
  }
  cpu.setControls({ ...vector.controls, pcide: false });
  cpu.movToCr3(BigInt(vector.root) << 12n);
  cpu.flushAll();
  const hits = cpu.l1[0]!.counters.hits;
  const access = accessOf(vector);
  const wrong: string[] = [];
  for (const when of ["cold", "warm"]) {
    const outcome = cpu.translate(virtualAddress, access);
    if (!isExpected(outcome, vector)) wrong.push(`vector ${vector.id}, ${when}: ${outcome.kind}`);
  }
  const hit = cpu.l1[0]!.counters.hits - hits;
  if (hit !== (expected.kind === "ok" ? 1 : 0)) wrong.push(`vector ${vector.id}: ${hit} hits`);
  for (const [i, { frame, index, after }] of tables.entries()) {
    const view = machine.frames.view(frame)!;
    if (expected.kind === "ok" && view[index] !== after) wrong.push(`vector ${vector.id}: entry ${i}`);
  }
  for (const { frame, index } of tables) machine.frames.view(frame)![index] = 0n;
  return wrong;
}

function isExpected(outcome: Outcome, { expected }: WalkVector): boolean {
  if (outcome.kind === "ok" && expected.kind === "ok") {
    return outcome.physicalAddress === expected.physicalAddress && outcome.pageSize === expected.pageSize;
  }
  if (outcome.kind === "fault" && expected.kind === "fault") return outcome.errorCode === expected.errorCode;
  return outcome.kind === expected.kind;
}

describe.each([
  ["the excerpt of the walk vectors", vectorFixture, 300],
  [`recorded walk vectors${recordedVectors ? "" : " (skipped without the recorded data)"}`, recordedVectors, 30_000],
])("%s", (_, path, least) => {
  it.skipIf(path === undefined)("give the recorded result with caches, cold and warm", async () => {
    const cpus = new Cpus();
    const wrong: string[] = [];
    let count = 0;
    for await (const { vector } of vectorsOf(path ?? "")) {
      count += 1;
      wrong.push(...playCached(vector, cpus));
    }
    expect(wrong.slice(0, 20)).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(least);
  });
});
