// Progress, cancellation, and giving way: what every long call of the library has in common.

/** How far a long call has come. */
export interface Progress {
  /** Units done so far. */
  done: number;
  /** Units in all; undefined where nobody knows. */
  total: number | undefined;
  /** What is counted. Bytes are those of the source as it comes, compressed if it is. */
  unit: "operations" | "bytes" | "cells" | "leaves" | "vectors" | "jobs";
}

/** Options of every long call. */
export interface RunOptions {
  /** Called now and then with how far the call has come. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the call with the signal's reason: an asynchronous one where it next gives way, another where it next tells of progress. */
  readonly signal?: AbortSignal;
}

/** An asynchronous call gives way to its host after so many operations, bytes of text or milliseconds, whichever comes first. */
export const OPERATIONS_BETWEEN_TURNS = 20_000;
export const BYTES_BETWEEN_TURNS = 1 << 20;
export const MS_BETWEEN_TURNS = 20;

/** Counts work, and says when the host should have its turn. */
export class Turns {
  #operations = 0;
  #bytes = 0;
  #last = performance.now();

  constructor(private readonly signal: AbortSignal | undefined) {}

  /** To be called after work of so many operations; true if {@link give} is due. */
  after(operations: number): boolean {
    this.#operations += operations;
    return this.#operations >= OPERATIONS_BETWEEN_TURNS || this.#late();
  }

  /** The same of bytes of text. */
  afterBytes(bytes: number): boolean {
    this.#bytes += bytes;
    return this.#bytes >= BYTES_BETWEEN_TURNS || this.#late();
  }

  #late(): boolean {
    return performance.now() - this.#last >= MS_BETWEEN_TURNS;
  }

  /** Gives the host its turn: timers, aborts, drawing. @throws the signal's reason if aborted before or meanwhile */
  async give(): Promise<void> {
    this.signal?.throwIfAborted();
    await turn();
    this.signal?.throwIfAborted();
    this.#operations = 0;
    this.#bytes = 0;
    this.#last = performance.now();
  }
}

/** Finishes work that stops wherever it saw that a turn is due. @throws what the work throws, or the signal's reason */
export async function finishInTurns<T>(work: Generator<void, T, void>, turns: Turns): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await turns.give();
  }
}

/**
 * One turn of the event loop, by the cheapest thing that a host has: a turn by a timer costs a millisecond in Node, four in
 * a browser.
 */
function turn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown };
  if (setImmediate) return new Promise((resolve) => void setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
