// What was measured, where: numbers without this mean nothing.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import Benchmark from "benchmark";
import type { BenchHost } from "../src/benchmark/result.js";
import { packageRoot } from "./root.js";

/** Describes this machine. */
export function describeHost(native: string, baseline?: string, runtimes: readonly string[] = []): BenchHost {
  const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string };
  const cores = cpus();
  return {
    stalewalk: version,
    engine: createHash("sha256")
      .update(readFileSync(join(packageRoot, "dist", "stalewalk.wasm")))
      .digest("hex"),
    runtime: runtime(),
    v8: process.versions.v8 ?? "",
    benchmarkJs: Benchmark.version,
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch} ${release()}`,
    load: loadavg().map((value) => Number(value.toFixed(2))),
    native,
    ...(baseline !== undefined && { baseline }),
    ...(runtimes.length > 0 && { runtimes }),
    date: new Date().toISOString(),
  };
}

/** Others that run Node's programs name Node's version too. */
function runtime(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  if (bun) return `Bun ${bun}`;
  return deno ? `Deno ${deno}` : `Node ${node}`;
}
