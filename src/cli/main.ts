#!/usr/bin/env node
// The `stalewalk` command: a process around `run`. Node-only.
import { EXIT, reportError } from "./errors.js";
import { endBySignal } from "./signals.js";

function end(code: number): void {
  if (code === EXIT.brokenPipe) endBySignal("SIGPIPE");
  process.exitCode = code;
  // Everything has been written by now (streams.ts) and nothing is cut off; an open standard input must not hold us up.
  // Only the console of Windows may still be at it.
  if (process.platform !== "win32") process.exit();
}

// Node's own exit code for these is 1, which here is a result; so it is before anything else is loaded.
process.on("uncaughtException", (error) => end(reportError(error)));
const { run } = await import("./program.js");
end(await run(process.argv.slice(2)));
