// The model against every recorded walk vector (30,000 real accesses on an emulator's MMU, corrected to the SDM where the
// data's README says so): outcome, physical address, page size, error code, and the entries afterwards.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { sharedData } from "../support/shared-data.js";
import { parseWalkVector, readWalkVectors, type VectorResult, type WalkVector } from "../support/vectors.js";
import type { TranslationCacheConfig } from "./agent.js";
import { Cpu } from "./cpu.js";
import { ACCESSED } from "./entry.js";
import { Memory } from "./memory.js";
import type { Outcome } from "./walk.js";

const path = sharedData("walks/walk-vectors.jsonl.gz");

const PAGE_SIZE_OF_LEVEL = { 1: 4096, 2: 0x200000, 3: 0x40000000 } as const;

function memoryOf(vector: WalkVector): Memory {
  const memory = new Memory();
  for (const { frame, index, before } of vector.tables) {
    if (!memory.has(frame)) memory.add(frame, "table");
    memory.writeEntry(frame, index, before);
  }
  return memory;
}

function cpuOf(vector: WalkVector, memory: Memory): Cpu {
  const tlb: TranslationCacheConfig = {
    entries: 4,
    ways: 4,
    pageSizes: ["4K", "2M", "1G"],
    replacement: "lru",
    enabled: true,
  };
  const psc = { entries: 2, ways: 2, replacement: "lru", enabled: true } as const;
  const { levels, maxPhyAddr, controls, root } = vector;
  return new Cpu(
    memory,
    { levels, maxPhyAddr, pages1G: true },
    {
      root,
      pcid: 0,
      controls: { ...controls, pcide: false },
      invlpgScope: "pcid",
      l1: [tlb],
      l2: [],
      psc: { 2: psc, 3: psc, 4: psc, ...(levels === 5 ? { 5: psc } : {}) },
    },
  );
}

function accessCode({ access }: WalkVector): number {
  const type = { read: 0, write: 1, fetch: 2 }[access.type];
  return type + (access.user ? 4 : 0) + (access.implicit ? 8 : 0);
}

/** The outcome in the words of the vectors. */
function asResult(outcome: Outcome): VectorResult | string {
  switch (outcome.kind) {
    case "ok":
      return {
        kind: "ok",
        physicalAddress: outcome.physicalAddress,
        pageSize: PAGE_SIZE_OF_LEVEL[outcome.level],
      };
    case "fault":
      return { kind: "fault", errorCode: outcome.errorCode };
    case "non-canonical":
      return { kind: "non-canonical" };
    case "absent":
      return `absent frame ${outcome.frame} at level ${outcome.level}`;
  }
}

/** After a fault only A may have been set; after a completion the entries are exactly the recorded ones. */
function entriesAfter(vector: WalkVector, memory: Memory): string[] {
  const wrong: string[] = [];
  for (const { frame, index, before, after } of vector.tables) {
    const entry = memory.readEntry(frame, index) ?? 0n;
    const good = vector.expected.kind === "ok" ? entry === after : (entry | ACCESSED) === (before | ACCESSED);
    const lostAccessed = (before & ACCESSED & ~entry) !== 0n;
    if (!good || lostAccessed) wrong.push(`frame ${frame} entry ${index}: 0x${entry.toString(16)}`);
  }
  return wrong;
}

