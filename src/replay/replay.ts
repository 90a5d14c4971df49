// The replay: a trace is read once, and what it tells is played (run.ts).

import { checkFields } from "../base/known-fields.js";
import { compileEngine } from "../engine/compile.js";
import {
  type CompileSummary,
  compileTrace,
  formatDiagnostic,
  type Mapping,
  type OperationBatch,
  operationNumber,
  type TraceCompiler,
  type TraceSource,
} from "../trace/index.js";
import { MAX_CPUS } from "./cpu-numbers.js";
import type { ReplayResult } from "./result.js";
import { type CheckedOptions, checkOptions, Run, type RunFacts, type RunSettings, SETTINGS } from "./run.js";
import type { ReplayTrace } from "./trace-result.js";
import { tracedKernel } from "./traced-kernel.js";

/** Options of {@link replay}. */
export interface ReplayOptions extends RunSettings {
  /**
   * Which Linux the trace is of, as a version or what `uname -r` prints, for recordings that do not say so themselves. Default:
   * the newest that is known.
   */
  readonly kernel?: string;
  /** CPUs, 1 to 256. Default: what the trace's header says (or 2), or as many as its first events name, if those are more. */
  readonly cpus?: number;
  /** Levels of the tables. Default: 5 if the first events have addresses that need it, else 4. */
  readonly levels?: 4 | 5;
  /** What events mean. Default: the built-in mapping. */
  readonly mapping?: Mapping;
  /** `strict`: damage of the input is an error. Default `lenient`: it is reported in the result. */
  readonly mode?: "lenient" | "strict";
  /**
   * Called with the result so far, about once a second and then less and less often: what is not read yet is missing in every figure,
   * and `trace.complete` is false.
   */
  readonly onPartial?: (result: ReplayResult) => void;
  /** Name of the trace for the result and for errors. Default `trace`. */
  readonly name?: string;
}

/** Milliseconds until a result is told that is not whole. */
const FIRST_PARTIAL_MS = 1000;

const AREA_OPERATIONS = ["area-alloc", "map-pages", "map-physical", "unmap-range"] as const;

/**
 * Plays a trace under each policy.
 * @throws InvalidOptionError for options, TraceFormatError for files that are no trace (in strict mode for any damage), and
 * the signal's reason when aborted
 * @example
 * ```ts
 * import { replay } from "stalewalk/replay";
 * import { openTrace } from "stalewalk/trace/node";
 *
 * const options = { policies: ["none", "deferred-free"], kernel: "6.18.15" } as const;
 * const { policies } = await replay(openTrace("frees.trace.txt.gz"), options);
 * console.log(policies.map(({ policy, hazards }) => `${policy.name}: ${hazards.total > 0 ? "hazards" : "none"}`)); // [ 'none: hazards', 'deferred-free: hazards' ]
 * ```
 */
export async function replay(source: TraceSource, options: ReplayOptions = {}): Promise<ReplayResult> {
  const start = performance.now();
  checkFields<ReplayOptions>(options, { ...SETTINGS, mapping: true, mode: true, name: true, onPartial: true });
  const checked = checkOptions(options);
  const name = options.name ?? "trace";
  const module = options.module ?? (await compileEngine());
  const compiler = compileTrace(source, {
    name,
    ...(options.mapping && { mapping: options.mapping }),
    ...(options.mode && { mode: options.mode }),
    ...(options.signal && { signal: options.signal }),
    ...(options.onProgress && { onProgress: options.onProgress }),
  });
  let run: Run | undefined;
  let due = start + FIRST_PARTIAL_MS;
  for await (const batch of compiler) {
    run ??= new Run(checked, module, facts(checked, compiler, batch), options.signal);
    await run.take(batch);
    if (options.onPartial && performance.now() >= due) {
      const before = performance.now();
      options.onPartial(run.partial(traceResult(compiler.summary, name), (before - start) / 1000));
      // Telling takes a tenth of the time at most.
      due = performance.now() + Math.max(FIRST_PARTIAL_MS, 10 * (performance.now() - before));
    }
  }
  run ??= new Run(checked, module, facts(checked, compiler, undefined), options.signal);
  await run.end();
  return run.finish(traceResult(compiler.summary, name), (performance.now() - start) / 1000);
}

/** What a trace says of the machine that it is of, as far as the options leave it open. */
function facts(checked: CheckedOptions, { summary }: TraceCompiler, first: OperationBatch | undefined): RunFacts {
  return {
    kernel: tracedKernel(summary.trace.kernel, checked.kernel),
    cpus: checked.cpus ?? Math.min(MAX_CPUS, countCpus(summary.trace.cpus, first)),
    levels: checked.levels ?? (first && needsFiveLevels(first) ? 5 : 4),
  };
}

/** The trace as it was read, for the result. */
function traceResult({ trace, operations }: CompileSummary, name: string): ReplayTrace {
  const { firstTime, lastTime, originSeconds } = trace;
  return {
    name: name,
    format: trace.format,
    complete: trace.complete,
    damaged: trace.damaged,
    findings: trace.diagnostics.map((d) => ({ severity: d.severity, text: formatDiagnostic(d, name) })),
    findingsDropped: trace.diagnosticsDropped,
    lost: trace.lost,
    lines: trace.lines,
    damagedLines: trace.damagedLines,
    bytes: trace.bytes,
    events: trace.events,
    counts: Object.fromEntries(trace.counts),
    unknown: Object.fromEntries(trace.unknown),
    operations: Object.fromEntries(operations),
    cpus: trace.cpus,
    firstTimeNs: (firstTime ?? 0) + originSeconds * 1e9,
    timeUnit: trace.timeUnit,
    durationNs: Math.max(0, (lastTime ?? 0) - (firstTime ?? 0)),
  };
}

/** CPUs of a trace: what its header says, or what its first events show, if that is more: the header counts only once. */
function countCpus(header: number | undefined, first: OperationBatch | undefined): number {
  const seen = new Set<number>();
  for (let i = 0; i < (first?.count ?? 0); i++) seen.add(first!.cpu[i]!);
  return Math.max(header ?? 2, seen.size, 1);
}

/** Whether the first events have kernel areas below the kernel half of four levels. */
function needsFiveLevels(batch: OperationBatch): boolean {
  const areas = new Set(AREA_OPERATIONS.map(operationNumber));
  for (let i = 0; i < batch.count; i++) {
    const high = batch.words[batch.offset[i]! + 1]!;
    if (areas.has(batch.kind[i]!) && high >= 0xff00_0000 && high < 0xffff_8000) return true;
  }
  return false;
}
