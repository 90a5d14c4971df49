// Case X6: a file of another format is named, with the way to one that is read.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { CoreFormatError } from "../../src/image/error.js";
import { openCore } from "../../src/image/open.js";
import { concat } from "./build-core.js";

const ascii = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const page = (...parts: Uint8Array[]) => {
  const bytes = new Uint8Array(8192);
  bytes.set(concat(parts));
  return bytes;
};

/** A flattened dump: its header of 4096 bytes, then offset and size of the first piece, then the piece. */
function flattened(piece: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4096 + 16 + 4096);
  bytes.set(ascii("makedumpfile\0\0\0\0"));
  new DataView(bytes.buffer).setBigUint64(4096 + 8, 4096n);
  bytes.set(piece, 4096 + 16);
  return bytes;
}

/** The memory of a PC from address 0: vectors f000:ff53, and some that lead elsewhere. */
const raw = page(
  ...Array.from({ length: 32 }, (_, i) => Uint8Array.from([0x53, 0xff, 0x00, i % 4 === 3 ? 0x9f : 0xf0])),
);

const FORMATS: [string, Uint8Array, RegExp][] = [
  [
    "KDUMP",
    page(ascii("KDUMP   ")),
    /0x4b44554d \(a compressed dump \(KDUMP\)\).*: `dump-guest-memory FILE`.*makedumpfile -E/,
  ],
  ["DISKDUMP", page(ascii("DISKDUMP")), /a dump of diskdump/],
  [
    "flattened KDUMP",
    flattened(ascii("KDUMP   ")),
    /a flattened dump of makedumpfile that holds a compressed dump.*dump-guest-memory/,
  ],
  [
    "flattened ELF",
    flattened(ascii("\x7fELF")),
    /a flattened dump of makedumpfile\).*`makedumpfile -R NAME\.core < FILE`/,
  ],
  ["flattened, cut in its header", flattened(ascii("")).subarray(0, 100), /a flattened dump of makedumpfile\)/],
  ["LiME", page(ascii("EMiL"), Uint8Array.of(1, 0, 0, 0)), /0x454d694c \(memory recorded by LiME\).*dump-guest-memory/],
  ["AVML", page(ascii("AVML")), /memory recorded by AVML/],
  ["raw memory", raw, /raw memory.*dump-guest-memory.*no registers/],
  ["zstd", page(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)), /0x28b52ffd \(zstd-compressed\).*`zstd -dc FILE > NAME\.core`/],
  ["zstd of ten bytes", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0, 0, 0), /zstd-compressed/],
  ["xz", page(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)), /xz -dc FILE/],
  ["bzip2", page(ascii("BZh91AY&SY")), /bzip2 -dc FILE/],
  ["lz4", page(Uint8Array.of(4, 0x22, 0x4d, 0x18)), /lz4 -dc FILE/],
  ["lzop", page(Uint8Array.of(0x89, 0x4c, 0x5a, 0x4f)), /lzop -dc FILE/],
  ["zip", page(Uint8Array.of(0x50, 0x4b, 3, 4)), /unzip -p FILE/],
  ["tar", page(new Uint8Array(257).fill(0x61), ascii("ustar")), /tar -xOf FILE/],
  ["qcow2", page(ascii("QFI\xfb")), /a qcow2 disk image.*dump-guest-memory/],
  ["VMware", page(Uint8Array.of(0xd2, 0xbe, 0xd2, 0xbe)), /vmss2core/],
  ["VirtualBox", page(ascii("\x7fVirtualBox SavedState V2.0")), /dumpvmcore/],
  ["Windows", page(ascii("PAGEDU64")), /a crash dump of Windows/],
  ["libvirt", page(ascii("LibvirtQemudSave")), /a machine saved by libvirt/],
  ["perf.data", page(ascii("PERFILE2")), /stalewalk replay.*perf script/],
];

describe("X6: another format", () => {
  it.each(FORMATS)("%s is named, with the way out, plain and in gzip", async (_, bytes, message) => {
    for (const input of [bytes, gzipSync(bytes)]) {
      const error: unknown = await openCore(input, { file: "vm" }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(CoreFormatError);
      expect((error as CoreFormatError).message).toMatch(
        /^vm: offset 0x0: magic number is 0x[0-9a-f]+ \(.*, expected 0x7f454c46 /,
      );
      expect((error as CoreFormatError).message).toMatch(message);
    }
  });

  it.each<[string, Uint8Array]>([
    ["text", page(ascii("hello\n"))],
    ["five bytes", ascii("hello")],
    ["zeros", new Uint8Array(8192)],
    ["half a magic number", page(ascii("KDUM"))],
    ["memory without vectors", page(Uint8Array.of(1, 2, 3, 4))],
  ])("%s is refused without a guess", async (_, bytes) => {
    await expect(openCore(bytes, { file: "vm" })).rejects.toThrow(
      /^vm: offset 0x0: magic number is 0x[0-9a-f]+, expected 0x7f454c46 \(an ELF file\)$/,
    );
  });
});
