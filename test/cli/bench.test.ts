// `stalewalk bench` as a command: its options and what it says of wrong ones. What it measures is tested in test/bench/, that it
// runs from the package in test/package/stranger.test.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redirectOutput } from "../../src/cli/output.js";
import { run } from "../../src/cli/program.js";
import { memorySink, runCli } from "./run-cli.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-bench-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("wrong options", () => {
  it.each<[string[], RegExp]>([
    [["flsh"], /Expected one of translate, flush, kernel, replay, verdicts, growth; did you mean flush\?$/],
    [["flush", "kernels"], /did you mean kernel\?$/],
    [["--fliter", "x"], /unknown option '--fliter'; did you mean --filter\?$/],
    [["--filter", "("], /'--filter <regex>' argument '\(' is invalid\. Invalid regular expression: .*\.$/],
    [["--only", "L1"], /'--only <regex>' argument 'L1' is invalid\. This option is called --filter now\.$/],
    [["--seconds", "ten"], /Expected a whole number\.$/],
    [["--quick", "--full"], /^stalewalk: --quick and --full exclude each other$/],
    [["--trace", "nowhere.txt"], /^stalewalk: nowhere\.txt: no such file or directory$/],
    [["--json", "/nowhere/at/all.json"], /^stalewalk: --json \/nowhere\/at\/all\.json: \/nowhere\/at is no folder$/],
    [
      ["verdicts", "--quick", "--filter", "L1"],
      /^stalewalk: --filter L1 matches none of the cases of verdicts: verdicts at pmd_free_pte_page, the usual IOMMU: none, 3 moves; /,
    ],
  ])("%j end with 2 and one line", async (args, message) => {
    const { code, out, err } = await runCli("bench", ...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err.trimEnd()).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("progress", () => {
  it("says on a terminal which case is measured and how long it still takes", async () => {
    const stdout = memorySink();
    const stderr = memorySink({ isTerminal: true, columns: 60 });
    redirectOutput({ stdout, stderr });
    try {
      expect(await run(["bench", "verdicts", "--quick", "--seconds", "0", "--filter", "none"])).toBe(0);
    } finally {
      redirectOutput();
    }
    const lines = stderr.text.split("\r\x1b[K").slice(1);
    expect(lines.length).toBeGreaterThan(3);
    const [building, ...measuring] = lines.slice(0, -1).filter((text) => text !== "");
    expect(building).toBe("building the cases (first)");
    expect(measuring.length).toBeGreaterThanOrEqual(3);
    for (const line of measuring) {
      expect(line).toMatch(/ \(1 of 1, round \d, about 0 s left\)$/);
      expect(line.length).toBeLessThan(60);
    }
    expect(lines.at(-1)).toBe("");
    expect(stdout.text).toMatch(/\nverdicts: verdicts at pmd_free_pte_page, the usual IOMMU\n/);
  }, 60_000);
});
