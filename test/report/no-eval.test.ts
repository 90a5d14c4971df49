// A report is made where code may not be generated from text: under a strict content-security policy, in workerd.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/pack-package.js";
import { traceFile } from "../support/report-results.js";

const SCRIPT = `
  import { readFileSync } from "node:fs";
  import { replay } from "./dist/replay/index.js";
  import { renderReport } from "./dist/report/index.js";
  let forbidden = false;
  try { new Function("return 1"); } catch { forbidden = true; }
  const result = await replay(readFileSync(process.argv[1]), { policies: ["none", "deferred-free"] });
  const page = await renderReport(result);
  console.log(JSON.stringify({ forbidden, charts: page.split("<svg").length - 1 }));
`;

describe("L6: without code from strings", () => {
  it("draws the charts of a report", () => {
    const trace = traceFile("hugevmap");
    expect(readFileSync(trace).length).toBeGreaterThan(1000);
    const args = ["--disallow-code-generation-from-strings", "--input-type=module", "-e", SCRIPT, trace];
    const printed = JSON.parse(execFileSync(process.execPath, args, { cwd: join(ROOT), encoding: "utf8" }));
    expect(printed.forbidden).toBe(true);
    expect(printed.charts).toBeGreaterThanOrEqual(4);
  });
});
