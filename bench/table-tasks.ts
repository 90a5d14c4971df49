// Cases over page tables as tasks: every JavaScript contestant, on its own machine.
import { readCase } from "./case-file.js";
import { type BenchCase, operationsIn } from "./cases.js";
import { type Check, checkOf } from "./check.js";
import { type Contestant, operationBytes } from "./contestants/contestant.js";
import { naiveJs } from "./contestants/naive-js.js";
import {
  stalewalk,
  stalewalk010,
  stalewalkInRam,
  stalewalkOf,
  stalewalkOverJs,
  stalewalkOverWasm,
} from "./contestants/stalewalk.js";
import { tunedJs } from "./contestants/tuned-js.js";
import type { Library } from "./library.js";
import type { PiecewiseTask } from "./task.js";

/** A case over page tables. */
export interface TableSpec {
  kind: "tables";
  /** Files of the cases (case-file.ts), by name. */
  files: Readonly<Record<string, string>>;
}

/** Which part of a case's program a contestant plays. */
export type Part = "whole" | "tunedPart" | "naivePart";

/** The JavaScript contestants, with their part; stalewalk comes first. */
export const javascriptField: Readonly<Record<string, readonly [Contestant, Part]>> = {
  stalewalk: [stalewalk, "whole"],
  "0.1.0": [stalewalk010, "whole"],
  "tuned JS": [tunedJs, "tunedPart"],
  "naive JS": [naiveJs, "naivePart"],
};

/** Tables in the frame store, in guest RAM, and in memory that the host keeps: what it costs to leave them where a guest has them. */
export const ramField: Readonly<Record<string, readonly [Contestant, Part]>> = {
  stalewalk: [stalewalk, "whole"],
  "guest RAM": [stalewalkInRam, "whole"],
  "WebAssembly's memory": [stalewalkOverWasm, "whole"],
  "JavaScript's memory": [stalewalkOverJs, "whole"],
};

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

/** A contestant at a case, or another build. */
export function openTableTask(
  { files }: TableSpec,
  name: string,
  contestantName: string,
  other?: Library,
): PiecewiseTask {
  const file = files[name];
  if (file === undefined) throw new Error(`no case is called ${name}`);
  if (other) return caseTask(readCase(file), stalewalkOf(contestantName, other), "whole");
  const [contestant, part] = { ...javascriptField, ...ramField }[contestantName] as (typeof javascriptField)[string];
  return caseTask(readCase(file), contestant, part);
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
