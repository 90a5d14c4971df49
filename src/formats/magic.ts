// Formats by their first bytes, where they are none that this library reads: what they are called, and the command that
// makes something readable of them. Whoever refuses a file looks here first.

/** A format told by its magic number. */
export interface Format {
  /** What the file is, e.g. `zstd-compressed`. */
  readonly what: string;
  /** The command that opens it, as a reader would type it. */
  readonly command: string;
}

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

/** A magic number; undefined stands for any byte. */
type Magic = readonly (number | undefined)[];

// A task may be called BZh or LZIP, and text may begin with its name: so more of these is looked at than their letters.
const COMPRESSED: readonly (readonly [magic: Magic, what: string, command: string, at?: number])[] = [
  [[0x28, 0xb5, 0x2f, 0xfd], "zstd-compressed", "zstd -dc FILE"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz-compressed", "xz -dc FILE"],
  [[...ascii("BZh"), undefined, ...ascii("1AY&")], "bzip2-compressed", "bzip2 -dc FILE"],
  [[0x04, 0x22, 0x4d, 0x18], "lz4-compressed", "lz4 -dc FILE"],
  [[0x89, 0x4c, 0x5a, 0x4f], "lzop-compressed", "lzop -dc FILE"],
  [[...ascii("LZIP"), 1], "lzip-compressed", "lzip -dc FILE"],
  [[0x1f, 0x9d], "compressed by compress", "uncompress -c FILE"],
  [[0xff, 0x06, 0x00, 0x00, ...ascii("sNaP")], "snappy-compressed", "snzip -dc FILE"],
  [[0x50, 0x4b, 0x03, 0x04], "a zip archive", "unzip -p FILE"],
  [[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7-Zip archive", "7z x -so FILE"],
  [ascii("ustar"), "a tar archive", "tar -xOf FILE", 257],
];

/** The compressed format or archive that a file with this beginning is, if it is one. */
export function compressedFormat(head: Uint8Array): Format | undefined {
  const found = COMPRESSED.find(([magic, , , at]) => startsWith(head, magic, at));
  return found && { what: found[1], command: found[2] };
}

/** True if `head` has these bytes at an offset. */
export function startsWith(head: Uint8Array, magic: Magic, at = 0): boolean {
  return magic.every((byte, i) => (byte === undefined ? at + i < head.length : head[at + i] === byte));
}
