// The page's program inside a worker that plays: a trace under all policies, with pictures of how far it has come.

import { fromJson, type ReplayResult, replay, simulate } from "../../src/replay/index.js";
import { plainOf } from "../../src/report/data.js";
import type { PlayAnswer, PlayTask } from "./protocol.js";

const say = (answer: PlayAnswer): void => postMessage(answer);

/** Plays what it is told to. */
export async function playTask(task: PlayTask): Promise<void> {
  let share = 0;
  const options = {
    marks: true,
    onProgress: ({ done, total = 0 }: { done: number; total: number | undefined }): void => {
      share = total > 0 ? done / total : 0;
    },
  };
  if ("profile" in task) {
    const { profile, operations } = task;
    say({ result: plainOf(await simulate({ ...options, profile, operations })) });
    return;
  }
  const { file, name } = task;
  const start = await file.slice(0, 200).text();
  if (/^\s*\{\s*"format":\s*"stalewalk-replay"/.test(start)) {
    say({ result: plainOf(fromJson(await file.text())) });
    return;
  }
  const onPartial = (result: ReplayResult): void => say({ result: plainOf(result), partial: share });
  const result = await replay(file.stream(), { ...options, name, onPartial });
  if (result.trace.events === 0) throw new Error(`${name}: no event of a trace was found in it`);
  say({ result: plainOf(result) });
}
