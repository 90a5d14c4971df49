// The benchmark in a real browser: the same programs come to the same as in Node, a run is kept as the command's file and compared with
// another, in every look, by keyboard.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../bench/check.js";
import { openCase, pageBlocks } from "../../page/bench/plan.js";
import { type BenchResult, checkBenchResult } from "../../src/benchmark/result.js";
import { chromiumNote, chromiumPath } from "../support/chromium.js";
import { ROOT } from "../support/pack-package.js";
import { looks, PageBrowser } from "../support/page-browser.js";
import { HOSTILE } from "../support/report-results.js";

const TRACE = "linux618-frees.trace.txt.gz";

if (!chromiumPath) console.warn(`the page's benchmark is not tested in a browser${chromiumNote}`);

describe.skipIf(!chromiumPath)(`the benchmark in Chromium${chromiumNote}`, () => {
  let browser: PageBrowser;
  let folder: string;
  let result: BenchResult;
  const fileOf = (name: string, value: unknown): string => {
    const path = join(folder, name);
    writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
    return path;
  };
  beforeAll(async () => {
    browser = await PageBrowser.launch();
    folder = mkdtempSync(join(tmpdir(), "stalewalk-page-bench-"));
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("runs in rounds, by keyboard, and gives a file as the command does, with the results that Node has", async () => {
    const { page } = browser;
    await browser.look({ scheme: "light", width: 1280 });
    await browser.open("#/benchmark", ".suites");
    for (const suite of [/^flush/, /^replay/, /^verdicts/, /^growth/]) {
      await page.getByRole("checkbox", { name: suite }).press("Space");
    }
    await page.getByRole("button", { name: "Run in this browser" }).press("Enter");
    await page.getByRole("button", { name: "Stop" }).waitFor();
    const save = page.getByRole("link", { name: "Save as JSON" });
    await save.waitFor({ timeout: 580_000 });
    expect(page.workers()).toHaveLength(0);
    const download = page.waitForEvent("download");
    await save.press("Enter");
    const text = readFileSync(await (await download).path(), "utf8");
    result = checkBenchResult(JSON.parse(text));
    expect(result.rows.length).toBe(
      pageBlocks.reduce((sum, { cases, contestants }) => sum + cases.length * contestants.length, 0),
    );
    for (const { suite, table, case: name, contestant, digest, samples, least } of result.rows) {
      const { check, task } = await openCase({ suite: suite as "kernel", table }, name, contestant);
      expect([name, contestant, digest]).toEqual([name, contestant, digestOf(await check(task.operations))]);
      expect(samples).toHaveLength(3);
      expect(least.value).toBeGreaterThan(0);
    }
    expect(result.host.engine).toMatch(/^[0-9a-f]{64}$/);
    expect(await page.locator(".times tbody tr").count()).toBe(result.rows.length);
    expect(await page.locator(".curves figure").count()).toBe(pageBlocks.filter(({ grows }) => grows).length);
    expect(browser.complaints).toEqual([]);
  });

  it("compares its run with a file: a thousand times slower there is faster here", async () => {
    const { page } = browser;
    const times = ({ value, low, high }: { value: number; low: number; high: number }) => ({
      value: value * 1000,
      low: low * 1000,
      high: high * 1000,
    });
    const slower = { ...result, rows: result.rows.map((row) => ({ ...row, least: times(row.least) })) };
    const [first, ...rest] = slower.rows;
    await page
      .locator("input[type=file]")
      .setInputFiles(fileOf("slower.json", { ...slower, rows: [{ ...first, digest: "other" }, ...rest] }));
    const compared = page.getByRole("region", { name: "Comparison" });
    await compared.waitFor();
    expect(await compared.locator(".times tbody tr").count()).toBe(rest.length);
    expect(await compared.getByText("✓ faster").count()).toBe(rest.length);
    const curves = compared.getByRole("figure");
    expect(await curves.count()).toBe(pageBlocks.filter(({ grows }) => grows).length);
    expect(await curves.first().getByRole("listitem").allTextContents()).toEqual([
      "stalewalk, here",
      "stalewalk, there",
    ]);
    await compared.getByText("came to another result, and is not compared").waitFor();
    expect(browser.complaints).toEqual([]);
  });

  it("says what is wrong with a file, and does nothing that a file says", async () => {
    const { page } = browser;
    await browser.open("#/benchmark", ".suites");
    const input = page.locator("input[type=file]");
    await input.setInputFiles(fileOf("trace.json", { format: "stalewalk-replay" }));
    expect(await page.getByRole("alert").textContent()).toContain("trace.json is no result of stalewalk bench --json");
    await input.setInputFiles(fileOf("half.json", "{"));
    await page.getByText(/half\.json is no result/).waitFor();
    const rows = result.rows.map((row) => ({ ...row, table: HOSTILE, case: HOSTILE + row.case, contestant: HOSTILE }));
    await input.setInputFiles(fileOf("evil.json", { ...result, missing: [HOSTILE], rows }));
    await page.locator(".times").first().waitFor();
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator(".times").first().textContent()).not.toContain("\u202e");
    expect(browser.complaints).toEqual([]);
  });

  it("plays a trace that is dropped in, and comes to what the library does", async () => {
    const { page } = browser;
    await browser.open("#/benchmark", ".suites");
    const path = join(ROOT, "test/fixtures/traces", TRACE);
    await page.locator("input[type=file]").setInputFiles(path);
    await page.getByText(`${TRACE} is played with the suite replay`).waitFor();
    expect(await page.getByRole("checkbox", { name: /^replay/ }).isChecked()).toBe(true);
    for (const suite of [/^translate/, /^kernel/]) await page.getByRole("checkbox", { name: suite }).press("Space");
    await page.getByRole("button", { name: "Run in this browser" }).press("Enter");
    const table = page.getByRole("region", { name: `replay: trace ${TRACE}` });
    await table.or(page.getByRole("alert")).waitFor({ timeout: 580_000 });
    expect(await page.getByRole("alert").allTextContents()).toEqual([]);
    expect(await table.locator("tbody tr").count()).toBe(2);
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Save as JSON" }).press("Enter");
    const { rows } = checkBenchResult(JSON.parse(readFileSync(await (await download).path(), "utf8")));
    const trace = { name: TRACE, bytes: new Uint8Array(readFileSync(path)) };
    for (const { suite, table: of, case: name, contestant, digest } of rows) {
      const { check, task } = await openCase({ suite: suite as "replay", table: of }, name, contestant, trace);
      expect([of, contestant, digest]).toEqual([of, contestant, digestOf(await check(task.operations))]);
    }
    expect(browser.complaints).toEqual([]);
  });

  it("stops when it is told to, and when another view is shown", async () => {
    const { page } = browser;
    await browser.open("#/benchmark", ".suites");
    for (const stop of [
      () => page.getByRole("button", { name: "Stop" }).press("Enter"),
      () => page.getByRole("link", { name: "Walk", exact: true }).press("Enter"),
    ]) {
      await page.getByRole("button", { name: "Run in this browser" }).press("Enter");
      await page.locator("progress").waitFor();
      await stop();
      await expect.poll(() => page.workers().length, { timeout: 120_000 }).toBe(0);
    }
    expect(browser.complaints).toEqual([]);
  });

  it.each(looks)("fits and has no finding of axe-core: $scheme, $width px", async (look) => {
    await browser.look(look);
    await browser.open("#/benchmark", ".suites");
    await browser.page.locator("input[type=file]").setInputFiles(fileOf("run.json", result));
    await browser.page.locator(".times").first().waitFor();
    await browser.screenshot(`benchmark-${look.scheme}-${look.width}`);
    const { violations, passes, width } = await browser.examine();
    expect(violations).toEqual([]);
    expect(passes).toBeGreaterThan(15);
    expect(width).toBe(look.width);
    expect(browser.complaints).toEqual([]);
  });

  it("is worked by keyboard: every control has its turn", async () => {
    await browser.look({ scheme: "light", width: 1280 });
    await browser.open("#/benchmark", ".suites");
    const { controls, reached } = await browser.tabThrough();
    expect(controls).toBeGreaterThan(12);
    expect(reached).toEqual(Array.from({ length: controls }, (_, i) => String(i)));
  });
});