describe.skipIf(path === undefined)("walk vectors (skipped without the recorded walks/walk-vectors.jsonl.gz)", () => {
  it("all give the recorded result, cold, as a probe, and again with warm caches", async () => {
    const failures: string[] = [];
    const seen = { vectors: 0, ok: 0, fault: 0, "non-canonical": 0, "rsvd-without-p": 0, "implicit-smap-ac": 0 };
    for await (const vector of readWalkVectors(path ?? "")) {
      seen.vectors += 1;
      seen[vector.expected.kind] += 1;
      if (vector.deviation !== undefined) seen[vector.deviation] += 1;

      const memory = memoryOf(vector);
      const cpu = cpuOf(vector, memory);
      const code = accessCode(vector);
      const outcomes = {
        probe: cpu.probe(vector.virtualAddress, code),
        cold: cpu.access(vector.virtualAddress, code),
        warm: cpu.access(vector.virtualAddress, code),
      };
      const wanted = show(vector.expected);
      for (const [name, outcome] of Object.entries(outcomes)) {
        const got = show(asResult(outcome));
        if (got !== wanted) failures.push(`vector ${vector.id}, ${name}: ${got}, expected ${wanted}`);
      }
      for (const wrong of entriesAfter(vector, memory)) failures.push(`vector ${vector.id}: ${wrong}`);
      const hits = cpu.agent.l1[0]?.counters.hits;
      if (hits !== (vector.expected.kind === "ok" ? 1 : 0)) failures.push(`vector ${vector.id}: ${hits} TLB hits`);
    }
    expect(failures.slice(0, 20)).toEqual([]);
    expect(seen).toMatchObject({ vectors: 30_000, "rsvd-without-p": 1822, "implicit-smap-ac": 86 });
    expect(seen.ok).toBeGreaterThan(1000);
    expect(seen.fault).toBeGreaterThan(1000);
    expect(seen["non-canonical"]).toBeGreaterThan(100);
  });
});

function show(result: VectorResult | string): string {
  return JSON.stringify(result, (_, value) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value));
}

const GOOD_LINE = JSON.stringify({
  ...{ id: 0, levels: 4, cr0wp: 0, smep: 1, smap: 1, pke: 1, pkru: 1, nxe: 0, ac: 0, pge: 1, cpl: 3 },
  ...{ access: "r", implicit: 0, va: "0x10534bb48000", cr3: "0x6342a149", maxphyaddr: 40 },
  tables: [{ pa: "0x6342a000", index: 32, before: "0x5a71a027", after: "0x5a71a027" }],
  result: { ok: false, vector: 14, errorCode: 12 },
  deviation: "rsvd-without-p",
  sdm: { ok: false, vector: 14, errorCode: 13 },
});

describe("reading walk vectors", () => {
  it("takes the SDM's result on a line that deviates", () => {
    const vector = parseWalkVector(GOOD_LINE, "lines:1");
    expect(vector.observed).toEqual({ kind: "fault", errorCode: 12 });
    expect(vector.expected).toEqual({ kind: "fault", errorCode: 13 });
    expect(vector.root).toBe(0x6342a);
    expect(vector.access).toEqual({ type: "read", user: true, implicit: false });
  });

  it.each([
    ["not JSON", "{", /^lines:7: "\{": expected a JSON object$/],
    ["not an object", "[]", /^lines:7: \[\]: expected an object$/],
    ["a wrong number", GOOD_LINE.replace('"levels":4', '"levels":3'), /^lines:7: levels = 3: expected 4 or 5$/],
    ["a wrong hex", GOOD_LINE.replace("0x10534bb48000", "12"), /^lines:7: va = "12": expected 0x and 1 to 16/],
    ["a wrong index", GOOD_LINE.replace('"index":32', '"index":512'), /^lines:7: tables\[0\]: index = 512: expected/],
    ["no result", GOOD_LINE.replace('"result"', '"no"'), /^lines:7: result: undefined: expected an object$/],
    ["no SDM result", GOOD_LINE.replace('"sdm"', '"no"'), /^lines:7: sdm: undefined: expected an object$/],
  ])("names line, value and expectation: %s", (_, line, message) => {
    expect(() => parseWalkVector(line, "lines:7")).toThrow(message);
  });

  it("fails on a file that is cut off, and on one that is missing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "vectors-"));
    try {
      const whole = gzipSync(`${GOOD_LINE}\n`.repeat(5000));
      writeFileSync(join(folder, "cut.gz"), whole.subarray(0, whole.length - 20));
      await expect(count(join(folder, "cut.gz"))).rejects.toThrow(/cut\.gz: after line \d+: unexpected end of file/);
      await expect(count(join(folder, "missing.gz"))).rejects.toThrow(/missing\.gz/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

async function count(file: string): Promise<number> {
  let lines = 0;
  for await (const _ of readWalkVectors(file)) lines += 1;
  return lines;
}
