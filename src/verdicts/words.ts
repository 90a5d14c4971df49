// Sentences of the stories.

import { type Hazard, isHit } from "../kernel/hazards.js";
import type { Policy } from "../kernel/policies.js";
import type { AgentKind } from "./stage.js";

const TABLE_NAMES = ["page", "PT", "PD", "PDPT", "PML4", "PML5"];
const ENTRY_NAMES = ["", "PTE", "PD entry", "PDPT entry", "PML4 entry", "PML5 entry"];

/** Frames, for a sentence. */
export function framesText(frames: readonly number[]): string {
  return `frame${frames.length === 1 ? "" : "s"} ${frames.map((frame) => `0x${frame.toString(16)}`).join(", ")}`;
}

/** What a flush means to the watched agent. */
export function flushText(
  policy: Policy,
  flush: "kernelRange" | "flushAll" | "mmRange",
  agent: AgentKind,
  broadcast = false,
): string {
  if (agent === "cpu") {
    if (flush === "flushAll" || (flush === "kernelRange" && broadcast)) return "every CPU drops everything";
    return flush === "mmRange" ? "the CPUs that run the process" : "INVLPG on every CPU, under its current PCID";
  }
  if (flush === "mmRange") {
    return policy.notifyUser ? "the IOMMU is invalidated for the range" : "the IOMMU hears nothing";
  }
  if (!policy.hooks[flush]) return "CPUs only, the IOMMU hears nothing";
  if (policy.timing === "work") return "CPUs; the IOMMU's invalidation is left to deferred work";
  if (flush === "flushAll" || policy.scope === "pasid") return "CPUs, then everything of every PASID in the IOMMU";
  return policy.scope === "all" ? "CPUs, then whole IOMMUs" : "CPUs, then the same range in the IOMMU for every PASID";
}

/** What a probe that meets no hazard leaves behind. */
export function probeText(fault: boolean, levels: readonly number[], agent: AgentKind): string {
  const names = levels.map((level) => ENTRY_NAMES[level]).join(", ");
  const cached = levels.length === 0 ? "nothing new is cached" : `the paging-structure caches now hold its ${names}`;
  return agent === "cpu" ? cached : `${fault ? "refused" : "answered"}; ${cached}`;
}

const DEEDS: Record<Hazard["kind"], string> = {
  "walk-after-free": "it is free by now",
  "write-after-free": "it is no longer this table, and the walker has set accessed or dirty bits in it",
  "walk-of-reused-frame": "it holds someone else's contents by now",
  "forged-translation": "it holds someone else's contents by now, and the walker has taken them for its translation",
  "stale-rights": "the page was made read-only",
  "stale-translation": "the page was unmapped",
};

/** What the last probe, or the end of a walk, met. */
export function hazardText(hazard: Hazard, freedAtStep: number | undefined, underWay = false): string {
  const { kind, level, frame, generations } = hazard;
  if (isHit(hazard)) {
    return `a cached translation to frame 0x${frame.toString(16)} is used although ${DEEDS[kind]} (${kind})`;
  }
  const { cached, now } = generations;
  const how =
    cached === now
      ? `the ${ENTRY_NAMES[level + 1]} in memory still leads to`
      : `${underWay ? "the" : "a cached"} ${ENTRY_NAMES[level + 1]}${underWay ? " that it has read" : ""} leads to (generation ${cached} then, ${now} now)`;
  const where = `frame 0x${frame.toString(16)}`;
  const freed = freedAtStep === undefined ? "freed before" : `freed at step ${freedAtStep}`;
  const object = cached === now ? `${how} ${where}` : how.replace("leads to", `leads to ${where}`);
  return `${object}, a ${TABLE_NAMES[level]} ${freed}: ${DEEDS[kind]} (${kind})`;
}
