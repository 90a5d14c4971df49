// The built page in a real browser, with what the browser complained of or asked for, and axe-core at hand.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { AxeResults } from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { launchChromium } from "./chromium.js";
import { AXE, AXE_RUN, findingsOf, heightOf, type Look, tabThrough } from "./in-page.js";

export { looks } from "./in-page.js";

const BUILD = fileURLToPath(new URL("../../build/", import.meta.url));

/** The page as it is shipped. */
export const PAGE_FILE = fileURLToPath(new URL("../../dist/page/index.html", import.meta.url));

/** A browser with one page. */
export class PageBrowser {
  /** Errors, messages and requests since the page was opened. */
  complaints: string[] = [];

  private constructor(
    private readonly context: BrowserContext,
    readonly page: Page,
    private readonly address: string,
  ) {
    page.on("console", (message) => this.complaints.push(`console ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => this.complaints.push(`error: ${error.message}`));
    page.on("request", (request) => {
      const url = request.url();
      // Workers are made of the page's own text.
      if (url.split("#")[0] !== address && !url.startsWith("blob:") && url !== "data:,") {
        this.complaints.push(`request: ${url}`);
      }
    });
  }

  /** @param file the document: the page, or a report that carries it */
  static async launch(file = PAGE_FILE): Promise<PageBrowser> {
    if (!existsSync(file)) throw new Error(`${file} is not there: run npm run build first`);
    mkdirSync(BUILD, { recursive: true });
    const context = await launchChromium();
    return new PageBrowser(context, await context.newPage(), pathToFileURL(file).href);
  }

  async look({ scheme, width }: Look): Promise<void> {
    await this.page.emulateMedia({
      colorScheme: scheme === "dark" ? "dark" : "light",
      forcedColors: scheme === "forced" ? "active" : "none",
      reducedMotion: "reduce",
    });
    await this.page.setViewportSize({ width, height: heightOf(width) });
  }

  /** Opens the page anew at a fragment, and waits until something of the view is there. */
  async open(fragment: string, selector: string): Promise<void> {
    await this.page.goto("about:blank");
    this.complaints = [];
    await this.page.goto(`${this.address}${fragment}`);
    await this.page.locator(selector).first().waitFor();
  }

  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(BUILD, `page-${name}.png`), fullPage: true });
  }

  /** What axe-core finds, and how wide the page has become. */
  async examine(): Promise<{ violations: unknown[]; passes: number; width: number }> {
    await this.page.evaluate(AXE);
    const result = (await this.page.evaluate(AXE_RUN)) as AxeResults;
    return { ...findingsOf(result), width: await this.page.evaluate(() => document.documentElement.scrollWidth) };
  }

  /** Presses Tab once for each control that is shown. */
  tabThrough(): ReturnType<typeof tabThrough> {
    return tabThrough(this.page);
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}
