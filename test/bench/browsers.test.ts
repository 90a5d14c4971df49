// `bench --runtimes` in real browsers: the same results as in Node, nothing left behind however it ends, and no waiting without an end.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { BrowserKind } from "../../bench/browser/launch.js";
import { BrowserSession } from "../../bench/browser/session.js";
import { checkBenchResult } from "../../src/benchmark/result.js";
import { runCli } from "../cli/run-cli.js";
import { chromiumNote, chromiumPath } from "../support/chromium.js";
import { firefoxNote, firefoxPath } from "../support/firefox.js";
import { ROOT } from "../support/pack-package.js";

if (!chromiumPath) console.warn(`the benchmark is not played in Chromium${chromiumNote}`);
if (!firefoxPath) console.warn(`the benchmark is not played in Firefox${firefoxNote}`);

const browsers: readonly [BrowserKind, string | undefined, string][] = [
  ["chromium", chromiumPath, chromiumNote],
  ["firefox", firefoxPath, firefoxNote],
];
const installed = browsers.flatMap(([, path]) => path ?? []);

const outer = mkdtempSync(join(tmpdir(), "stalewalk-browsers-"));
const temporary = process.env["TMPDIR"];
let folder = outer;
/** Whatever is started here keeps its files in a folder that can be looked into. */
beforeEach(() => {
  folder = mkdtempSync(join(outer, "t-"));
  process.env["TMPDIR"] = folder;
});
afterAll(() => {
  if (temporary === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = temporary;
  rmSync(outer, { recursive: true, force: true });
});

/** Profiles and files of cases. */
const left = (): string[] => readdirSync(folder).filter((name) => name.startsWith("stalewalk-"));

/** Processes that have the folder in their command line. */
function alive(): number[] {
  if (!existsSync("/proc")) return [];
  return readdirSync("/proc").flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder) ? Number(pid) : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

/** Waits for what must come; a limit of the test's own ends it. */
async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** A program of this name that answers for its version, and then does this. */
function program(name: string, then: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && echo "Chromium 1.2.3" && exit\n${then}\n`);
  chmodSync(path, 0o755);
  return path;
}

const KERNEL = { open: { kind: "kernel", operations: 8192, pattern: "uniform" }, case: "none" } as const;

describe.each(browsers)("in %s", (kind, path, note) => {
  describe.skipIf(!path)(`which is here${note}`, () => {
    it("all kinds of cases come to the same as in Node, with finer clocks than pages have", async () => {
      const file = join(folder, "result.json");
      const filter = "synthetic.*(L1 hit|full flush)|guest RAM: L1|one at a time|kernel.*none|play|none, 3";
      const runtimes = `node,${path}`;
      const suites = ["translate", "flush", "kernel", "replay", "verdicts"];
      const args = [
        "bench",
        ...suites,
        "--quick",
        "--seconds",
        "0",
        "--filter",
        filter,
        "--runtimes",
        runtimes,
        "--json",
        file,
      ];
      const { code, out, err } = await runCli(...args);
      expect(err).toBe("");
      expect(code).toBe(0);
      const { rows, host, missing } = checkBenchResult(JSON.parse(readFileSync(file, "utf8")));
      const name = kind === "firefox" ? "Firefox" : "Chromium";
      const ours = rows.filter(({ contestant }) => contestant.startsWith(name));
      expect(ours.map(({ table, case: it }) => `${table}: ${it}`).length).toBeGreaterThanOrEqual(8);
      for (const { table, case: it, digest, least } of ours) {
        const beside = rows.find((row) => row.table === table && row.case === it && row.contestant.startsWith("Node"));
        expect(digest).toBe(beside?.digest);
        expect(least.value).toBeGreaterThan(0);
      }
      expect(missing.filter((it) => it.includes(name))).toEqual([]);
      expect(host.runtimes).toHaveLength(2);
      expect(host.runtimes?.[1]).toMatch(new RegExp(`^${name} \\d+\\.\\S+ \\(clock of [\\d.]+ [nµ]s\\)$`));
      expect(out).toContain(`runtimes: ${host.runtimes?.join(", ")}`);
      await until(() => alive().length === 0);
      expect(left()).toEqual([]);
    });

    it("curves of growth are played", async () => {
      const filter = "single-page flush.*: 64 entries";
      const args = ["bench", "growth", "--quick", "--seconds", "0", "--filter", filter, "--runtimes", `node,${path}`];
      const { code, out } = await runCli(...args);
      expect(code).toBe(0);
      expect(out).toContain("64 entries");
    });

    it("a worker begins anew for each contestant; a browser that is lost is answered for, at once and later", async () => {
      const session = await BrowserSession.start(kind, path as string, 120);
      try {
        expect(await session.ask({ fresh: "stalewalk" })).toMatchObject({ isolated: true });
        expect(await session.ask(KERNEL)).toEqual({ operations: 8192 });
        const first = await session.ask({ check: null });
        expect(await session.ask({ fresh: "stalewalk" })).toMatchObject({ agent: expect.any(String) });
        await session.ask(KERNEL);
        expect(await session.ask({ check: null })).toEqual(first);
        expect(alive().length).toBeGreaterThan(0);
        for (const pid of alive()) process.kill(pid, "SIGKILL");
        await until(() => alive().length === 0);
        const lost = await session.ask({ check: null });
        expect(lost).toMatchObject({ notPlayed: expect.stringMatching(/^it ended with /) });
        expect(await session.ask({ fresh: "stalewalk" })).toEqual(lost);
      } finally {
        await session.close();
      }
      expect(left()).toEqual([]);
    });

    it("what a worker fails with is told", async () => {
      const session = await BrowserSession.start(kind, path as string, 120);
      try {
        expect(await session.ask({ check: null })).toEqual({ notPlayed: "nothing has been opened" });
      } finally {
        await session.close();
      }
      expect(left()).toEqual([]);
    });
  });
});

describe.skipIf(installed.length === 0)("a run that is ended", () => {
  it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("by %s leaves no browser and no profile", async (signal) => {
    const args = ["bench", "kernel", "--seconds", "500", "--runtimes", ["node", ...installed].join(",")];
    const child = spawn(process.execPath, [join(ROOT, "dist/cli/main.js"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.on("data", (text) => {
      said += text;
    });
    const ended = once(child, "close");
    // Versions stand in the header, which is printed when all of them have answered.
    await until(() => said.includes("\nruntimes: ") || child.exitCode !== null);
    expect(said).toContain("\nruntimes: ");
    expect(alive().length).toBeGreaterThan(0);
    child.kill(signal);
    expect((await ended)[1]).toBe(signal);
    await until(
      () => alive().length === 0 && left().filter((name) => !name.startsWith("stalewalk-bench-")).length === 0,
    );
    // Nobody can clean up after this one but the next start of the machine.
    if (signal !== "SIGKILL") expect(left()).toEqual([]);
  });
});

describe("a browser that does not come", () => {
  it("is named with what it complained of, and the others are measured", async () => {
    const silent = program("chromium", "echo 'warming up' >&2; echo 'no room for a profile' >&2; exit 3");
    const args = ["bench", "kernel", "--quick", "--seconds", "0", "--filter", "none", "--runtimes", `node,${silent}`];
    const { code, out } = await runCli(...args);
    expect(code).toBe(0);
    expect(out).toContain("\nnot measured: Chromium 1.2.3: it ended with 3: no room for a profile\n");
    expect(out).toMatch(/\nnone +\d/);
    expect(left()).toEqual([]);
  });

  it("is waited for no longer than it may be silent", async () => {
    const session = await BrowserSession.start(
      "firefox",
      program("firefox", "echo 'no display' >&2; exec sleep 100000"),
      1,
    );
    const silent = { notPlayed: "it gave no sign of life for 1 s: no display" };
    expect(await session.ask({ fresh: "stalewalk" })).toEqual(silent);
    expect(await session.ask(KERNEL)).toEqual(silent);
    await session.close();
    await until(() => alive().length === 0);
    expect(left()).toEqual([]);
  });

  it("says so where its program cannot be started", async () => {
    const session = await BrowserSession.start("chromium", join(folder, "nothing"), 100);
    expect(await session.ask(KERNEL)).toMatchObject({
      notPlayed: expect.stringMatching(/^it cannot be started: .*ENOENT/),
    });
    await session.close();
    expect(left()).toEqual([]);
  });
});

describe("the page of a browser that measures", () => {
  it("is given to who knows its address and asks for this host, with the package's scripts and no other file", async () => {
    const told = join(folder, "url");
    const program_ = program("chromium", `for it; do :; done; echo "$it" > '${told}'; exec sleep 100000`);
    const session = await BrowserSession.start("chromium", program_, 100);
    try {
      const address = () => (existsSync(told) ? readFileSync(told, "utf8").trim() : "");
      await until(() => address() !== "");
      const url = address();
      const page = await fetch(url);
      expect([
        page.status,
        page.headers.get("cross-origin-opener-policy"),
        page.headers.get("cross-origin-embedder-policy"),
      ]).toEqual([200, "same-origin", "require-corp"]);
      const status = async (path: string) => (await fetch(new URL(path, url))).status;
      expect(await status("dist/bench/browser-page.js")).toBe(200);
      for (const path of [
        "package.json",
        "dist/../package.json",
        "dist/%2e%2e/package.json",
        "file/0",
        "/",
        "/dist/index.js",
        "dist/stalewalk.wasm",
      ])
        expect(await status(path), path).toBe(404);
      const other = new URL(url);
      other.hostname = "localhost";
      const refused = await fetch(other).then(
        ({ status }) => status,
        () => 421,
      );
      expect(refused).toBe(421);
    } finally {
      await session.close();
    }
  });
});
