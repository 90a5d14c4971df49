// The view of a story in a real browser: what stands at each step against the library, what if, by keyboard, in every look.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileEngineSync } from "../../src/index.js";
import { machineAt, type Told, usualIommu, type VerdictRecord, verdicts } from "../../src/verdicts/index.js";
import { chromiumNote, chromiumPath } from "../support/chromium.js";
import { looks, PageBrowser } from "../support/page-browser.js";

const README = { policy: "none", site: "pmd_free_pte_page" } as const;
const module = compileEngineSync();

/** A verdict as the page searches it. */
async function judged(
  policy: string,
  site: string,
  kernel = "7.3",
  agent: "iommu" | "cpu" = "iommu",
): Promise<VerdictRecord> {
  const options = {
    kernel,
    policies: [policy as "none"],
    scenarios: [site as "munmap"],
    agents: [agent],
    hardware: [usualIommu],
  };
  for await (const record of verdicts({ ...options, cpus: [{ invlpgScope: "pcid", pti: false, invlpgb: false }] }))
    return record;
  throw new Error(`no verdict of ${site} under ${policy}`);
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** What the library says of a step, in the words of the page. */
function expected(record: VerdictRecord, told: Told, step: number): Record<string, unknown> {
  const machine = machineAt(record, told, step, { module });
  const { kernel, frames } = machine;
  const free = kernel?.freeFrames().reverse().map(hex) ?? [];
  const agent = record.agent === "cpu" ? machine.cpus[1] : machine.iommus[0];
  const chain = machine.cpus[0]?.explain(told.hazard?.address ?? 0n, 0).chain ?? [];
  return {
    words: chain.map(({ entry }) => (entry === 0n ? "cleared" : hex(entry))),
    entries: (agent?.caches ?? []).reduce((sum, cache) => sum + cache.contents().length, 0),
    held: kernel?.counters.framesHeld,
    next: free[0],
    hazards: String(kernel?.hazardCounts.total),
    uses: Array.from({ length: 18 }, (_, i) => 0x1000 + i).flatMap((frame) => {
      const found = frames.describe(frame);
      return found ? [`${hex(frame)} ${found.state} ${found.generation}`] : [];
    }),
  };
}

if (!chromiumPath) console.warn(`the page's stories are not tested in a browser${chromiumNote}`);

describe.skipIf(!chromiumPath)(`a story in Chromium${chromiumNote}`, () => {
  let browser: PageBrowser;
  beforeAll(async () => {
    browser = await PageBrowser.launch();
  });
  afterAll(() => browser?.close());

  /** What the page shows. */
  async function shown(): Promise<Record<string, unknown> & { uses: string[]; caption: string; stale: string[] }> {
    return browser.page.evaluate(() => {
      const texts = (selector: string): string[] =>
        [...document.querySelectorAll(selector)].map((element) => element.textContent?.trim() ?? "");
      const [held = "", free = ""] = texts(".lists dd");
      return {
        words: texts(".memory .pointer > .mono"),
        entries: document.querySelectorAll(".held .pointer").length,
        held: held === "–" ? 0 : held.split(", ").length,
        next: free.split(", ")[0],
        hazards: texts(".lists dd").at(-1),
        uses: [...document.querySelectorAll(".card")].map((card) => {
          const state = ["table", "free", "data"].find((name) => card.classList.contains(name));
          return `${card.querySelector("b")?.textContent} ${state} ${/ (\d+)/.exec(card.querySelector("small")?.textContent?.replace(/^.*gen\..*?(?= \d)/, "") ?? "")?.[1]}`;
        }),
        caption: texts(".caption")[0] ?? "",
        stale: texts(".stale-pointer"),
      };
    });
  }

  it.each([
    ["none", "pmd_free_pte_page", "7.3", "iommu"],
    ["flush-async", "pud_free_pmd_page", "7.3", "iommu"],
    ["deferred-free", "cpa_collapse_large_pages", "6.18.7", "iommu"],
    ["none", "pmd_free_pte_page", "7.3", "cpu"],
  ] as const)("shows at each step what the library says: %s, %s, Linux %s, %s", async (policy, site, kernel, agent) => {
    const { page } = browser;
    await browser.look({ scheme: "light", width: 1280 });
    const record = await judged(policy, site, kernel, agent);
    const told = (record.worst?.witness ?? record.witness) as Told;
    await browser.open(`#/story?policy=${policy}&site=${site}&kernel=${kernel}&agent=${agent}&step=0`, ".lanes");
    expect(await page.locator(".mark").count()).toBe(told.steps.length);
    for (let step = 0; step <= told.steps.length; step++) {
      if (step > 0) await page.keyboard.press("ArrowRight");
      // The step stands in the fragment: the page shows it a task later.
      await page.getByText(`${step} of ${told.steps.length}`, { exact: true }).waitFor();
      const { caption, stale, uses, ...rest } = await shown();
      const { uses: all, ...said } = expected(record, told, step);
      expect([step, rest]).toEqual([step, said]);
      expect(uses.length).toBeGreaterThan(2);
      expect(all).toEqual(expect.arrayContaining(uses));
      if (step > 0) expect(caption).toBe(`${step}. ${told.steps[step - 1]?.text}`);
      if (step === told.steps.length) {
        expect(stale.length).toBeGreaterThan(0);
        expect(stale.join()).toContain(hex(told.hazard?.frame ?? 0));
      }
    }
    expect(browser.complaints).toEqual([]);
  });

  it("loses no key, however fast they come", async () => {
    const { page } = browser;
    await browser.open(`#/story?policy=none&site=pmd_free_pte_page&step=0`, ".lanes");
    await page.evaluate(() => {
      for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight"])
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    });
    await page.getByText(/^3 of \d+$/).waitFor();
  });

  it("draws the stale pointer as an arrow to the frame that it names, and none before the frame was freed", async () => {
    const { page } = browser;
    await browser.open(`#/story?policy=none&site=pmd_free_pte_page&step=7`, ".lanes");
    expect(await page.locator(".stale-arrow").count()).toBe(0);
    expect(await page.locator(".arrows .cached").count()).toBe(3);
    await page.keyboard.press("ArrowRight");
    await page.locator("g.stale-arrow").first().waitFor({ state: "attached" });
    expect(await page.locator("g.stale-arrow").count()).toBe(1);
  });

  it("ends otherwise under another policy, with another kernel, without a move; each is a link", async () => {
    const { page } = browser;
    await browser.open(`#/story?policy=${README.policy}&site=${README.site}`, ".what-if");
    expect(await page.locator(".ending").textContent()).toContain("forged-translation");
    await page.getByRole("combobox", { name: /policy were another/ }).selectOption("deferred-free");
    await page.getByText("✓ No hazard").waitFor();
    expect(await page.locator(".mark em").textContent()).toBe("differs from here");
    await page.waitForURL(/with=deferred-free/);
    const link = page.url();
    await page.goBack();
    await page.getByText("✗ forged-translation").waitFor();
    await browser.open(new URL(link).hash, ".what-if");
    expect(await page.locator(".ending").textContent()).toContain("No hazard under deferred-free");
    await page.getByRole("combobox", { name: /policy were another/ }).selectOption("");
    await page.getByRole("combobox", { name: /one move were left out/ }).selectOption({ index: 2 });
    await page.getByText("✗ Still walk-after-free").waitFor();
    await page.getByRole("combobox", { name: /kernel were another/ }).selectOption("6.12");
    await page.waitForURL(/on=6\.12/);
    await page.getByText("with Linux 6.12").waitFor();
  });

  it("says of a safe cell how much was tried, and leads to how the story ends there", async () => {
    const { page } = browser;
    await browser.open("#/story?policy=user-root&site=pmd_free_pte_page", ".ending");
    expect(await page.locator(".ending").textContent()).toMatch(/No hazard.* found.* in [\d,]+ programs/);
    await page.getByRole("link", { name: /how the story of no policy/ }).click();
    await page.getByText("✓ No hazard").waitFor();
    expect(browser.complaints).toEqual([]);
  });

  it.each(looks)("fits and has no finding of axe-core: $scheme, $width px", async (look) => {
    await browser.look(look);
    await browser.open(`#/story?policy=none&site=pmd_free_pte_page`, ".arrows");
    await browser.screenshot(`story-${look.scheme}-${look.width}`);
    const { violations, passes, width } = await browser.examine();
    expect(violations).toEqual([]);
    expect(passes).toBeGreaterThan(15);
    expect(width).toBe(look.width);
    expect(browser.complaints).toEqual([]);
  });

  it("is worked by keyboard: every control has its turn", async () => {
    await browser.look({ scheme: "light", width: 1280 });
    await browser.open(`#/story?policy=none&site=pmd_free_pte_page&step=3`, ".arrows");
    const { controls, reached } = await browser.tabThrough();
    expect(controls).toBeGreaterThan(30);
    expect(reached).toEqual(Array.from({ length: controls }, (_, i) => String(i)));
  });
});
