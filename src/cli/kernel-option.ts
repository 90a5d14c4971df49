// `--kernel`, the same in every command that has a kernel, and the line that says which one was taken. Node-only.
import { Option } from "commander";
import { defaultKernel, kernelText, kernelVersions, type ResolvedKernel } from "../kernel/versions.js";

/** Which Linux. */
export function kernelOption(): Option {
  return new Option(
    "--kernel <version>",
    `which Linux: a version, or what uname -r prints; known are ${kernelVersions.join(", ")} (default: ${defaultKernel})`,
  );
}

/** The head of a result: the kernel, what it was taken for, and what it has against the hazards itself. */
export function kernelLine(kernel: ResolvedKernel): string {
  return `kernel: ${kernelText(kernel)}; by itself it has ${kernel.record.ships}`;
}
