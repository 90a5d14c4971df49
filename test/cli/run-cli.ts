// Runs a command line in this process and keeps what it prints.
import { vi } from "vitest";
import { run } from "../../src/cli/program.js";

export interface CliResult {
  code: number;
  out: string;
  err: string;
}

export async function runCli(...args: string[]): Promise<CliResult> {
  const texts = { out: "", err: "" };
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    texts.out += String(text);
    return true;
  });
  const err = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    texts.err += String(text);
    return true;
  });
  try {
    return { code: await run(args), ...texts };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

/** Runs a command with --json and parses what it prints. */
export async function runJson(...args: string[]): Promise<{ code: number; value: unknown; err: string }> {
  const { code, out, err } = await runCli(...args, "--json");
  return { code, value: JSON.parse(out), err };
}
