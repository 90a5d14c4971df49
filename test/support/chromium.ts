// A real browser for the tests of pages: the system's Chromium, headless, with a fresh profile and no traffic of its own.
import { existsSync } from "node:fs";
import { type BrowserContext, chromium } from "playwright-core";

const path = process.env["STALEWALK_CHROMIUM"] ?? "/usr/bin/chromium";

/** Where the browser is; undefined if this machine has none. Tests then skip and say so. */
export const chromiumPath: string | undefined = existsSync(path) ? path : undefined;

/** What a skipped suite adds to its name. */
export const chromiumNote = chromiumPath ? "" : ` (SKIPPED: no Chromium at ${path}; STALEWALK_CHROMIUM names another)`;

/** Longest wait for the browser, in milliseconds: a busy machine is no failure. */
const PATIENCE = 120_000;

/**
 * Starts the browser. An empty folder name gives a profile that is deleted afterwards.
 * @param offline whether it reaches nothing, servers of this machine included
 */
export async function launchChromium({ offline = true } = {}): Promise<BrowserContext> {
  if (!chromiumPath) throw new Error(`no Chromium at ${path}`);
  const context = await chromium.launchPersistentContext("", {
    timeout: PATIENCE,
    executablePath: chromiumPath,
    headless: true,
    // A page that must open offline: a request that gets out would fail, and is seen.
    offline,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  context.setDefaultTimeout(PATIENCE);
  return context;
}
