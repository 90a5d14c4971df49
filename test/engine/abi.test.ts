// One source for engine and host (scripts/make-abi.mjs): constants that must agree and do not are not compiled, or not
// generated; what is generated is what the module really exports.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyBit, scopes, sites } from "../../src/engine/abi.js";
import { checkPolicy, type Policy } from "../../src/kernel/policies.js";
import { policyBits } from "../../src/kernel/policy.js";
import { EFFORT } from "../support/effort.js";
import { ROOT } from "../support/pack-package.js";
import { moduleTypes } from "../support/wasm-types.js";

const SOURCES = ["assembly", "scripts"];
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "stalewalk-abi-"));
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  for (const folder of ["docs", "src/engine", "src/trace"]) mkdirSync(join(copy, folder), { recursive: true });
});

afterAll(() => rmSync(copy, { recursive: true }));

interface AbiVersion {
  ABI_SECTION: string;
  abiVersion(...generated: readonly string[]): string;
}

type Change = readonly [file: string, from: string, to: string, message: string];

/** Sources with pieces of text exchanged for others; then the constants are generated. */
function generate(...changes: readonly Change[]): { status: number | null; stderr: string } {
  for (const folder of SOURCES) cpSync(join(ROOT, folder), join(copy, folder), { recursive: true });
  for (const [file, from, to] of changes) {
    const path = join(copy, "assembly", file);
    const text = readFileSync(path, "utf8");
    expect(text.split(from).length, `${file}: ${from}`).toBe(2);
    writeFileSync(path, text.replace(from, to));
  }
  return spawnSync(process.execPath, ["scripts/make-abi.mjs", "--page"], { cwd: copy, encoding: "utf8" });
}

describe("constants of the engine", () => {
  it("are what the host was built with", () => {
    expect(generate()).toMatchObject({ status: 0, stderr: "" });
    for (const path of ["docs/abi.md", "src/engine/abi.ts", "src/engine/exports.ts", "src/trace/abi.ts"]) {
      const how = `${path} is out of date: npm run build, and node scripts/make-abi.mjs --page for docs/abi.md`;
      expect(readFileSync(join(copy, path), "utf8"), how).toBe(readFileSync(join(ROOT, path), "utf8"));
    }
  });

  it("have a version, which the module carries and comments do not change", async () => {
    const { ABI_SECTION, abiVersion } = (await import(join(ROOT, "scripts/abi/version.mjs"))) as AbiVersion;
    const read = (name: string) => readFileSync(join(ROOT, "src/engine", name), "utf8");
    const [abi, exported] = [read("abi.ts"), read("exports.ts")];
    const module = new WebAssembly.Module(readFileSync(join(ROOT, "build/release.wasm")));
    const [section] = WebAssembly.Module.customSections(module, ABI_SECTION);
    expect(new TextDecoder().decode(section)).toBe(abiVersion(abi, exported));
    expect(abiVersion(`// more\n${abi.replace("/** Bits", "/** The bits")}`, exported)).toBe(abiVersion(abi, exported));
    expect(abiVersion(abi.replace("indexBits = 9", "indexBits = 8"), exported)).not.toBe(abiVersion(abi, exported));
  });

  it("do not compile where two that must agree do not, and every pair is named", () => {
    const wrong: readonly Change[] = [
      // Case C6: a count of sites that is not theirs.
      ["kernel/sites.ts", "SITES: u8 = 7", "SITES: u8 = 8", "SITES is not how many sites there are"],
      [
        "hardware/hazard.ts",
        "RECORD_SIZE: usize = 64",
        "RECORD_SIZE: usize = 56",
        "RECORD_SIZE does not hold a record",
      ],
      ["base/record.ts", "OPERATION_TYPE + 1", "OPERATION_TYPE + 2", "putRecord writes"],
      ["cache/layout.ts", "KEY_PAGE_SHIFT: u64 = 19", "KEY_PAGE_SHIFT: u64 = 20", "a key is too short"],
      ["paging/x86-64/rights.ts", "CHECK_SHIFT: usize = 5", "CHECK_SHIFT: usize = 4", "a check does not fit"],
      ["paging/slots.ts", "SLOT_BITS: u64 = 64 - FRAME_BITS", "SLOT_BITS: u64 = 25", "a bucket holds a frame number"],
      ["kernel/spaces.ts", "INIT_MM: u32 = 0xffff", "INIT_MM: u32 = 0xfff", "INIT_MM must be no mm's number"],
    ];
    const { status, stderr } = generate(...wrong);
    expect(status).toBe(1);
    expect(wrong.filter(([, , , message]) => !stderr.includes(message))).toEqual([]);
  });

  // A compile each: at night.
  it.runIf(EFFORT === "nightly").each([
    [
      "kernel/counters.ts",
      "KERNEL_COUNTERS: u32 = 28",
      "KERNEL_COUNTERS: u32 = 29",
      "KERNEL_COUNTERS is 29; expected 28",
    ],
    ["program/check.ts", "export const BAD_TYPE", "const BAD_TYPE", "expected 3, since it is number 3"],
    ["kernel/counters.ts", "/** Purges of lazily unmapped areas. */\n", "", "PURGES is 0; expected a comment above it"],
    ["paging/mode.ts", "maxPhyAddr: u32, hugePages", "maxPhyAddr: u16, hugePages", "has type u16; expected one of"],
  ])("are not generated: %s with %s for %s", (...change) => {
    const { status, stderr } = generate(change);
    expect(status).toBe(1);
    expect(stderr).toContain(change[3]);
  });

  it("give static data its size: no literal stands in memory.data", () => {
    const files = readdirSync(join(ROOT, "assembly"), { recursive: true, encoding: "utf8" });
    const literal = files
      .filter((name) => name.endsWith(".ts"))
      .flatMap((name) =>
        readFileSync(join(ROOT, "assembly", name), "utf8")
          .split("\n")
          .map((line) => `${name}: ${line}`),
      )
      .filter((line) => /memory\.data\([^)]*\b\d/.test(line.replace(/sizeof<\w+>\(\)/g, "size")));
    expect(literal).toEqual([]);
  });
});

