// stalewalk in several runtimes beside each other (`bench --runtimes`): those that are installed are played, the others named.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findRuntimes, greetRuntimes } from "../../bench/runtimes.js";
import { runCli } from "../cli/run-cli.js";

const path = process.env["PATH"];
beforeEach(() => {
  process.env["PATH"] = "/nonexistent";
});
afterEach(() => {
  process.env["PATH"] = path;
});

const here = `Node ${process.versions.node}`;

describe("runtimes", () => {
  it("are those that are installed, this Node among them", () => {
    const { runtimes, missing } = findRuntimes(["node", "bun", "chromium", "firefox"]);
    expect(runtimes.map(({ name }) => name)).toEqual([here]);
    expect(missing).toEqual([
      "Bun: bun is not installed here",
      "Chromium: chromium is not installed here",
      "Firefox: firefox is not installed here",
    ]);
    expect(() => findRuntimes(["deno", "bun"])).toThrow("--runtimes deno,bun: none of these is installed here");
  });

  it("are found by their path too, each version once", () => {
    const { runtimes, missing } = findRuntimes([process.execPath, "node", "/nonexistent/node"]);
    expect(runtimes.map(({ name }) => name)).toEqual([here]);
    expect(missing).toEqual([`node: ${here} a second time`, "Node: /nonexistent/node is not installed here"]);
  });

  it("that do not answer are named with what they said", async () => {
    const { runtimes } = findRuntimes(["node"]);
    const silent = { name: "Silent 1", start: () => Promise.reject(new Error("no room")), end: async () => {} };
    const greeted = await greetRuntimes([...runtimes, silent]).catch((error: Error) => error);
    // From the sources there is no worker.js: this Node cannot answer either.
    expect(greeted).toMatchObject({
      message: expect.stringMatching(/^--runtimes: none of these answers: Node .*; Silent 1: no room$/s),
    });
  });

  it("have a column each, and those that are not there are named", async () => {
    const args = ["bench", "verdicts", "--quick", "--seconds", "0", "--filter", "none", "--runtimes", "node,deno"];
    const { code, out } = await runCli(...args);
    expect(code).toBe(0);
    expect(out).toMatch(/\nruntimes: Node \d+\.\d+\.\d+ \(clock of [\d.]+ [nµ]s\)\n/);
    expect(out).toMatch(/\ncase +Node \d+\.\d+\.\d+, least ns\/cell .*\nnone, 3 moves /);
    expect(out).toContain("\nnot measured: Deno: deno is not installed here\n");
    expect(out).toMatch(/least time over Node \d+\.\d+\.\d+'s\n/);
  });

  it.each<[string[], RegExp]>([
    [["--runtimes", "node,opera"], /Expected some of node,deno,bun,chromium,firefox, or paths of such programs\.$/],
    [["--runtimes", "/usr/bin/opera"], /Expected some of node,deno,bun,chromium,firefox, or paths of such programs\.$/],
    [["--runtimes", "node", "--against", "0.1.0"], /^stalewalk: --runtimes and --against exclude each other$/],
    [["--runtimes", "bun"], /--runtimes bun: none of these is installed here$/],
  ])("%j is refused", async (options, message) => {
    const { code, err } = await runCli("bench", ...options);
    expect(code).toBe(2);
    expect(err.trimEnd()).toMatch(message);
  });
});
