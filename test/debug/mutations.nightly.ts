// Assertions see what they are there for: the engine is broken on purpose, one place at a time, and random programs on the debug
// build must end with the place of an assertion. And the shipped build has none of them. Each case compiles the engine once.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kernelPrograms } from "../model/kernel/programs.js";
import fc from "../support/fast-check.js";
import { KernelPlayer, kernelMachine } from "../support/kernel-player.js";
import { ROOT } from "../support/pack-package.js";
import { kernelReplay, twice } from "../support/state.js";
import { SourceCopy } from "./build.js";
import { AssertionFailed, useModule } from "./engine.js";

const SEED = Number(process.env["STALEWALK_SEED"] ?? 20261124);
const PROGRAMS = 400;
const LENGTH = 120;

interface Mutation {
  name: string;
  file: string;
  /** Stands once in the file, and what takes its place. */
  from: string;
  to: string;
  /** File of the assertion that fails, and its message. */
  in: string;
  says: string;
}

const mutations: Mutation[] = [
  {
    name: "an entry is removed, and the set's count of living entries stays",
    file: "assembly/cache/living.ts",
    from: "  store<u32>(block, load<u32>(block, SET_LIVE) - 1, SET_LIVE);\n",
    to: "",
    in: "assembly/cache/fill.ts",
    says: "the set's count of living entries is wrong",
  },
  {
    name: "an entry is removed, and the count of its tag's living entries stays",
    file: "assembly/cache/living.ts",
    from: "  store<u32>(own, load<u32>(own) - 1);\n",
    to: "",
    in: "assembly/cache/living.ts",
    says: "more global entries are alive than entries",
  },
  {
    name: "a set is not swept before its fill",
    file: "assembly/cache/fill.ts",
    from: "    sweep(cache, block);\n",
    to: "",
    in: "assembly/cache/fill.ts",
    says: "the set holds dead entries: it has not been swept",
  },
  {
    name: "the first way is taken, whatever it holds",
    file: "assembly/cache/fill.ts",
    from: "  while (load<u64>(keys + (<usize>way << 3)) != 0) way++;\n",
    to: "",
    in: "assembly/cache/fill.ts",
    says: "the set's count of living entries is wrong",
  },
  {
    name: "a released frame is pushed twice",
    file: "assembly/kernel/pool.ts",
    from: "  push(slot, site);\n  tally",
    to: "  push(slot, site);\n  push(slot, site);\n  tally",
    in: "assembly/kernel/pool.ts",
    says: "the frame is free already",
  },
  {
    name: "an operation leaves its unlinked tables on the stack",
    file: "assembly/kernel/vmalloc.ts",
    from: "  popUnlinked(mine);\n",
    to: "",
    in: "assembly/program/play.ts",
    says: "an operation left unlinked tables on the stack",
  },
  {
    name: "a deferred table is not marked as deferred",
    file: "assembly/kernel/policy.ts",
    from: "  setMarks(slot, marks | MARK_DEFERRED);\n",
    to: "",
    in: "assembly/kernel/policy.ts",
    says: "a table on the deferred list is not marked so",
  },
  {
    name: "a point goes on to count its operations as under way",
    file: "assembly/base/points.ts",
    from: "  store<u32>(NESTED, nested);\n",
    to: "",
    in: "assembly/base/points.ts",
    says: "points nest wrongly",
  },
];

let copy: SourceCopy;
beforeEach(() => {
  copy = new SourceCopy("mutation");
});
afterEach(() => {
  copy.remove();
  useModule(undefined);
});

/** Plays random programs until an assertion fails. */
function firstFailure(): AssertionFailed | undefined {
  for (const program of fc.sample(kernelPrograms(LENGTH), { seed: SEED, numRuns: PROGRAMS })) {
    const player = new KernelPlayer(kernelMachine(program.config), program);
    try {
      for (const _ of program.operations) player.next();
    } catch (error) {
      if (error instanceof AssertionFailed) return error;
      throw error;
    }
  }
  return undefined;
}

describe("an engine that is broken on purpose names the place", () => {
  it.each(mutations)("$name", (mutation) => {
    const { file, from, to, in: place, says } = mutation;
    const text = copy.read(file);
    expect(text.split(from)).toHaveLength(2);
    copy.write(file, text.replace(from, to));
    useModule(new WebAssembly.Module(copy.compile("debug")));
    const line =
      copy
        .read(place)
        .split("\n")
        .findIndex((it) => it.includes(`"${says}"`)) + 1;
    const message = firstFailure()?.message;
    console.log(`${mutation.name}: ${message}`);
    expect(message).toMatch(/^assembly\/[\w/-]+\.ts\(\d+,\d+\): /);
    expect(message?.replace(/,\d+\)/, ")")).toBe(`${place}(${line}): ${says}`);
  });

  it("and one that is not plays the same programs to their ends", () => {
    useModule(new WebAssembly.Module(copy.compile("debug")));
    expect(firstFailure()).toBeUndefined();
  });
});

describe("state that a snapshot does not copy", () => {
  it("shows when a program is played again after a restore, whatever heading it stands under", () => {
    const file = "assembly/kernel/data-frames.ts";
    const text = copy.read(file);
    const moved = text
      .replace(
        "const NEXT: usize = memory.data(sizeof<u64>(), sizeof<u64>());",
        "// ---- set up once ----\nlet next: u64 = 0;",
      )
      .replaceAll("load<u64>(NEXT)", "next")
      .replace(/store<u64>\(NEXT, (.*)\);/, "next = $1;");
    expect(moved).not.toContain("NEXT");
    copy.write(file, moved);
    const differs = (): boolean =>
      fc.sample(kernelPrograms(LENGTH), { seed: SEED, numRuns: 20 }).some((program) => {
        const [first, again] = twice(kernelReplay(program));
        return !isDeepStrictEqual(first, again);
      });
    expect(differs()).toBe(false);
    useModule(new WebAssembly.Module(copy.compile("debug")));
    expect(differs()).toBe(true);
  });
});

describe("the release build", () => {
  it("is, byte for byte, that of the same sources without a single assertion", () => {
    const shipped = readFileSync(join(ROOT, "build/release.wasm"));
    let lines = 0;
    for (const file of copy.files) {
      const text = copy.read(file);
      const without = text.replaceAll(/^ *assert\(.*\);\n/gm, () => {
        lines++;
        return "";
      });
      copy.write(file, without);
      expect(without).not.toMatch(/\bassert\(/);
    }
    expect(lines).toBeGreaterThan(150);
    const compiled = copy.compile("release");
    expect(shipped.subarray(0, compiled.length).equals(compiled)).toBe(true);
    // All that follows is the custom section that names the ABI.
    expect(shipped.subarray(compiled.length, compiled.length + 1)).toEqual(Buffer.of(0));
    expect(WebAssembly.Module.customSections(new WebAssembly.Module(shipped), "stalewalk.abi")).toHaveLength(1);
  });
});
