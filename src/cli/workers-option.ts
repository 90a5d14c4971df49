// How many cores a command works on. Node-only.
import { InvalidArgumentError, Option } from "commander";

const MOST = 1024;

/** `--workers`. */
export function workersOption(): Option {
  return new Option(
    "--workers <n>",
    "threads that share the work; results are the same (default: one for each core)",
  ).argParser((text) => {
    const count = Number(text);
    if (!Number.isInteger(count) || count < 1 || count > MOST) throw new InvalidArgumentError(`Expected 1 to ${MOST}.`);
    return count;
  });
}
