// What the moves that a program has placed leave to be done: which walks are under way, whether the PASID is bound and the process
// alive, whether another free has been made.

import type { Move, Placed } from "./stage.js";

/** The walks that have begun, and those of them that have not ended. */
export function walksOf(placed: readonly Placed[]): { begun: number; underWay: number[] } {
  const underWay = new Set<number>();
  let begun = 0;
  for (const { move } of placed) {
    if (move.kind === "begin") {
      begun++;
      underWay.add(move.walk ?? 0);
    } else if (move.kind === "finish") underWay.delete(move.walk ?? 0);
  }
  return { begun, underWay: [...underWay] };
}

/** Whether a move can do something after what is placed: one free elsewhere, one end of the process, binds and unbinds in turns. */
export function mayTurn(placed: readonly Placed[], move: Move): boolean {
  const kinds = placed.map((it) => it.move.kind);
  if (move.kind === "free" || move.kind === "exit") return !kinds.includes(move.kind);
  if (move.kind !== "bind" && move.kind !== "unbind") return true;
  if (kinds.includes("exit")) return false;
  const last = kinds.findLast((kind) => kind === "bind" || kind === "unbind") ?? "bind";
  return last !== move.kind;
}
