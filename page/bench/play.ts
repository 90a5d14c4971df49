// The page's program inside a worker that measures: one contestant at all cases of a block, checked before it is timed.

import { openCase } from "./plan.js";
import type { BenchAnswer, BenchTask } from "./protocol.js";
import { timeTask } from "./time.js";

const say = (answer: BenchAnswer): void => postMessage(answer);

/** Plays what it is told to. */
export async function benchTask({ bench: { contestant, cases, isFirst, trace, ...block } }: BenchTask): Promise<void> {
  for (const name of cases) {
    const { task, apart, check, parts } = await openCase(block, name, contestant, trace);
    const { operations } = task;
    const whole = await check(operations);
    const others = isFirst ? parts : [];
    const checked = await Promise.all(others.map(async (count) => [count, await check(count)] as const));
    const sample = await timeTask(task, apart);
    say({ case: name, operations, check: whole, parts: Object.fromEntries(checked), sample });
  }
  say({ end: true });
}
