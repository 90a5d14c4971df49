// Cases over page tables as tasks: every JavaScript contestant, on its own machine.
import { readCase } from "./case-file.js";
import type { Contestant } from "./contestants/contestant.js";
import { naiveJs } from "./contestants/naive-js.js";
import { stalewalk, stalewalkOf } from "./contestants/stalewalk.js";
import { stalewalkInRam, stalewalkOverJs, stalewalkOverWasm } from "./contestants/stalewalk-doors.js";
import { tunedJs } from "./contestants/tuned-js.js";
import type { Library } from "./library.js";
import { caseTask, type Part } from "./table-case.js";
import type { PiecewiseTask } from "./task.js";
import { YARDSTICK, yardstick } from "./yardstick/index.js";

/** A case over page tables. */
export interface TableSpec {
  kind: "tables";
  /** Files of the cases (case-file.ts), by name. */
  files: Readonly<Record<string, string>>;
}

/** The JavaScript contestants, with their part; stalewalk comes first. */
export const javascriptField: Readonly<Record<string, readonly [Contestant, Part]>> = {
  stalewalk: [stalewalk, "whole"],
  [YARDSTICK]: [stalewalkOf(YARDSTICK, yardstick), "whole"],
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
