#!/usr/bin/env node
// The `stalewalk` command. Node-only.
import { run } from "./program.js";

// `stalewalk … | head` closes the pipe early; that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});
process.exitCode = await run(process.argv.slice(2));
