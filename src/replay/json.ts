// A result as text for machines.

import { csvRow, jsonText } from "../base/notation.js";
import type { PolicyResult } from "./policy-result.js";
import type { ReplayResult } from "./result.js";

/**
 * The result as JSON; bigints become strings like `"0x1a2b"`.
 * @example
 * ```ts
 * import { fromJson, simulate, toJson } from "stalewalk/replay";
 *
 * const result = await simulate({ profile: "vmalloc-churn", operations: 1000, policies: ["none"] });
 * console.log(fromJson(toJson(result)).policies[0].policy.name); // none
 * ```
 */
export function toJson(result: ReplayResult): string {
  return jsonText(result);
}

const COLUMNS: readonly (readonly [
  string,
  (policy: PolicyResult, result: ReplayResult) => string | number | boolean,
])[] = [
  ["trace", (_, result) => whatWasPlayed(result)],
  ["damaged", (_, result) => result.trace.damaged],
  ["policy", ({ policy }) => policy.name],
  ["flush_tlb_kernel_range", ({ kernel }) => kernel.kernelRangeFlushes],
  ["flush_tlb_all", ({ kernel }) => kernel.flushAlls],
  ["flush_tlb_mm_range", ({ kernel }) => kernel.mmFlushes],
  ["table_frees", (_, result) => Object.values(result.program.frees).reduce((sum, count) => sum + count, 0)],
  ["table_frees_before_flush", (_, result) => result.program.freesBeforeFlush],
  ["page_selective", ({ invalidations }) => invalidations.pageSelective],
  ["pasid_selective", ({ invalidations }) => invalidations.pasidSelective],
  ["global", ({ invalidations }) => invalidations.global],
  ["pasid_cache", ({ invalidations }) => invalidations.pasidCache],
  ["device_tlb", ({ invalidations }) => invalidations.deviceTlb],
  ["pages_named", ({ kernel }) => kernel.pagesInvalidated],
  ["needless_rounds", (policy) => policy.needlessRounds],
  ["queue_waits", ({ kernel }) => kernel.queueWaits],
  ["lost_requests", ({ kernel }) => kernel.lostRequests],
  ["ipi_broadcasts", ({ kernel }) => kernel.ipiBroadcasts],
  ["ipi_receivers", ({ kernel }) => kernel.ipiReceivers],
  ["cpu_page_invalidations", ({ kernel }) => kernel.cpuPageFlushes],
  ["cpu_full_flushes", ({ kernel }) => kernel.cpuFullFlushes],
  ["lost_ns", (policy) => Math.round(policy.lostNs)],
  ["cost_total_ns", ({ cost }) => Math.round(cost.totalNs)],
  ["refills", (policy) => policy.refills],
  ["frames_held", ({ held }) => held.frames],
  ["frames_held_peak", ({ held }) => held.peak],
  ["frames_held_mean_ns", ({ held }) => Math.round(held.meanNs)],
  ["hazards_iommu", ({ hazards }) => hazards.byAgent.iommu],
  ["hazards_cpu", ({ hazards }) => hazards.byAgent.cpu],
  ["walk_after_free", ({ hazards }) => hazards.byKind["walk-after-free"]],
  ["write_after_free", ({ hazards }) => hazards.byKind["write-after-free"]],
  ["walk_of_reused_frame", ({ hazards }) => hazards.byKind["walk-of-reused-frame"]],
  ["forged_translation", ({ hazards }) => hazards.byKind["forged-translation"]],
  ["stale_rights", ({ hazards }) => hazards.byKind["stale-rights"]],
  ["stale_translation", ({ hazards }) => hazards.byKind["stale-translation"]],
  ["frees_walked_through", ({ hazards }) => hazards.byFree.length],
  ["out_of_frames", (policy) => policy.outOfFrames],
  ["flushes_match", (policy) => policy.flushesMatch],
];

/** A recording has its name only. A row of a table stands for itself: it says so itself if nothing was recorded. */
function whatWasPlayed({ trace, configuration: { workload } }: ReplayResult): string {
  return workload ? `${trace.name} (synthetic, seed ${workload.seed})` : trace.name;
}

/**
 * One line per policy, with a heading (RFC 4180; a name with a comma or quote is quoted). A text that a spreadsheet would take
 * for a formula gets an apostrophe in front, which makes it text there.
 * @example
 * ```ts
 * import { simulate, toCsv } from "stalewalk/replay";
 *
 * const result = await simulate({ profile: "vmalloc-churn", operations: 1000, policies: ["none"] });
 * console.log(toCsv(result).split(",")[0]); // trace
 * ```
 */
export function toCsv(result: ReplayResult): string {
  const rows = result.policies.map((policy) => COLUMNS.map(([, value]) => value(policy, result)));
  return [COLUMNS.map(([name]) => name), ...rows].map(csvRow).join("");
}
