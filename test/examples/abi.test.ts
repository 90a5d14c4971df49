// examples/abi/: the module driven by the numbers of docs/abi.md alone comes to what its page shows, and to what the library does. Those
// numbers are the engine's.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  accesses,
  agentFlag,
  cachePaths,
  controlBit,
  frameStates,
  outcomeBits,
  reasons,
  replacements,
} from "../../src/engine/abi.js";
import { ROOT } from "../support/pack-package.js";

const FOLDER = join(ROOT, "examples/abi");
const source = readFileSync(join(FOLDER, "walk.js"), "utf8");

describe("examples/abi", () => {
  it("prints what its page shows", () => {
    const [, shown] = /^```text\n([\s\S]*?)^```$/m.exec(readFileSync(join(FOLDER, "README.md"), "utf8")) ?? [];
    expect(execFileSync(process.execPath, [join(FOLDER, "walk.js")], { encoding: "utf8" })).toBe(shown);
  });

  it("uses nothing of the library, and the engine's own numbers", () => {
    expect([...source.matchAll(/from "([^"]+)"/g)].map((it) => it[1])).toEqual(["node:fs/promises"]);
    const constants = [
      `const IS_CPU = ${agentFlag.isCpu};`,
      `const PATHS = ${cachePaths};`,
      `const LRU = ${replacements.indexOf("lru")};`,
      `const TABLE = ${frameStates.indexOf("table")};`,
      `const CONTROLS = ${controlBit.wp} | ${controlBit.nxe};`,
      `const USER_READ = ${accesses.userRead};`,
      `const USER_WRITE = ${accesses.userWrite};`,
      `= [0x${outcomeBits.okAddress.toString(16)}n, ${outcomeBits.okLevelShift}n, ${outcomeBits.faultReasonShift}n, ${outcomeBits.faultLevelShift}n];`,
      `{ ${reasons.indexOf("not-present")}: "not-present", ${reasons.indexOf("absent")}: "absent" }`,
    ];
    expect(constants.filter((line) => !source.includes(line))).toEqual([]);
  });
});

describe("docs/abi.md", () => {
  const page = readFileSync(join(ROOT, "docs/abi.md"), "utf8");

  it("names every export of the module, and no other", async () => {
    const module = await WebAssembly.compile(readFileSync(join(ROOT, "build/release.wasm")));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const [exports = ""] = /^## Exports\n[\s\S]*?(?=^## )/m.exec(page) ?? [];
    const named = [...exports.matchAll(/^\| `(\w+)/gm)].map((it) => it[1]);
    const real = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(["memory", ...named].sort()).toEqual(real.sort());
  });

  it("says of each what it is", () => {
    const rows = [...page.matchAll(/^\| `\w+[:(].*$/gm)].map(([line]) => line);
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.filter((line) => /\| *\|$/.test(line))).toEqual([]);
  });
});
