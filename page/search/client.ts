// Searches in workers, so that the page stays awake. A worker is made of the page's own text: nothing is loaded for it.

import type { VerdictRecord } from "../../src/verdicts/index.js";
import type { Answer, Search } from "./protocol.js";

let program: string | undefined;

/** The page's program as an address that a worker can be made from. */
export function programUrl(): string {
  program ??= URL.createObjectURL(
    new Blob([document.getElementById("program")?.textContent ?? ""], { type: "text/javascript" }),
  );
  return program;
}

/** Searches in a worker of its own; rejects with what the library says of wrong options, or the signal's reason. */
export function searchVerdicts(
  options: Search,
  onRecord: (record: VerdictRecord, done: number, total: number) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const worker = new Worker(programUrl());
    const end = (act: () => void): void => {
      worker.terminate();
      act();
    };
    signal.addEventListener("abort", () => end(() => reject(signal.reason as Error)), { once: true });
    worker.addEventListener("error", ({ message }) => end(() => reject(new Error(message || "the worker failed"))));
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      if ("record" in data) onRecord(data.record, data.done, data.total);
      else if ("error" in data) end(() => reject(new Error(data.error)));
      else end(resolve);
    });
    worker.postMessage(options);
  });
}
