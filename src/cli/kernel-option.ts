// `--kernel`, the same in every command that has a kernel, and the line that says which one was taken. Node-only.
import type { Option } from "commander";
import { defaultKernel, kernelText, kernelVersions, type ResolvedKernel, resolveKernel } from "../kernel/versions.js";
import { suggestingOption } from "./choices.js";

const KNOWN = `known are ${kernelVersions.join(", ")}`;
const option = (about: string): Option => suggestingOption("--kernel <version>", about, kernelVersions);
/** What is checked as it is read, before anything is opened. */
const checked = (to: Option): Option => to.argParser((text: string) => resolveKernel(text, "--kernel").asked);

/** Which Linux. */
export function kernelOption(): Option {
  return option(`which Linux: a version, or what uname -r prints; ${KNOWN} (default: ${defaultKernel})`);
}

/** Which Linux a trace is of. */
export function tracedKernelOption(): Option {
  return checked(
    option(
      "which Linux the trace is of, if the recording does not say so: a version, or what uname -r printed " +
        `(default: ${defaultKernel}); ${KNOWN}`,
    ),
  );
}

/** Which Linux a synthetic workload is of. */
export function simulatedKernelOption(): Option {
  return checked(option(`which Linux: a version, or what uname -r prints; ${KNOWN} (default: as the profile says)`));
}

/** The head of a result: the kernel, what it was taken for, and what it has against the hazards itself. */
export function kernelLine(kernel: ResolvedKernel): string {
  return `kernel: ${kernelText(kernel)}; by itself it has ${kernel.record.ships}`;
}
