// Traces opened in the page itself, in a real browser: played in a worker, shown as far as it has come, the same as the library says.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ReplayResult, replay, toJson } from "../../src/replay/index.js";
import { chromiumNote, chromiumPath } from "../support/chromium.js";
import { PageBrowser } from "../support/page-browser.js";
import { replayOf, traceFile } from "../support/report-results.js";

if (!chromiumPath) console.warn(`the page's time line is not tested in a browser${chromiumNote}`);

/** What the squares of the page say of a result. */
const squaresOf = (result: ReplayResult): string[] =>
  result.policies.map(({ policy, hazards }) => `${policy.name} ${hazards.byFree.length} of ${result.frees.length}`);

describe.skipIf(!chromiumPath)(`a trace in the page in Chromium${chromiumNote}`, () => {
  let browser: PageBrowser;
  let folder: string;
  beforeAll(async () => {
    browser = await PageBrowser.launch();
    folder = mkdtempSync(join(tmpdir(), "stalewalk-page-trace-"));
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const shown = (): Promise<string[]> =>
    browser.page.evaluate(() =>
      [...document.querySelectorAll(".squares tr")].map(
        (row) => `${row.querySelector("th")?.textContent} ${row.querySelector("td")?.textContent}`,
      ),
    );

  it("is played in a worker under every policy, and says what the library says; so does a result's JSON", async () => {
    const { page } = browser;
    await browser.look({ scheme: "light", width: 1280 });
    await browser.open("#/trace", ".opener");
    await page.locator("input[type=file]").setInputFiles(traceFile("hotplug"));
    await page.locator(".squares").waitFor();
    const result = await replayOf("hotplug");
    expect(await shown()).toEqual(squaresOf(result));
    expect(page.workers()).toHaveLength(0);
    const other = await replayOf("hugevmap");
    writeFileSync(join(folder, "result.json"), toJson(other));
    await page.locator("input[type=file]").setInputFiles(join(folder, "result.json"));
    await page.getByText("hugevmap.trace.txt").first().waitFor();
    expect(await shown()).toEqual(squaresOf(other));
    expect(browser.complaints).toEqual([]);
  });

  it("draws an example, and counts its costs", async () => {
    const { page } = browser;
    await browser.open("#/costs", ".opener");
    await page.getByRole("button", { name: "Show an example" }).press("Enter");
    await page.locator(".bars .part").first().waitFor();
    await page.getByRole("link", { name: "Trace", exact: true }).press("Enter");
    await page.getByText("drawn, nothing was recorded").waitFor();
    expect(browser.complaints).toEqual([]);
  });

  it("says what is wrong with a file that is no trace", async () => {
    const { page } = browser;
    await browser.open("#/trace", ".opener");
    await page
      .locator("input[type=file]")
      .setInputFiles({ name: "<b>none", mimeType: "text/plain", buffer: Buffer.from("no trace at all\n") });
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain("<b>none");
    expect(await page.locator("main b b").count()).toBe(0);
  });
});

describe("a result so far", () => {
  it("is told while a trace is read, grows, and is not taken for the whole", async () => {
    const text = readFileSync(traceFile("hugevmap"));
    async function* slowly(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < text.length; at += Math.ceil(text.length / 4)) {
        yield text.subarray(at, at + Math.ceil(text.length / 4));
        await new Promise((resolve) => setTimeout(resolve, 1100));
      }
    }
    const seen: ReplayResult[] = [];
    const result = await replay(slowly(), { policies: ["none"], marks: true, onPartial: (it) => seen.push(it) });
    const whole = await replay(text, { policies: ["none"], marks: true });
    expect(result.policies[0]!.hazards).toEqual(whole.policies[0]!.hazards);
    expect(result.frees).toEqual(whole.frees);
    expect(seen.length).toBeGreaterThan(0);
    for (const it of seen) {
      expect(it.trace.complete).toBe(false);
      expect(it.trace.events).toBeLessThanOrEqual(result.trace.events);
    }
  });
});
