// A process that plays one contestant at one case after the other: `node worker.js CONTESTANT [SOURCE]`, then lines of JSON on standard
// input, each answered by one: {"hello": true}, {"open": SPEC, "case": NAME}, {"check": OPERATIONS or null}, {"time": LIMITS}. SOURCE is where another
// build comes from, as JSON; what such a build cannot do is answered by {"notPlayed": WHY}.
import { createInterface } from "node:readline";
import { type LibrarySource, NotPlayedError } from "./library.js";
import { loadLibrary } from "./load-library.js";
import { type Request, Session } from "./session.js";
import { openTask } from "./tasks.js";

const [contestant = "", source] = process.argv.slice(2);
const other = source === undefined ? undefined : await loadLibrary(JSON.parse(source) as LibrarySource);
const session = new Session((request) => openTask(request, contestant, other));

for await (const line of createInterface(process.stdin)) {
  console.log(JSON.stringify(await answerOrWhyNot(JSON.parse(line) as Request)));
}

/** Another version may not know an option, or a call: that is no fault of this one. */
async function answerOrWhyNot(request: Request): Promise<unknown> {
  try {
    return await session.answer(request);
  } catch (error) {
    if (!other && !(error instanceof NotPlayedError)) throw error;
    return { notPlayed: (error as Error).message };
  }
}
