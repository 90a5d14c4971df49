// Cores as streams: inflated where they are gzip, and judged by their headers as soon as these are there, before memory is
// spent on the rest.
import { checkFields } from "../base/known-fields.js";
import type { ByteStream } from "../formats/bytes.js";
import { isGzip } from "../formats/gzip.js";
import { DEFAULT_MAX_INFLATED_BYTES, GzipError, unpack } from "../formats/unpack.js";
import { BlockStore } from "./block-store.js";
import { CORE_FIELDS, type CoreImage, type CoreOptions, checkHeader, HEADER_SIZE, namedEnd, readCore } from "./core.js";
import { RECOGNISED_BYTES } from "./recognise.js";

/**
 * Reads a core from memory or from a stream, inflating it first if it is gzip data. What its headers do not name, and
 * memory that is all zero, takes no room.
 *
 * @throws CoreFormatError as {@link readCore}; GzipError if the gzip data is damaged or inflates beyond `maxBytes`
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { openCore } from "stalewalk/image";
 *
 * const file = "vm.core.gz"; // of QEMU's dump-guest-memory; in a browser give a File
 * const image = await openCore(readFileSync(file), { file });
 * console.log(image.frameCount, image.cpus.length, image.warnings); // 68 2 []
 * ```
 */
export async function openCore(input: ByteStream, options: CoreOptions = {}): Promise<CoreImage> {
  checkFields(options, CORE_FIELDS);
  if (input instanceof Uint8Array && !isGzip(input)) return readCore(input, options);
  const { file = "core", maxBytes = DEFAULT_MAX_INFLATED_BYTES } = options;
  const store = new BlockStore();
  const warnings: string[] = [];
  const onGarbage = (warning: string) => warnings.push(`gzip data ${warning}`);
  let checked = false;
  for await (const piece of unpack(input, { file, maxBytes, onGarbage })) {
    store.append(piece);
    if (!checked && store.size >= HEADER_SIZE) {
      checkHeader(store.read(0, Math.min(store.size, RECOGNISED_BYTES)), file);
      checked = true;
    }
    if (checked && store.limit === Number.POSITIVE_INFINITY) {
      store.limit = namedEnd(store, file) ?? Number.POSITIVE_INFINITY;
      if (store.limit !== Number.POSITIVE_INFINITY && store.limit > maxBytes) {
        const named = `the core's headers name ${store.limit} bytes`;
        throw new GzipError(file, `${named}; inflates to more than ${maxBytes} bytes; raise maxBytes to allow it`);
      }
    }
  }
  return readCore(store, { ...options, warnings });
}
