// Images from files, with the listings that lie beside them. Node-only: not part of the entry point "stalewalk/image".
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { hex } from "../base/notation.js";
import { isGzip } from "../formats/gzip.js";
import { openFile } from "../formats/node.js";
import { unpack } from "../formats/unpack.js";
import { type CoreImage, readCore } from "./core.js";
import { CoreFormatError, ImageError } from "./error.js";
import { openCore } from "./open.js";
import type { ByteSource } from "./source.js";

/** Largest text beside a core that is read, in bytes, inflated: a million leaves. */
const MAX_TEXT_BYTES = 64 * 2 ** 20;
/** Bound for the small texts beside a core, its registers and its record: room for thousands of CPUs. */
export const MAX_RECORD_BYTES = 8 * 2 ** 20;

/** An open core file. */
export interface CoreFile {
  /** The image; its frames may be read from the file on demand. */
  image: CoreImage;
  /** Closes the file; frames can't be read afterwards. Does nothing for a core that had to be read whole. */
  close(): void;
}

/** Files that belong to a core `NAME.core[.gz]`, as paths; a missing one is undefined. Each may end in `.gz`. */
export interface Companions {
  /** `NAME.info-tlb.txt` */
  tlb: string | undefined;
  /** `NAME.info-mem.txt` */
  mem: string | undefined;
  /** `NAME.info-registers.txt` */
  registers: string | undefined;
  /** `NAME.json` */
  json: string | undefined;
}

/**
 * Opens a core file. A plain one is read frame by frame as frames are asked for; one in gzip, or from a pipe, whole.
 *
 * @param options.maxBytes largest inflated size of a gzip file, in bytes; default 4 GiB
 * @throws CoreFormatError, GzipError, or the system's error for a file that can't be read
 * @example
 * ```ts
 * import { openCoreFile } from "stalewalk/image/node";
 *
 * const { image, close } = await openCoreFile("vm.core.gz");
 * console.log(image.frame(0x407c)?.length, image.frame(0)); // 4096 undefined
 * close();
 * ```
 */
export async function openCoreFile(path: string, options: { maxBytes?: number } = {}): Promise<CoreFile> {
  if (!statSync(path).isFile()) return { image: await openStream(path, options), close() {} };
  const source = fileSource(path);
  try {
    if (source.size < 2 || !isGzip(source.read(0, 2))) {
      return { image: readCore(source, { file: path }), close: () => source.close() };
    }
    source.close();
    return { image: await openStream(path, options), close() {} };
  } catch (error) {
    source.close();
    throw error;
  }
}

async function openStream(path: string, options: { maxBytes?: number }): Promise<CoreImage> {
  return openCore(openFile(path), { file: path, ...options });
}

/** A {@link ByteSource} over an open file. */
export interface FileSource extends ByteSource {
  /** Closes the file; reads fail from then on. */
  close(): void;
}

/**
 * A {@link ByteSource} over a file; its reads are copies.
 * @throws the file system's error if the file cannot be opened or, later, read; CoreFormatError, later, if it is shorter than it was
 */
export function fileSource(path: string): FileSource {
  const descriptor = openSync(path, "r");
  let open = true;
  const { size } = fstatSync(descriptor);
  return {
    size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const got = readSync(descriptor, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
        if (got === 0) {
          const value = `${done} byte(s)`;
          throw new CoreFormatError("data read", { file: path, offset, value, expected: `${hex(length)} bytes` });
        }
        done += got;
      }
      return bytes;
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/** Finds the files that belong to a core. */
export function findCompanions(path: string): Companions {
  const base = path.replace(/\.gz$/, "").replace(/\.core$/, "");
  const find = (ending: string) => [`${base}.${ending}`, `${base}.${ending}.gz`].find((name) => existsSync(name));
  return {
    tlb: find("info-tlb.txt"),
    mem: find("info-mem.txt"),
    registers: find("info-registers.txt"),
    json: find("json"),
  };
}

/**
 * Reads a text file (UTF-8), inflating it first if it is gzip data.
 *
 * @param options.maxBytes largest size allowed, in bytes, inflated; default 64 MiB
 * @throws ImageError if the file is larger, or has a zero byte, as no text has
 */
export async function readText(path: string, options: { maxBytes?: number } = {}): Promise<string> {
  const { maxBytes = MAX_TEXT_BYTES } = options;
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const piece of unpack(openFile(path), { file: path })) {
    const zero = piece.indexOf(0);
    if (zero >= 0) throw new ImageError(path, `offset ${hex(size + zero)}: a zero byte; expected text`);
    size += piece.length;
    if (size > maxBytes) throw new ImageError(path, `a text of more than ${maxBytes} bytes, which is the most allowed`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}
