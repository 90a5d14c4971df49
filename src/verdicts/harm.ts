// How bad a hazard gets: the shortest program once more, with somebody who takes the frames freed last just before the
// last probe and fills them, and with a write in the place of the read. Kinds in rising harm: docs/rules.md section 12.

import { type Hazard, hazardKinds } from "../kernel/hazards.js";
import { type Moves, movesOf } from "./moves.js";
import type { Scenario } from "./scenarios.js";
import type { Found } from "./search.js";
import type { Move, Placed, Stage } from "./stage.js";

/** Most frames that are taken: pud_free_pmd_page frees three, and the one that matters may be the first of them. */
const MAX_TAKEN = 3;

/** The worst that comes of a program when the frame is taken; the program itself if that makes nothing worse. */
export function worst(stage: Stage, scenario: Scenario, found: Found): Found {
  const moves = movesOf(stage, scenario);
  const { main, placed } = found.attempt;
  const last = placed.at(-1) as Placed;
  let result = found;
  for (const tried of [placed, ...withWrite(placed, moves)]) {
    for (const taken of takings(moves.reuse)) {
      const inserted = taken.map((move) => ({ point: last.point, move }));
      const attempt = { main, placed: [...tried.slice(0, -1), ...inserted, ...tried.slice(-1)] };
      stage.play(attempt);
      const hazard = stage.hazards()[0];
      if (hazard && harm(hazard) > harm(result.hazard)) result = { attempt, hazard };
    }
  }
  return result;
}

/** The same with a write in the place of the last probe, or of the walk that ends last. */
function withWrite(placed: readonly Placed[], moves: Moves): Placed[][] {
  const end = (placed.at(-1) as Placed).move;
  const at =
    end.kind === "finish"
      ? placed.findIndex(({ move }) => move.kind === "begin" && move.walk === end.walk)
      : placed.length - 1;
  const { point, move } = placed[at] as Placed;
  const writes =
    move.kind === "begin"
      ? moves.writeBegins[move.walk ?? 0].filter((_, i) => moves.begins[move.walk ?? 0][i]?.text === move.text)
      : moves.writes.filter(({ address }) => address === move.address);
  return writes.map((write) => placed.with(at, { point, move: write }));
}

/** Nothing taken, then one frame with each of the contents, then two, … */
function takings(reuse: readonly Move[]): Move[][] {
  const counts = Array.from({ length: MAX_TAKEN }, (_, i) => i + 1);
  return [[], ...counts.flatMap((count) => reuse.map((move) => Array.from({ length: count }, () => move)))];
}

const harm = ({ kind }: Hazard): number => hazardKinds.indexOf(kind);
