// The IOMMU against recorded device requests of an emulator's VT-d: single walks, and sequences with invalidations between them;
// and against lines that are not true, or not of the form.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  checkVtdSequences,
  checkVtdVectors,
  type NumberedVector,
  openVectors,
  parseVtdSequence,
  parseVtdVector,
  type VtdSequence,
  type VtdVector,
} from "../../src/vectors/index.js";
import { sharedData } from "../support/shared-data.js";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/vtd/${name}.jsonl.gz`, import.meta.url));
const linesOf = (path: string): string[] => gunzipSync(readFileSync(path)).toString().trimEnd().split("\n");
const PLACE = { file: "file", line: 1 };

const walkLines = linesOf(fixture("walks"));
const sequenceLines = linesOf(fixture("sequences"));
const walks = walkLines.map(
  (text, i): NumberedVector<VtdVector> => ({ line: i + 1, vector: parseVtdVector(text, PLACE) }),
);
const sequences = sequenceLines.map(
  (text, i): NumberedVector<VtdSequence> => ({ line: i + 1, vector: parseVtdSequence(text, PLACE) }),
);

const [allWalks, allSequences] = [sharedData("vtd/walks.jsonl.gz"), sharedData("vtd/sequences.jsonl.gz")];

describe.skipIf(!allWalks || !allSequences)("recorded requests (skipped without the recorded vtd/*.jsonl.gz)", () => {
  it("I1, I7, I8, I9, I10: all 14,000 walks are equal", async () => {
    const opened = await openVectors([readFileSync(allWalks ?? "")]);
    if (opened.form !== "vtd") throw new Error(`the form is ${opened.form}`);
    const check = await checkVtdVectors(opened.vectors);
    expect(check.first).toEqual([]);
    expect(check).toMatchObject({ equal: true, vectors: 14_000, differing: 0, unordered: 2329 });
    expect(check.results).toEqual({ ok: 4000, fault: 9955, unrecorded: 45 });
  });

  it("I1: all 17,516 requests of 2,000 sequences are equal", async () => {
    const opened = await openVectors([readFileSync(allSequences ?? "")]);
    if (opened.form !== "vtd-sequences") throw new Error(`the form is ${opened.form}`);
    const check = await checkVtdSequences(opened.vectors);
    expect(check.first).toEqual([]);
    expect(check).toMatchObject({
      equal: true,
      vectors: 2000,
      differing: 0,
      differingRequests: 0,
      invalidations: 8658,
    });
    expect(check.requests).toEqual({ ok: 14_287, fault: 3229 });
  });
});

describe("the excerpts of recorded requests", () => {
  it("walks are equal, and of every kind", async () => {
    const check = await checkVtdVectors(walks);
    expect(check.first).toEqual([]);
    expect(check).toMatchObject({ equal: true, vectors: walkLines.length });
    expect(check.unordered).toBeGreaterThan(0);
    expect(Math.min(...Object.values(check.results), ...Object.values(check.deviations))).toBeGreaterThan(0);
  });

  it("walks are equal in any order: none sees the tables or caches of another", async () => {
    const check = await checkVtdVectors([...walks, ...walks.toReversed()]);
    expect(check).toMatchObject({ equal: true, differing: 0 });
  });

  it("sequences are equal, and of every kind", async () => {
    const check = await checkVtdSequences(sequences);
    expect(check.first).toEqual([]);
    expect(check).toMatchObject({ equal: true, vectors: sequenceLines.length, differingRequests: 0 });
    expect(Math.min(...Object.values(check.requests), ...Object.values(check.deviations))).toBeGreaterThan(0);
    const whats = sequences.flatMap(({ vector }) =>
      vector.steps.map((step) => (step.op === "invalidate" ? step.invalidation.what : step.op)),
    );
    const all = ["dma", "domain", "global", "pages", "pasid", "pasid-cache", "root", "write"];
    expect([...new Set(whats)].sort()).toEqual(all);
  });
});

/** Each takes a true walk to one that is not, or to undefined where it does not apply. */
const LIES: Record<string, (vector: VtdVector) => Partial<VtdVector> | undefined> = {
  "another physical address": ({ expected }) =>
    expected.kind === "ok"
      ? { expected: { ...expected, physicalAddress: expected.physicalAddress ^ 0x1000n } }
      : undefined,
  "another page size": ({ expected }) =>
    expected.kind === "ok"
      ? { expected: { ...expected, pageSize: expected.pageSize === 4096 ? 0x20_0000 : 4096 } }
      : undefined,
  "another reason": ({ expected, reasons }) =>
    expected.kind === "fault" ? { reasons: reasons.map((reason) => reason + 0x20) } : undefined,
  "no record of a fault": ({ expected }) =>
    expected.kind === "fault" ? { expected: { kind: "unrecorded", reason: expected.reason } } : undefined,
  "a record of a hidden fault": ({ expected }) =>
    expected.kind === "unrecorded" ? { expected: { kind: "fault", reason: expected.reason ?? 0x71 } } : undefined,
  "what the emulator did where it deviates in more than entries": ({ expected, observed, deviation }) =>
    deviation === "fs1gp" || (deviation === "interrupt-overlap" && expected.kind !== observed.kind)
      ? { expected: observed, reasons: observed.kind === "fault" ? [observed.reason] : [] }
      : undefined,
  "D of the leaf left alone": ({ expected, tables, access, after }) => {
    const [before, last] = [tables.at(-1)?.before ?? 0n, after.at(-1) ?? 0n];
    if (expected.kind !== "ok" || access === "read" || before === last || ((before ^ last) & 0x40n) === 0n)
      return undefined;
    return { after: after.with(-1, last & ~0x40n) };
  },
};

describe("a walk that is not true is noticed", () => {
  it.each(Object.entries(LIES))("%s", async (_, lie) => {
    const lies = walks.flatMap(({ line, vector }) => {
      const change = lie(vector);
      return change ? [{ line, vector: { ...vector, ...change } }] : [];
    });
    expect(lies.length).toBeGreaterThan(0);
    const check = await checkVtdVectors(lies, { maxDifferences: 2 });
    expect(check).toMatchObject({ equal: false, vectors: lies.length, differing: lies.length });
    expect(check.first).toHaveLength(Math.min(2, lies.length));
  });
});

describe("a sequence that is not true is noticed", () => {
  it("a request with another result, an entry with another value", async () => {
    const lies = sequences.flatMap(({ line, vector }) => {
      const at = vector.steps.findLastIndex((step) => step.op === "dma" && step.expected.kind === "ok");
      const step = vector.steps[at];
      if (step?.op !== "dma") return [];
      const other = { ...step, expected: { kind: "fault", reason: 0x71 } } as const;
      const written = { ...step, changed: [{ entry: "PTEc", value: 0n }] } as const;
      return [other, written].map((it) => ({ line, vector: { ...vector, steps: vector.steps.with(at, it) } }));
    });
    const check = await checkVtdSequences(lies);
    expect(check).toMatchObject({ equal: false, differing: lies.length });
    for (const part of check.parts) expect(part.differences).toBeGreaterThan(0);
  });

  it("an invalidation left out", async () => {
    const kept = sequences.map(({ line, vector }) => {
      return { line, vector: { ...vector, steps: vector.steps.filter(({ op }) => op !== "invalidate") } };
    });
    expect((await checkVtdSequences(kept)).differingRequests).toBeGreaterThan(0);
  });
});

describe("a line that is not of the form is refused, by file, line and field", () => {
  const walk = walkLines[0] as string;
  const sequence = sequenceLines[0] as string;
  it.each([
    ["a field too many", walk.replace('"haw"', '"hew":1,"haw"'), /hew = 1: expected no fields but id, haw,/],
    ["a field too few", walk.replace(/"did":\d+,/, ""), /did = undefined: expected the field to be there/],
    [
      "a reason as text",
      walk.replace(/"result":\{[^}]*\}/, '"result":{"ok":false,"reason":"113"}'),
      /result\.reason = "113"/,
    ],
    [
      "a deviation alone",
      walk.replace('"result"', '"deviation":"fs1gp","result"'),
      /spec = undefined: expected the spec/,
    ],
    [
      "an unknown deviation",
      walk.replace('"result"', '"deviation":"x","result"'),
      /deviation = "x": expected dirty-or/,
    ],
    ["levels out of order", walk.replace('"level":4', '"level":3'), /level = 3: expected an integer from 4 to 4/],
    ["a width that is none", walk.replace('"haw":48', '"haw":53'), /haw = 53: expected an integer from 32 to 52/],
  ])("of a walk: %s", (_, line, message) => {
    expect(() => parseVtdVector(line, PLACE)).toThrow(message);
    expect(() => parseVtdVector(line, PLACE)).toThrow(/^file:1: /);
  });

  it.each([
    ["an entry of another name", sequence.replaceAll('"PTEc"', '"PTEd"'), /slots\.PTEc = undefined/],
    [
      "an unknown step",
      sequence.replace('"op":"dma"', '"op":"dna"'),
      /op = "dna": expected write or dma or invalidate or root/,
    ],
    ["an unknown invalidation", sequence.replace(/"what":"[a-z-]+"/, '"what":"everything"'), /what = "everything"/],
    [
      "one root",
      sequence.replace(/"roots":\["(0x[0-9a-f]+)",/, '"roots":['),
      /roots = \[.*: expected a list of 2 numbers/,
    ],
    ["a field too many", sequence.replace('"op":"dma"', '"op":"dma","size":8'), /size = 8: expected no fields but/],
  ])("of a sequence: %s", (_, line, message) => {
    expect(() => parseVtdSequence(line, PLACE)).toThrow(message);
  });
});
