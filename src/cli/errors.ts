// How a command fails: one line on stderr, `stalewalk: file: …`, and an exit code. The stack is shown only if DEBUG is set.
// Node-only.
import { StalewalkError } from "../base/errors.js";
import { say } from "./output.js";
import { OutputError } from "./streams.js";

/** The exit codes of the command. */
export const EXIT = { ok: 0, negative: 1, badInput: 2, internal: 3, brokenPipe: 141 } as const;

/** The same in words: `--help` prints them. */
export const EXIT_HELP = `Exit codes:
  0    equal or done
  1    a negative result: something differs, a policy named with --policy has a hazard on an IOMMU,
       or a row of a benchmark became slower
  2    bad input or usage, an input in which nothing was read, or output that could not be written
  3    an error of the program itself
  141  whoever read the output went away (as by SIGPIPE); 130 and 143: ended by SIGINT, SIGTERM`;

let result: number = EXIT.ok;

/** Called by a command whose result is negative (a check failed, a hazard was found): the exit code becomes 1. */
export function failResult(): void {
  result = EXIT.negative;
}

/** The exit code the commands asked for since the last call. */
export function takeResult(): number {
  const code = result;
  result = EXIT.ok;
  return code;
}

/** Thrown by a command for bad input that no reader has already described. */
export class InputError extends StalewalkError {
  override readonly name = "InputError";

  constructor(message: string) {
    super("input", message);
  }
}

/** Writes the one line and returns the exit code. */
export function reportError(error: unknown): number {
  if (error instanceof OutputError && error.code === "EPIPE") return EXIT.brokenPipe;
  const internal = isInternal(error);
  try {
    say(`stalewalk: ${internal ? "internal error: " : ""}${describe(error)}`);
    if (process.env["DEBUG"] && error instanceof Error) for (const line of error.stack?.split("\n") ?? []) say(line);
    else if (internal) say("stalewalk: set DEBUG=1 to see where");
  } catch (second) {
    if (!(second instanceof OutputError)) throw second;
    return EXIT.brokenPipe;
  }
  return internal ? EXIT.internal : EXIT.badInput;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  // Node's own text repeats the call ("ENOENT: no such file or directory, open 'x'"); put the file first as we do.
  if (code && path !== undefined) return `${path === "" ? '""' : path}: ${systemReason(error.message)}`;
  return error.message;
}

/** `no such file or directory` of `ENOENT: no such file or directory, open 'x'`. */
export function systemReason(message: string): string {
  return /^[A-Z0-9]+: ([^,]+),/.exec(message)?.[1] ?? message;
}

// These are thrown by code that is wrong, not by our checks of input.
function isInternal(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  return (
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    error instanceof WebAssembly.RuntimeError ||
    error.name === "AssertionError"
  );
}
