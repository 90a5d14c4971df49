// Runs a command line in this process and keeps what it prints.
import { redirectOutput } from "../../src/cli/output.js";
import { run } from "../../src/cli/program.js";
import type { Sink } from "../../src/cli/streams.js";

export interface CliResult {
  code: number;
  out: string;
  err: string;
}

/** A sink that keeps what is written to it. */
export function memorySink(
  terminal: Partial<Pick<Sink, "columns" | "rows" | "isTerminal">> = {},
): Sink & { text: string } {
  return {
    isTerminal: false,
    columns: undefined,
    rows: undefined,
    ...terminal,
    text: "",
    write(text) {
      this.text += text;
    },
  };
}

export async function runCli(...args: string[]): Promise<CliResult> {
  const stdout = memorySink();
  const stderr = memorySink();
  redirectOutput({ stdout, stderr });
  try {
    return { code: await run(args), out: stdout.text, err: stderr.text };
  } finally {
    redirectOutput();
  }
}

/** Runs a command with --json and parses what it prints. */
export async function runJson(...args: string[]): Promise<{ code: number; value: unknown; err: string }> {
  const { code, out, err } = await runCli(...args, "--json");
  return { code, value: JSON.parse(out), err };
}
