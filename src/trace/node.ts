// Node only: a trace file as a stream of chunks.
import { openFile } from "../formats/node.js";

/**
 * Opens a trace file, plain or gzip, for `parseTrace`; "-" is standard input. Gzip is inflated by Node's zlib, beside this
 * thread. Errors of the file system (no such file, a directory) come out of the iteration as Node's own, with code and path.
 * @example
 * ```ts
 * import { replay } from "stalewalk/replay";
 * import { openTrace } from "stalewalk/trace/node";
 *
 * const { policies } = await replay(openTrace("kernel.trace.txt"), { policies: ["deferred-free"] });
 * console.log(policies[0].policy.name, policies[0].iommu.walks > 0); // deferred-free true
 * ```
 */
export function openTrace(path: string): AsyncIterable<Uint8Array> {
  return openFile(path);
}
