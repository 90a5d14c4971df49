// `--kernel`, the same in every command that has a kernel, and the line that says which one was taken. Node-only.
import type { Option } from "commander";
import { defaultKernel, kernelText, kernelVersions, type ResolvedKernel, resolveKernel } from "../kernel/versions.js";
import { suggestingOption } from "./choices.js";

/** Which Linux. */
export function kernelOption(): Option {
  return suggestingOption(
    "--kernel <version>",
    `which Linux: a version, or what uname -r prints; known are ${kernelVersions.join(", ")} (default: ${defaultKernel})`,
    kernelVersions,
  );
}

/** Which Linux a trace is of; checked before the trace is opened. */
export function tracedKernelOption(): Option {
  return suggestingOption(
    "--kernel <version>",
    "which Linux the trace is of, if the recording does not say so: a version, or what uname -r printed " +
      `(default: ${defaultKernel}); known are ${kernelVersions.join(", ")}`,
    kernelVersions,
  ).argParser((text: string) => resolveKernel(text, "--kernel").asked);
}

/** Which Linux a synthetic workload is of. */
export function simulatedKernelOption(): Option {
  return suggestingOption(
    "--kernel <version>",
    `which Linux: a version, or what uname -r prints; known are ${kernelVersions.join(", ")} (default: as the profile says)`,
    kernelVersions,
  ).argParser((text: string) => resolveKernel(text, "--kernel").asked);
}

/** The head of a result: the kernel, what it was taken for, and what it has against the hazards itself. */
export function kernelLine(kernel: ResolvedKernel): string {
  return `kernel: ${kernelText(kernel)}; by itself it has ${kernel.record.ships}`;
}
