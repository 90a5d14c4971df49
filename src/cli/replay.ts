// `stalewalk replay TRACE`: a kernel trace played through kernel, policy, CPUs and IOMMU. Node-only.
import type { Command } from "commander";
import { defaultDeviceModel } from "../replay/index.js";
import { addFileOptions, type FileFlags, inputsOf, playTrace, readMapping } from "./replay-options.js";
import {
  addMachineOptions,
  addResultOptions,
  checkForms,
  type MachineFlags,
  type ResultFlags,
  runSettings,
  showResult,
} from "./run-options.js";

interface Flags extends FileFlags, MachineFlags, ResultFlags {
  policy?: string[];
  strict?: boolean;
}

/** Registers `replay`. */
export function register(program: Command): void {
  const command = addFileOptions(program.command("replay"))
    .argument("<trace>", "a text trace, plain or gzip; - reads standard input")
    .summary("play a kernel trace under one or all policies, and compare what they cost and let through")
    .description(
      "Plays a kernel trace through kernel, policy, CPUs and an IOMMU: what each policy would have invalidated, waited for\n" +
        "and held back, and which walks would have gone through freed page tables. A trace does not say which addresses\n" +
        "devices touch: that is a model, whose numbers are options here and are printed with the results. Exit code 1 if a\n" +
        "policy named with --policy lets an IOMMU walk through a freed table.",
    );
  addMachineOptions(command, {
    cpus: "as the trace's header says",
    levels: "by the addresses",
    seed: "the device model",
    time: "trace time",
    rate: String(defaultDeviceModel.ratePerMs),
    workingSet: String(defaultDeviceModel.workingSet),
  }).option("--strict", "the first damage of the trace is an error");
  addResultOptions(command)
    .addHelpText("after", "\nExample:\n  stalewalk replay test/fixtures/traces/hugevmap.trace.txt --policy all")
    .action(run);
}

async function run(path: string, flags: Flags, self: Command): Promise<void> {
  const files = checkForms(flags, inputsOf(path, flags));
  const result = await playTrace(path, {
    ...runSettings(flags),
    name: path,
    mode: flags.strict ? "strict" : "lenient",
    ...(flags.mapping !== undefined && { mapping: readMapping(flags.mapping) }),
  });
  await showResult(result, flags, files, self);
}
