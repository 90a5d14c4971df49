// Results for the report's tests: real replays of small traces, and the same turned hostile, damaged or large.
import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ReplayOptions, type ReplayResult, replay } from "../../src/replay/index.js";

/** A trace of the fixtures: `hugevmap`, `hotplug`, … */
export function traceFile(name: string): string {
  return fileURLToPath(new URL(`../fixtures/traces/${name}.trace.txt`, import.meta.url));
}

/** A replay of it, with the trace's name as a user would give it. */
export function replayOf(name: string, options: ReplayOptions = {}): Promise<ReplayResult> {
  return replay(createReadStream(traceFile(name)), { name: `${name}.trace.txt`, packageVersion: "1.2.3", ...options });
}

/** What somebody would write into a symbol, a task name or a policy. */
export const HOSTILE = `</script><img src=x onerror="alert('1')">&amp;\u202e${"`"}\u0007</style>`;

/** Words of the model, not of the trace: they decide how a result is shown. */
const MODEL_WORDS = new Set([
  "format",
  "modelSite",
  "state",
  "kind",
  "kinds",
  "timeUnit",
  "severity",
  "dialect",
  "confidence",
  "scope",
  "timing",
  "free",
  "worker",
  "root",
  "deferUnmarkedOf",
  "replacement",
  "pageSizes",
]);
/** Records whose keys are names from the trace. */
const NAMED = new Set(["counts", "unknown", "operations", "frees", "skipped", "byType", "byGranularity", "malformed"]);

/** The same result with every text that comes from outside replaced by {@link HOSTILE}, or begun with it. */
export function hostile(result: ReplayResult): ReplayResult {
  return turn(result, "") as ReplayResult;
}

function turn(value: unknown, key: string): unknown {
  if (typeof value === "string") return MODEL_WORDS.has(key) || key === "site" ? siteOr(value, key) : HOSTILE + value;
  if (Array.isArray(value)) return value.map((item) => turn(item, MODEL_WORDS.has(key) ? key : ""));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [
    NAMED.has(key) ? HOSTILE + name : name,
    turn(item, name),
  ]);
  return Object.fromEntries(entries);
}

/** `site` is a word of the model in hazards, and whatever the trace says in frees; hazards keep theirs. */
function siteOr(value: string, key: string): string {
  return key === "site" && value.includes("free") ? HOSTILE + value : value;
}

/** The same result from a trace that was not whole. */
export function damaged(result: ReplayResult): ReplayResult {
  const finding = {
    severity: "damage",
    text: 'boot.trace.txt:17: (byte 2041) the line is no event: "zzz"',
  } as const;
  const lost = { counted: 12, uncounted: 1 };
  return { ...result, trace: { ...result.trace, damaged: true, damagedLines: 3, findings: [finding], lost } };
}

/** The same result as large as the defaults of a replay allow: 1000 frees, 100 hazard records under every policy. */
export function large(result: ReplayResult): ReplayResult {
  const [free] = result.frees;
  const record = result.policies.flatMap(({ hazards }) => hazards.records)[0];
  if (!free || !record) throw new Error("the result to enlarge has no free, or no hazard");
  const bins = 256;
  const bars = Array.from({ length: bins }, (_, bin) => 1 + (bin % 7));
  const timeline = { ...result.timeline, bins, events: bars, kernelFlushes: bars, frees: bars };
  return {
    ...result,
    timeline,
    program: { ...result.program, frees: { [free.site]: 1000 } },
    frees: Array.from({ length: 1000 }, (_, index) => ({ ...free, index, line: free.line + index })),
    policies: result.policies.map((one) => ({
      ...one,
      timeline: { invalidations: bars, queueWaits: bars, hazards: bars, framesHeld: bars },
      hazards: {
        ...one.hazards,
        total: 5000,
        byAgent: { iommu: 5000, cpu: 0 },
        records: Array.from({ length: 100 }, (_, i) => ({ ...record, operation: record.operation + i })),
      },
    })),
  };
}
