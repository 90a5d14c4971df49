// The shell script that records a trace this reader understands, made for one kernel. What it sets up is in record-probes.ts
// and record-kernels.ts, how it goes about it in record-script.ts.

import { type NearestVersion, nearestVersion } from "../base/kernel-version.js";
import { checkFields } from "../base/known-fields.js";
import { kernelRecord, RECORD_KERNELS, type RecordKernel } from "./record-kernels.js";
import { probeName, probesFor } from "./record-probes.js";
import { recorderScript } from "./record-script.js";

export { RECORD_KERNELS, type RecordKernel } from "./record-kernels.js";

/** Options of {@link recordHelp}. */
export interface RecordOptions {
  /** Which kernel will be traced: a version, or what `uname -r` prints on it. Default: the newest of {@link RECORD_KERNELS}. */
  readonly kernel?: string;
  /** Buffer per CPU in KiB. Default 65536: some 400000 events. */
  readonly bufferKiB?: number;
}

/**
 * The recorder that serves a kernel: the nearest version not above it inside its series, else one of the nearest series below.
 * @throws InvalidOptionError if it is no version, or older than all of {@link RECORD_KERNELS}
 */
export function recorderFor(kernel: string = RECORD_KERNELS.at(-1)!): NearestVersion<RecordKernel> {
  return nearestVersion(RECORD_KERNELS, kernel, "kernel");
}

/**
 * The script, for a POSIX shell run by root on the machine to be traced.
 * @throws InvalidOptionError for a kernel that {@link recorderFor} refuses
 * @throws RangeError if the buffer is not a whole number of KiB
 * @example
 * ```ts
 * import { recordHelp } from "stalewalk/trace";
 *
 * // A script, for root on the machine to be traced.
 * console.log(recordHelp({ kernel: "6.12" }).split("\n")[0]); // #!/bin/sh
 * ```
 */
export function recordHelp(options: RecordOptions = {}): string {
  checkFields(options, { kernel: true, bufferKiB: true });
  const { bufferKiB = 65536 } = options;
  const { asked, version, note } = recorderFor(options.kernel);
  if (!Number.isInteger(bufferKiB) || bufferKiB < 64 || bufferKiB > 1 << 22) {
    throw new RangeError(`bufferKiB: ${bufferKiB}, expected a whole number from 64 to ${1 << 22}`);
  }
  const { sites, unseen, source } = kernelRecord(version);
  const probes = probesFor(version);
  const names = new Set(probes.map(probeName));
  const inside = (functions: readonly string[]): string => `$(inside pc ${functions.join(" ")})`;
  const filters = [
    { event: "free_pages", functions: sites.free_pages, filter: inside(sites.free_pages) },
    { event: "__free_pages", functions: sites.__free_pages, filter: inside(sites.__free_pages) },
    { event: "flush_one_kernel", functions: [], filter: "$(outside pc do_kernel_range_flush)" },
    { event: "pmd_alloc", functions: [], filter: "addr >= 0xffff800000000000" },
    { event: "pud_alloc", functions: [], filter: "addr >= 0xffff800000000000" },
  ].filter(({ event }) => names.has(event));
  return recorderScript({
    kernel: version,
    madeFor: note === "" ? "" : `${asked}: ${note}`,
    next: RECORD_KERNELS[RECORD_KERNELS.indexOf(version) + 1],
    source,
    bufferKiB,
    probes,
    filters,
    unseen,
  });
}
