// Sweeps over a queue: a real Redis, workers as processes of their own, all of which die on the way. What comes of it is what the local run
// comes to, each result once.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { jobKey } from "../../src/sweep/result.js";
import { CORE, MAIN } from "../cli/process.js";
import { amount } from "../support/effort.js";
import { redisNote, redisServer, SAFE, TestRedis } from "../support/redis.js";
import { SEED } from "../support/seed.js";

const BUILT = new URL("../../dist/sweep/node.js", import.meta.url).href;
const { checkPlan, jobsOf, sweep, sweepResults } = (await import(BUILT)) as typeof import("../../src/sweep/node.js");
const TRACE = "test/fixtures/traces/hugevmap.trace.txt";
const WORKERS = 3;

if (!redisServer) console.warn(`sweeps over a queue are not tested${redisNote}`);

/** What a process that ended has said. */
interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let folder: string;
let redis: TestRedis;
const children = new Set<ChildProcess>();

/** Runs the command; killed at the end of the test, if it still runs. */
function start(args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  const texts = { out: "", err: "" };
  child.stdout?.on("data", (bytes: Buffer) => {
    texts.out += bytes.toString();
  });
  child.stderr?.on("data", (bytes: Buffer) => {
    texts.err += bytes.toString();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      children.delete(child);
      resolve({ code, ...texts });
    });
  });
  return { child, ended };
}

const work = (...more: string[]) =>
  start(["work", "--queue", redis.url, "--workers", "1", "--cache", join(folder, "cache"), ...more]);
const sweepOver = (plan: string, out: string, ...more: string[]) =>
  start(["sweep", plan, "--out", join(folder, out), "--queue", redis.url, ...more]);

/** Writes a plan. */
function planFile(plan: object, name = "plan.json"): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(plan));
  return path;
}

