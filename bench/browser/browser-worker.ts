// The program of the worker in a browser that measures: asks for lines and answers them. It works beside the page, so that nothing of a
// document disturbs it, and the page can say that both are there while it is busy.
import { clockStep } from "../pieces.js";
import { Session } from "../session.js";
import { filesOf, type Hello, type Line, paths } from "./protocol.js";
import { openHere } from "./tasks.js";

/** This file is dist/bench/browser-worker.js below the token. */
const base = new URL("../../", import.meta.url);
const post = (path: string, body: unknown) =>
  fetch(new URL(path, base), { method: "POST", body: JSON.stringify(body) });

/** The page says it by the name of the worker. */
const contestant = self.name;
let files: readonly string[] = [];
const session = new Session((request) => openHere(request, contestant, read));

async function read(path: string): Promise<Uint8Array> {
  const response = await fetch(new URL(`${paths.file}${files.indexOf(path)}`, base));
  if (!response.ok) throw new Error(`${path} is not given out: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const hello: Hello = { agent: navigator.userAgent, step: clockStep(), isolated: globalThis.crossOriginIsolated };
try {
  await post(paths.hello, hello);
  while (await answerNext());
} catch (error) {
  await post(paths.failed, (error as Error).message);
}

/** @returns whether there will be another */
async function answerNext(): Promise<boolean> {
  const response = await fetch(new URL(paths.next, base));
  // Nothing to do for a while.
  if (response.status === 204) return true;
  const line = (await response.json()) as Line;
  if ("fresh" in line) {
    // The page ends this worker.
    postMessage(line.fresh);
    return false;
  }
  files = filesOf(line);
  await post(paths.answer, await session.answer(line));
  return true;
}
