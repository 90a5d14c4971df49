// What a snapshot must restore lies in memory; every variable outside it stands under a heading that says why it need not be
// restored (docs/architecture.md, "State"). And random programs that are played again after a restore show the same.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { compileEngineSync } from "../../src/engine/compile.js";
import { Engine } from "../../src/engine/instance.js";
import { createMachineSync } from "../../src/index.js";
import { kernelPrograms } from "../model/kernel/programs.js";
import { programs } from "../model/programs.js";
import fc from "../support/fast-check.js";
import { filesOf } from "../support/modules.js";
import { ROOT } from "../support/pack-package.js";
import { exportsOf, kernelReplay, plainReplay, type Replay, twice } from "../support/state.js";

const SEED = Number(process.env["STALEWALK_SEED"] ?? 20261124);
const HEADINGS = [
  "// ---- set up once ----",
  "// ---- scratch: nothing survives a call ----",
  "// ---- the generator: goes on from call to call ----",
];

/** Variables of a file outside of its functions, each with the heading above it. */
function variablesIn(text: string): { line: number; name: string; heading: string }[] {
  let heading = "none";
  return text.split("\n").flatMap((line, i) => {
    if (/^\/\/ -/.test(line)) heading = line;
    const name = /^(?:export )?(?:let|var) (\w+)/.exec(line)?.[1];
    return name === undefined ? [] : [{ line: i + 1, name, heading }];
  });
}

/** Variables under no heading that says why a restore may leave them alone. */
const homeless = (file: string, text: string): string[] =>
  variablesIn(text)
    .filter(({ heading }) => !HEADINGS.includes(heading))
    .map(({ line, name, heading }) => `${file}:${line}: ${name} stands under ${heading}`);

/** Uses of `memory.data` that are not the block of a constant of its own. */
const looseBlocks = (file: string, text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line.includes("memory.data(") && !/^(?:export )?const [A-Z_]+: usize = memory\.data\(/.test(line))
    .map((line) => `${file}: ${line.trim()}`);

const sources = filesOf("assembly").map((name) => {
  const file = `assembly/${name}`;
  return { file, text: readFileSync(join(ROOT, file), "utf8") };
});

describe("a variable outside memory", () => {
  it("stands under one of three headings", () => {
    const all = sources.flatMap(({ text }) => variablesIn(text));
    expect(all.length).toBeGreaterThan(50);
    expect(sources.flatMap(({ file, text }) => homeless(file, text))).toEqual([]);
    for (const heading of HEADINGS) expect(all.some((it) => it.heading === heading)).toBe(true);
  });

  it("is found when it stands under none, or under another", () => {
    expect(homeless("a.ts", "// About.\n\nlet many: u32 = 0;\n")).toEqual(["a.ts:3: many stands under none"]);
    const other = "// ---- set up once ----\nlet a: u32 = 0;\n// ---- counters ----\nexport let b: u64 = 0;\n";
    expect(homeless("a.ts", other)).toEqual(["a.ts:4: b stands under // ---- counters ----"]);
    expect(homeless("a.ts", "function f(): void {\n  let inside: u32 = 0;\n}\n")).toEqual([]);
  });

  it("is exported only if it is known", () => {
    const globals = Object.entries(new Engine(compileEngineSync()).exports).flatMap(([name, value]) =>
      (value as unknown) instanceof WebAssembly.Global ? [[name, isMutable(value as WebAssembly.Global)] as const] : [],
    );
    const own = globals.filter(([name]) => !name.startsWith("failed"));
    expect(Object.fromEntries(own)).toEqual({ CHAIN: false, TALLIES: false, chainLength: true, programFault: true });
  });
});

/** A constant refuses to be set. */
function isMutable(global: WebAssembly.Global): boolean {
  const { value } = global;
  try {
    global.value = value;
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

describe("static data", () => {
  it("is made of blocks with a name each", () => {
    expect(sources.filter(({ text }) => text.includes("memory.data(")).length).toBeGreaterThan(10);
    expect(sources.flatMap(({ file, text }) => looseBlocks(file, text))).toEqual([]);
    expect(looseBlocks("a.ts", "  const at = memory.data(8, 8);")).toHaveLength(1);
  });

  it("lies in what a snapshot copies, all of it, with everything that a kernel allocates", () => {
    const bare = new Engine(compileEngineSync()).exports;
    const machine = createMachineSync({ workloadPages: 1, kernel: { pool: 8 } });
    const [first, second, ...others] = machine
      .snapshot()
      .image.parts.map(({ at, bytes }) => [at, at + bytes.length] as const);
    expect(first?.[0]).toBe(0);
    // A fresh instance has allocated nothing: its arena starts where static data end.
    expect(first?.[1]).toBeGreaterThanOrEqual(bare.arenaBytes());
    const exports = exportsOf(machine);
    const root = exports.contentsOf(exports.rootOf(0xffff));
    expect(others.filter(([from, to]) => from <= root && root < to)).toHaveLength(1);
    expect(others.at(-1)?.[1]).toBeLessThanOrEqual(exports.arenaBytes());
    expect(second?.[0]).toBeGreaterThan(first?.[1] ?? 0);
  });
});

/** Plays twice, and compares step by step, then byte by byte. */
function expectSame(replay: Replay): void {
  const [first, again] = twice(replay);
  for (const [i, step] of first.steps.entries()) {
    if (!isDeepStrictEqual(again.steps[i], step)) expect(again.steps[i], `step ${i} after the restore`).toEqual(step);
  }
  for (const [i, { at, bytes }] of first.memory.entries()) {
    const other = again.memory[i]?.bytes as Uint8Array;
    if (Buffer.compare(bytes, other) === 0) continue;
    const offset = bytes.findIndex((byte, k) => byte !== other[k]);
    expect.fail(`memory differs at 0x${(at + offset).toString(16)} after the restore`);
  }
  replay.machine.dispose();
}

describe("after a restore", () => {
  it("a kernel's programs, with what is interleaved, show what they showed before", { timeout: 0 }, () => {
    let steps = 0;
    fc.assert(
      fc.property(kernelPrograms(80), (program) => {
        steps += program.operations.length;
        expectSame(kernelReplay(program));
      }),
      { seed: SEED, numRuns: 40 },
    );
    expect(steps).toBeGreaterThan(1000);
  });

  it("programs of CPUs and IOMMUs do", { timeout: 0 }, () => {
    let steps = 0;
    fc.assert(
      fc.property(programs(80), (program) => {
        steps += program.operations.length;
        expectSame(plainReplay(program));
      }),
      { seed: SEED, numRuns: 40 },
    );
    expect(steps).toBeGreaterThan(1000);
  });
});
