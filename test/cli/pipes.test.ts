// X1, X2: exit codes are true when whoever reads goes away, when there is no room, and on signals; every command is tried.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.js";
import { EFFORT } from "../support/effort.js";
import { bash, COMMANDS, CORE, noShell, quoted, TRACE } from "./process.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-pipes-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const rows = COMMANDS.map(([args, code]) => [args.map((word) => basename(word)).join(" "), args, code] as const);

/** By day one command in eighteen meets each condition, in turn; at night all meet all. */
let condition = 0;
function some(): typeof rows {
  const turn = condition++;
  return EFFORT === "nightly" ? rows : rows.filter((_, i) => i % 18 === turn % 18);
}

it("tries every command", () => {
  const tried = new Set(COMMANDS.map(([args]) => args[0]));
  const names = Object.keys(commands);
  // advise and sweep prove for many seconds (test/advice, test/sweep), work needs a Redis (test/sweep). open has no result, and ends by a
  // signal alone: open.test.ts.
  expect(names.filter((name) => !tried.has(name)).sort()).toEqual(["advise", "open", "sweep", "work"]);
  expect(names.length).toBeGreaterThan(7);
});

describe.skipIf(noShell)(`${noShell ?? ""}exit codes`, () => {
  it.each(some())("X1: %s: a reader that has gone ends it as SIGPIPE does, never with 0 or 1", (_, args) => {
    // A pipe that had a reader when it was opened, and has none any more before the command begins.
    const gone = "rm -f gone; mkfifo gone; exec 3<>gone 4>gone 3>&-";
    const { status, stdout, stderr } = bash(`${gone}; ${quoted(args)} >&4`, folder);
    expect({ status, stdout, stderr }).toEqual({ status: 141, stdout: "", stderr: "" });
    expect(bash(`${gone}; ${quoted(args)} >&4 2>&4`, folder).status).toBe(141);
  });

  it("X1: an error message that nobody reads ends it as SIGPIPE does too", () => {
    const gone = "rm -f gone; mkfifo gone; exec 3<>gone 4>gone 3>&-";
    for (const args of [["frobnicate"], ["walk", CORE], ["replay", "nowhere.txt"]]) {
      expect(bash(`${gone}; ${quoted(args)} 2>&4`, folder).status).toBe(141);
    }
  });

  it.each(some())("X1: %s: | head -1 under pipefail gives its own code or 141", (_, args, code) => {
    const { status, stdout, stderr } = bash(`set -o pipefail; ${quoted(args)} | head -1`, folder);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^[^\n]+\n$/);
    expect([code, 141]).toContain(status);
  });

  it.each(some())("X2: %s > /dev/full: one line and exit code 2", (_, args) => {
    const { status, stderr } = bash(`${quoted(args)} > /dev/full`, folder);
    expect({ status, stderr }).toEqual({ status: 2, stderr: "stalewalk: standard output: no space left on device\n" });
  });

  it.each(some())("X2: %s 2> /dev/full: the result and its code, for nothing was to be said", (_, args, code) => {
    const { status, stdout } = bash(`${quoted(args)} 2> /dev/full`, folder);
    expect(status).toBe(code);
    expect(stdout).not.toBe("");
  });

  it.each(some())("X2: %s, both full: exit code 2", (_, args) => {
    expect(bash(`${quoted(args)} > /dev/full 2>&1`, folder).status).toBe(2);
  });

  it.each(some())("X2: %s with stdout closed: never an exception", (_, args, code) => {
    const { status, stderr } = bash(`${quoted(args)} >&-`, folder);
    expect([code, 2]).toContain(status);
    expect(stderr).not.toMatch(/at |Error/);
  });

  it("X2: a warning that cannot be written makes exit code 2 of 0 and of 1", () => {
    for (const policy of ["none", "sva-off"]) {
      const line = `{ cat '${TRACE}'; echo 'torn li'; } | ${quoted(["replay", "-", "--csv", "--policy", policy])}`;
      expect(bash(line, folder).stderr).toContain("DAMAGED INPUT");
      const { status, stdout } = bash(`${line} 2> /dev/full`, folder);
      expect(status).toBe(2);
      expect(stdout).toContain(`true,${policy}`);
    }
  });

  it.each([
    ["a usage error", ["walk", CORE], 2],
    ["a bad input", ["replay", "nowhere.txt"], 2],
    ["an unknown command", ["frobnicate"], 2],
  ])("X2: %s keeps its exit code when stderr is full or closed", (_, args, code) => {
    expect(bash(`${quoted(args)} 2> /dev/full`, folder).status).toBe(code);
    expect(bash(`${quoted(args)} 2>&-`, folder).status).toBe(code);
  });

  it("a file that takes only a part of the result is no success: short writes go on until the error", () => {
    // 8 blocks of 512 or 1024 bytes; the JSON has more. SIGXFSZ is ignored, so the write ends short and the next one fails.
    const line = `trap '' XFSZ; ulimit -f 8; ${quoted(["replay", TRACE, "--json"])} > short.json`;
    const { status, stderr } = bash(line, folder);
    expect({ status, stderr }).toEqual({ status: 2, stderr: "stalewalk: standard output: file too large\n" });
    rmSync(join(folder, "short.json"));
  });

  it("a result larger than a pipe holds reaches a slow reader whole, also through a pipe that another process made non-blocking", () => {
    const args = ["verdicts", "--quick", "--policy", "none", "--json"];
    const whole = bash(`${quoted(args)} | { sleep 2; cat; } | cksum`, folder).stdout;
    expect(bash(`${quoted(args)} > whole.json; cksum < whole.json`, folder).stdout).toBe(whole);
    rmSync(join(folder, "whole.json"));
    const unblock = `${process.execPath} -e 'process.stdout.write(""); setTimeout(() => {}, 1000)'`;
    const shared = bash(`{ ${unblock} & ${quoted(args)}; wait; } | { sleep 2; cat; } | cksum`, folder).stdout;
    expect(shared).toBe(whole);
  });

  it.each(["TypeError", "Error"])("a %s that nobody caught is one line and never exit code 1", (kind) => {
    // As soon as the command listens: how long that takes depends on the machine.
    const when = (act: string) =>
      `data:text/javascript,const wait = setInterval(() => { if (process.listenerCount("uncaughtException") === 0) return; ` +
      `clearInterval(wait); ${act} }, 5)`;
    const thrown = when(`throw new ${kind}("boom")`);
    const rejected = when(`Promise.reject(new ${kind}("boom"))`);
    for (const hook of [thrown, rejected]) {
      const line = quoted(["verdicts", "--policy", "none"]).replace(" ", ` --import '${hook}' `);
      const { status, stdout, stderr } = bash(line, folder);
      expect({ status, stdout }).toEqual({ status: kind === "TypeError" ? 3 : 2, stdout: "" });
      expect(stderr).toMatch(kind === "TypeError" ? /^stalewalk: internal error: boom\n/ : /^stalewalk: boom\n$/);
    }
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ])("%s ends the command at once with %d, in the middle of a long search, and leaves nothing", (signal, code) => {
    // Non-interactive bash starts background jobs with SIGINT ignored: the signal is sent from the foreground's child.
    const args = ["report", TRACE, "--html", "left.html", "--policy", "all"];
    const line = `(sleep 0.7; kill -${signal.slice(3)} $$) & exec ${quoted(args)} > left.out`;
    const { stderr, status } = bash(`bash -c ${JSON.stringify(line).replaceAll("$", "\\$")}; exit $?`, folder);
    expect({ stderr, status }).toMatchObject({ status: code });
    expect(readdirSync(folder).filter((name) => /left\.html|\.tmp$/.test(name))).toEqual([]);
  });
});
