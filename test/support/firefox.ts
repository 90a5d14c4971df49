// A second real browser for the tests of pages: the system's Firefox, headless, driven over WebDriver BiDi, with a fresh profile and no
// traffic of its own. What Chromium emulates is a preference here, so that a browser is started for each set of colours.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { AxeResults } from "axe-core";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { AXE, AXE_RUN, findingsOf, heightOf, type Look, tabThrough } from "./in-page.js";

const named = process.env["STALEWALK_FIREFOX"];
const path = named ?? ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find(existsSync) ?? "/usr/bin/firefox-esr";

/** Where it is; undefined if this machine has none. Tests then skip and say so. */
export const firefoxPath: string | undefined = existsSync(path) ? path : undefined;

/** What a skipped suite adds to its name. */
export const firefoxNote = firefoxPath ? "" : ` (SKIPPED: no Firefox at ${path}; STALEWALK_FIREFOX names another)`;

const BUILD = fileURLToPath(new URL("../../build/", import.meta.url));
/** Longest wait, in milliseconds: a busy machine is no failure. */
const PATIENCE = 180_000;

/** Preferences: nobody is called, and motion is reduced as in the other browser. */
const QUIET = {
  "app.update.disabledForTesting": true,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.startup.homepage": "about:blank",
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.manage-offline-status": false,
  "toolkit.telemetry.enabled": false,
  "ui.prefersReducedMotion": 1,
};

const COLOURS: Record<Look["scheme"], Record<string, number>> = {
  light: { "layout.css.prefers-color-scheme.content-override": 1 },
  dark: { "layout.css.prefers-color-scheme.content-override": 0 },
  // 2: the page's colours are always replaced, as by a contrast theme of the system.
  forced: { "browser.display.document_color_use": 2 },
};

/** Firefox with one page. */
export class FirefoxPage {
  /** Errors, messages and requests since the page was opened. */
  complaints: string[] = [];

  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
    private readonly address: string,
  ) {
    page.setDefaultTimeout(PATIENCE);
    page.on("console", (message) => this.complaints.push(`console ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => this.complaints.push(`error: ${String(error)}`));
    page.on("dialog", (dialog) => {
      this.complaints.push(`dialog: ${dialog.message()}`);
      dialog.dismiss().catch((error: Error) => this.complaints.push(`dialog: ${error.message}`));
    });
    page.on("request", (request) => {
      const url = request.url();
      if (
        url.split("#")[0] !== address &&
        !url.startsWith("blob:") &&
        !url.startsWith("data:") &&
        url !== "about:blank"
      ) {
        this.complaints.push(`request: ${url}`);
      }
    });
  }

  /** @param file the document: the page, or a report that carries it */
  static async launch(file: string, scheme: Look["scheme"]): Promise<FirefoxPage> {
    if (!firefoxPath) throw new Error(`no Firefox at ${path}`);
    if (!existsSync(file)) throw new Error(`${file} is not there: run npm run build first`);
    mkdirSync(BUILD, { recursive: true });
    const browser = await puppeteer.launch({
      browser: "firefox",
      executablePath: firefoxPath,
      headless: true,
      timeout: PATIENCE,
      protocolTimeout: PATIENCE,
      extraPrefsFirefox: { ...QUIET, ...COLOURS[scheme] },
    });
    return new FirefoxPage(browser, await browser.newPage(), pathToFileURL(file).href);
  }

  /** Opens the page anew at a fragment, and waits until something of the view is there. */
  async open(fragment: string, selector: string, width: Look["width"] = 1280): Promise<void> {
    await this.page.setViewport({ width, height: heightOf(width) });
    await this.page.goto("about:blank");
    this.complaints = [];
    await this.page.goto(`${this.address}${fragment}`);
    await this.page.waitForSelector(selector);
  }

  /** Waits until the text of the page says something. */
  async says(text: string): Promise<void> {
    await this.page.waitForFunction((wanted: string) => document.body.innerText.includes(wanted), {}, text);
  }

  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(BUILD, `firefox-${name}.png`) as `${string}.png`, fullPage: true });
  }

  /** What axe-core finds, and how much wider the page is than there is room beside the scroll bar. */
  async examine(): Promise<{ violations: unknown[]; passes: number; beyond: number }> {
    await this.page.evaluate(AXE);
    const result = (await this.page.evaluate(AXE_RUN)) as AxeResults;
    const beyond = await this.page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    return { ...findingsOf(result), beyond };
  }

  /** Presses Tab once for each control that is shown. */
  tabThrough(): ReturnType<typeof tabThrough> {
    return tabThrough(this.page);
  }

  /** What the page has loaded beside itself, as the browser's own list has it. */
  loaded(): Promise<string[]> {
    return this.page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}
