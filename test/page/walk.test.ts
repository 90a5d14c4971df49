// The view of a walk in a real browser: by keyboard alone, in every look, on a dropped file; and what it says against the library.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytesOfBase85 } from "../../src/base/base85.js";
import { loadImage, openCore } from "../../src/image/index.js";
import { Access } from "../../src/index.js";
import { describeOutcome } from "../../src/paging/describe.js";
import { chromiumNote, chromiumPath } from "../support/chromium.js";
import { looks, PAGE_FILE, PageBrowser } from "../support/page-browser.js";

const IMAGES = new URL("../fixtures/images/", import.meta.url);
const VSYSCALL = 0xffffffffff600000n;

if (!chromiumPath) console.warn(`the page is not tested in a browser${chromiumNote}`);

describe("the page's file", () => {
  const text = readFileSync(PAGE_FILE, "utf8");

  it("is one file: nothing in it is loaded, and its policy allows nothing unsafe but WebAssembly", () => {
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(text)?.[1] ?? "";
    expect(policy).toMatch(
      /^default-src 'none'; script-src (?:'sha256-[^']+' ){2}'wasm-unsafe-eval'; style-src 'sha256-/,
    );
    expect(policy).not.toMatch(/unsafe-(?!eval)|(?<!wasm-)unsafe-eval|https?:/);
    expect(text).not.toMatch(/<(?:script|img|iframe)[^>]* src=|<link[^>]* href="(?!data:,)/);
    const [, packed = ""] = /<script type="text\/plain" id="packed">([^<]+)</.exec(text) ?? [];
    const program = new TextDecoder().decode(gunzipSync(bytesOfBase85(packed)));
    expect(program.length).toBeGreaterThan(300_000);
    expect(program).not.toMatch(/\beval\(|new Function\(/);
  });

  it("is under 250 kB compressed, engine and example included", () => {
    expect(gzipSync(new TextEncoder().encode(text), { level: 9 }).length).toBeLessThan(250_000);
  });
});

describe.skipIf(!chromiumPath)(`the walk in Chromium${chromiumNote}`, () => {
  let browser: PageBrowser;
  beforeAll(async () => {
    browser = await PageBrowser.launch();
  });
  afterAll(() => browser?.close());

  /** What the page says of an address, next to what the library says of the same image. */
  async function compare(file: string, address: bigint, access: "user-read" | "supervisor-write"): Promise<void> {
    const image = await openCore(readFileSync(new URL(file, IMAGES)), { file });
    const { walker } = await loadImage(image);
    const { chain, outcome } = walker.explain(
      address,
      access === "user-read" ? Access.userRead : Access.supervisorWrite,
    );
    const shown = await browser.page.evaluate(() => ({
      tables: [...document.querySelectorAll(".path .box.table")].map((box) =>
        [...box.querySelectorAll(".mono")].map((part) => part.textContent),
      ),
      ending: document.querySelector(".ending")?.textContent,
    }));
    expect(shown.tables).toEqual(
      chain.map(({ tableFrame, index, entry }) => [
        `0x${tableFrame.toString(16)}`,
        `[${index}]`,
        `0x${entry.toString(16)}`,
      ]),
    );
    expect(shown.ending).toContain(describeOutcome(outcome));
  }

  it.each(looks)("fits and has no finding of axe-core: $scheme, $width px", async (look) => {
    await browser.look(look);
    await browser.open("#/walk", ".path");
    await browser.screenshot(`walk-${look.scheme}-${look.width}`);
    const { violations, passes, width } = await browser.examine();
    expect(violations).toEqual([]);
    expect(passes).toBeGreaterThan(15);
    expect(width).toBe(look.width);
    expect(browser.complaints).toEqual([]);
  });

  it("shows what the library says, on the example and on a file that is dropped", async () => {
    await browser.look({ scheme: "light", width: 1280 });
    await browser.open("#/walk?address=ffffffffff600000&access=user-read", ".path");
    await compare("reduced-4level.core.gz", VSYSCALL, "user-read");
    await browser.page
      .locator("input[type=file]")
      .setInputFiles(fileURLToPath(new URL("reduced-5level.core.gz", IMAGES)));
    await browser.page.getByText("reduced-5level.core.gz: ").waitFor();
    await browser.page.getByRole("combobox", { name: /^Access/ }).selectOption("supervisor-write");
    await compare("reduced-5level.core.gz", VSYSCALL, "supervisor-write");
    const plain = gunzipSync(readFileSync(new URL("reduced-4level.core.gz", IMAGES)));
    await browser.page.evaluate((bytes) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(bytes), (it) => it.charCodeAt(0))], "dropped.core"));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
    }, Buffer.from(plain).toString("base64"));
    await browser.page.getByText("dropped.core: ").waitFor();
    await browser.page.getByRole("combobox", { name: /^Access/ }).selectOption("user-read");
    await compare("reduced-4level.core.gz", VSYSCALL, "user-read");
    expect(browser.complaints).toEqual([]);
  });

  it("says what is wrong with a file that is no core", async () => {
    await browser.open("#/walk", ".path");
    await browser.page
      .locator("input[type=file]")
      .setInputFiles({ name: "<b>no core", mimeType: "text/plain", buffer: Buffer.from("hello ".repeat(20)) });
    const alert = browser.page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain("<b>no core: ");
    expect(await browser.page.locator("main b b").count()).toBe(0);
  });

  it("is worked by keyboard: steps, the entry's bits, the caches", async () => {
    const { page } = browser;
    await browser.look({ scheme: "light", width: 1280 });
    await browser.open("#/walk?address=ffffffffff600000&access=user-read&step=0", ".path");
    expect(await page.locator(".path .reached").count()).toBe(1);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.waitForURL(/step=2$/);
    expect(await page.locator(".path .reached").count()).toBe(3);
    await page.keyboard.press("ArrowLeft");
    await page.waitForURL(/step=1$/);
    expect(await page.locator(".path .reached").count()).toBe(2);
    await page.keyboard.press("End");
    await page.locator(".path .reached").nth(5).waitFor();
    expect(await page.locator(".path .reached").count()).toBe(6);
    expect(await page.locator(".ending").textContent()).toContain("now begins at the root");
    await page.getByRole("button", { name: "Access", exact: true }).press("Enter");
    expect(await page.locator(".ending").textContent()).toContain("l1[0] has the translation");
    // The bit P of the leaf is cleared in memory; the TLB still answers.
    await page.getByRole("button", { name: /^P 1 ?, bit 0/ }).press("Enter");
    expect(await page.locator(".ending .stale").textContent()).toContain("0x0000000029e04000");
    await page.getByRole("button", { name: "INVLPG" }).press("Enter");
    expect(await page.locator(".ending .stale").count()).toBe(0);
    expect(await page.locator(".ending").textContent()).toContain("Refused");
  });

  it("reaches every control with Tab, each with a focus that is seen", async () => {
    await browser.open("#/walk", ".path");
    const { controls, reached } = await browser.tabThrough();
    expect(controls).toBeGreaterThan(25);
    expect(reached).toEqual(Array.from({ length: controls }, (_, i) => String(i)));
  });

  it("a device's walk of the same tables begins where its IOMMU's caches allow it", async () => {
    const { page } = browser;
    await browser.open("#/walk?address=ffffffffff600000&access=user-read&by=pasid", ".path");
    await page.getByRole("button", { name: "Request" }).click();
    await page.getByRole("button", { name: "Invalidate the page" }).click();
    expect(await page.locator(".ending").textContent()).toContain("begins at the root");
    await page.waitForURL(/by=pasid/);
  });
});
