// The page of a browser that measures: starts workers, one after the other, says that they are there, and what went wrong.
import { BEAT, paths } from "./protocol.js";

const base = new URL(".", document.baseURI);
const post = (path: string, body: unknown) =>
  fetch(new URL(path, base), { method: "POST", body: JSON.stringify(body) });

function start(contestant: string): void {
  const worker = new Worker(new URL("dist/bench/browser-worker.js", base), { type: "module", name: contestant });
  // What it fails with later it says itself.
  worker.addEventListener("error", ({ message }) => void post(paths.failed, message || "its worker cannot be loaded"));
  worker.addEventListener("message", ({ data }: MessageEvent<string>) => {
    worker.terminate();
    start(data);
  });
}

start("");
setInterval(() => void post(paths.alive, true), BEAT);
