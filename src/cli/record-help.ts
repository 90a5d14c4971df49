// `stalewalk record-help`: the shell script that records a trace on a live machine. Node-only.
import { type Command, Option } from "commander";
import { RECORD_KERNELS, type RecordKernel, recordHelp } from "../trace/index.js";
import { parseCount } from "./image-options.js";
import { printJson, printText } from "./output.js";

interface Flags {
  kernel: RecordKernel;
  buffer: number;
  json?: boolean;
}

/** Registers `record-help`. */
export function register(program: Command): void {
  program
    .command("record-help")
    .summary("print the script that records a kernel trace")
    .description(
      "Prints a POSIX shell script that records what a live x86-64 Linux does with page tables and TLBs: probes,\n" +
        "filters, buffer size, and the check for lost events. Run it as root on the machine to be traced.",
    )
    .addOption(
      new Option("--kernel <version>", "its kernel: the nearest version not above it")
        .choices([...RECORD_KERNELS])
        .default("6.12"),
    )
    .option("--buffer <KiB>", "trace buffer per CPU", parseCount, 65536)
    .option("--json", "print the script as a JSON object")
    .addHelpText("after", "\nExample:\n  stalewalk record-help --kernel 6.12 > record.sh && sudo sh record.sh 30")
    .action((flags: Flags) => {
      const script = recordHelp({ kernel: flags.kernel, bufferKiB: flags.buffer });
      if (flags.json) printJson({ kernel: flags.kernel, script });
      else printText(script);
    });
}
