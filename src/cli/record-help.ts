// `stalewalk record-help`: the shell script that records a trace on a live machine. Node-only.
import type { Command } from "commander";
import { RECORD_KERNELS, recorderFor, recordHelp } from "../trace/index.js";
import { suggestingOption } from "./choices.js";
import { parseCount } from "./image-options.js";
import { printJson, printText, say } from "./output.js";

interface Flags {
  kernel: string;
  buffer: number;
  json?: boolean;
}

/** Registers `record-help`. */
export function register(program: Command): void {
  const newest = RECORD_KERNELS.at(-1)!;
  program
    .command("record-help")
    .summary("print the script that records a kernel trace")
    .description(
      "Prints a POSIX shell script that records what a live x86-64 Linux does with page tables and TLBs: probes,\n" +
        "filters, buffer size, and the check for lost events. Run it as root on the machine to be traced.",
    )
    .addOption(
      suggestingOption(
        "--kernel <version>",
        `the machine's kernel, or what uname -r prints there; there are scripts for ${RECORD_KERNELS.join(", ")}`,
        RECORD_KERNELS,
      ).default(newest),
    )
    .option("--buffer <KiB>", "trace buffer per CPU", parseCount, 65536)
    .option("--json", "print the script as a JSON object")
    .addHelpText(
      "after",
      '\nExample:\n  stalewalk record-help --kernel "$(uname -r)" > record.sh && sudo sh record.sh 30',
    )
    .action((flags: Flags) => {
      const { asked, version, note } = recorderFor(flags.kernel);
      const script = recordHelp({ kernel: flags.kernel, bufferKiB: flags.buffer });
      if (note !== "") say(`stalewalk: the recorder for Linux ${asked}: ${note}`);
      if (flags.json) printJson({ kernel: version, asked, note, script });
      else printText(script);
    });
}
