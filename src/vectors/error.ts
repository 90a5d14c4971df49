// What is wrong with a file of walk vectors: file, line, value, and what was expected.

import { StalewalkError } from "../base/errors.js";

/** Thrown for a file of walk vectors that can't be read: damaged, too long a line, or a field that can't be. */
export class VectorFormatError extends StalewalkError {
  override readonly name = "VectorFormatError";

  constructor(
    /** Name of the input as the caller gave it. */
    readonly file: string,
    /** Line, from 1; 0 if the trouble is not in a line. */
    readonly line: number,
    message: string,
    cause?: unknown,
  ) {
    const where = `${file}${line > 0 ? `:${line}` : ""}`;
    super("vector-format", `${where}: ${message}`, undefined, undefined, cause === undefined ? undefined : { cause });
  }
}

/** Where a line is: for messages, put together only when there is one. */
export interface Place {
  /** Name of the input. */
  file: string;
  /** Line, from 1. */
  line: number;
}
