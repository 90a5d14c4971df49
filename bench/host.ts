// What was measured, where: numbers without this line mean nothing.
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import Benchmark from "benchmark";
import { packageRoot } from "./root.js";

/** Machine and versions of a run. */
export interface Host {
  stalewalk: string;
  node: string;
  v8: string;
  benchmarkJs: string;
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  /** Compiler and flags, or why there is none. */
  native: string;
  date: string;
}

/** Describes this machine. */
export function describeHost(native: string): Host {
  const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string };
  const cores = cpus();
  return {
    stalewalk: version,
    node: process.versions.node,
    v8: process.versions.v8,
    benchmarkJs: Benchmark.version,
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch} ${release()}`,
    native,
    date: new Date().toISOString(),
  };
}

/** The header of the report. */
export function formatHost(host: Host): string {
  return [
    `stalewalk ${host.stalewalk}, Node ${host.node} (V8 ${host.v8}), Benchmark.js ${host.benchmarkJs}`,
    `${host.cpu}, ${host.cores} cores, ${host.memoryGiB} GiB, ${host.system}`,
    `native C: ${host.native}`,
  ].join("\n");
}
