// Options that `sweep` and `work` share. Node-only by place, not by need.
import type { Command } from "commander";

/** Adds `--queue-name`. */
export function addQueueName(command: Command): Command {
  return command.option("--queue-name <name>", "one queue of several in one Redis (default: sweep)");
}
