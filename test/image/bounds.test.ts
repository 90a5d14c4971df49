// Case X8: what a file claims is judged before memory is spent on it; and case X7: segments without an address.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGzip, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GzipError } from "../../src/formats/unpack.js";
import { BlockStore } from "../../src/image/block-store.js";
import { readCore } from "../../src/image/core.js";
import { CoreFormatError, ImageError } from "../../src/image/error.js";
import { openCoreFile, readText } from "../../src/image/node.js";
import { openCore } from "../../src/image/open.js";
import { amount } from "../support/effort.js";
import { buildCore, qemuNote, table } from "./build-core.js";

const MIB = 2 ** 20;
/** MiB of memory that should take no room. */
const SIZE = amount({ quick: 128, full: 128, nightly: 512 });
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** `head`, then `count` times a mebibyte of `fill`, in gzip. */
async function bomb(head: Uint8Array, fill: Uint8Array, count: number): Promise<Uint8Array> {
  const gzip = createGzip();
  const parts: Uint8Array[] = [];
  gzip.on("data", (part: Uint8Array) => parts.push(part));
  const ended = new Promise((resolve) => gzip.on("end", resolve));
  gzip.write(head);
  for (let i = 0; i < count; i++) {
    if (!gzip.write(fill)) await new Promise((resolve) => gzip.once("drain", resolve));
  }
  gzip.end();
  await ended;
  return Buffer.concat(parts);
}

/** How many bytes of compressed data a reader took of a source. */
function counted(bytes: Uint8Array): { source: AsyncIterable<Uint8Array>; taken: () => number } {
  let taken = 0;
  async function* source() {
    for (let at = 0; at < bytes.length; at += 4096) {
      taken = Math.min(bytes.length, at + 4096);
      yield bytes.subarray(at, at + 4096);
    }
  }
  return { source: source(), taken: () => taken };
}

/** A core whose one segment is said to be as large as this. */
function coreNaming(size: number): Uint8Array {
  const root = table({ 0: 0x2003n });
  const core = buildCore({ segments: [{ address: 0x1000n, bytes: root }], notes: [qemuNote({ cr3: 0x1000n })] });
  const load = new DataView(core.buffer, 64 + 56);
  load.setBigUint64(32, BigInt(size), true);
  load.setBigUint64(40, BigInt(size), true);
  return core;
}

describe("X8: more than there should be", () => {
  it("zeros without end in gzip is refused by its first bytes", async () => {
    const packed = await bomb(new Uint8Array(0), new Uint8Array(MIB), amount({ quick: 64, full: 128, nightly: 1024 }));
    expect(packed.length).toBeLessThan(2 * MIB);
    const { source, taken } = counted(packed);
    await expect(openCore(source, { file: "zeros.core.gz" })).rejects.toThrow(
      /offset 0x0: magic number is 0x0, expected/,
    );
    expect(taken()).toBeLessThanOrEqual(1 << 16);
    const path = join(folder, "zeros.core.gz");
    writeFileSync(path, packed);
    await expect(openCoreFile(path)).rejects.toThrow(CoreFormatError);
  });

  it("so is a core of another machine", async () => {
    const core = coreNaming(1024 * MIB);
    new DataView(core.buffer).setUint16(18, 183, true);
    const { source, taken } = counted(await bomb(core, new Uint8Array(MIB), 64));
    await expect(openCore(source)).rejects.toThrow("e_machine is 0xb7");
    expect(taken()).toBeLessThanOrEqual(1 << 16);
  });

  it("a core whose headers name more than is allowed is refused by its headers", async () => {
    const { source, taken } = counted(await bomb(coreNaming(5 * 2 ** 30), new Uint8Array(MIB), 64));
    await expect(openCore(source, { file: "big" })).rejects.toThrow(
      /^big: the core's headers name \d+ bytes; inflates to more than 4294967296 bytes; raise maxBytes to allow it$/,
    );
    expect(taken()).toBeLessThanOrEqual(1 << 16);
    await expect(
      openCore(await bomb(coreNaming(2 * MIB), new Uint8Array(MIB), 3), { maxBytes: 2 * MIB }),
    ).rejects.toThrow(GzipError);
  });

  it.each([
    ["zeros", new Uint8Array(MIB)],
    ["one page over and over", new Uint8Array(MIB).map((_, i) => i & 0xfff)],
  ])("memory of %s takes no room, and is read as it is", async (_, fill) => {
    const packed = await bomb(coreNaming(SIZE * MIB), fill, SIZE);
    const before = process.memoryUsage().arrayBuffers;
    const image = await openCore(packed);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * MIB);
    expect(image.frameCount).toBe(SIZE * 256);
    // The first page of the fill lies behind the root, at the frame after it.
    const frame = image.frame(SIZE * 200)!;
    expect(Buffer.compare(frame, fill.subarray(0, 4096))).toBe(0);
  });

  it("what no header names is not kept", async () => {
    const core = buildCore({ segments: [{ address: 0x1000n, bytes: table({ 0: 1n }) }] });
    const noise = new Uint8Array(MIB).map((_, i) => (i * i * 7) >> 5);
    const packed = await bomb(core, noise, 100);
    const before = process.memoryUsage().arrayBuffers;
    const image = await openCore(packed);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60 * MIB);
    expect(image.frame(1)![0]).toBe(1);
  });

  it("a listing of zeros is refused at its first zero, one without end by its size", async () => {
    const zeros = join(folder, "vm.info-tlb.txt.gz");
    writeFileSync(zeros, await bomb(new Uint8Array(0), new Uint8Array(MIB), 80));
    await expect(readText(zeros)).rejects.toThrow(/info-tlb\.txt\.gz: offset 0x0: a zero byte; expected text$/);
    const blanks = join(folder, "vm.info-mem.txt.gz");
    writeFileSync(blanks, await bomb(Buffer.from("0000"), new Uint8Array(MIB).fill(32), 80));
    await expect(readText(blanks)).rejects.toThrow(ImageError);
    await expect(readText(blanks)).rejects.toThrow(/a text of more than 67108864 bytes, which is the most allowed$/);
    const small = join(folder, "vm.json");
    writeFileSync(small, "12345");
    await expect(readText(small, { maxBytes: 4 })).rejects.toThrow("a text of more than 4 bytes");
    expect(await readText(small, { maxBytes: 5 })).toBe("12345");
  });

  it("says what lies behind the gzip data, and reads the core", async () => {
    const core = buildCore({ segments: [{ address: 0x1000n, bytes: table({ 0: 1n }) }] });
    const packed = gzipSync(core);
    const image = await openCore(Buffer.concat([packed, Buffer.from("garbage")]), { file: "t.gz" });
    expect(image.frameCount).toBe(1);
    expect(image.warnings).toEqual([
      `gzip data at offset ${packed.length}: 7 or more bytes after the end are no gzip member; they are left out`,
    ]);
  });
});

