// The engine's walker against every recorded walk vector, and against vectors that are not true: each must be noticed.

import { describe, expect, it } from "vitest";
import { checkVectors, type NumberedVector, type VectorCheck, type WalkVector } from "../../src/vectors/index.js";
import { falsified, recordedVectors, vectorFixture, vectorsOf } from "../support/vectors.js";

const A = 1n << 5n;
const D = 1n << 6n;

async function listOf(path: string): Promise<NumberedVector[]> {
  const list: NumberedVector[] = [];
  for await (const it of vectorsOf(path)) list.push(it);
  return list;
}

function expectEqual(check: VectorCheck): void {
  expect(check.first).toEqual([]);
  expect(check).toMatchObject({ equal: true, differing: 0 });
  for (const part of check.parts) expect(part).toMatchObject({ compared: check.vectors, differences: 0 });
}

describe.skipIf(recordedVectors === undefined)(
  "recorded walk vectors (skipped without the recorded walks/walk-vectors.jsonl.gz)",
  () => {
    it("all 30,000 are equal", async () => {
      const check = await checkVectors(vectorsOf(recordedVectors ?? ""));
      expectEqual(check);
      expect(check.vectors).toBe(30_000);
      expect(check.deviations).toEqual({ "rsvd-without-p": 1822, "implicit-smap-ac": 86 });
      expect(check.results).toEqual({ ok: 11_047, fault: 18_252, "non-canonical": 701 });
    });
  },
);

describe("the excerpt of the walk vectors", () => {
  it("is equal, and has every kind of vector", async () => {
    const check = await checkVectors(vectorsOf(vectorFixture));
    expectEqual(check);
    expect(check.vectors).toBeGreaterThan(300);
    const counts = [
      ...Object.values(check.results),
      ...Object.values(check.levels),
      ...Object.values(check.deviations),
    ];
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it("is equal in any order: no vector sees the tables of another", async () => {
    const list = await listOf(vectorFixture);
    expectEqual(await checkVectors([...list, ...list.toReversed(), ...list]));
  });
});

/** Each takes a true vector to one that is not, or to undefined where it does not apply. */
const LIES: Record<string, (vector: WalkVector) => WalkVector | undefined> = {
  "another physical address": (vector) => {
    const { expected } = vector;
    if (expected.kind !== "ok") return undefined;
    return falsified(vector, { expected: { ...expected, physicalAddress: expected.physicalAddress ^ 0x8n } });
  },
  "another page size": (vector) => {
    const { expected } = vector;
    if (expected.kind !== "ok") return undefined;
    const pageSize = expected.pageSize === 4096 ? 0x20_0000 : 4096;
    return falsified(vector, { expected: { ...expected, pageSize } });
  },
  "a fault in place of a translation": (vector) =>
    vector.expected.kind === "ok" ? falsified(vector, { expected: { kind: "fault", errorCode: 0 } }) : undefined,
  "the emulator's error code without P": (vector) =>
    vector.deviation === "rsvd-without-p" ? falsified(vector, { expected: vector.observed }) : undefined,
  "an implicit access that AC lets pass": (vector) =>
    vector.deviation === "implicit-smap-ac" ? falsified(vector, { expected: vector.observed }) : undefined,
  "another error code": (vector) => {
    const { expected } = vector;
    if (expected.kind !== "fault") return undefined;
    return falsified(vector, { expected: { ...expected, errorCode: expected.errorCode ^ 4 } });
  },
  "a page fault in place of #GP": (vector) =>
    vector.expected.kind === "non-canonical"
      ? falsified(vector, { expected: { kind: "fault", errorCode: 0 } })
      : undefined,
  "A or D of an entry not set": (vector) => {
    const tables = vector.tables.map((it) => ({ ...it, after: it.before }));
    const changed = tables.some((it, i) => it.after !== vector.tables[i]?.after);
    return vector.expected.kind === "ok" && changed ? falsified(vector, { tables }) : undefined;
  },
  "A or D of an entry set": (vector) => {
    const tables = vector.tables.map((it) => ({ ...it, after: it.after | A | D }));
    const changed = tables.some((it, i) => it.after !== vector.tables[i]?.after);
    return vector.expected.kind === "ok" && changed ? falsified(vector, { tables }) : undefined;
  },
  "another table": (vector) => {
    const tables = vector.tables.map((it, i) => (i === 1 ? { ...it, frame: 2 ** 40 - 1 - it.frame } : it));
    return vector.expected.kind === "ok" && tables.length > 1 ? falsified(vector, { tables }) : undefined;
  },
};

describe("a vector that is not true is noticed", () => {
  it.each(Object.entries(LIES))("%s", async (_, lie) => {
    const lies = (await listOf(vectorFixture)).flatMap(({ line, vector }) => {
      const told = lie(vector);
      return told ? [{ line, vector: told }] : [];
    });
    expect(lies.length).toBeGreaterThan(0);
    const check = await checkVectors(lies, { maxDifferences: 3 });
    expect(check).toMatchObject({ equal: false, vectors: lies.length, differing: lies.length });
    expect(check.first).toHaveLength(Math.min(3, lies.length));
    expect(check.first[0]).toMatchObject({ line: lies[0]?.line, vector: lies[0]?.vector });
    expect(check.first[0]?.mismatches.length).toBeGreaterThan(0);
  });

  it("after a fault only A of the entries above may differ: a D that was set is noticed", async () => {
    const clean = (await listOf(vectorFixture)).filter(
      ({ vector: { expected, access, tables } }) =>
        expected.kind === "ok" && access.type === "write" && ((tables.at(-1)?.before ?? D) & D) === 0n,
    );
    expect(clean.length).toBeGreaterThan(0);
    const told = clean.map(({ line, vector }) => {
      return { line, vector: falsified(vector, { expected: { kind: "fault", errorCode: 7 } }) };
    });
    const { parts } = await checkVectors(told);
    expect(parts.find(({ name }) => name === "entries")?.differences).toBe(told.length);
  });
});
