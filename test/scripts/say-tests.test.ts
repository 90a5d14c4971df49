// scripts/say-tests.mjs: the line that closes the tests of .ci/run, and what must not pass for one.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/pack-package.js";

const folder = mkdtempSync(join(tmpdir(), "stalewalk-report-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (status: string, ...tests: string[]) => ({
  name: "a.test.ts",
  status,
  assertionResults: tests.map((it) => ({ status: it })),
});

function say(report: unknown): { code: number | null; out: string; err: string } {
  const path = join(folder, "report.json");
  writeFileSync(path, typeof report === "string" ? report : JSON.stringify(report));
  const script = join(ROOT, "scripts/say-tests.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, path], { encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

describe("the line on the tests", () => {
  it("counts what passed, failed and was skipped over all files", () => {
    const testResults = [
      file("passed", "passed", "skipped", "passed", "todo"),
      file("failed", "failed", "passed", "pending"),
    ];
    expect(say({ success: false, testResults })).toEqual({ code: 0, out: "3 passed, 1 failed, 3 skipped\n", err: "" });
  });

  it("counts a file that could not be run as failed", () => {
    const testResults = [file("passed", "passed"), file("failed"), file("failed", "skipped")];
    expect(say({ success: false, testResults }).out).toBe("1 passed, 2 failed, 1 skipped\n");
  });

  it("never says that nothing failed of a run that did", () => {
    expect(say({ success: false, testResults: [file("passed", "passed")] }).out).toBe(
      "1 passed, 1 failed, 0 skipped\n",
    );
  });

  it.each([
    ["no JSON", "", "no report of a test run"],
    ["a report without files", { success: true, testResults: [] }, "has no test file in it"],
    ["a report of something else", { tests: 3 }, "has no test file in it"],
    ["a report in which nothing ran", { success: true, testResults: [file("passed", "skipped")] }, "no test that ran"],
    ["a report without an end", { testResults: [file("passed", "passed")] }, "whether the run succeeded"],
    [
      "a result of another kind",
      { success: true, testResults: [file("passed", "passed", "odd")] },
      "neither passed nor",
    ],
  ])("%s is an error", (_, report, message) => {
    const { code, out, err } = say(report);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(message);
  });

  it("a missing report is an error", () => {
    const script = join(ROOT, "scripts/say-tests.mjs");
    const { status, stderr } = spawnSync(process.execPath, [script, join(folder, "none.json")], { encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).toContain("none.json: no report of a test run");
  });
});
