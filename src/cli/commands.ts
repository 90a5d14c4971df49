// The list of commands. To add one: write `src/cli/NAME.ts` with an exported `register(program)`, and name it here.
import type { Command } from "commander";
import { register as audit } from "./audit.js";
import { register as bench } from "./bench.js";
import { register as checkImage } from "./check-image.js";
import { register as checkVectors } from "./check-vectors.js";
import { register as completion } from "./completion.js";
import { register as recordHelp } from "./record-help.js";
import { register as replay } from "./replay.js";
import { register as report } from "./report.js";
import { register as verdicts } from "./verdicts.js";
import { register as walk } from "./walk.js";

/** Adds one command to the program. */
export type Register = (program: Command) => void;

/** Every command, in the order of `stalewalk --help`. */
export const commands: readonly Register[] = [
  checkVectors,
  checkImage,
  audit,
  walk,
  verdicts,
  replay,
  report,
  recordHelp,
  bench,
  completion,
];