describe("a block store", () => {
  it("gives what came, in any pieces and at any offset", () => {
    const bytes = new Uint8Array(300_000).map((_, i) => (i < 140_000 ? 0 : (i * 31) >> 3));
    for (const size of [9000, 65_536, 70_001, 300_000]) {
      const store = new BlockStore();
      for (let at = 0; at < bytes.length; at += size) {
        store.append(bytes.subarray(at, at + size));
        expect(Buffer.compare(store.read(0, store.size), bytes.subarray(0, store.size))).toBe(0);
      }
      for (const [offset, length] of [
        [0, 0],
        [65_535, 2],
        [131_072, 65_536],
        [139_999, 131_073],
        [299_999, 1],
      ] as const) {
        expect(Buffer.compare(store.read(offset, length), bytes.subarray(offset, offset + length))).toBe(0);
      }
    }
  });
});

describe("X7: segments as in /proc/kcore", () => {
  const page = (fill: number) => new Uint8Array(4096).fill(fill);
  const withAddress = (index: number, address: bigint, size?: bigint) => {
    const core = buildCore({
      segments: [
        { address: 0x1000n, bytes: page(1) },
        { address: 0x2000n, bytes: page(2) },
      ],
    });
    const load = new DataView(core.buffer, 64 + 56 * index);
    load.setBigUint64(24, address, true);
    if (size !== undefined) {
      // As vmalloc's: as large as the area, and nowhere near the size of the file.
      load.setBigUint64(8, 0x7fff_ffff_0000n, true);
      load.setBigUint64(32, size, true);
      load.setBigUint64(40, size, true);
    }
    return readCore(core, { file: "kcore" });
  };

  it.each([undefined, 1n << 45n, (1n << 64n) - 1n])(
    "one without a physical address is left out with a warning",
    (size) => {
      const image = withAddress(1, 0xffff_ffff_ffff_ffffn, size);
      expect(image.frameCount).toBe(1);
      expect(image.frame(1)![0]).toBe(1);
      expect(image.segments).toHaveLength(1);
      expect(image.warnings).toHaveLength(1);
      expect(image.warnings[0]).toMatch(
        /^program header 1: p_paddr is -1: memory without a physical address; its 0x[0-9a-f]+ bytes/,
      );
    },
  );

  it("one whose address is only too high is refused", () => {
    expect(() => withAddress(1, 0xffff_ffff_ffff_fffen)).toThrow(/p_paddr \+ p_memsz is 0x10000000000000ffe/);
    expect(() => withAddress(1, 1n << 52n)).toThrow(/52 bits of physical address/);
  });

  it("of thousands the first are told and the rest counted", () => {
    const segments = Array.from({ length: 5000 }, () => ({ address: 0x1000n, bytes: page(1) }));
    const { warnings } = readCore(buildCore({ segments }), { file: "kcore" });
    expect(warnings).toHaveLength(21);
    expect(warnings.at(-1)).toBe("4979 more warnings like the last one");
  });
});
