// The RISC-V model against the recorded accesses of QEMU's MMU: the same judge as the engine's.

import { describe, expect, it } from "vitest";
import type { RiscvVector } from "../../../src/vectors/index.js";
import { recordedRiscv, riscvFixture, riscvVectorsOf } from "../../support/riscv.js";
import { Memory } from "../memory.js";
import { Hart } from "./hart.js";
import type { Outcome } from "./walk.js";

/** Memory of the emulated machine. */
const RAM = { first: 0x8_0000, last: 0x1007_ffff };
const LEVELS = { sv39: 3, sv48: 4, sv57: 5 } as const;
const SIZE = { entries: 4, ways: 4 };

/** Memory that is not listed is zero, where there is memory at all. */
class Ram extends Memory {
  override readEntry(frame: number, index: number): bigint | undefined {
    return super.readEntry(frame, index) ?? (frame >= RAM.first && frame <= RAM.last ? 0n : undefined);
  }
}

function wrongWith(vector: RiscvVector): string[] {
  const { mode, controls, access, root, tables, virtualAddress, expected, deviation, id } = vector;
  const memory = new Ram();
  for (const { frame, index, before } of tables) {
    if (!memory.has(frame)) memory.add(frame, "table");
    memory.writeEntry(frame, index, before);
  }
  const hart = new Hart(memory, LEVELS[mode], { l1: SIZE, l2: SIZE, psc: SIZE });
  hart.controls = controls;
  hart.root = root;
  const wrong: string[] = [];
  for (const when of ["cold", "warm"]) {
    const outcome = hart.translate(virtualAddress, access);
    if (!isExpected(outcome, vector)) {
      wrong.push(`vector ${id}, ${when}: ${JSON.stringify({ ...outcome, ...show(outcome) })}, not ${expected.kind}`);
    }
  }
  for (const { frame, index, before, after } of tables) {
    if (memory.readEntry(frame, index) !== (deviation ? before : after)) wrong.push(`vector ${id}: an entry`);
  }
  return wrong;
}

function show(outcome: Outcome): object {
  return outcome.kind === "ok" ? { physicalAddress: outcome.physicalAddress.toString(16) } : {};
}

function isExpected(outcome: Outcome, { expected }: RiscvVector): boolean {
  if (outcome.kind === "ok" && expected.kind === "ok") {
    const sizes = expected.pageSize === undefined || expected.pageSize === outcome.pageSize;
    return sizes && outcome.physicalAddress === expected.physicalAddress;
  }
  return outcome.kind !== "ok" && outcome.kind === expected.kind && outcome.cause === expected.cause;
}

describe.each([
  ["the excerpt of the RISC-V walk vectors", riscvFixture, 300],
  [
    `recorded RISC-V walk vectors${recordedRiscv ? "" : " (skipped without the recorded riscv/walk-vectors.jsonl.gz)"}`,
    recordedRiscv,
    15_000,
  ],
])("%s", (_, path, least) => {
  it.skipIf(path === undefined)("give the expected result and entries on the model, cold and warm", async () => {
    const vectors = await riscvVectorsOf(path ?? "");
    const wrong = vectors.flatMap(({ vector }) => wrongWith(vector));
    expect(wrong.slice(0, 20)).toEqual([]);
    expect(vectors.length).toBeGreaterThanOrEqual(least);
  });
});
