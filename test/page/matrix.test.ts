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
      said[policy] = [...(said[policy] ?? []), verdict === "hazard" ? "hazard" : race ? "race" : "safe"];
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
      name: /hazard.*safe in 7\.3.*, cpa_collapse_large_pages under deferred-free/,
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
    await page.getByRole("button", { name: "walks stop at U/S = 0" }).click();
    await page.waitForURL(/hardware=stop-at-supervisor/);
    await page.getByText("Searched in this page.").waitFor();
    expect(await page.getByRole("link", { name: /safe.*, pmd_free_pte_page\/split under none/ }).count()).toBe(1);
    expect(page.workers().length).toBe(0);
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
