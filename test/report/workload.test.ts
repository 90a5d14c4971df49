// The report of a simulation: what of a recording is a line of its trace, is an event that was drawn.
import { describe, expect, it } from "vitest";
import { simulate } from "../../src/replay/index.js";
import { renderReport } from "../../src/report/index.js";

describe("the report of a simulation", () => {
  it("tells where a free is by the event that was drawn, not by a line", async () => {
    const result = await simulate({ profile: "table-frees", operations: 20_000, policies: ["none"] });
    expect(result.frees.length).toBeGreaterThan(0);
    const page = await renderReport(result);
    expect(page).toMatch(/<th[^>]*>event<\/th>/);
    expect(page).not.toMatch(/<th[^>]*>line<\/th>/);
    expect(page).toMatch(/process \d+, event [\d,]+ of the workload\)/);
    expect(page).not.toContain(" of the trace)");
  });
});
