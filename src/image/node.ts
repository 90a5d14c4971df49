// Images from files, with the listings that lie beside them. Node-only: not part of the entry point "stalewalk/image".
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { gunzip, isGzip } from "../formats/gzip.js";
import { type CoreImage, openCore, readCore } from "./core.js";
import { CoreFormatError, hex } from "./error.js";
import type { ByteSource } from "./source.js";

// Below this a file is read at once; above, frame by frame, since a core may be as large as the machine's memory.
const READ_AT_ONCE_BYTES = 256 * 2 ** 20;

/** An open core file. */
export interface CoreFile {
  /** The image; its frames may be read from the file on demand. */
  image: CoreImage;
  /** Closes the file; frames can't be read afterwards. Does nothing for a core that was read at once. */
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
 * Opens a core file, gzip or not. A large uncompressed one is read frame by frame.
 *
 * @param options.maxBytes largest inflated size of a gzip file, in bytes; default 4 GiB
 * @throws CoreFormatError, GzipError, or the system's error for a file that can't be read
 */
export async function openCoreFile(path: string, options: { maxBytes?: number } = {}): Promise<CoreFile> {
  if (statSync(path).size <= READ_AT_ONCE_BYTES) {
    const image = await openCore(readFileSync(path), { file: path, ...options });
    return { image, close() {} };
  }
  const source = fileSource(path);
  try {
    if (isGzip(source.read(0, 2))) {
      const bytes = await gunzip(source.read(0, source.size), { file: path, ...options });
      source.close();
      return { image: readCore(bytes, { file: path }), close() {} };
    }
    return { image: readCore(source, { file: path }), close: () => source.close() };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** A {@link ByteSource} over an open file. */
export interface FileSource extends ByteSource {
  /** Closes the file; reads fail from then on. */
  close(): void;
}

/** A {@link ByteSource} over a file; its reads are copies. */
export function fileSource(path: string): FileSource {
  const descriptor = openSync(path, "r");
  let open = true;
  const size = statSync(path).size;
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

/** Reads a text file (UTF-8), inflating it first if it is gzip data. */
export async function readText(path: string): Promise<string> {
  const bytes = readFileSync(path);
  return new TextDecoder().decode(isGzip(bytes) ? await gunzip(bytes, { file: path }) : bytes);
}
