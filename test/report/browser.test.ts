// The report as text, without the application, in a real browser: light and dark, telephone and window, paper; no request, no error; by keyboard; with axe-core.
// Screenshots go to build/, to be looked at.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { AxeResults } from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderReport } from "../../src/report/index.js";
import { type VerdictRecord, verdicts } from "../../src/verdicts/index.js";
import { chromiumNote, chromiumPath, launchChromium } from "../support/chromium.js";
import { EFFORT } from "../support/effort.js";
import { damaged, hostile, large, replayOf } from "../support/report-results.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const BUILD = fileURLToPath(new URL("../../build/", import.meta.url));
const VIEWS = [
  { scheme: "light", width: 1280 },
  { scheme: "dark", width: 1280 },
  { scheme: "light", width: 360 },
  { scheme: "dark", width: 360 },
] as const;
/** Those that axe-core goes through: a scheme and a width each time by day, every pair at night. */
const EXAMINED = VIEWS.filter(({ scheme, width }) => EFFORT === "nightly" || (scheme === "light") === (width === 1280));

if (!chromiumPath) console.warn(`the report is not tested in a browser${chromiumNote}`);

describe.skipIf(!chromiumPath)(`the report in Chromium${chromiumNote}`, () => {
  let folder: string;
  let context: BrowserContext;
  let page: Page;
  const urls: Record<string, string> = {};
  /** What the browser complained of or asked for since the page was opened. */
  let complaints: string[];

  async function write(name: string, text: string): Promise<void> {
    const file = join(folder, `${name}.html`);
    writeFileSync(file, text);
    urls[name] = pathToFileURL(file).href;
  }

  async function open(name: string): Promise<void> {
    complaints = [];
    await page.goto(urls[name]!);
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "stalewalk-browser-"));
    mkdirSync(BUILD, { recursive: true });
    const vmap = await replayOf("hugevmap");
    const records: VerdictRecord[] = [];
    const scenarios = ["pmd_free_pte_page", "remove_pagetable"] as const;
    for await (const record of verdicts({ policies: ["none", "deferred-free"], scenarios, hardware: "usual" })) {
      records.push(record);
    }
    await write(
      "report",
      await renderReport(vmap, { verdicts: records, command: "stalewalk report hugevmap.trace.txt" }),
    );
    await write("large", await renderReport(large(vmap)));
    await write("hostile", await renderReport(damaged(hostile(vmap)), { verdicts: records }));
    context = await launchChromium();
    page = await context.newPage();
    page.on("console", (message) => complaints.push(`console ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    page.on("request", (request) => {
      if (request.url() !== page.url() && !Object.values(urls).includes(request.url())) {
        complaints.push(`request: ${request.url()}`);
      }
    });
  });
  afterAll(async () => {
    await context?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(VIEWS)("opens without error or request, and fits: $scheme, $width px", async ({ scheme, width }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await open("report");
    const seen = await page.evaluate(() => {
      const charts = [...document.querySelectorAll<SVGElement>("svg.chart")];
      const shown = charts.filter((chart) => chart.checkVisibility());
      return {
        scrollWidth: document.documentElement.scrollWidth,
        ground: getComputedStyle(document.querySelector(".report")!).backgroundColor,
        charts: shown.map((chart) => {
          const { width, left, right } = chart.getBoundingClientRect();
          // Bars are those that have a size and a colour; all of a row of the time line are one path.
          const bars = [...chart.querySelectorAll<SVGGraphicsElement>("rect, path")].filter((bar) => {
            const box = bar.getBoundingClientRect();
            return box.width >= 1 && box.height >= 1 && /^rgb\(/.test(getComputedStyle(bar).fill);
          });
          const count = bars.reduce((sum, bar) => sum + (bar.getAttribute("d")?.match(/M/g)?.length ?? 1), 0);
          const texts = [...chart.querySelectorAll("text")].map((text) => text.getBoundingClientRect());
          const outside = texts.filter((text) => text.left < left - 1 || text.right > right + 1).length;
          const small = texts.filter((text) => text.height > 0 && text.height < 11).length;
          return { width, bars: count, texts: texts.length, outside, small };
        }),
      };
    });
    await page.screenshot({ path: join(BUILD, `report-${scheme}-${width}.png`), fullPage: true });
    expect(complaints).toEqual([]);
    expect(seen.scrollWidth).toBe(width);
    expect(seen.ground).toBe(scheme === "light" ? "rgb(251, 251, 250)" : "rgb(22, 25, 30)");
    expect(seen.charts).toHaveLength(2);
    for (const chart of seen.charts) {
      expect(chart.bars).toBeGreaterThanOrEqual(8);
      expect(chart.texts).toBeGreaterThan(15);
      expect(chart).toMatchObject({ outside: 0, small: 0 });
      expect(chart.width).toBeGreaterThan(width === 360 ? 300 : 900);
    }
  });

  it.each(EXAMINED)("has no finding of axe-core: $scheme, $width px", async ({ scheme, width }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    for (const name of ["report", "hostile"]) {
      await open(name);
      await openAll(page);
      // Set in by the debugger: the page's own policy would not let a script in.
      await page.evaluate(AXE);
      const result = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")) as AxeResults;
      expect(result.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
      expect(result.passes.length).toBeGreaterThan(20);
    }
  });

  it("is worked by keyboard: the skip link first, then every link, table and part to open, in their order", async () => {
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 900 });
    await open("report");
    const controls = await page.evaluate(() => {
      const all = [...document.querySelectorAll<HTMLElement>("a[href], summary, [tabindex='0']")];
      const shown = all.filter((control) => control.checkVisibility());
      for (const [i, control] of shown.entries()) control.dataset["number"] = String(i);
      return shown.length;
    });
    expect(controls).toBeGreaterThan(25);
    const reached: string[] = [];
    for (let i = 0; i < controls; i++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const active = document.activeElement as HTMLElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(active);
        const { left, width } = active.getBoundingClientRect();
        const visible = outlineStyle === "solid" && Number.parseFloat(outlineWidth) >= 2 && left >= 0 && width > 0;
        return `${active.dataset["number"]}${visible ? "" : " without a visible focus"}`;
      });
      reached.push(at);
    }
    expect(reached).toEqual(Array.from({ length: controls }, (_, i) => String(i)));
  });

  it("opens its parts with the keyboard, and skips to the report", async () => {
    await open("report");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    await page.locator("#timeline-chart summary").focus();
    await page.keyboard.press("Enter");
    const table = page.locator("#timeline-chart table");
    expect(await table.isVisible()).toBe(true);
    expect(await table.locator("tbody tr").count()).toBeGreaterThan(0);
  });

  it("tells a screen reader what it is: landmarks, headings in order, names of charts and tables", async () => {
    await open("report");
    const tree = await page.locator("body").ariaSnapshot();
    expect(tree).toMatch(/- link "Skip to the report"/);
    expect(tree).toMatch(/- navigation "Contents"/);
    expect(tree).toMatch(/- main/);
    expect(tree).toMatch(/- contentinfo/);
    expect(tree.match(/- '?img "(Bar charts over|Stacked bars)/g)).toHaveLength(2);
    expect(tree).toMatch(/- rowheader "deferred-free"/);
    const levels = await page.evaluate(() =>
      [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1])),
    );
    expect(levels[0]).toBe(1);
    for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
  });

  it("stays whole with the most that a replay lists", async () => {
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 360, height: 900 });
    await open("large");
    await openAll(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    expect(complaints).toEqual([]);
  });

  it("does nothing that a hostile trace asks for", async () => {
    await page.setViewportSize({ width: 360, height: 900 });
    await open("hostile");
    await openAll(page);
    const found = await page.evaluate(() => ({
      elements: document.querySelectorAll("img, script, iframe, object, link").length,
      styles: document.querySelectorAll("style").length,
      pageWidth: document.documentElement.scrollWidth,
      // What reaches over its edge and is in no region that scrolls.
      wide: [...document.querySelectorAll("body *:not(.scroll, .scroll *, svg *)")]
        .filter(
          (element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline",
        )
        .map((element) => `${element.tagName}.${element.className}: ${element.textContent?.slice(0, 30)}`),
      banner: document.querySelector(".banner")?.checkVisibility(),
    }));
    await page.screenshot({ path: join(BUILD, "report-hostile.png"), fullPage: true });
    expect(found).toEqual({ elements: 0, styles: 1, pageWidth: 360, wide: [], banner: true });
    expect(complaints).toEqual([]);
  });

  it("would not run a script or fetch anything if there were one", async () => {
    await open("report");
    const refused: string[] = [];
    page.on("requestfailed", (request) => refused.push(`${request.url()} ${request.failure()?.errorText}`));
    const ran = await page.evaluate(async () => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'ran'";
      document.body.append(script);
      const image = new Image();
      const failed = new Promise((resolve) => image.addEventListener("error", () => resolve("refused")));
      image.src = "https://example.invalid/x.png";
      document.body.append(image);
      return [document.title === "ran", await failed];
    });
    expect(ran).toEqual([false, "refused"]);
    expect(complaints.filter((text) => text.includes("Content Security Policy")).length).toBeGreaterThanOrEqual(2);
    expect(refused).toEqual(["https://example.invalid/x.png csp"]);
  });

  it("prints: in light colours, without contents, what was closed unfolded, charts on the paper", async () => {
    await page.emulateMedia({ colorScheme: "dark", media: "print" });
    await page.setViewportSize({ width: 794, height: 1123 });
    await open("report");
    const seen = await page.evaluate(() => ({
      nav: document.querySelector("nav")?.checkVisibility(),
      ground: getComputedStyle(document.querySelector(".report")!).backgroundColor,
      charts: [...document.querySelectorAll("svg.wide")].every((chart) => chart.checkVisibility()),
      closed: [...document.querySelectorAll("details:not(.bulk)")]
        .flatMap((part) => [...part.querySelectorAll(":scope > :not(summary)")])
        .filter((part) => !part.checkVisibility({ contentVisibilityAuto: true })).length,
    }));
    const paper = await page.pdf({ format: "A4", printBackground: false });
    writeFileSync(join(BUILD, "report-print.pdf"), paper);
    await page.emulateMedia({ media: "screen" });
    expect(seen).toEqual({ nav: false, ground: "rgb(255, 255, 255)", charts: true, closed: 0 });
    expect(paper.subarray(0, 5).toString()).toBe("%PDF-");
  });
});

async function openAll(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
}
