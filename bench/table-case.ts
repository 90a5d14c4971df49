// One contestant at one case over page tables: how it is checked, and its work in pieces. Nothing here needs Node.
import { type BenchCase, operationsIn } from "./cases.js";
import { type Check, checkOf } from "./check.js";
import { type Contestant, operationBytes } from "./contestants/contestant.js";
import type { PiecewiseTask } from "./task.js";

/** Which part of a case's program a contestant plays. */
export type Part = "whole" | "tunedPart" | "naivePart";

/** Operations from which on one play is enough for a check. */
const LONG_PROGRAM = 2 ** 18;

/** Plays "prepare, program", or its first operations, on a new machine of a contestant. */
export function checkCase(contestant: Contestant, { world, prepare, program }: BenchCase, operations?: number): Check {
  const player = contestant.create(world);
  const part = operations === undefined ? program : program.subarray(0, operations * operationBytes);
  return checkOf(player, [player.load(prepare), player.load(part)], playsOfCheck(operationsIn(part)));
}

/** How often a check plays: what is left in the caches counts too, unless the program is long. */
export function playsOfCheck(operations: number): number {
  return operations >= LONG_PROGRAM ? 1 : 2;
}

/** A contestant at a case that is there already. */
export function caseTask(benchCase: BenchCase, contestant: Contestant, part: Part): PiecewiseTask {
  const operations = (part === "whole" ? undefined : benchCase[part]) ?? operationsIn(benchCase.program);
  const program = benchCase.program.subarray(0, operations * operationBytes);
  const player = contestant.create(benchCase.world);
  const prepare = player.load(benchCase.prepare);
  return {
    operations,
    check: (first = operations) => checkCase(contestant, benchCase, first),
    prepare() {
      for (const piece of prepare) piece.play();
    },
    pieces: (size) => player.load(program, size).map(({ play }) => play),
  };
}
