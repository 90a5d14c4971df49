// Files: a core too large to read at once is read frame by frame, and the listings beside a core are found.
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CoreFormatError } from "../../src/image/error.js";
import { loadImage } from "../../src/image/load.js";
import { fileSource, findCompanions, openCoreFile, readText } from "../../src/image/node.js";
import { buildCore, gzip, qemuNote, table } from "./build-core.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a large core", () => {
  // A segment of 300 MiB, sparse on disk: the root in its first frame, the rest zero but for one entry in the last frame.
  const size = 300 * 2 ** 20;
  const frames = size / 4096;
  function writeLarge(name: string): string {
    const path = join(folder, name);
    const root = table({ 0: BigInt(frames) * 0x1000n + 3n });
    const core = buildCore({ segments: [{ address: 0x1000n, bytes: root }], notes: [qemuNote({ cr3: 0x1000n })] });
    const load = new DataView(core.buffer, 64 + 56);
    load.setBigUint64(32, BigInt(size), true);
    load.setBigUint64(40, BigInt(size), true);
    const offset = Number(load.getBigUint64(8, true));
    const file = openSync(path, "w");
    writeSync(file, core);
    ftruncateSync(file, offset + size);
    writeSync(file, table({ 1: 0x1003n }), 0, 4096, offset + size - 4096);
    closeSync(file);
    return path;
  }

  it("is read frame by frame", async () => {
    const { image, close } = await openCoreFile(writeLarge("large.core"));
    expect(image.frameCount).toBe(frames);
    const { graph } = await loadImage(image);
    expect([...graph.tables.keys()]).toEqual([1, frames]);
    expect(image.frame(2)).toEqual(new Uint8Array(4096));
    close();
    close();
    expect(() => image.frame(1)).toThrow();
  });

  it("that shrinks while it is open is reported as cut", async () => {
    const path = writeLarge("shrinks.core");
    const { image, close } = await openCoreFile(path);
    truncateSync(path, 8192 + 100);
    expect(() => image.frame(frames)).toThrow(CoreFormatError);
    expect(() => image.frame(frames)).toThrow(
      /shrinks\.core: offset 0x[0-9a-f]+: data read is 0 byte\(s\), expected 0x1000/,
    );
    close();
  });
});

it("a file source reads exactly what is asked", () => {
  const path = join(folder, "bytes");
  writeFileSync(path, Uint8Array.from([1, 2, 3, 4]));
  const source = fileSource(path);
  expect(source.size).toBe(4);
  expect([...source.read(1, 2)]).toEqual([2, 3]);
  expect(() => source.read(3, 2)).toThrow("data read is 1 byte(s), expected 0x2 bytes");
  source.close();
});

it("finds the files beside a core, plain before gzip, and reads both", async () => {
  const core = join(folder, "vm.core.gz");
  writeFileSync(join(folder, "vm.info-tlb.txt"), "plain");
  writeFileSync(join(folder, "vm.info-tlb.txt.gz"), await gzip(new TextEncoder().encode("packed")));
  writeFileSync(join(folder, "vm.info-registers.txt.gz"), await gzip(new TextEncoder().encode("packed")));
  const found = findCompanions(core);
  expect(found).toEqual({
    tlb: join(folder, "vm.info-tlb.txt"),
    mem: undefined,
    registers: join(folder, "vm.info-registers.txt.gz"),
    json: undefined,
  });
  expect(await readText(found.tlb!)).toBe("plain");
  expect(await readText(found.registers!)).toBe("packed");
});
