// `stalewalk page`: the page with the engine in it, as one file for a folder of one's own or for any host. Node-only.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { fileOption } from "./choices.js";
import { InputError, systemReason } from "./errors.js";
import { print, printJson } from "./output.js";
import { checkOutputFile } from "./output-file.js";
import { pageText } from "./page-text.js";

interface Flags {
  out: string;
  json?: boolean;
}

/** Registers `page`. */
export function register(program: Command): void {
  program
    .command("page")
    .summary("write the page, to look at walks, stories and verdicts in a browser: one file that opens offline")
    .description(
      "Writes index.html: walks through a small image, or one that is dropped on the page, drawn table by table and stepped\n" +
        "through. The engine is in the file; it asks for nothing and sends nothing, and opens from a folder as from any host.",
    )
    .addOption(fileOption("--out <folder>", "where to write it; made if it is not there").makeOptionMandatory())
    .option("--json", "print the file's name and size as JSON")
    .addHelpText("after", "\nExample:\n  stalewalk page --out playground")
    .action(run);
}

async function run({ out, json }: Flags): Promise<void> {
  try {
    mkdirSync(out, { recursive: true });
  } catch (error) {
    throw new InputError(`--out ${out}: ${systemReason((error as Error).message)}`);
  }
  const file = join(out, "index.html");
  const target = checkOutputFile("--out", file);
  const text = pageText();
  await target.write(text);
  const bytes = Buffer.byteLength(text);
  if (json) printJson({ file, bytes });
  else print(`${file}: ${Math.ceil(bytes / 1024)} KiB`);
}
