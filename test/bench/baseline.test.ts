// Another build beside this one (`bench --baseline`): which are taken, which are refused, and that they are compared before they are timed.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openApiTask } from "../../bench/api-tasks.js";
import { BASELINE, findBaseline } from "../../bench/baseline.js";
import { openKernelTask } from "../../bench/kernel-tasks.js";
import { type Library, NotPlayedError, present } from "../../bench/library.js";
import { loadLibrary } from "../../bench/load-library.js";
import { openTraceTask } from "../../bench/trace-tasks.js";
import { openVerdictTask } from "../../bench/verdict-tasks.js";
import { type BenchResult, checkBenchResult } from "../../src/benchmark/result.js";
import { runCli } from "../cli/run-cli.js";
import { ROOT } from "../support/pack-package.js";

const MODULE = join(ROOT, "dist/stalewalk.wasm");
const TRACE = join(ROOT, "test/fixtures/traces/linux618-frees.trace.txt.gz");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-baseline-"));
  mkdirSync(join(folder, "empty"));
  const other = readFileSync(MODULE);
  const at = other.lastIndexOf("stalewalk.abi") + "stalewalk.abi".length;
  other[at] = other[at] === 0x30 ? 0x31 : 0x30;
  writeFileSync(join(folder, "other.wasm"), other);
  writeFileSync(join(folder, "text.wasm"), "no module");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a baseline", () => {
  it("is a built checkout, its dist, a module of this ABI, or the version that plays anyway", () => {
    const dist = { kind: "folder", path: join(ROOT, "dist") };
    expect(findBaseline(ROOT)).toMatchObject({ name: BASELINE, source: dist });
    expect(findBaseline(join(ROOT, "dist"))).toMatchObject({ source: dist });
    expect(findBaseline(ROOT).about).toMatch(/^stalewalk \d+\.\d+\.\d+\S*, engine [0-9a-f]{16}, \//);
    expect(findBaseline(MODULE)).toMatchObject({ name: BASELINE, source: { kind: "module", path: MODULE } });
    expect(findBaseline("0.1.0")).toMatchObject({ name: "0.1.0", source: { kind: "file" } });
  });

  it.each<[string, RegExp]>([
    ["nowhere", /nowhere: no such file or directory$/],
    ["empty", /empty: no built package: there is no dist with index\.js and stalewalk\.wasm \(npm run build\)$/],
    ["text.wasm", /text\.wasm: neither a folder nor a WebAssembly module: /],
    [
      "other.wasm",
      /: this module has the ABI [01][0-9a-f]{15}, and this package [0-9a-f]{16}: it needs its own wrapper, /,
    ],
  ])("%s is refused", async (name, message) => {
    expect(() => findBaseline(join(folder, name))).toThrow(message);
    const { code, out, err } = await runCli("bench", "flush", "--baseline", join(folder, name));
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err.trimEnd()).toMatch(message);
  });

  it("without a version of its ABI needs its own wrapper too", () => {
    expect(() => findBaseline(join(ROOT, "build/trace.wasm"))).toThrow(/this module carries no version of its ABI: /);
  });

  it.each([["folder"], ["module"]])("as a %s comes to the same at every kind of task", async (kind) => {
    const other = await loadLibrary(findBaseline(kind === "folder" ? ROOT : MODULE).source);
    const kernel = (library?: Library) =>
      openKernelTask(
        { kind: "kernel", operations: 8192, pattern: "uniform" },
        "flush-range",
        "stalewalk",
        library,
      ).check();
    expect(await kernel(other)).toEqual(await kernel());
    const trace = async (library: Library) =>
      (await openTraceTask({ kind: "trace", path: TRACE }, readFileSync(TRACE), BASELINE, library)).check();
    expect(await trace(other)).toEqual(await trace(present));
    expect(await openVerdictTask("none, 3 moves", other).check()).toEqual(
      await openVerdictTask("none, 3 moves").check(),
    );
  });

  it("that cannot play something says so", async () => {
    const old = await loadLibrary(findBaseline("0.1.0").source);
    const physical = () =>
      openApiTask({ kind: "api", scale: 1 / 32, sizes: "quick" }, "cpu.physical(high, low), one at a time", old);
    expect(physical).toThrow(new NotPlayedError("it has no cpu.physical()"));
    expect(() => openVerdictTask("none, 3 moves", old)).toThrow(NotPlayedError);
    await expect(openTraceTask({ kind: "trace", path: TRACE }, readFileSync(TRACE), "0.1.0", old)).rejects.toThrow(
      NotPlayedError,
    );
  });

  it("has a column beside the others, and what it cannot play is named", async () => {
    const file = join(folder, "result.json");
    const run = (baseline: string) =>
      runCli(
        "bench",
        "verdicts",
        "--quick",
        "--seconds",
        "0",
        "--filter",
        "none",
        "--baseline",
        baseline,
        "--json",
        file,
      );
    const { code, out } = await run(MODULE);
    expect(code).toBe(0);
    expect(out).toMatch(/\nbaseline: engine [0-9a-f]{16} under this wrapper, \S+\n/);
    expect(out).toMatch(/\ncase .* baseline ns +ratio\nnone, 3 moves .*x\n/);
    const { rows, host } = checkBenchResult(JSON.parse(readFileSync(file, "utf8"))) as BenchResult;
    expect(rows.map(({ contestant }) => contestant)).toEqual(["stalewalk", BASELINE]);
    expect(rows[1]?.digest).toBe(rows[0]?.digest);
    expect(host.baseline).toContain(MODULE);
    const old = await run("0.1.0");
    expect(old.out).toContain(
      "\nnot measured: 0.1.0 at verdicts at pmd_free_pte_page, the usual IOMMU: none, 3 moves: it searches no verdicts\n",
    );
  });
});
