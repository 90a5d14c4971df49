// How large a report is: the README's trace under all policies, with the application and the verdicts, is one file that can be mailed.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { replay } from "../../src/replay/index.js";
import { renderReport } from "../../src/report/index.js";
import { changedIommu, usualIommu, type VerdictRecord, verdicts } from "../../src/verdicts/index.js";
import { PAGE_FILE } from "../support/page-browser.js";

it("is under 600 kB with everything that the command puts into it", { timeout: 600_000 }, async () => {
  const trace = new URL("../fixtures/traces/linux618-frees.trace.txt.gz", import.meta.url);
  const result = await replay(readFileSync(trace), { name: "linux618-frees.trace.txt.gz", marks: true });
  expect(result.policies).toHaveLength(8);
  const records: VerdictRecord[] = [];
  const hardware = [usualIommu, changedIommu(["stop-at-supervisor"])];
  for await (const record of verdicts({ hardware })) records.push(record);
  expect(records.length).toBeGreaterThan(300);
  const text = await renderReport(result, { verdicts: records, page: readFileSync(PAGE_FILE, "utf8") });
  expect(Buffer.byteLength(text)).toBeLessThan(600_000);
});
