// How a command fails: one line on stderr, `stalewalk: file: …`. Exit code 1 is a negative result, 2 bad input or usage,
// 3 a fault of this program. The stack is shown only if DEBUG is set. Node-only.

/** The exit codes of the command. */
export const EXIT = { ok: 0, negative: 1, badInput: 2, internal: 3 } as const;

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
export class InputError extends Error {
  override readonly name = "InputError";
}

/** Writes the one line and returns the exit code. */
export function reportError(error: unknown): number {
  const internal = isInternal(error);
  const message = describe(error);
  process.stderr.write(`stalewalk: ${internal ? "internal error: " : ""}${message}\n`);
  if (process.env["DEBUG"] && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  else if (internal) process.stderr.write("stalewalk: set DEBUG=1 to see where\n");
  return internal ? EXIT.internal : EXIT.badInput;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  // Node's own text repeats the call ("ENOENT: no such file or directory, open 'x'"); put the file first as we do.
  if (code && path) return `${path}: ${systemReason(error.message)}`;
  return error.message.replaceAll("\n", " ");
}

function systemReason(message: string): string {
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
