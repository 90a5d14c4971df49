// A process that plays one contestant at one case after the other: `node worker.js CONTESTANT [SOURCE]`, then lines of JSON on standard
// input, each answered by one: {"open": SPEC, "case": NAME}, {"check": OPERATIONS or null}, {"time": LIMITS}. SOURCE is where another
// build comes from, as JSON; what such a build cannot do is answered by {"notPlayed": WHY}.
import { createInterface } from "node:readline";
import { type LibrarySource, NotPlayedError } from "./library.js";
import { loadLibrary } from "./load-library.js";
import { type Limits, Stopwatch } from "./stopwatch.js";
import type { Task } from "./task.js";
import { type OpenRequest, openTask } from "./tasks.js";

const [contestant = "", source] = process.argv.slice(2);
const other = source === undefined ? undefined : await loadLibrary(JSON.parse(source) as LibrarySource);

type Request = OpenRequest | { check: number | null } | { time: Limits };

let task: Task | undefined;
let stopwatch: Stopwatch | undefined;

for await (const line of createInterface(process.stdin)) {
  console.log(JSON.stringify(await answerOrWhyNot(JSON.parse(line) as Request)));
}

/** Another version may not know an option, or a call: that is no fault of this one. */
async function answerOrWhyNot(request: Request): Promise<unknown> {
  try {
    return await answer(request);
  } catch (error) {
    if (!other && !(error instanceof NotPlayedError)) throw error;
    return { notPlayed: (error as Error).message };
  }
}

async function answer(request: Request): Promise<unknown> {
  if ("open" in request) {
    task = await openTask(request, contestant, other);
    stopwatch = undefined;
    return { operations: task.operations };
  }
  if (!task) throw new Error("nothing has been opened");
  if ("check" in request) return task.check(request.check ?? undefined);
  stopwatch ??= new Stopwatch(task);
  return stopwatch.time(request.time);
}
