// The page's program inside a worker: it searches, plays or measures, as it is told.

import type { Progress } from "../../src/index.js";
import { verdicts } from "../../src/verdicts/index.js";
import { benchTask } from "../bench/play.js";
import type { BenchTask } from "../bench/protocol.js";
import { playTask } from "./play.js";
import type { Answer, PlayTask, Search } from "./protocol.js";

const say = (answer: Answer): void => postMessage(answer);

/** Waits for something to do. */
export function serve(): void {
  addEventListener("message", ({ data }: MessageEvent<Search | PlayTask | BenchTask>) => {
    if ("bench" in data) {
      benchTask(data).catch((error: Error) => say({ error: error.message }));
      return;
    }
    if ("file" in data || "profile" in data) {
      playTask(data).catch((error: Error) => say({ error: error.message }));
      return;
    }
    search(data).then(
      () => say({ end: true }),
      (error: Error) => say({ error: error.message }),
    );
  });
}

async function search(options: Search): Promise<void> {
  let at = { done: 0, total: 1 };
  const onProgress = ({ done, total = 0 }: Progress): void => {
    at = { done, total };
  };
  for await (const record of verdicts({ ...options, onProgress })) say({ record, ...at });
}
