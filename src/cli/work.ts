// `stalewalk work --queue URL`: takes jobs of a sweep and does them, on any machine. Node-only.
import type { Command } from "commander";
import { workOnQueue } from "../sweep/node.js";
import { fileOption } from "./choices.js";
import { parseCount } from "./image-options.js";
import { print, printJson, say, startNotes } from "./output.js";
import { addQueueName } from "./queue-options.js";
import { workersOption } from "./workers-option.js";

interface Flags {
  queue: string;
  queueName?: string;
  workers?: number;
  cache?: string;
  idle?: number;
  json?: boolean;
}

/** Registers `work`. */
export function register(program: Command): void {
  const command = program
    .command("work")
    .summary("do jobs of a sweep's queue, on any machine")
    .description(
      "Takes jobs that `stalewalk sweep --queue` puts into a Redis or Valkey, does them on all cores, and gives the results\n" +
        "back. Start it on as many machines as you like, before the sweep or after. Kill it at any time: its jobs are taken over.",
    )
    .requiredOption("--queue <url>", "the sweep's queue: redis://HOST:6379 (needs bullmq and ioredis)");
  addQueueName(command)
    .addOption(workersOption())
    .addOption(
      fileOption(
        "--cache <folder>",
        "where traces are kept, for all workers of this machine (default: ~/.cache/stalewalk/traces)",
      ),
    )
    .option("--idle <seconds>", "end when there was nothing to do for so long (default: never)", parseCount)
    .option("--json", "print what was done as JSON")
    .addHelpText("after", "\nExample:\n  stalewalk work --queue redis://192.168.1.10:6379")
    .action(run);
}

async function run({ queue, queueName, workers, cache, idle, json }: Flags): Promise<void> {
  const notes = startNotes();
  try {
    const summary = await workOnQueue(queue, {
      ...(queueName !== undefined && { queueName }),
      ...(workers !== undefined && { workers }),
      ...(cache !== undefined && { cache }),
      ...(idle !== undefined && { idleSeconds: idle }),
      onDone: (done) => notes.show(`${done} jobs done`, "work"),
      onNote: (text) => {
        notes.end();
        say(`stalewalk: ${text}`);
      },
    });
    notes.end();
    if (json) printJson(summary);
    else print(`${summary.done} jobs done, ${summary.failed} failed`);
  } finally {
    notes.end();
  }
}
