// The application inside a report, in a real browser: its views of the replay, by keyboard, in every look; what they say against the
// result; hostile names; and the document without script.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ReplayResult, replay } from "../../src/replay/index.js";
import { renderReport } from "../../src/report/index.js";
import { type VerdictRecord, verdicts } from "../../src/verdicts/index.js";
import { chromiumNote, chromiumPath } from "../support/chromium.js";
import { looks, PAGE_FILE, PageBrowser } from "../support/page-browser.js";
import { HOSTILE, hostile } from "../support/report-results.js";

/** For what follows when the window rests. */
const PATIENT = { timeout: 120_000 };

if (!chromiumPath) console.warn(`the report's application is not tested in a browser${chromiumNote}`);

describe.skipIf(!chromiumPath)(`a report's application in Chromium${chromiumNote}`, () => {
  let folder: string;
  let result: ReplayResult;
  const judged: VerdictRecord[] = [];
  let browser: PageBrowser;
  let evil: PageBrowser;
  const fileOf = (name: string): string => join(folder, `${name}.html`);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "stalewalk-report-page-"));
    const trace = new URL("../fixtures/traces/linux618-frees.trace.txt.gz", import.meta.url);
    const named = { name: "linux618-frees.trace.txt.gz", packageVersion: "1.2.3" };
    result = await replay(readFileSync(trace), { ...named, kernel: "6.18.15", marks: true });
    const page = readFileSync(PAGE_FILE, "utf8");
    for await (const record of verdicts({ kernel: "6.18.15", agents: ["iommu"], hardware: "usual" }))
      judged.push(record);
    writeFileSync(fileOf("report"), await renderReport(result, { page, verdicts: judged }));
    writeFileSync(fileOf("hostile"), await renderReport(hostile(result), { page, command: HOSTILE }));
    browser = await PageBrowser.launch(fileOf("report"));
    evil = await PageBrowser.launch(fileOf("hostile"));
  });
  afterAll(async () => {
    await browser?.close();
    await evil?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(
    looks.flatMap((look) =>
      [
        { view: "report", fragment: "", selector: "#report h1" },
        { view: "trace", fragment: "#/trace", selector: ".lines .freed" },
        { view: "costs", fragment: "#/costs", selector: ".bars .part" },
      ].map((it) => ({ ...look, ...it })),
    ),
  )("$view fits and has no finding of axe-core: $scheme, $width px", async ({ view, fragment, selector, ...look }) => {
    await browser.look(look);
    await browser.open(fragment, selector);
    await browser.page.locator("nav[aria-label=Views]").waitFor();
    await browser.screenshot(`${view}-${look.scheme}-${look.width}`);
    const { violations, passes, width } = await browser.examine();
    expect(violations).toEqual([]);
    expect(passes).toBeGreaterThan(15);
    expect(width).toBe(look.width);
    expect(browser.complaints).toEqual([]);
  });

  it("says first which policy lets how many tables be walked through", async () => {
    await browser.look({ scheme: "light", width: 1280 });
    await browser.open("#/trace", ".squares");
    const shown = await browser.page.evaluate(() =>
      [...document.querySelectorAll(".squares tr")].map((row) => ({
        name: row.querySelector("th")?.textContent,
        says: row.querySelector("td")?.textContent,
        filled: row.querySelectorAll(".cells .hit").length,
        all: row.querySelectorAll(".cells i").length,
      })),
    );
    expect(shown).toEqual(
      result.policies.map(({ policy, hazards }) => ({
        name: policy.name,
        says: `${hazards.byFree.length} of ${result.frees.length}`,
        filled: hazards.byFree.length,
        all: result.frees.length,
      })),
    );
    expect(shown.some(({ filled }) => filled > 0)).toBe(true);
  });

  it("zooms by keyboard from the whole to a microsecond, keeps the window in the address, and filters the tables", async () => {
    const { page } = browser;
    await browser.open("#/trace", ".lines .freed");
    const all = page.getByRole("button", { name: `Show all ${result.frees.length}` });
    await all.press("Enter");
    const frees = page.getByRole("region", { name: "Freed tables in this window", exact: true }).locator("tbody tr");
    expect(await frees.count()).toBe(result.frees.length);
    await page.getByRole("button", { name: "Freed table ▶" }).press("Enter");
    await page.waitForURL(/#\/trace\?from=\d+&to=\d+&free=0$/);
    const chart = page.locator(".chart-box");
    await chart.focus();
    for (let i = 0; i < 40; i++) await chart.press("+");
    await page.getByText("1 µs shown").waitFor();
    const { hash } = new URL(page.url());
    const [, from = "", to = ""] = /from=(\d+)&to=(\d+)/.exec(hash)!;
    const inside = result.frees.filter(({ timeNs }) => timeNs >= Number(from) && timeNs <= Number(to));
    await expect.poll(() => frees.count(), PATIENT).toBe(inside.length);
    expect(inside.length).toBeLessThan(result.frees.length);
    await chart.press("ArrowRight");
    await page.waitForURL((url) => url.hash !== hash);
    await chart.press("Home");
    await page.waitForURL((url) => !url.hash.includes("from"));
    await expect.poll(() => frees.count(), PATIENT).toBe(result.frees.length);
    expect(browser.complaints).toEqual([]);
  });

  it("draws as many walks of a policy as the result has", async () => {
    await browser.open("#/trace", ".lines .freed");
    const none = result.policies[0]!;
    const marks = result.marks!.policies[0]!.hazards;
    expect(marks.count.reduce((sum, walks) => sum + walks, 0)).toBe(none.hazards.total);
    const told = result.marks!.policies[1]!.invalidations.count.reduce((sum, it) => sum + it, 0);
    expect(told).toBeGreaterThan(10);
    const crosses = await browser.page.locator(".lines .tick.hazard").first().getAttribute("d");
    expect(crosses!.length).toBeGreaterThan(5);
  });

  it("leads from a freed table to the story of its site under the policy, and back", async () => {
    const { page } = browser;
    await browser.open("#/trace", ".lines .freed");
    const link = page
      .getByRole("region", { name: "Freed tables in this window", exact: true })
      .getByRole("link")
      .first();
    const target = await link.getAttribute("href");
    expect(target).toMatch(
      /^#\/story\?policy=(none|deferred-free)&site=(cpa_collapse_large_pages|remove_pagetable|pmd_free_pte_page)&kernel=6.18.7/,
    );
    await link.press("Enter");
    await page.locator(".lanes").waitFor();
    await page.goBack();
    await page.locator(".lines .freed").first().waitFor();
    expect(browser.complaints).toEqual([]);
  });

  it("has the matrix of the trace's kernel at once, as it was judged, and searches for the story that is opened", async () => {
    const { page } = browser;
    await browser.open("#/trace", ".squares");
    await page.getByRole("link", { name: "Matrix", exact: true }).press("Enter");
    await page.getByText("As the report has it.").waitFor();
    expect(new URL(page.url()).hash).toBe("#/matrix?kernel=6.18.7");
    const shown = await page.evaluate(() =>
      [...document.querySelectorAll(".matrix .cell")].map((cell) => cell.classList[1]),
    );
    expect(shown).toEqual(
      judged.map(({ verdict, race }) => (verdict === "hazard" ? "hazard" : race ? "race" : "searched")),
    );
    await page.getByRole("link", { name: /^hazard\s*, cpa_collapse_large_pages under none$/ }).press("Enter");
    await page.locator(".lanes").waitFor();
    expect(browser.complaints).toEqual([]);
  });

  it("counts costs anew when a figure is changed, and tells it in the address", async () => {
    const { page } = browser;
    await browser.open("#/costs", ".bars .part");
    const label = async (): Promise<string> => (await page.locator(".bars svg").getAttribute("aria-label")) ?? "";
    const before = await label();
    for (const { policy, lostNs } of result.policies) {
      const [, said = "", unit = ""] = new RegExp(`${policy.name}: ([\\d.]+) (ns|µs|ms),`).exec(before) ?? [];
      const ns = Number(said) * { ns: 1, µs: 1e3, ms: 1e6 }[unit as "ns"]!;
      expect(Math.abs(ns - lostNs)).toBeLessThanOrEqual(0.006 * lostNs + 1);
    }
    await page.getByRole("spinbutton", { name: /^wait for the queue/ }).fill("50000");
    await page.waitForURL(/#\/costs\?queueWait=50000$/);
    expect(await label()).not.toBe(before);
    await page.getByRole("button", { name: "Back to the model's" }).press("Enter");
    expect(await label()).toBe(before);
  });

  it.each(["#/trace", "#/costs"])(
    "reaches every control of %s with Tab, each with a focus that is seen",
    async (view) => {
      await browser.open(view, ".lines");
      const { controls, reached } = await browser.tabThrough();
      expect(controls).toBeGreaterThan(15);
      expect(reached).toEqual(Array.from({ length: controls }, (_, i) => String(i)));
    },
  );

  it("does nothing that a hostile trace asks for, in any view", async () => {
    await evil.look({ scheme: "light", width: 360 });
    for (const [view, selector] of [
      ["", "#report h1"],
      ["#/trace", ".lines .freed"],
      ["#/costs", ".bars .part"],
    ] as const) {
      await evil.open(view, selector);
      await evil.page.locator("nav[aria-label=Views]").waitFor();
      const found = await evil.page.evaluate(() => ({
        elements: document.querySelectorAll("img, iframe, object, body link").length,
        scripts: [...document.scripts].map(({ id }) => id),
        width: document.documentElement.scrollWidth,
        hidden: ["\u202e", "\u0007"].some((letter) => document.body.innerText.includes(letter)),
      }));
      expect(found).toEqual({
        elements: 0,
        scripts: ["data", "example", "loader", "program"],
        width: 360,
        hidden: false,
      });
      expect(evil.complaints).toEqual([]);
    }
  });

  it("is readable without script: summary, policies, hazards and frees", async () => {
    const plain = await chromium.launch({ executablePath: chromiumPath!, args: ["--no-sandbox", "--disable-gpu"] });
    try {
      const page = await plain.newPage({ javaScriptEnabled: false, viewport: { width: 360, height: 800 } });
      await page.goto(pathToFileURL(fileOf("report")).href);
      const text = await page.locator("body").innerText();
      for (const heading of ["Summary", "Policies compared", "Costs", "Hazards and witnesses", "Table frees"]) {
        expect(text).toContain(heading);
      }
      expect(text).toContain(`${result.frees.length} kernel page tables freed`);
      expect(text.length).toBeLessThan(60_000);
      expect(await page.locator("table").count()).toBeGreaterThan(5);
    } finally {
      await plain.close();
    }
  });
});
