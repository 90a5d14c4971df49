// The model against every recorded walk vector (30,000 real accesses on an emulator's MMU, corrected to the SDM where the
// data's README says so): outcome, physical address, page size, error code, and the entries afterwards.

import { describe, expect, it } from "vitest";
import type { VectorResult, WalkVector } from "../../src/vectors/index.js";
import { amount } from "../support/effort.js";
import { recordedVectors as path, vectorsOf } from "../support/vectors.js";
import type { TranslationCacheConfig } from "./agent-config.js";
import { Cpu } from "./cpu.js";
import { ACCESSED } from "./entry.js";
import { Memory } from "./memory.js";
import type { Outcome } from "./walk.js";

/** One vector in so many is played, and all that deviate; the engine plays all each time (test/vectors/check.test.ts). */
const STEP = amount({ quick: 4, full: 4, nightly: 1 });

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
    case "under-way":
      return "a walk under way";
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
  it(`${STEP === 1 ? "all" : "one in four"} give the recorded result, cold, as a probe, and again with warm caches`, async () => {
    const failures: string[] = [];
    const seen = { vectors: 0, ok: 0, fault: 0, "non-canonical": 0, "rsvd-without-p": 0, "implicit-smap-ac": 0 };
    for await (const { vector } of vectorsOf(path ?? "")) {
      seen.vectors += 1;
      seen[vector.expected.kind] += 1;
      if (vector.deviation !== undefined) seen[vector.deviation] += 1;
      else if (seen.vectors % STEP !== 0) continue;

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
