// The engine behind RISC-V's format against the recorded RISC-V walk vectors, and against vectors that are not true.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  checkRiscvVectors,
  type NumberedVector,
  parseRiscvVector,
  type RiscvCheck,
  type RiscvVector,
  readWalkVectors,
} from "../../src/vectors/index.js";
import { RISCV_CONTROL_BITS, RISCV_REASONS } from "../../src/vectors/riscv/outcome.js";
import { recordedRiscv, riscvBuild, riscvFixture, riscvVectorsOf } from "../support/riscv.js";
import { GOOD_LINE } from "../support/vectors.js";

const module = riscvBuild();
const A = 1n << 6n;
const D = 1n << 7n;

const check = (vectors: Iterable<NumberedVector<RiscvVector>>, maxDifferences = 10): Promise<RiscvCheck> =>
  checkRiscvVectors(vectors, { module, maxDifferences });

function expectEqual(check: RiscvCheck): void {
  expect(check.first).toEqual([]);
  expect(check).toMatchObject({ equal: true, differing: 0 });
  expect(check.parts.map(({ name }) => name)).toEqual(["outcome", "entries", "probe", "explain", "cached"]);
  for (const part of check.parts) expect(part).toMatchObject({ compared: check.vectors, differences: 0 });
}

describe.skipIf(recordedRiscv === undefined)(
  "recorded RISC-V walk vectors (skipped without the recorded riscv/walk-vectors.jsonl.gz)",
  () => {
    it("all 15,000 are equal, bare and with caches", async () => {
      const result = await check(await riscvVectorsOf(recordedRiscv ?? ""));
      expectEqual(result);
      expect(result.vectors).toBe(15_000);
      expect(result.modes).toEqual({ sv39: 4401, sv48: 4965, sv57: 5634 });
      expect(result.deviations).toEqual({ "pbmt-3": 63, "napot-fault-ad": 53, "entry-access-fault": 110 });
      expect(result.results).toEqual({ ok: 4580, "page-fault": 10_310, "access-fault": 110 });
    });
  },
);

