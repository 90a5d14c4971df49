// Progress, cancellation, and giving way: what every long call of the library has in common.

/** How far a long call has come. */
export interface Progress {
  /** Units done so far. */
  done: number;
  /** Units in all; undefined where nobody knows. */
  total: number | undefined;
  /** What is counted. */
  unit: "operations" | "bytes" | "cells" | "leaves" | "vectors";
}

/** Options of every long call. */
export interface RunOptions {
  /** Called now and then, at the latest where the call gives way. */
  onProgress?: (progress: Progress) => void;
  /** Ends the call with the signal's reason where it next gives way. */
  signal?: AbortSignal;
}

/** An asynchronous call gives way to its host after so many operations, or so many bytes of text, at the latest. */
export const OPERATIONS_BETWEEN_YIELDS = 20_000;
export const BYTES_BETWEEN_YIELDS = 1 << 20;

/** Lets the host do something else: timers, aborts, drawing. @throws the signal's reason if aborted meanwhile */
export async function giveWay(signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise((resolve) => setTimeout(resolve, 0));
  signal?.throwIfAborted();
}