/** Results by job; fails if one is there twice. */
function byJob(out: string): Map<string, string> {
  const lines = sweepResults(join(folder, out));
  const results = new Map(lines.map(({ job, result }) => [jobKey(job), JSON.stringify(result)]));
  expect(results.size).toBe(lines.length);
  return new Map([...results].toSorted());
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-queue-"));
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await redis?.end();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!redisServer)(`a sweep over a queue${redisNote}`, () => {
  it("comes to what the local run comes to, with a trace that each machine fetches once", async () => {
    redis = await TestRedis.start();
    const plan = {
      verdicts: {
        policies: ["none", { name: "own", hooks: { kernelRange: true } }],
        sites: ["exit", "pmd_free_pte_page"],
      },
      simulate: {
        profiles: ["vmalloc-churn"],
        policies: ["none", "deferred-free"],
        seeds: [1, 2, 3],
        operations: 2000,
      },
      replay: { traces: [TRACE], policies: ["none", "flush-range"], seeds: [1, 2, 3, 4] },
    };
    const local = await sweep(checkPlan(plan), join(folder, "local"), { workers: 1 });
    const workers = Array.from({ length: WORKERS }, () => work("--idle", "3"));
    const page = join(folder, "page.html");
    const { code, out, err } = await sweepOver(planFile(plan), "queue", "--csv", "--html", page).ended;
    expect([code, err]).toEqual([0, ""]);
    expect(byJob("queue")).toEqual(byJob("local"));
    expect(out.trimEnd().split("\r\n")).toHaveLength(local.jobs + 1);
    const text = readFileSync(page, "utf8");
    expect(text).toContain("<title>plan: a sweep of 18 jobs</title>");
    expect(text).toContain("● </span>hazard");
    expect(text).not.toContain("<script");
    const said = await Promise.all(workers.map((it) => it.ended));
    expect(said.map((it) => it.code)).toEqual([0, 0, 0]);
    expect(said.flatMap((it) => it.err.match(/bytes fetched/g) ?? [])).toHaveLength(1);
    const done = said.map((it) => Number(/^(\d+) jobs done, 0 failed/m.exec(it.out)?.[1]));
    expect(done.reduce((a, b) => a + b)).toBe(local.jobs);
    // Nothing of the plan is left in Redis.
    expect((await redis.client.keys("*")).filter((key) => /:j[0-9a-f]{32}|trace|owner|workers/.test(key))).toEqual([]);

    // What was changed in the cache is noticed, and fetched again.
    const [digest = ""] = readdirSync(join(folder, "cache"));
    writeFileSync(join(folder, "cache", digest), "no trace");
    const again = work("--idle", "3");
    expect((await sweepOver(planFile(plan), "again").ended).code).toBe(0);
    expect((await again.ended).err).toMatch(/bytes fetched/);
    expect(byJob("again")).toEqual(byJob("local"));
  });

  it("gives every result exactly once, though workers, Redis and the sweep itself are killed", async () => {
    redis = await TestRedis.start();
    const seeds = amount({ quick: 20, full: 60, nightly: 600 });
    const plan = {
      verdicts: { kernels: ["6.18.7", "7.3"], policies: ["none", "flush-async", "deferred-free"], depth: 1 },
      simulate: {
        ...{ profiles: ["vmalloc-churn"], policies: ["none", "deferred-free", "flush-range"] },
        ...{ seeds: Array.from({ length: seeds }, (_, i) => i), operations: 2000 },
      },
      replay: { traces: [TRACE], policies: ["none"], seeds: Array.from({ length: seeds }, (_, i) => i) },
    };
    const jobs = jobsOf(checkPlan(plan)).length;
    if (seeds === 600) expect(jobs).toBeGreaterThan(2000);
    const file = planFile(plan);
    const random = randomOf(SEED);
    const workers = Array.from({ length: WORKERS }, () => work());
    let [kills, most, restarted, sweeps, over] = [0, 0, false, 1, false];
    let running = sweepOver(file, "queue");
    const ended = (async () => {
      let end = await running.ended;
      // Killed by the test: the same command goes on.
      while (end.code === null) {
        sweeps++;
        running = sweepOver(file, "queue");
        end = await running.ended;
      }
      over = true;
      return end;
    })();
    const linesOf = (): number => {
      try {
        return readFileSync(join(folder, "queue/results.jsonl"), "utf8").split("\n").length - 1;
      } catch {
        return 0;
      }
    };
    // By what is done, not by the clock: how fast this machine is must not decide whether a kill hits, or whether a new worker ever begins.
    let next = 0;
    while (!over) {
      await pause(20);
      const done = linesOf();
      if (over || done <= next) continue;
      next = done + (jobs / 20) * (1 + random());
      const i = Math.floor(random() * WORKERS);
      workers[i]?.child.kill("SIGKILL");
      workers[i] = work();
      kills++;
      if (!restarted && done > jobs / 4) {
        await redis.kill();
        await pause(1000);
        await redis.up();
        restarted = true;
      } else if (sweeps === 1 && restarted && done > jobs / 2) running.child.kill("SIGKILL");
      else if (restarted) most = Math.max(most, (await redis.client.keys("stalewalk:sweep:j*")).length);
    }
    const { code, err } = await ended;
    expect([code, err.replace(/^stalewalk: redis.*\n/gm, "")]).toEqual([0, ""]);
    expect([restarted, kills > 2, sweeps]).toEqual([true, true, 2]);
    // A thousand jobs at a time, and what an earlier process of the sweep left of as many; ":lock" is a key of its own.
    expect(most).toBeLessThanOrEqual(2 * 1000 + WORKERS);
    await sweep(checkPlan(plan), join(folder, "local"), { workers: 2 });
    const results = byJob("queue");
    expect(results.size).toBe(jobs);
    expect(results).toEqual(byJob("local"));
    console.log(`${jobs} jobs, ${kills} workers killed, ${sweeps - 1} sweep, Redis once; ${most} keys of jobs at most`);
  }, 3_600_000);

  it("keeps few jobs in the queue, however many there are", async () => {
    redis = await TestRedis.start();
    const { sweepByQueue, workOnQueue } = (await import(BUILT)) as typeof import("../../src/sweep/node.js");
    const seeds = Array.from({ length: 100 }, (_, i) => i);
    const plan = checkPlan({ simulate: { profiles: ["vmalloc-churn"], policies: ["none"], operations: 1000, seeds } });
    const stop = new AbortController();
    const worker = workOnQueue(redis.url, { workers: 1, cache: join(folder, "cache"), signal: stop.signal });
    const queued: number[] = [];
    const look = setInterval(async () => {
      queued.push((await redis.client.keys("stalewalk:sweep:j*")).filter((key) => !key.endsWith(":lock")).length);
    }, 20);
    const summary = await sweepByQueue(plan, join(folder, "few"), redis.url, { ahead: 10 });
    clearInterval(look);
    stop.abort(new Error("enough"));
    await expect(worker).rejects.toThrow("enough");
    expect([summary.jobs, summary.now, summary.takenOver]).toEqual([100, 100, 0]);
    expect(Math.max(...queued)).toBeGreaterThan(0);
    expect(Math.max(...queued)).toBeLessThanOrEqual(10);
  });

  it("says which jobs failed, does the others, and tries those again the next time", async () => {
    redis = await TestRedis.start();
    const plan = planFile({ replay: { traces: [TRACE, CORE], policies: ["none"] } });
    const worker = work("--idle", "4");
    const { code, err } = await sweepOver(plan, "out").ended;
    expect(code).toBe(2);
    expect(err).toMatch(/1 of 2 jobs failed, the others are done.*"trace":"[^"]*\.core\.gz".*expected/);
    expect(byJob("out").size).toBe(1);
    expect((await worker.ended).out).toContain("1 jobs done, 3 failed");
  });
});

