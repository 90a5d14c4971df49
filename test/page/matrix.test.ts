// The matrix in a real browser: it is searched there, and says what the library says; every cell leads to its story.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verdicts } from "../../src/verdicts/index.js";
import { chromiumNote, chromiumPath } from "../support/chromium.js";
import { looks, PageBrowser } from "../support/page-browser.js";

if (!chromiumPath) console.warn(`the page's matrix is not tested in a browser${chromiumNote}`);

describe.skipIf(!chromiumPath)(`the matrix in Chromium${chromiumNote}`, () => {
  let browser: PageBrowser;
  beforeAll(async () => {
    browser = await PageBrowser.launch();
  });
  afterAll(() => browser?.close());

  it("is searched in the page, cell by cell, and says what the library says", async () => {
    const { page } = browser;
    await browser.look({ scheme: "light", width: 1280 });
    await browser.open("#/matrix?kernel=6.18.7", ".matrix");
    await page.getByText("Searched in this page.").waitFor();
    const shown = await page.evaluate(() =>
      [...document.querySelectorAll(".matrix tbody tr")].map((row) =>
        [...row.querySelectorAll(".cell")].map((cell) => cell.classList[1]),
      ),
    );
    const said: Record<string, string[]> = {};
    for await (const { policy, verdict, race } of verdicts({
      kernel: "6.18.7",
      hardware: "usual",
      agents: ["iommu"],
    })) {
      said[policy] = [...(said[policy] ?? []), verdict === "hazard" ? "hazard" : race ? "race" : "searched"];
    }
    expect(shown).toEqual(Object.values(said));
    expect(await page.locator(".ships th").textContent()).toContain("deferred-free (this kernel)");
    expect(browser.complaints).toEqual([]);
  });

  it("compares with another kernel, and a cell leads to its story and back", async () => {
    const { page } = browser;
    await page.getByRole("combobox", { name: "Compared with" }).selectOption("7.3");
    await page.getByText("Searched in this page.").waitFor();
    const cell = page.getByRole("link", {
      name: /hazard.*none in 7\.3.*, cpa_collapse_large_pages under deferred-free/,
    });
    await cell.press("Enter");
    await page.locator(".lanes").waitFor();
    expect(new URL(page.url()).hash).toContain("policy=deferred-free&site=cpa_collapse_large_pages&kernel=6.18.7");
    await page.goBack();
    await page.getByText("Searched in this page.").waitFor();
    expect(browser.complaints).toEqual([]);
  });

  it("takes other hardware, and stops a search that nobody waits for", async () => {
    const { page } = browser;
    await browser.open("#/matrix", ".matrix");
    await page.getByText("IOMMU: usual hardware").click();
    await page.getByRole("button", { name: "walks stop at U/S = 0" }).click();
    await page.waitForURL(/hardware=stop-at-supervisor/);
    await page.getByText("Searched in this page.").waitFor();
    expect(await page.getByRole("link", { name: /none.*, pmd_free_pte_page\/split under none/ }).count()).toBe(1);
    expect(page.workers().length).toBe(0);
  });

  it("proves on all cores what has no hazard, and tells proved cells from those that a limit ended", async () => {
    const { page } = browser;
    const kernel = "6.12";
    await browser.open(`#/matrix?kernel=${kernel}&states=2000&prove=1`, ".matrix");
    await page.getByText("Searched in this page.").waitFor();
    await page.getByText(/^(\d+) of \1 cells in /).waitFor();
    const shown: Record<string, string[]> = await page.evaluate(() =>
      Object.fromEntries(
        [...document.querySelectorAll(".matrix .cell")].map((cell) => [
          /, (\S+ under \S+)$/.exec(cell.textContent ?? "")?.[1],
          [cell.classList[1], cell.getAttribute("title")],
        ]),
      ),
    );
    const said: Record<string, string[]> = {};
    const options = { kernel, hardware: "usual", agents: ["iommu"], prove: true, maxStates: 2000 } as const;
    for await (const { policy, scenario, verdict, race, proof, raceProof } of verdicts(options)) {
      if (verdict === "hazard") continue;
      const closed = proof?.closed && raceProof?.closed !== false;
      const states = ((proof?.states ?? 0) + (raceProof?.states ?? 0)).toLocaleString("en");
      said[`${scenario} under ${policy}`] = race
        ? ["race", race.kind]
        : [closed ? "proved" : "limit", `${states} states, ${closed ? "all gone through" : "then the limit"}`];
    }
    expect(Object.values(said).filter(([word]) => word === "proved").length).toBeGreaterThan(5);
    expect(Object.values(said).filter(([word]) => word === "limit").length).toBeGreaterThan(5);
    // What the search has found by a longer program than the limited proof came to is a hazard all the same.
    for (const [cell, [word]] of Object.entries(shown)) if (word === "hazard") delete said[cell];
    const proved = Object.entries(shown).filter(([, [word]]) => word !== "hazard");
    expect(Object.fromEntries(proved)).toEqual(said);
    expect(page.workers().length).toBe(0);
    expect(browser.complaints).toEqual([]);
  });

  it("leads from a proved cell to its proof, and says what that rests on", async () => {
    const { page } = browser;
    const cell = { kernel: "6.12", policy: "flush-range", site: "exit" };
    await browser.open(`#/story?${new URLSearchParams(cell)}`, ".ending");
    await page.getByRole("button", { name: /Prove it/ }).click();
    await page.getByText("✓ Proved safe").waitFor({ timeout: 500_000 });
    expect(page.url()).toContain("prove=1");
    await page.getByRole("button", { name: /Take each thing away/ }).click();
    await page.locator(".supports").waitFor({ timeout: 500_000 });
    const options = {
      ...({ kernel: cell.kernel, policies: ["flush-range"], scenarios: ["exit"] } as const),
      ...({ hardware: "usual", agents: ["iommu"], prove: true, explainSafe: true } as const),
    };
    for await (const { proof, restsOn } of verdicts(options)) {
      expect(await page.locator(".ending").textContent()).toContain(`${proof?.states.toLocaleString("en")} states`);
      expect(await page.locator(".supports tbody th").allTextContents()).toEqual(restsOn?.map(({ what }) => what));
      expect(await page.locator(".supports .hazard").count()).toBe(
        restsOn?.filter(({ without }) => without === "hazard").length,
      );
      for (const text of proof?.assumptions ?? []) await page.getByText(text).waitFor();
    }
    await browser.screenshot("proof-light-1280");
    expect((await browser.examine()).violations).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });

  it("stops a proof that nobody waits for", async () => {
    const { page } = browser;
    await browser.open("#/matrix?kernel=6.12&prove=1", ".matrix");
    await page.getByRole("button", { name: "Stop the proof" }).click();
    await page.getByRole("button", { name: "Prove what has no hazard" }).waitFor();
    await expect.poll(() => page.workers().length, { timeout: 120_000 }).toBe(0);
  });

  it.each(looks)("fits and has no finding of axe-core: $scheme, $width px", async (look) => {
    await browser.look(look);
    await browser.open("#/matrix", ".matrix");
    await browser.page.getByText("Searched in this page.").waitFor();
    await browser.screenshot(`matrix-${look.scheme}-${look.width}`);
    const { violations, passes, width } = await browser.examine();
    expect(violations).toEqual([]);
    expect(passes).toBeGreaterThan(15);
    expect(width).toBe(look.width);
    expect(browser.complaints).toEqual([]);
  });
});
