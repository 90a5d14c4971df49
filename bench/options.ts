// Options of the command.
import { parseArgs } from "node:util";

/** What to run. */
export interface Options {
  help: boolean;
  quick: boolean;
  json: string | undefined;
  only: RegExp | undefined;
}

/** Thrown for a command line that makes no sense. */
export class UsageError extends Error {
  override name = "UsageError";
}

export const usage = `Usage: npm run bench -- [options]

  --json FILE   write the results to FILE as JSON, too
  --only REGEX  only cases whose "table set: case" matches, e.g. --only 'synthetic.*L1 hit' (ignores case)
  --quick       few operations: checks that all contestants agree, says nothing about time
  --help        this text

Times are medians over rounds in which the contestants take turns. Before a case is timed, all contestants must have
computed the same outcomes and counters; if they have not, the command fails.`;

/** Parses the arguments. @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        json: { type: "string" },
        only: { type: "string" },
      },
    });
    const only = values.only === undefined ? undefined : new RegExp(values.only, "i");
    return { help: values.help, quick: values.quick, json: values.json, only };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