describe("bits of policies", () => {
  it.each<[keyof typeof policyBit, Partial<Policy>]>([
    ["hookKernelRange", { hooks: { kernelRange: true, flushAll: false } }],
    ["hookFlushAll", { hooks: { kernelRange: false, flushAll: true } }],
    ["onlyTableFrees", { onlyTableFrees: true }],
    ["async", { timing: "work" }],
    ["deferFree", { free: "deferred" }],
    ["invalidateFirst", { worker: "invalidates-first" }],
    ["userOnlyRoot", { root: "user-only" }],
    ["noSharedTables", { root: "none" }],
    ["notifyUser", { notifyUser: true }],
  ])("%s is the engine's", (name, change) => {
    const { bits } = policyBits(checkPolicy({ name: "one bit", notifyUser: false, ...change }));
    expect(bits).toBe(policyBit[name]);
  });

  it("name every bit, scope and site", () => {
    expect(Object.keys(policyBit).length).toBe(9);
    const wordsOf = (change: Partial<Policy>) => policyBits(checkPolicy({ name: "a change", ...change }));
    expect(scopes.map((scope) => wordsOf({ scope }).scope)).toEqual(scopes.map((_, i) => i));
    expect(wordsOf({ deferUnmarkedOf: [...sites] }).deferSites).toBe(2 ** sites.length - 1);
  });
});

describe("exports of the engine's module", () => {
  const bytes = readFileSync(join(ROOT, "build/release.wasm"));
  const declared = [
    ...readFileSync(join(ROOT, "src/engine/exports.ts"), "utf8").matchAll(/^ {2}(\w+)\((.*)\): (\w+);$/gm),
  ];

  it("have the types that the host's declarations say", () => {
    const wasm = { number: "i32", Pointer: "i32", boolean: "i32", bigint: "i64", void: "" } as Record<string, string>;
    const types = moduleTypes(bytes);
    const expected = declared.map(([, name, parameters, result]) => {
      const given = (parameters as string)
        .split(", ")
        .filter(Boolean)
        .map((it) => wasm[it.split(": ")[1] as string]);
      return [name, `(${given.join(", ")}) -> ${wasm[result as string]}`];
    });
    expect(declared.length).toBeGreaterThan(80);
    // The floating-point numbers of the border: a Zipf stream's exponent, and what an access gives by numbers.
    for (const name of ["startWorkload", "physical"]) types.set(name, types.get(name)!.replace("f64", "i32"));
    expect(Object.fromEntries(expected)).toEqual(Object.fromEntries(types));
  });
});
