// The ELF reader: what it accepts, and that what it refuses is named by file, offset, value and expectation.
import { describe, expect, it } from "vitest";
import { GzipError } from "../../src/formats/unpack.js";
import { type CoreImage, readCore } from "../../src/image/core.js";
import { CoreFormatError } from "../../src/image/error.js";
import { openCore } from "../../src/image/open.js";
import { memorySource } from "../../src/image/source.js";
import { type BuildOptions, buildCore, gzip, qemuNote, table } from "./build-core.js";

const page = (fill: number) => new Uint8Array(4096).fill(fill);
const pages = (...fills: number[]) => Uint8Array.from(fills.flatMap((fill) => [...page(fill)]));
const read = (options: BuildOptions) => readCore(buildCore(options), { file: "t.core" });
const fillOf = (image: CoreImage, frame: number) => image.frame(frame)?.[0];

/** Reads a core after one change to its bytes, and returns the error. */
function refusal(options: BuildOptions, change: (view: DataView, bytes: Uint8Array) => void): CoreFormatError {
  const bytes = buildCore(options);
  change(new DataView(bytes.buffer), bytes);
  try {
    readCore(bytes, { file: "t.core" });
  } catch (error) {
    expect(error).toBeInstanceOf(CoreFormatError);
    return error as CoreFormatError;
  }
  throw new Error("the core was accepted");
}

describe("frames", () => {
  it("finds frames of sparse segments, and only those", () => {
    const image = read({
      segments: [
        { address: 0x5000n, bytes: pages(1, 2) },
        { address: 0xfffff_ffff_f000n, bytes: page(3) },
        { address: 0x1000n, bytes: page(4) },
      ],
    });
    expect([1, 5, 6, 0xfffffffff].map((frame) => fillOf(image, frame))).toEqual([4, 1, 2, undefined]);
    expect(fillOf(image, 0xff_ffff_ffff)).toBe(3);
    expect([0, 2, 4, 7, -1].map((frame) => image.has(frame))).toEqual([false, false, false, false, false]);
    expect(image.frameCount).toBe(4);
    expect(image.warnings).toEqual([]);
  });

  it("takes memory beyond p_filesz as not saved", () => {
    const image = read({ segments: [{ address: 0x1000n, bytes: page(1), memorySize: 0x3000n }] });
    expect(image.has(1)).toBe(true);
    expect(image.has(2)).toBe(false);
  });

  it("leaves out incomplete frames of unaligned segments, with a warning", () => {
    const image = read({ segments: [{ address: 0x1800n, bytes: pages(1, 2, 3) }] });
    expect(image.frameCount).toBe(2);
    expect(image.frame(2)?.slice(0, 2049)).toEqual(Uint8Array.from([...new Array(2048).fill(1), 2]));
    expect(image.warnings).toHaveLength(1);
    expect(image.warnings[0]).toMatch(/program header 0: p_paddr 0x1800 .* 4096 byte\(s\)/);
  });

  it("takes the lower segment where two overlap, with a warning", () => {
    const image = read({
      segments: [
        { address: 0x2000n, bytes: pages(11, 12, 13) },
        { address: 0x1000n, bytes: pages(21, 22) },
        { address: 0x2000n, bytes: page(31) },
      ],
    });
    expect([1, 2, 3, 4].map((frame) => fillOf(image, frame))).toEqual([21, 22, 12, 13]);
    expect(image.warnings).toHaveLength(2);
    expect(image.warnings[0]).toMatch(/program header 0: 1 frame\(s\) from 0x2 overlap/);
  });

  it("does not warn of two segments over the same bytes of the file", () => {
    const bytes = pages(1, 2);
    const image = read({
      segments: [
        { address: 0x1000n, bytes },
        { address: 0x1000n, bytes, sameBytesAs: 0 },
      ],
    });
    expect(image.frameCount).toBe(2);
    expect(image.warnings).toEqual([]);
  });

  it("reads through any source, not only memory", () => {
    const bytes = buildCore({ segments: [{ address: 0x1000n, bytes: page(7) }] });
    const inner = memorySource(bytes);
    const source = { size: inner.size, read: (offset: number, length: number) => inner.read(offset, length).slice() };
    expect(fillOf(readCore(source), 1)).toBe(7);
  });
});

