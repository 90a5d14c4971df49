// Standard output and standard error as the command writes them: at once and whole, or an OutputError. Node-only.
//
// Not process.stdout, for three reasons. Its write to a file takes a short count for success (a disk that is nearly full
// gives one before it gives ENOSPC), so a result is cut without a word. To a pipe it writes later, so an end of the reader
// is noticed after the work, and process.exit() throws away what waits. And its errors arrive as uncaught exceptions, whose
// exit code is 1, which here means "a hazard".
import { writeSync } from "node:fs";
import { isatty } from "node:tty";

/** Where text goes. */
export interface Sink {
  /** Columns of the terminal; undefined if it is none, or does not say. */
  readonly columns: number | undefined;
  /** Its rows; likewise. */
  readonly rows: number | undefined;
  readonly isTerminal: boolean;
  /** Writes the whole text. @throws OutputError */
  write(text: string): void;
}

/** What was to be written could not be. */
export class OutputError extends Error {
  override readonly name = "OutputError";

  constructor(
    readonly stream: string,
    /** The system's code: `EPIPE` if the reader went away, `ENOSPC`, `EIO`, … */
    readonly code: string,
    reason: string,
  ) {
    super(`${stream}: ${reason}`);
  }
}

const RETRY_MS = 5;
const clock = new Int32Array(new SharedArrayBuffer(4));

/** The sink of a file descriptor: 1 or 2. */
export function standardSink(fd: 1 | 2): Sink {
  const name = fd === 1 ? "standard output" : "standard error";
  const isTerminal = isatty(fd);
  // Only a terminal's stream is ever touched: the others would make their pipe non-blocking, for every process that has it.
  const terminal = isTerminal ? (fd === 1 ? process.stdout : process.stderr) : undefined;
  return {
    isTerminal,
    get columns() {
      return terminal?.columns || undefined;
    },
    get rows() {
      return terminal?.rows || undefined;
    },
    write(text) {
      try {
        // The console of Windows takes UTF-16 from Node's stream, but bytes of some code page from a descriptor.
        if (terminal && process.platform === "win32") terminal.write(text);
        else writeAll(fd, Buffer.from(text));
      } catch (error) {
        const { code = "EIO", message } = error as NodeJS.ErrnoException;
        throw new OutputError(name, code, /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message);
      }
    },
  };
}

/** Writes all bytes, in as many steps as the system takes. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // Another process made the pipe non-blocking and it is full: its reader will get to it.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(clock, 0, 0, RETRY_MS);
    }
  }
}
