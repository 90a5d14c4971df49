// Ending as by a signal, signals that wait while a file is put in its place, and what is cleaned before they end the process. Node-only.
//
// Nothing else in the command catches a signal: without a handler the system ends the process at once, also in the middle of a long
// computation, with 130 for SIGINT and 143 for SIGTERM, and a shell's loop around the command ends with it.
import { constants } from "node:os";

/** What ends a process from outside. */
export const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends this process as the signal would have: callers see 128 + its number, shells the signal itself. */
export function endBySignal(signal: NodeJS.Signals): never {
  const code = 128 + (constants.signals[signal] ?? 0);
  if (process.platform !== "win32") {
    // Node ignores SIGPIPE from its start on; a listener that comes and goes leaves the system's own way of dealing with it.
    const listener = () => {};
    process.on(signal, listener);
    process.removeListener(signal, listener);
    process.kill(process.pid, signal);
  }
  // The first process of a container is not ended by signals, and Windows has none.
  process.exit(code);
}

/** Runs synchronous work that must not be left half done; a signal that comes meanwhile acts right after it. */
export async function holdingSignals(work: () => void): Promise<void> {
  let caught: NodeJS.Signals | undefined;
  const listener = (signal: NodeJS.Signals) => {
    caught ??= signal;
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, listener);
  try {
    work();
    // What came meanwhile is handed over in the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    for (const signal of ENDING_SIGNALS) process.removeListener(signal, listener);
  }
  if (caught) endBySignal(caught);
}

/** Cleans before a signal ends this process. @returns what undoes it */
export function cleaningAtSignals(clean: () => void): () => void {
  const stop = (): void => {
    for (const signal of ENDING_SIGNALS) process.removeListener(signal, listener);
  };
  const listener = (signal: NodeJS.Signals): void => {
    clean();
    stop();
    endBySignal(signal);
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, listener);
  return stop;
}
