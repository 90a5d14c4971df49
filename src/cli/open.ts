// `stalewalk open [FILE]`: the page with a trace, a result or a core in it, served on this machine's own address and opened in the browser.
// Node-only.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { basename } from "node:path";
import { constants, gunzipSync } from "node:zlib";
import type { Command } from "commander";
import { fromJson, type ReplayResult } from "../replay/index.js";
import { renderReport, withExample } from "../report/index.js";
import { openInBrowser } from "./browser.js";
import { commandLine } from "./command-line.js";
import { InputError } from "./errors.js";
import { inFile } from "./json-file.js";
import { tracedKernelOption } from "./kernel-option.js";
import { print, printJson, say } from "./output.js";
import { servePage } from "./page-server.js";
import { pageText } from "./page-text.js";
import { playTrace } from "./replay-options.js";
import { packageVersion } from "./version.js";

interface Flags {
  open: boolean;
  json?: boolean;
  kernel?: string;
}

/** Most bytes of a core's file that are put into the page. */
const MOST_CORE = 128 * 1024 * 1024;

/** Registers `open`. */
export function register(program: Command): void {
  program
    .command("open")
    .argument("[file]", "a trace, a result of replay --json, or a core; without one the page has its example")
    .summary("show a trace, a result or a core in the browser")
    .description(
      "Serves the page with the file in it on this machine's loopback address, under a name that nobody can guess, opens it\n" +
        "in the browser, and goes on until it is ended (Ctrl-C). A trace is played under all policies first.",
    )
    .addOption(tracedKernelOption())
    .option("--no-open", "print the address only")
    .option("--json", "print the address as JSON")
    .addHelpText("after", "\nExample:\n  stalewalk open test/fixtures/traces/hugevmap.trace.txt")
    .action(run);
}

async function run(path: string | undefined, flags: Flags, self: Command): Promise<void> {
  const document = path === undefined ? pageText() : await documentOf(path, flags, commandLine(self));
  const { url } = await servePage(document);
  if (flags.json) printJson({ url });
  else print(url);
  if (flags.open && !(await openInBrowser(url))) say("stalewalk: no browser could be started: open the address in one");
  // Until a signal ends it.
  await new Promise(() => {});
}

/** The page with what the file holds. */
async function documentOf(path: string, flags: Flags, command: string): Promise<string> {
  const page = pageText();
  const kind = path === "-" ? "trace" : kindOf(path);
  if (kind === "core") {
    const bytes = readFileSync(path);
    if (bytes.length > MOST_CORE) {
      throw new InputError(
        `${path}: ${bytes.length} bytes; at most ${MOST_CORE} go into a page (drop the file on it instead)`,
      );
    }
    return withExample(page, basename(path), bytes);
  }
  if (kind === "trace") return renderReport(await play(path, flags), { page, command });
  const result = inFile(path, () => fromJson(readFileSync(path, "utf8")));
  try {
    return await renderReport(result, { page, command });
  } catch (error) {
    // Only the frame of a result is checked; a part that is missing inside shows when it is used.
    if (error instanceof TypeError) throw new InputError(`${path}: no whole result of replay --json: ${error.message}`);
    throw error;
  }
}

function play(path: string, { kernel }: Flags): Promise<ReplayResult> {
  const options = {
    name: path,
    packageVersion: packageVersion(),
    marks: true,
    ...(kernel !== undefined && { kernel }),
  };
  return playTrace(path, options);
}

/** What a file is, by its first bytes: a core is an ELF file, a result begins as JSON; all else is left to the reader of traces. */
function kindOf(path: string): "core" | "result" | "trace" {
  const start = firstBytes(path);
  if (start.subarray(0, 4).equals(Buffer.from("\x7fELF"))) return "core";
  return /^\s*\{\s*"format":\s*"stalewalk-replay"/.test(start.toString("latin1")) ? "result" : "trace";
}

function firstBytes(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(4096);
    const read = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
    if (read[0] !== 0x1f || read[1] !== 0x8b) return read;
    // Only a beginning was read: what it holds is told as far as it goes.
    return gunzipSync(read, { finishFlush: constants.Z_SYNC_FLUSH });
  } finally {
    closeSync(file);
  }
}
