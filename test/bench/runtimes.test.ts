// stalewalk in several runtimes beside each other (`bench --runtimes`): those that are installed are played, the others named.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findRuntimes } from "../../bench/runtimes.js";
import { runCli } from "../cli/run-cli.js";

const path = process.env["PATH"];
beforeEach(() => {
  process.env["PATH"] = "/nonexistent";
});
afterEach(() => {
  process.env["PATH"] = path;
});

describe("runtimes", () => {
  it("are those that are installed, this Node among them", () => {
    const node = { name: `Node ${process.versions.node}`, program: process.execPath, args: [] };
    expect(findRuntimes(["node", "bun"])).toEqual({
      runtimes: [node],
      missing: ["Bun: bun is not installed here"],
    });
    expect(() => findRuntimes(["deno", "bun"])).toThrow("--runtimes deno,bun: none of these is installed here");
  });

  it("have a column each, and those that are not there are named", async () => {
    const args = ["bench", "verdicts", "--quick", "--seconds", "0", "--filter", "none", "--runtimes", "node,deno"];
    const { code, out } = await runCli(...args);
    expect(code).toBe(0);
    expect(out).toMatch(/\ncase +Node \d+\.\d+\.\d+, least ns\/cell .*\nnone, 3 moves /);
    expect(out).toContain("\nnot measured: Deno: deno is not installed here\n");
    expect(out).toMatch(/least time over Node \d+\.\d+\.\d+'s\n/);
  });

  it.each<[string[], RegExp]>([
    [["--runtimes", "node,opera"], /Expected some of node,deno,bun\.$/],
    [["--runtimes", "node", "--against", "0.1.0"], /^stalewalk: --runtimes and --against exclude each other$/],
    [["--runtimes", "bun"], /--runtimes bun: none of these is installed here$/],
  ])("%j is refused", async (options, message) => {
    const { code, err } = await runCli("bench", ...options);
    expect(code).toBe(2);
    expect(err.trimEnd()).toMatch(message);
  });
});
