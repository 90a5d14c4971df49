// Which lane a step stands in, and what it is in one word.

import type { Actor, Step } from "../../src/verdicts/index.js";
import type { StoryState } from "./state.js";

/** Who acts, from top to bottom. */
export const lanes = ["kernel", "agent", "work", "other"] as const;

/** A lane. */
export type Lane = (typeof lanes)[number];

/** The lane of whoever does a step. */
export function laneOf(actor: Actor): Lane {
  if (actor === "setup") return "kernel";
  return actor === "device" || actor === "cpu" ? "agent" : actor;
}

/** What a step is, in one word, and the meaning that its colour has. */
export interface Mark {
  word: string;
  look: "table" | "free" | "data" | "hazard" | "told" | "wait" | "plain";
}

/** The mark of a step, by what it has changed. */
export function markOf(step: Step, before: StoryState, after: StoryState, hazard: boolean): Mark {
  const { actor, text } = step;
  if (hazard) return { word: "hazard", look: "hazard" };
  if (actor === "setup") return { word: "set up", look: "plain" };
  if (actor === "device" || actor === "cpu") {
    return {
      word: text.includes("writes") ? "write" : text.includes("walk") && actor === "device" ? "walk" : "read",
      look: "table",
    };
  }
  if (text.startsWith("somebody takes")) return { word: "takes", look: "data" };
  const freed = after.frames.some(({ frame, state }) => state === "free" && stateIn(before, frame) === "table");
  const dropped = after.dropped > 0 || after.rounds > before.rounds;
  if (dropped) return { word: freed ? "told, frees" : "told", look: "told" };
  if (freed) return { word: "frees", look: "free" };
  if (after.frames.some(({ frame, held }) => held && !before.frames.find((it) => it.frame === frame)?.held)) {
    return { word: "queued", look: "wait" };
  }
  if (actor === "work") return { word: "list", look: "wait" };
  if (after.path.some(({ changed }) => changed)) return { word: "clears", look: "table" };
  return { word: /flush/.test(text) ? "flush" : "acts", look: "plain" };
}

function stateIn({ frames }: StoryState, frame: number): string | undefined {
  return frames.find((it) => it.frame === frame)?.state;
}

/** Number of the first step of a story that another one does not have; undefined if both are the same. */
export function firstDifference(steps: readonly Step[], other: readonly Step[]): number | undefined {
  const at = steps.findIndex(({ text }, i) => text !== other[i]?.text);
  if (at >= 0) return at + 1;
  return other.length > steps.length ? steps.length + 1 : undefined;
}
