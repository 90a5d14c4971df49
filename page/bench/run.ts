// A run of the benchmark in this browser: rounds, in each of which every contestant is a fresh worker, since the same code differs by more
// between workers than within one. Whoever comes to another result than the first is not timed: that is an error.

import { type Check, compareChecks, digestOf } from "../../bench/check.js";
import type { BenchHost, BenchResult, BenchRow, BenchSample } from "../../src/benchmark/result.js";
import { makeRow, type RowHead } from "../../src/benchmark/row.js";
import { programUrl } from "../search/client.js";
import { blocksWith, type GivenTrace, type PageBlock, type PageSuite, pageSuites } from "./plan.js";
import type { BenchAnswer, BenchTask } from "./protocol.js";

/** What the build has put in: version of the package, SHA-256 of the engine's module. */
declare const __BUILT__: { version: string; engine: string };

/** What is to be run. */
export interface BenchWish {
  suites: readonly PageSuite[];
  rounds: number;
  /** Played by the suite `replay`, beside what it draws itself. */
  trace?: GivenTrace | undefined;
}

interface Running {
  head: RowHead;
  check: Check;
  parts: Readonly<Record<number, Check>>;
  samples: BenchSample[];
}

type CaseAnswer = Extract<BenchAnswer, { case: string }>;

/** Runs what is wanted. @throws MismatchError, or the signal's reason */
export async function runBench(
  { suites, rounds, trace }: BenchWish,
  onProgress: (done: number, total: number, what: string) => void,
  signal: AbortSignal,
): Promise<BenchResult> {
  const begun = performance.now();
  const blocks = blocksWith(trace).filter(({ suite }) => suites.includes(suite));
  const total = rounds * blocks.reduce((sum, { cases, contestants }) => sum + cases.length * contestants.length, 0);
  const rows = new Map<string, Running>();
  let done = 0;
  onProgress(done, total, "");
  for (let round = 1; round <= rounds; round++) {
    for (const block of blocks) {
      for (const [i, contestant] of block.contestants.entries()) {
        const { suite, table, cases } = block;
        const bench = {
          suite,
          table,
          contestant,
          cases,
          isFirst: i === 0,
          trace: suite === "replay" ? trace : undefined,
        };
        await measure({ bench }, signal, (answer) => {
          take(rows, block, contestant, answer);
          onProgress(++done, total, `${block.suite}: ${answer.case}, ${contestant}, round ${round}`);
        });
      }
    }
  }
  return {
    format: "stalewalk-bench",
    version: 1,
    command: `the page, ${suites.join(", ")}, ${rounds} rounds`,
    effort: "quick",
    host: host(),
    seconds: Number(((performance.now() - begun) / 1000).toFixed(1)),
    missing: missingOf(suites, trace),
    rows: rowsOf(blocks, rows),
  };
}

function missingOf(suites: readonly PageSuite[], trace: GivenTrace | undefined): string[] {
  return [
    ...(suites.includes("replay") && !trace ? ["replay of a recorded trace: none was given"] : []),
    ...(suites.includes("replay") ? ["replay: reading traces is timed by the command"] : []),
    ...(suites.includes("growth") ? ["growth: curves of flushes are timed by the command"] : []),
    ...pageSuites.filter((suite) => !suites.includes(suite)).map((suite) => `${suite}: not asked for`),
  ];
}

function rowsOf(blocks: readonly PageBlock[], rows: ReadonlyMap<string, Running>): BenchRow[] {
  return blocks.flatMap((block) =>
    block.cases.flatMap((name) =>
      block.contestants.flatMap((contestant) => {
        const row = rows.get(keyOf(block, name, contestant));
        return row ? [makeRow(row.head, row.samples)] : [];
      }),
    ),
  );
}

function take(rows: Map<string, Running>, block: PageBlock, contestant: string, answer: CaseAnswer): void {
  const { case: name, operations, check, parts, sample } = answer;
  const where = `${block.table}: ${name}`;
  const key = keyOf(block, name, contestant);
  const before = rows.get(key);
  if (before) {
    compareChecks(where, [contestant, before.check], [`${contestant} in another worker`, check]);
    before.samples.push(sample);
    return;
  }
  const [first = ""] = block.contestants;
  const own = rows.get(keyOf(block, name, first));
  if (own && !block.otherWork?.includes(contestant)) {
    const same = operations === own.head.operations ? own.check : own.parts[operations];
    if (!same) throw new Error(`${where}: ${first} has not been asked for ${operations} operations`);
    compareChecks(where, [first, same], [contestant, check]);
  }
  const { suite, table, unit, grows } = block;
  const counters = { ...check.counters, ...check.notes };
  const point = grows && { grows: { of: grows.of, size: grows.sizes[block.cases.indexOf(name)] ?? 0 } };
  const head = { suite, table, case: name, ...point, contestant, unit, operations, digest: digestOf(check), counters };
  rows.set(key, { head, check, parts, samples: [sample] });
}

function keyOf({ suite, table }: PageBlock, name: string, contestant: string): string {
  return JSON.stringify([suite, table, name, contestant]);
}

function measure(task: BenchTask, signal: AbortSignal, onCase: (answer: CaseAnswer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const worker = new Worker(programUrl());
    const over = new AbortController();
    const end = (act: () => void): void => {
      over.abort();
      worker.terminate();
      act();
    };
    signal.addEventListener("abort", () => end(() => reject(signal.reason as Error)), { signal: over.signal });
    worker.addEventListener("error", ({ message }) => end(() => reject(new Error(message || "the worker failed"))));
    worker.addEventListener("message", ({ data }: MessageEvent<BenchAnswer>) => {
      if ("end" in data) return end(resolve);
      if ("error" in data) return end(() => reject(new Error(data.error)));
      try {
        onCase(data);
      } catch (error) {
        end(() => reject(error as Error));
      }
    });
    worker.postMessage(task);
  });
}

/** As much as a browser tells of where it runs. */
function host(): BenchHost {
  const { userAgent, hardwareConcurrency, platform } = navigator;
  const memory = (navigator as { deviceMemory?: number }).deviceMemory ?? 0;
  const [, name = "a browser", version = ""] = /(Firefox|Edg|Chrome)\/([\d.]+)/.exec(userAgent) ?? [];
  return {
    stalewalk: __BUILT__.version,
    engine: __BUILT__.engine,
    runtime: `${name} ${version}`.trim(),
    v8: "",
    benchmarkJs: "none: the page's own clock",
    cpu: "unknown CPU",
    cores: hardwareConcurrency,
    memoryGiB: Math.round(memory),
    system: platform === "" ? "unknown" : platform,
    load: [0, 0, 0],
    native: "none in a browser",
    date: new Date().toISOString(),
  };
}
