// Starting a browser without a window and without a driver: a profile of its own that is removed again, quiet, at one address. Node-only.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What is known to be started so. */
export type BrowserKind = "chromium" | "firefox";

/** Chromium calls nobody, shows nothing beside the page, and treats a page that nobody looks at as any other. */
const CHROMIUM = [
  "--headless=new",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-breakpad",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-dev-shm-usage",
  "--disable-extensions",
  "--disable-gpu",
  "--disable-hang-monitor",
  "--disable-quic",
  "--disable-renderer-backgrounding",
  "--disable-sync",
  "--metrics-recording-only",
  "--mute-audio",
  "--password-store=basic",
];

/** The same of Firefox; and its clock, which has steps of 20 µs for pages of every kind, may be as fine as Chromium's. */
const FIREFOX = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.cache.disk.enable": false,
  "browser.newtabpage.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.safebrowsing.update.enabled": false,
  "browser.sessionstore.resume_from_crash": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "browser.startup.page": 0,
  "datareporting.healthreport.uploadEnabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "media.gmp-manager.updateEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.dns.disablePrefetch": true,
  "network.proxy.type": 0,
  "privacy.reduceTimerPrecision": false,
  "privacy.reduceTimerPrecision.unconditional": false,
  "services.settings.server": "",
  "toolkit.startup.max_resumed_crashes": -1,
  "toolkit.telemetry.enabled": false,
  "toolkit.telemetry.unified": false,
  "trailhead.firstrun.didSeeAboutWelcome": true,
};

/** How much of what it complains of is kept. */
const WORDS = 2000;

/** A browser that runs. */
export class RunningBrowser {
  /** Ends with why, when the browser has. */
  readonly ended: Promise<string>;
  private words = "";
  private isOver = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
  ) {
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.words = (this.words + text).slice(-WORDS);
    });
    this.ended = new Promise((resolve) => {
      child.once("error", ({ message }) => this.over(resolve, `it cannot be started: ${message}`));
      child.once("close", (code, signal) => this.over(resolve, `it ended with ${signal ?? code}${this.lastWords}`));
    });
  }

  private over(resolve: (why: string) => void, why: string): void {
    this.isOver = true;
    resolve(why);
  }

  /** Starts it at an address. */
  static start(kind: BrowserKind, program: string, url: string): RunningBrowser {
    const profile = mkdtempSync(join(tmpdir(), `stalewalk-${kind}-`));
    if (kind === "firefox") writeFileSync(join(profile, "user.js"), preferences());
    const args = kind === "firefox" ? firefoxArguments(profile) : chromiumArguments(profile);
    // A group of its own: what it starts ends with it, and a terminal's Ctrl-C does not come before the profile's end.
    const child = spawn(program, [...args, url], { stdio: ["ignore", "ignore", "pipe"], detached: true });
    return new RunningBrowser(child, profile);
  }

  /** The last line that it complained with, for an error. */
  get lastWords(): string {
    const line = this.words.trim().split("\n").at(-1)?.trim() ?? "";
    return line === "" ? "" : `: ${line}`;
  }

  /** Ends it with all that it started, and removes its profile. Twice is once. */
  async close(): Promise<void> {
    const { pid } = this.child;
    if (pid !== undefined && !this.isOver) {
      endGroup(pid);
      await this.ended;
    }
    // What belongs to its group may write until it is gone.
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

function chromiumArguments(profile: string): string[] {
  // Its sandbox refuses to work for root, as whom containers run; the one page that it opens is ours.
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return [...CHROMIUM, ...asRoot, `--user-data-dir=${profile}`];
}

function firefoxArguments(profile: string): string[] {
  return ["--headless", "--no-remote", "--profile", profile];
}

function preferences(): string {
  const lines = Object.entries(FIREFOX).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  );
  return `${lines.join("\n")}\n`;
}

/** Where there are no groups, Windows, the browser alone: its children notice. */
function endGroup(pid: number): void {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
