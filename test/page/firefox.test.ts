// Every view of the page in real Firefox: what it says against the library, every look, by keyboard alone, its policy, no request.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pageBlocks } from "../../page/bench/plan.js";
import { type ReplayResult, replay } from "../../src/replay/index.js";
import { renderReport } from "../../src/report/index.js";
import { verdicts } from "../../src/verdicts/index.js";
import { FirefoxPage, firefoxNote, firefoxPath } from "../support/firefox.js";
import { looks, schemes } from "../support/in-page.js";
import { PAGE_FILE } from "../support/page-browser.js";
import { HOSTILE, hostile } from "../support/report-results.js";

if (!firefoxPath) console.warn(`the page is not tested in Firefox${firefoxNote}`);

/** Each view, where it is shown, and what says that it is there. */
const views = [
  { view: "matrix", file: "page", fragment: "#/matrix?kernel=6.12", selector: ".matrix .cell" },
  { view: "story", file: "page", fragment: "#/story?policy=none&site=pmd_free_pte_page", selector: ".arrows" },
  { view: "proof", file: "page", fragment: "#/story?policy=user-root&site=exit&prove=1", selector: ".proof" },
  { view: "benchmark", file: "page", fragment: "#/benchmark", selector: ".suites" },
  { view: "walk", file: "page", fragment: "#/walk?address=ffffffffff600000", selector: ".path" },
  { view: "report", file: "report", fragment: "", selector: "nav[aria-label=Views]" },
  { view: "trace", file: "report", fragment: "#/trace", selector: ".lines .freed" },
  { view: "costs", file: "report", fragment: "#/costs", selector: ".bars .part" },
] as const;

