// One contestant at one case over page tables: how it is checked, and its work in pieces. Nothing here needs Node.
import { type BenchCase, operationsIn } from "./cases.js";
import { type Check, checkOf } from "./check.js";
import { type Contestant, operationBytes, type Piece, type Player } from "./contestants/contestant.js";
import { NotPlayedError } from "./library.js";
import type { PiecewiseTask } from "./task.js";

/** Which part of a case's program a contestant plays. */
export type Part = "whole" | "tunedPart" | "naivePart";

/** Operations from which on one play is enough for a check. */
const LONG_PROGRAM = 2 ** 18;

/** Plays "prepare, program", or its first operations, on a new machine of a contestant. */
export function checkCase(contestant: Contestant, benchCase: BenchCase, operations?: number): Check {
  const { world, prepare, program } = benchCase;
  const player = contestant.create(world);
  const part = operations === undefined ? program : program.subarray(0, operations * operationBytes);
  const pieces = [player.load(prepare), descriptorOf(player, benchCase), player.load(part)];
  return checkOf(player, pieces, playsOfCheck(operationsIn(part)));
}

function descriptorOf(player: Player, { descriptor, name }: BenchCase): Piece[] {
  if (!descriptor) return [];
  if (!player.descriptor) throw new NotPlayedError(`${name}: it executes no descriptors`);
  return [player.descriptor(descriptor)];
}

/** How often a check plays: what is left in the caches counts too, unless the program is long. */
export function playsOfCheck(operations: number): number {
  return operations >= LONG_PROGRAM ? 1 : 2;
}

/** A contestant at a case that is there already. */
export function caseTask(benchCase: BenchCase, contestant: Contestant, part: Part): PiecewiseTask {
  const records = (part === "whole" ? undefined : benchCase[part]) ?? operationsIn(benchCase.program);
  const program = benchCase.program.subarray(0, records * operationBytes);
  const player = contestant.create(benchCase.world);
  const prepare = player.load(benchCase.prepare);
  const before = descriptorOf(player, benchCase);
  return {
    operations: before.length + records,
    check: (first = undefined) => checkCase(contestant, benchCase, first ?? records),
    prepare() {
      for (const piece of prepare) piece.play();
    },
    pieces: (size) => [...before, ...player.load(program, size)].map(({ play }) => play),
  };
}
