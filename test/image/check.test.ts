// The walker against QEMU: every leaf, every range of rights, every page found again by a probe.
import { beforeAll, describe, expect, it } from "vitest";
import { type CheckInput, checkImage } from "../../src/image/check.js";
import { readCore } from "../../src/image/core.js";
import { ImageError } from "../../src/image/error.js";
import { formatInfoMem, formatInfoTlb } from "../../src/image/listing.js";
import { type LoadedImage, loadImage } from "../../src/image/load.js";
import { findCompanions, openCoreFile, readText } from "../../src/image/node.js";
import { buildCore, qemuNote, table } from "./build-core.js";
import { images, title } from "./images.js";

describe.each(images)("a walker over an image", (image) => {
  describe.skipIf(!image.path)(title(image), () => {
    let loaded: LoadedImage;
    const input: CheckInput = {};
    beforeAll(async () => {
      loaded = await loadImage((await openCoreFile(image.path!)).image);
      const { tlb, mem, registers, json } = findCompanions(image.path!);
      const read = async (path: string) => ({ file: path, text: await readText(path) });
      if (tlb) input.tlb = await read(tlb);
      if (mem) input.mem = await read(mem);
      if (registers) input.registers = await read(registers);
      if (json) input.record = await read(json);
    });

    it("equals every listing, entry for entry", () => {
      const result = checkImage(loaded, input);
      expect(result.parts.filter((part) => part.differences > 0)).toEqual([]);
      expect(result.equal).toBe(true);
      const lines = input.tlb!.text.trimEnd().split("\n").length;
      const compared = Object.fromEntries(result.parts.map((part) => [part.name, part.compared]));
      expect(compared).toMatchObject({ "info tlb": lines, probes: 2 * lines });
      expect(compared["info registers"]).toBeGreaterThan(8);
      expect(compared["record"]).toBeGreaterThan(8);
      if (input.mem) expect(compared["info mem"]).toBe(input.mem.text.trimEnd().split("\n").length);
    });

    it("writes QEMU's text, byte for byte", () => {
      expect(formatInfoTlb(loaded.walker.mappings())).toBe(input.tlb!.text);
      if (input.mem) expect(formatInfoMem(loaded.walker.mappings(), loaded.context.rules.levels)).toBe(input.mem.text);
    });

    it("lists as many leaves as the audit counts", () => {
      const counts = [0, 0, 0, 0];
      for (const batch of loaded.walker.mappings()) {
        for (let i = 0; i < batch.count; i++) counts[batch.level[i]!]!++;
      }
      expect(counts).toEqual(loaded.graph.leaves);
    });
  });
});

describe("checkImage", () => {
  const load = (entries: Record<number, bigint>) =>
    loadImage(
      readCore(
        buildCore({ segments: [{ address: 0x1000n, bytes: table(entries) }], notes: [qemuNote({ cr3: 0x1000n })] }),
        { file: "c" },
      ),
    );

  it("refuses tables that map more than can be enumerated", async () => {
    const loop = await load(Object.fromEntries(Array.from({ length: 512 }, (_, i) => [i, 0x1003n])));
    expect(() => checkImage(loop, {})).toThrow(ImageError);
    expect(() => checkImage(loop, {})).toThrow("c: the tables map 68719476736 pages, more than the 67108864");
    const one = await load({ 5: 0x1003n });
    expect(() => checkImage(one, {}, { maxTableVisits: 4 })).toThrow("reached at 5 addresses, more than the 4 allowed");
    expect(checkImage(one, {}).parts).toMatchObject([{ name: "probes", compared: 2, differences: 0 }]);
  });

  it("reports differences of every kind, on both sides, and no more in full than asked for", async () => {
    const self = await load({ 5: 0x1023n });
    const own = "0000028140a05000: 0000000000001000 ----A---W";
    expect(formatInfoTlb(self.walker.mappings())).toBe(`${own}\n`);
    const text = [
      "0000000000001000: 0000000000001000 ----A---W",
      "0000028140a05000: 0000000000002000 ----A---W",
      "ffff800000000000: 0000000000001000 ----A---W",
    ].join("\n");
    const mem = "0000028140a05000-0000028140a06000 0000000000001000 urw\n";
    const input = { tlb: { file: "t", text }, mem: { file: "m", text: mem } };
    const { equal, parts } = checkImage(self, input, { maxDifferences: 2 });
    expect(equal).toBe(false);
    expect(parts[0]).toEqual({
      name: "info tlb",
      compared: 3,
      differences: 3,
      first: [
        { walker: undefined, listing: "0000000000001000: 0000000000001000 ----A---W", line: 1 },
        { walker: own, listing: text.split("\n")[1], line: 2 },
      ],
    });
    expect(parts[1]).toMatchObject({
      differences: 1,
      first: [{ walker: mem.trimEnd().replace("urw", "-rw"), line: 1 }],
    });
  });

  it("refuses a record that is no object", async () => {
    const self = await load({ 5: 0x1023n });
    expect(() => checkImage(self, { record: { file: "r", text: "{" } })).toThrow(/^r: not JSON: /);
    expect(() => checkImage(self, { record: { file: "r", text: "[]" } })).toThrow("r: expected a JSON object");
    expect(checkImage(self, { record: { file: "r", text: '{"levels":5,"cpl":3}' } }).parts[1]).toEqual({
      name: "record",
      compared: 2,
      differences: 1,
      first: [{ walker: "levels 4", listing: "levels 5" }],
    });
  });
});