describe.skipIf(!firefoxPath)(`the page in Firefox${firefoxNote}`, () => {
  let folder: string;
  let result: ReplayResult;
  const files: Record<string, string> = { page: PAGE_FILE };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "stalewalk-firefox-"));
    const trace = new URL("../fixtures/traces/linux618-frees.trace.txt.gz", import.meta.url);
    const named = { name: "linux618-frees.trace.txt.gz", packageVersion: "1.2.3" };
    result = await replay(readFileSync(trace), { ...named, kernel: "6.18.15", marks: true });
    const page = readFileSync(PAGE_FILE, "utf8");
    for (const [name, of, more] of [
      ["report", result, {}],
      ["hostile", hostile(result), { command: HOSTILE }],
    ] as const) {
      files[name] = join(folder, `${name}.html`);
      writeFileSync(files[name], await renderReport(of, { page, ...more }));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(schemes)("in %s colours", (scheme) => {
    const open = new Map<string, FirefoxPage>();
    const shownIn = async (file: string): Promise<FirefoxPage> => {
      const there = open.get(file) ?? (await FirefoxPage.launch(files[file] as string, scheme));
      open.set(file, there);
      return there;
    };
    afterAll(async () => {
      for (const browser of open.values()) await browser.close();
    });

    it.each(
      looks.filter((look) => look.scheme === scheme).flatMap(({ width }) => views.map((it) => ({ ...it, width }))),
    )(
      "$view fits, asks for nothing and has no finding of axe-core at $width px",
      async ({ view, file, fragment, selector, width }) => {
        const browser = await shownIn(file);
        await browser.open(fragment, selector, width);
        if (view === "matrix") await browser.says("Searched in this page.");
        await browser.screenshot(`${view}-${scheme}-${width}`);
        const found = await browser.examine();
        expect(found.violations).toEqual([]);
        expect(found.passes).toBeGreaterThan(15);
        expect(found.beyond).toBe(0);
        expect((await browser.loaded()).filter((name) => !/^(blob|data):/.test(name))).toEqual([]);
        expect(browser.complaints).toEqual([]);
      },
    );
  });

  describe("whatever the colours", () => {
    let browser: FirefoxPage;
    let report: FirefoxPage;
    beforeAll(async () => {
      browser = await FirefoxPage.launch(PAGE_FILE, "light");
      report = await FirefoxPage.launch(files["report"] as string, "light");
    });
    afterAll(async () => {
      await browser?.close();
      await report?.close();
    });

    it("its matrix says what the library says", async () => {
      await browser.open("#/matrix?kernel=6.12", ".matrix");
      await browser.says("Searched in this page.");
      const shown = await browser.page.evaluate(() =>
        [...document.querySelectorAll(".matrix tbody tr")].map((row) =>
          [...row.querySelectorAll(".cell")].map((cell) => cell.classList[1]),
        ),
      );
      const said: Record<string, string[]> = {};
      const options = { kernel: "6.12", hardware: "usual", agents: ["iommu"] } as const;
      for await (const { policy, verdict, race } of verdicts(options)) {
        said[policy] = [...(said[policy] ?? []), verdict === "hazard" ? "hazard" : race ? "race" : "searched"];
      }
      expect(shown).toEqual(Object.values(said));
    });

    it("its trace says what the replay says", async () => {
      await report.open("#/trace", ".squares");
      const shown = await report.page.evaluate(() =>
        [...document.querySelectorAll(".squares tr")].map(
          (row) => `${row.querySelector("th")?.textContent} ${row.querySelector("td")?.textContent}`,
        ),
      );
      expect(shown).toEqual(
        result.policies.map(
          ({ policy, hazards }) => `${policy.name} ${hazards.byFree.length} of ${result.frees.length}`,
        ),
      );
    });

    it.each(views)("$view is worked by keyboard: every control has its turn, and is seen", async (it) => {
      const shown = it.file === "page" ? browser : report;
      await shown.open(it.fragment, it.selector);
      if (it.view === "matrix") await shown.says("Searched in this page.");
      const { controls, reached } = await shown.tabThrough();
      expect(controls).toBeGreaterThan(8);
      expect(reached).toEqual(Array.from({ length: controls }, (_, i) => String(i)));
    });

    it("measures its kernel programs, with its own clock, and draws curves of growth", async () => {
      await browser.open("#/benchmark", ".suites");
      // Translations are left out: they take a minute.
      await browser.page.locator(".suites label input").click();
      await browser.page.locator(".suites label:last-of-type input").click();
      await browser.page.locator("button.main").click();
      await browser.page.waitForSelector("a.save", { timeout: 580_000 });
      const blocks = pageBlocks.filter(({ suite }) => suite === "kernel" || suite === "growth");
      const rows = await browser.page.$$eval(".times tbody tr", (found) => found.length);
      expect(rows).toBe(blocks.reduce((sum, { cases, contestants }) => sum + cases.length * contestants.length, 0));
      const curves = await browser.page.$$eval(".curves .wide path[stroke-width]", (lines) => lines.length);
      expect(curves).toBe(blocks.filter(({ grows }) => grows).length);
      expect((await browser.examine()).violations).toEqual([]);
      expect(browser.complaints).toEqual([]);
    });

    it("a story is stepped by its keys", async () => {
      await browser.open("#/story?policy=none&site=pmd_free_pte_page&step=0", ".lanes");
      for (const [key, count] of [
        ["ArrowRight", 1],
        ["ArrowRight", 2],
        ["ArrowLeft", 1],
        ["Home", 0],
      ] as const) {
        await browser.page.keyboard.press(key);
        await browser.page.waitForFunction(
          (step: number) => document.querySelector(".count")?.textContent?.startsWith(`${step} of `),
          {},
          count,
        );
      }
    });

    it("names of others do nothing", async () => {
      const evil = await FirefoxPage.launch(files["hostile"] as string, "light");
      try {
        for (const [fragment, selector] of [
          ["", "nav[aria-label=Views]"],
          ["#/trace", ".squares"],
          ["#/costs", ".bars"],
        ] as const) {
          await evil.open(fragment, selector);
          expect(await evil.page.evaluate(() => document.querySelectorAll("img").length)).toBe(0);
          expect(evil.complaints).toEqual([]);
        }
      } finally {
        await evil.close();
      }
    });

    it("runs no script and no handler that its policy does not name", async () => {
      await browser.open("#/walk", ".path");
      const ran = await browser.page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "document.body.dataset.ran = 'script'";
        document.body.append(script);
        const button = document.createElement("button");
        button.setAttribute("onclick", "document.body.dataset.ran = 'handler'");
        document.body.append(button);
        button.click();
        return document.body.dataset["ran"];
      });
      expect(ran).toBeUndefined();
    });
  });
});