describe("headers", () => {
  const one: BuildOptions = { segments: [{ address: 0x1000n, bytes: page(1) }] };

  it("takes the number of program headers from section header 0 if e_phnum is PN_XNUM", () => {
    const image = read({ ...one, notes: [qemuNote({ cr3: 0x1000n })], extendedCount: true });
    expect(fillOf(image, 1)).toBe(1);
    expect(image.cpus).toHaveLength(1);
  });

  it("reads more than 65535 segments", () => {
    const segments = Array.from({ length: 70_000 }, (_, i) => ({
      address: BigInt(i) * 0x2000n,
      bytes: table({ 0: BigInt(i) }),
      ...(i > 0 && { sameBytesAs: 0 }),
    }));
    const image = readCore(buildCore({ segments, extendedCount: true }));
    expect(image.frameCount).toBe(70_000);
    expect(image.has(139_998)).toBe(true);
    expect(image.has(139_999)).toBe(false);
  });

  it.each<[string, (view: DataView, bytes: Uint8Array) => void, Partial<CoreFormatError>]>([
    ["another magic number", (_, b) => b.set([0x7e], 0), { offset: 0, value: "0x7e454c46" }],
    ["ELF32", (_, b) => b.set([1], 4), { offset: 4, value: "0x1" }],
    ["big endian", (_, b) => b.set([2], 5), { offset: 5, value: "0x2" }],
    ["an executable", (v) => v.setUint16(16, 2, true), { offset: 16, value: "0x2" }],
    ["another machine", (v) => v.setUint16(18, 183, true), { offset: 18, value: "0xb7" }],
    ["another header size", (v) => v.setUint16(54, 32, true), { offset: 54, value: "0x20" }],
    ["headers beyond the file", (v) => v.setBigUint64(32, 0x2000n, true), { offset: 0x2000, value: "0x2038" }],
    ["an e_phoff of 64 bits", (v) => v.setBigUint64(32, 2n ** 63n, true), { offset: 32 }],
    ["PN_XNUM without sections", (v) => v.setUint16(56, 0xffff, true), { offset: 40, value: "0" }],
    ["a segment beyond the file", (v) => v.setBigUint64(72, 0x1001n, true), { offset: 72, value: "0x2001" }],
    ["a p_filesz of 64 bits", (v) => v.setBigUint64(96, 2n ** 64n - 1n, true), { offset: 96 }],
    ["a p_memsz below p_filesz", (v) => v.setBigUint64(104, 0xfffn, true), { offset: 104, value: "0xfff" }],
    ["physical addresses above 52 bits", (v) => v.setBigUint64(88, 2n ** 52n, true), { offset: 88 }],
  ])("refuses %s", (_, change, expected) => {
    const error = refusal(one, change);
    expect(error).toMatchObject({ file: "t.core", ...expected });
    expect(error.message).toMatch(/^t\.core: offset 0x[0-9a-f]+: .* is .*, expected ./);
  });

  it.each([0, 1, 63])("refuses a file of %i bytes", (length) => {
    expect(() => readCore(buildCore(one).subarray(0, length))).toThrow(CoreFormatError);
  });
});

describe("notes", () => {
  const prstatus = { name: "CORE", type: 1, content: new Uint8Array(337).fill(0xff) };

  it("reads the registers of every CPU and steps over other notes", () => {
    const other = { name: "VMCOREINFO", type: 0, content: new Uint8Array(5) };
    const notes = [prstatus, other, qemuNote({ cr3: 0x1000n, cs: 0x10 }), qemuNote({ cr3: 0x2000n, cr4: 0x1020n })];
    const { cpus } = read({ notes });
    expect(cpus.map(({ index, cr3, cr4, cpl }) => ({ index, cr3, cr4, cpl }))).toEqual([
      { index: 0, cr3: 0x1000n, cr4: 0x20n, cpl: 0 },
      { index: 1, cr3: 0x2000n, cr4: 0x1020n, cpl: 3 },
    ]);
    expect(cpus[0]).toMatchObject({ cr0: 0x80010000n, kernelGsBase: 0xffff888000000000n });
  });

  it("reads the shorter note of older QEMU versions", () => {
    const [cpu] = read({ notes: [qemuNote({ cr3: 0x1000n }, { size: 432 })] }).cpus;
    expect(cpu).toMatchObject({ cr3: 0x1000n, kernelGsBase: undefined });
  });

  it("does not take a note named QEMU of another type for a CPU", () => {
    expect(read({ notes: [{ ...qemuNote({}), type: 1 }] }).cpus).toEqual([]);
  });

  it("refuses QEMU notes of another version or size", () => {
    const noteWith = (options: object) => () => read({ notes: [qemuNote({}, options)] });
    expect(noteWith({ version: 2 })).toThrow("version of the QEMU note of CPU 0 is 2, expected 1");
    expect(noteWith({ size: 431, length: 431 })).toThrow(
      "size of the QEMU note of CPU 0 is 431, expected at least 432",
    );
    expect(noteWith({ size: 441, length: 440 })).toThrow("stated size of the QEMU note of CPU 0 is 441");
  });

  it("refuses notes that leave their segment", () => {
    const error = refusal({ notes: [prstatus] }, (view) => view.setUint32(64 + 56 + 4, 341, true));
    expect(error).toMatchObject({ offset: 120, value: "0x1e1", expected: "at most the end of the note segment 0x1e0" });
    const cut = refusal({ notes: [prstatus] }, (view) => view.setBigUint64(96, 5n, true));
    expect(cut).toMatchObject({ offset: 120, value: "5 byte(s)", expected: "12" });
  });
});

describe("gzip", () => {
  const core = buildCore({ segments: [{ address: 0x1000n, bytes: page(9) }] });

  it("is inflated without being asked", async () => {
    expect(fillOf(await openCore(await gzip(core)), 1)).toBe(9);
    expect(fillOf(await openCore(core), 1)).toBe(9);
  });

  it("is bounded in its inflated size", async () => {
    const packed = await gzip(core);
    await expect(openCore(packed, { file: "t.gz", maxBytes: core.length - 1 })).rejects.toThrow(GzipError);
    await expect(openCore(packed, { file: "t.gz", maxBytes: core.length })).resolves.toBeDefined();
    const bomb = await gzip(new Uint8Array(64 * 2 ** 20));
    await expect(openCore(bomb, { file: "t.gz", maxBytes: 2 ** 20 })).rejects.toThrow(
      "t.gz: inflates to more than 1048576",
    );
  });

  it("is refused if it is cut or damaged", async () => {
    const packed = await gzip(core);
    for (const length of [2, 10, packed.length >> 1, packed.length - 1]) {
      const cut = openCore(packed.subarray(0, length), { file: "t.gz" });
      await expect(cut, `${length} bytes`).rejects.toThrow(/^t\.gz: damaged or cut gzip data/);
    }
    const damaged = packed.slice();
    damaged[packed.length - 6]! ^= 1;
    await expect(openCore(damaged)).rejects.toThrow(GzipError);
  });
});
