// Sweeps: the jobs of a plan, each result once, whatever ends a sweep in between. Threads import files of dist/, so the build is tested.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { jobKey } from "../../src/sweep/result.js";
import { MAIN } from "../cli/process.js";

const BUILT = new URL("../../dist/sweep/node.js", import.meta.url).href;
const { checkPlan, jobsOf, sweep, sweepResults } = (await import(BUILT)) as typeof import("../../src/sweep/node.js");
const TRACE = "test/fixtures/traces/hugevmap.trace.txt";
const PLAN = checkPlan({
  verdicts: {
    kernels: ["6.18.7", "7.3"],
    policies: ["none", { name: "own", hooks: { kernelRange: true } }],
    sites: ["pmd_free_pte_page", "cpa_collapse_large_pages"],
    hardware: [[], ["stop-at-supervisor"]],
    depth: 1,
  },
  simulate: { profiles: ["vmalloc-churn"], policies: ["none", "deferred-free"], seeds: [1, 2, 3], operations: 2000 },
  replay: { traces: [TRACE], policies: ["none", "flush-range"] },
});
const JOBS = 16 + 6 + 2;
/** The file of results in a sweep's folder. */
const RESULTS = "results.jsonl";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-sweep-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Results by job; fails if one is there twice. */
function byJob(from: string): Map<string, string> {
  const lines = sweepResults(from);
  const results = new Map(lines.map(({ job, result }) => [jobKey(job), JSON.stringify(result)]));
  expect(results.size).toBe(lines.length);
  return new Map([...results].toSorted());
}

describe("a sweep", () => {
  it("does every combination of the axes once, with the same results on one thread and on two", async () => {
    expect(new Set(jobsOf(PLAN).map(jobKey)).size).toBe(JOBS);
    const one = await sweep(PLAN, join(folder, "one"), { workers: 1 });
    expect([one.jobs, one.before, one.now]).toEqual([JOBS, 0, JOBS]);
    const two = await sweep(PLAN, join(folder, "two"), { workers: 2 });
    expect(two.now).toBe(JOBS);
    const results = byJob(join(folder, "one"));
    expect(results.size).toBe(JOBS);
    expect(byJob(join(folder, "two"))).toEqual(results);
    const hazards = [...results].filter(([job]) => job.includes('"verdict"') && job.includes('"policy":"none"'));
    expect(hazards.every(([, result]) => /"says":"(hazard|no hazard found)"/.test(result))).toBe(true);
  });

  it("goes on where it was: nothing is done twice, and a line that was cut off is done again", async () => {
    const { file } = await sweep(PLAN, folder, { workers: 2 });
    const whole = byJob(folder);
    const text = readFileSync(file, "utf8");
    const lines = text.trimEnd().split("\n");
    for (const cut of [0, 5, 11]) {
      writeFileSync(
        file,
        `${lines
          .slice(0, cut)
          .map((line) => `${line}\n`)
          .join("")}${lines[cut]?.slice(0, 40)}`,
      );
      const again = await sweep(PLAN, folder, { workers: 2 });
      expect([again.before, again.now]).toEqual([cut, JOBS - cut]);
      expect(byJob(folder)).toEqual(whole);
    }
    expect((await sweep(PLAN, folder)).now).toBe(0);
    appendFileSync(file, "no JSON\n");
    await expect(sweep(PLAN, folder)).rejects.toThrow(/JSON/);
  });

  it("comes to the same when its process is killed again and again", async () => {
    const plan = join(folder, "plan.json");
    writeFileSync(plan, JSON.stringify(PLAN));
    const out = join(folder, "killed");
    const lines = () =>
      existsSync(join(out, RESULTS)) ? readFileSync(join(out, RESULTS), "utf8").split("\n").length - 1 : 0;
    // Killed by what it has done, not by the clock: how fast this machine is must not decide whether a kill hits.
    const killed: number[] = [];
    for (let ended = false; !ended; ) {
      const before = lines();
      const child = spawn(process.execPath, [MAIN, "sweep", plan, "--out", out, "--workers", "2"], { stdio: "ignore" });
      const watch = setInterval(() => {
        if (lines() >= before + 3) child.kill("SIGKILL");
      }, 2);
      ended = await new Promise((resolve) => child.on("close", (code) => resolve(code === 0)));
      clearInterval(watch);
      if (!ended) killed.push(lines());
      expect(killed.length).toBeLessThan(JOBS);
    }
    expect(killed.filter((done) => done > 0 && done < JOBS).length).toBeGreaterThan(1);
    await sweep(PLAN, join(folder, "whole"), { workers: 1 });
    expect(byJob(out)).toEqual(byJob(join(folder, "whole")));
  });

  it.each([
    [{ verdict: {} }, /plan\.verdict is an object; expected one of .*did you mean verdicts/],
    [{ verdicts: { sites: ["munmapp"] } }, /plan\.verdicts\.sites\[0\] is "munmapp".*munmap/],
    [{ verdicts: { policies: [{ hooks: {} }] } }, /plan\.verdicts\.policies\[0\]\.name/],
    [{ simulate: { kernels: ["2.6"] } }, /plan\.simulate\.kernels\[0\]/],
    [{ replay: { traces: [] } }, /plan\.replay\.traces/],
  ])("%#: refuses a plan that is none, with the place", (plan, message) => {
    expect(() => checkPlan(plan)).toThrow(message);
  });
});
