// A process that plays one contestant at one case after the other: `node worker.js CONTESTANT`, then lines of JSON on standard
// input, each answered by one: {"open": SPEC, "case": NAME}, {"check": OPERATIONS or null}, {"time": LIMITS}.
import { createInterface } from "node:readline";
import { type Limits, Stopwatch } from "./stopwatch.js";
import type { Task } from "./task.js";
import { type OpenRequest, openTask } from "./tasks.js";

const [contestant = ""] = process.argv.slice(2);

type Request = OpenRequest | { check: number | null } | { time: Limits };

let task: Task | undefined;
let stopwatch: Stopwatch | undefined;

for await (const line of createInterface(process.stdin)) {
  console.log(JSON.stringify(await answer(JSON.parse(line) as Request)));
}

async function answer(request: Request): Promise<unknown> {
  if ("open" in request) {
    task = await openTask(request, contestant);
    stopwatch = undefined;
    return { operations: task.operations };
  }
  if (!task) throw new Error("nothing has been opened");
  if ("check" in request) return task.check(request.check ?? undefined);
  stopwatch ??= new Stopwatch(task);
  return stopwatch.time(request.time);
}