describe.skipIf(!redisServer)(`a queue that is not as it must be${redisNote}`, () => {
  const PLAN = { verdicts: { policies: ["none"], sites: ["exit"], depth: 1 } };

  it.each([
    [
      ["--appendonly", "no", "--maxmemory-policy", "noeviction"],
      /appendonly is "no"; expected "yes".*CONFIG SET appendonly yes/,
    ],
    [
      ["--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"],
      /maxmemory-policy is "allkeys-lru"; expected "noeviction"/,
    ],
    [[...SAFE, "--requirepass", "secret"], /redis:\/\/127\.0\.0\.1:\d+: NOAUTH/],
  ])("%#: is refused by the sweep and by workers, with what is wrong", async (options, message) => {
    redis = await TestRedis.start(options);
    for (const { ended } of [sweepOver(planFile(PLAN), "out"), work()]) {
      const { code, err } = await ended;
      expect(err).toMatch(message);
      expect(code).toBe(2);
    }
  });

  it("is named where nobody answers, without its password", async () => {
    redis = await TestRedis.start();
    await redis.kill();
    const url = `redis://me:secret@127.0.0.1:${redis.port}`;
    const { code, err } = await start(["work", "--queue", url]).ended;
    expect([code, err.includes("secret")]).toEqual([2, false]);
    expect(err).toMatch(/redis:\/\/me:…@127\.0\.0\.1:\d+: connect ECONNREFUSED.*redis-server --appendonly yes/);
  });

  it("is left alone by a worker of another build, and by a second sweep", async () => {
    redis = await TestRedis.start();
    const owner = { host: "elsewhere", pid: 1, build: "0123456789abcdef", token: "t" };
    await redis.client.set("stalewalk-sweep:sweep:owner", JSON.stringify(owner));
    const [worker, second] = await Promise.all([work().ended, sweepOver(planFile(PLAN), "out").ended]);
    expect([worker.code, second.code]).toEqual([2, 2]);
    expect(worker.err).toMatch(/another build of stalewalk, 0123456789abcdef; this one is [0-9a-f]{16}/);
    expect(second.err).toMatch(/has a sweep already, process 1 on elsewhere/);
  });

  it("is a Redis by its URL, has a plain name, and goes with its options", async () => {
    mkdirSync(join(folder, "cache"));
    for (const [args, message] of [
      [["work", "--queue", "http://127.0.0.1"], /queue is "http:\/\/127\.0\.0\.1"; expected a URL like redis:/],
      [["work", "--queue", "redis://127.0.0.1", "--queue-name", "a:b"], /queueName is "a:b"; expected 1 to 64 letters/],
      [["sweep", planFile(PLAN), "--out", folder, "--queue", "redis://h", "--workers", "2"], /stalewalk work has it/],
      [["sweep", planFile(PLAN), "--out", folder, "--queue-name", "a"], /--queue-name needs --queue/],
    ] as const) {
      const { code, err } = await start(args).ended;
      expect(err).toMatch(message);
      expect(code).toBe(2);
    }
  });
});

/** Numbers from 0 to 1 by a seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
