// Turns of the event loop for whoever may want to stop the reading. A turn by a timer costs a millisecond, so the cheapest
// thing that a host has is taken, and only when some time has passed.

/** Milliseconds without a turn at most, and bytes without a look at the clock. */
const MOST_MS = 4;
const LOOK_BYTES = 1 << 18;

/** Gives the event loop its turns. */
export class Turns {
  #last = performance.now();
  #bytes = 0;

  /** To be called after each piece of work, with its size; resolves after a turn, if one is due. */
  async due(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < LOOK_BYTES) return;
    this.#bytes = 0;
    const now = performance.now();
    if (now - this.#last < MOST_MS) return;
    await turn();
    this.#last = performance.now();
  }
}

/** One turn of the event loop: timers, input and output come to their right. */
function turn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown };
  return new Promise((resolve) => {
    if (setImmediate) setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
