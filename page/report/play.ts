// Traces and results that are opened in the page: a trace is played under all policies in a worker, and shown as far as it has come.

import { programUrl } from "../search/client.js";
import type { PlayAnswer, PlayTask } from "../search/protocol.js";
import { give } from "./given.js";

let worker: Worker | undefined;

/** Plays a trace, or shows a result of `replay --json`; what was under way ends. Settles when all is there. */
export function play(task: PlayTask): Promise<void> {
  worker?.terminate();
  const own = new Worker(programUrl());
  worker = own;
  return new Promise((resolve, reject) => {
    const end = (act: () => void): void => {
      own.terminate();
      if (worker === own) worker = undefined;
      act();
    };
    own.addEventListener("error", ({ message }) => end(() => reject(new Error(message || "the worker failed"))));
    own.addEventListener("message", ({ data }: MessageEvent<PlayAnswer>) => {
      if ("error" in data) end(() => reject(new Error(data.error)));
      else if (data.partial === undefined) {
        give({ result: data.result });
        end(resolve);
      } else give({ result: data.result, partial: data.partial });
    });
    own.postMessage(task);
  });
}
