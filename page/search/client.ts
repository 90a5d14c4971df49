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

/** Told of each cell as it is judged. */
export type OnRecord = (record: VerdictRecord, done: number, total: number) => void;

/** Searches in a worker of its own; rejects with what the library says of wrong options, or the signal's reason. */
export function searchVerdicts(options: Search, onRecord: OnRecord, signal: AbortSignal): Promise<void> {
  return searchAll([options], onRecord, signal);
}

/** Searches one after the other in as many workers as there are cores; the first that fails ends all. */
export async function searchAll(
  searches: readonly Search[],
  onRecord: OnRecord,
  signal: AbortSignal,
  cores = navigator.hardwareConcurrency,
): Promise<void> {
  signal.throwIfAborted();
  const left = [...searches];
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const crew = Array.from({ length: Math.min(cores, searches.length) }, () => work(left, onRecord, all));
  try {
    await Promise.all(crew);
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}

/** One worker, which takes what is left until nothing is. */
async function work(left: Search[], onRecord: OnRecord, signal: AbortSignal): Promise<void> {
  const worker = new Worker(programUrl());
  try {
    for (let next = left.shift(); next; next = left.shift()) await ask(worker, next, onRecord, signal);
  } finally {
    worker.terminate();
  }
}

function ask(worker: Worker, options: Search, onRecord: OnRecord, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const { signal: over } = done;
  return new Promise<void>((resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => reject(signal.reason as Error), { signal: over });
    worker.addEventListener("error", ({ message }) => reject(new Error(message || "the worker failed")), {
      signal: over,
    });
    worker.addEventListener(
      "message",
      ({ data }: MessageEvent<Answer>) => {
        if ("record" in data) onRecord(data.record, data.done, data.total);
        else if ("error" in data) reject(new Error(data.error));
        else resolve();
      },
      { signal: over },
    );
    worker.postMessage(options);
  }).finally(() => done.abort());
}