describe("the excerpt of the RISC-V walk vectors", () => {
  it("is equal, and has every kind of vector", async () => {
    const result = await check(await riscvVectorsOf(riscvFixture));
    expectEqual(result);
    expect(result.vectors).toBeGreaterThan(300);
    const counts = [result.results, result.modes, result.deviations].flatMap((it) => Object.values(it));
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it("is equal in any order: no vector sees the tables of another", async () => {
    const list = await riscvVectorsOf(riscvFixture);
    expectEqual(await check([...list, ...list.toReversed(), ...list]));
  });
});

/** Each takes a true vector to one that is not, or to undefined where it does not apply. */
const LIES: Record<string, (vector: RiscvVector) => Partial<RiscvVector> | undefined> = {
  "another physical address": ({ expected }) =>
    expected.kind === "ok"
      ? { expected: { ...expected, physicalAddress: expected.physicalAddress ^ (1n << 55n) } }
      : undefined,
  "another page size": ({ expected }) =>
    expected.kind === "ok" && expected.pageSize !== undefined
      ? { expected: { ...expected, pageSize: expected.pageSize === 4096 ? 65536 : 4096 } }
      : undefined,
  "a fault in place of a translation": ({ expected }) =>
    expected.kind === "ok" ? { expected: { kind: "page-fault", cause: 13 } } : undefined,
  "another cause": ({ expected }) =>
    expected.kind === "page-fault"
      ? { expected: { kind: "page-fault", cause: expected.cause === 13 ? 15 : 13 } }
      : undefined,
  "the emulator's PBMT of 3": ({ deviation, observed }) =>
    deviation === "pbmt-3" ? { expected: observed, deviation: undefined } : undefined,
  "the emulator's A and D after a reserved NAPOT size": ({ deviation, tables }) =>
    deviation === "napot-fault-ad" && tables.some(({ before, after }) => before !== after)
      ? { deviation: undefined }
      : undefined,
  "the emulator's page fault for a table that is not there": ({ deviation, observed }) =>
    deviation === "entry-access-fault" ? { expected: observed } : undefined,
  "A or D of an entry not set": ({ tables }) =>
    tables.some(({ before, after }) => before !== after)
      ? { deviation: undefined, tables: tables.map((it) => ({ ...it, after: it.before })) }
      : undefined,
  "A or D of an entry set": ({ tables, deviation }) =>
    deviation === undefined && tables.some(({ after }) => (after & (A | D)) !== (A | D))
      ? { tables: tables.map((it) => ({ ...it, after: it.after | A | D })) }
      : undefined,
  "hardware that sets A and D": ({ controls, tables, expected }) =>
    controls.adue && expected.kind === "ok" && tables.some(({ before, after }) => before !== after)
      ? { controls: { ...controls, adue: false } }
      : undefined,
  "no Svnapot": ({ controls, expected }) =>
    expected.kind === "ok" && expected.pageSize === 65536 ? { controls: { ...controls, svnapot: false } } : undefined,
};

describe("a RISC-V vector that is not true is noticed", () => {
  it.each(Object.entries(LIES))("%s", async (name, lie) => {
    const lies = (await riscvVectorsOf(riscvFixture)).flatMap(({ line, vector }) => {
      const change = lie(vector);
      // The emulator's own A and D on a line that is corrected are no lie of ours.
      if (!change || (name === "A or D of an entry not set" && vector.deviation)) return [];
      return [{ line, vector: { ...vector, ...change } }];
    });
    expect(lies.length).toBeGreaterThan(0);
    const result = await check(lies, 3);
    expect(result).toMatchObject({ equal: false, vectors: lies.length, differing: lies.length });
    expect(result.first).toHaveLength(Math.min(3, lies.length));
    expect(result.first[0]).toMatchObject({ line: lies[0]?.line });
    // Caches make no difference: they notice what the bare walker does.
    expect(result.parts.find((part) => part.name === "cached")?.differences).toBe(lies.length);
  });
});

describe("parseRiscvVector", () => {
  const GOOD = JSON.stringify({
    ...{ id: 7, mode: "sv39", priv: "U", sum: 0, mxr: 1, adue: 0, pbmte: 1, svnapot: 1, via: "mprv" },
    ...{ access: "r", va: "0x40201000", asid: 1, root: "0x80001000" },
    tables: [{ pa: "0x80001000", index: 1, before: "0x60000000200004df", after: "0x60000000200004df" }],
    result: { ok: true, pa: "0x80201000", pageSize: 1 << 30 },
    deviation: "pbmt-3",
    spec: { ok: false, cause: 13 },
  });
  const parse = (line: string) => parseRiscvVector(line, { file: "lines", line: 7 });

  it("takes the specification's result on a line that deviates", () => {
    const vector = parse(GOOD);
    expect(vector.observed).toEqual({ kind: "ok", physicalAddress: 0x8020_1000n, pageSize: 1 << 30 });
    expect(vector.expected).toEqual({ kind: "page-fault", cause: 13 });
    expect(vector).toMatchObject({ root: 0x80001, access: { type: "read", user: true }, via: "mprv", asid: 1 });
  });

  const noSpec = GOOD.replace(/,"deviation".*$/, "}");
  const with_ = (from: string, to: string) => {
    expect(GOOD).toContain(from);
    return GOOD.replace(from, to);
  };

  it.each([
    ["not JSON", "{", 'lines:7: "{": expected a JSON object'],
    ["another mode", with_('"sv39"', '"sv32"'), 'lines:7: mode = "sv32": expected sv39 or sv48 or sv57'],
    ["a wrong privilege", with_('"U"', '"M"'), 'priv = "M": expected U or S'],
    ["a wrong flag", with_('"sum":0', '"sum":false'), "sum = false: expected 0 or 1"],
    ["a missing flag", with_('"svnapot":1', '"napot":1'), "svnapot = undefined: expected 0 or 1"],
    ["a wrong way", with_('"mprv"', '"dma"'), 'via = "dma": expected mprv or direct or fetch'],
    ["a wrong access", with_('"access":"r"', '"access":"rw"'), 'access = "rw": expected r or w or x'],
    ["a wrong ASID", with_('"asid":1', '"asid":65536'), "asid = 65536: expected an integer from 0 to 65535"],
    ["a wrong address", with_('"0x40201000"', '"0X40201000"'), 'va = "0X40201000": expected 0x and 1 to 16 lower'],
    ["an unaligned root", with_('"root":"0x80001000"', '"root":"0x80001008"'), 'root = "0x80001008": expected a page-'],
    ["a root outside", with_('"root":"0x80001000"', '"root":"0x1000"'), "a page-aligned address in the emulator's"],
    ["another root", with_('"root":"0x80001000"', '"root":"0x80002000"'), "expected the page that root names"],
    ["a wide table", with_('"pa":"0x80001000"', '"pa":"0x100000000000000"'), "a page-aligned address below 2^56"],
    ["no tables", GOOD.replace(/"tables":\[[^\]]*\]/, '"tables":[]'), "tables = []: expected a list of 1 to 3 objects"],
    ["a wrong index", with_('"index":1', '"index":-1'), "tables[0].index = -1: expected an integer from 0 to 511"],
    ["a wrong size", with_("1073741824", "8192"), "result.pageSize = 8192: expected 4096 or 65536 or 2097152 or"],
    ["a wide address", with_('"pa":"0x80201000"', '"pa":"0x100000000000000"'), "expected an address below 2^56"],
    ["a wrong cause", with_('"cause":13', '"cause":14'), "spec.cause = 14: expected 12 or 13 or 15 or 1 or 5 or 7"],
    [
      "an access fault observed",
      noSpec.replace(/"result":{[^}]*}/, '"result":{"ok":false,"cause":5}'),
      "12 or 13 or 15",
    ],
    [
      "a wrong access fault",
      with_('"pageSize":1073741824', '"accessFault":13'),
      "accessFault = 13: expected 1 or 5 or 7",
    ],
    ["another deviation", with_('"pbmt-3"', '"new"'), 'deviation = "new": expected pbmt-3 or napot-fault-ad or'],
    ["no result of the specification", with_('"spec"', '"no"'), "spec = undefined: expected an object"],
    [
      "a correction without a reason",
      with_('"deviation":"pbmt-3",', ""),
      "expected none on a line without a deviation",
    ],
  ])("names line, value and expectation: %s", (_, line, message) => {
    expect(() => parse(line)).toThrow(message);
    expect(() => parse(line)).toThrow(/^lines:7: /);
  });

  it("does not take the other form's lines", async () => {
    expect(() => parse(GOOD_LINE)).toThrow("lines:7: mode = undefined: expected sv39 or sv48 or sv57");
    const x86 = readWalkVectors([new TextEncoder().encode(GOOD)], { file: "lines" });
    await expect(x86.next()).rejects.toThrow("lines:1: levels = undefined: expected 4 or 5");
  });
});

describe("what both sides type", () => {
  const textOf = (path: string): string =>
    readFileSync(fileURLToPath(new URL(`../../assembly/paging/${path}`, import.meta.url)), "utf8");

  it("the controls have the engine's bits", () => {
    const engine = [...textOf("riscv/controls.ts").matchAll(/^export const (\w+): u32 = 1 << (\d+);$/gm)];
    const host = Object.entries(RISCV_CONTROL_BITS).map(([name, bit]) => [name.toUpperCase(), Math.log2(bit)]);
    expect(host).toEqual(engine.map(([, name, bit]) => [name, Number(bit)]));
  });

  it("every reason that RISC-V's format gives has a name", () => {
    const imported = /import \{([^}]*)\} from "\.\.\/outcome"/.exec(textOf("riscv/rights.ts"))?.[1] ?? "";
    const names = imported.match(/[A-Z]\w+/g) ?? [];
    const numbers = names.map((name) => new RegExp(`const ${name}: u32 = (\\d+);`).exec(textOf("outcome.ts"))?.[1]);
    expect(Object.keys(RISCV_REASONS).toSorted()).toEqual(numbers.toSorted());
  });
});
