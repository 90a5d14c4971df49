// The gzip reader against zlib's packer, with each library that inflates for it: every block type, level and strategy, any
// chunking, any damage.
import { constants, deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ByteQueue } from "../../src/formats/byte-queue.js";
import { crc32 } from "../../src/formats/crc32.js";
import { GzipReader } from "../../src/formats/gzip.js";
import { fflateInflater } from "../../src/formats/inflate.js";
import { zlibInflater } from "../../src/formats/node.js";
import { amount, runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { chunked, fixture } from "../trace/support.js";

const inflaters = { fflate: fflateInflater, zlib: zlibInflater };

/** Runs, repeats near and far, and noise: what makes encoders use every kind of code. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 70_000 })).map(([byte, n]) => new Uint8Array(n).fill(byte)),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 900 })).map(([unit, n]) => {
        const out = new Uint8Array(unit.length * n);
        for (let i = 0; i < n; i++) out.set(unit, i * unit.length);
        return out;
      }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts));

const options = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FIXED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FILTERED,
  ),
});

const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 4 });

describe.each(Object.entries(inflaters))("gzip reader with %s", (_, inflater) => {
  async function gunzip(data: Uint8Array, sizes: readonly number[] = [data.length || 1]) {
    const reader = new GzipReader(new ByteQueue(chunked(data, sizes), "test"), inflater);
    const pieces: Uint8Array[] = [];
    for await (const piece of reader.text()) pieces.push(Uint8Array.from(piece));
    const { damage, garbage } = reader;
    return { bytes: Buffer.concat(pieces), damage, garbage };
  }

  it("gives what zlib packed, member after member", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(content, options), { minLength: 1, maxLength: 3 }),
        sizes,
        async (members, chunkSizes) => {
          const packed = Buffer.concat(members.map(([data, o]) => gzipSync(data, o)));
          const { bytes, damage } = await gunzip(packed, chunkSizes);
          expect(damage).toBeUndefined();
          expect(bytes.equals(Buffer.concat(members.map(([data]) => data)))).toBe(true);
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it("cut anywhere: a prefix of the text and a diagnosis, the same in any chunks", async () => {
    const text = fixture("iommu.trace.txt");
    for (const level of [0, 1, 9]) {
      const packed = gzipSync(text, { level });
      for (let cut = 0; cut < packed.length; cut += level === 0 ? 41 : amount({ quick: 37, full: 7, nightly: 1 })) {
        const { bytes, damage } = await gunzip(packed.subarray(0, cut));
        // Nothing at all is an empty file: that is for the caller to say.
        if (cut > 0) expect(damage?.message).toMatch(/cut file/);
        expect(damage?.offset ?? 0).toBeLessThanOrEqual(cut);
        expect(bytes.equals(Buffer.from(text).subarray(0, bytes.length))).toBe(true);
        const again = await gunzip(packed.subarray(0, cut), [13, 400, 1]);
        expect(again.bytes.equals(bytes)).toBe(true);
        expect(again.damage).toEqual(damage);
      }
    }
  });

  it("a flipped bit: the same text, or a diagnosis", async () => {
    const text = Buffer.from(fixture("hugevmap.trace.txt"));
    const packed = gzipSync(text);
    // By day one bit of every third byte.
    const step = amount({ quick: 211, full: 23, nightly: 1 });
    for (let bit = 0; bit < packed.length * 8; bit += step) {
      const flipped = Buffer.from(packed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const { bytes, damage } = await gunzip(flipped);
      if (!damage) expect(bytes.equals(text)).toBe(true);
    }
  });

  it("any bytes: ends, with a diagnosis or a match", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), sizes, async (noise, chunkSizes) => {
        const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]);
        const packed = Buffer.concat([head, noise]);
        const whole = await gunzip(packed);
        const parts = await gunzip(packed, chunkSizes);
        expect(parts.bytes.equals(whole.bytes)).toBe(true);
        expect(parts).toEqual(whole);
      }),
      { numRuns: runs(200) },
    );
  });

  it("reads headers with name, comment, extra field and header CRC", async () => {
    const body = deflateRawSync("x\n");
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc32(0, Buffer.from("x\n"), 0, 2), 0);
    trailer.writeUInt32LE(2, 4);
    const head = Buffer.from([0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 2, 0, 1, 2, 65, 0, 66, 67, 0, 0, 0]);
    head.writeUInt16LE(crc32(0, head, 0, head.length - 2) & 0xffff, head.length - 2);
    const packed = Buffer.concat([head, body, trailer]);
    expect(await gunzip(packed, [1])).toEqual({ bytes: Buffer.from("x\n"), damage: undefined, garbage: undefined });
    packed[14] = 64;
    expect((await gunzip(packed)).damage).toEqual({ message: "the CRC of the member header is wrong", offset: 0 });
  });

  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  /** Data whose DEFLATE stream has no end: byte-aligned, so that any block may follow. */
  const open = (data: Uint8Array) => deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH });
  const noise = (length: number) => {
    const bytes = Buffer.alloc(length);
    for (let i = 0, state = 1; i < length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      bytes[i] = state >>> 24;
    }
    return bytes;
  };

  it.each([
    ["a few bytes", Buffer.from("text\n")],
    ["a megabyte of text", Buffer.from("one line of a trace, and its number 12345678\n".repeat(25_000))],
    ["a megabyte of noise", noise(1 << 20)],
  ])("gives all that stands before the damage: %s", async (_what, data) => {
    const body = open(data);
    // A block of type 3, which is none.
    const packed = Buffer.concat([header, body, Buffer.alloc(50_000, 7)]);
    const { bytes, damage } = await gunzip(packed);
    expect(bytes.equals(data)).toBe(true);
    expect(damage?.message).toMatch(/block type/);
    expect(Math.abs(damage!.offset - header.length - body.length)).toBeLessThanOrEqual(1);
    expect(await gunzip(packed, [1000, 7])).toMatchObject({ damage });
  });

  it("loses no more than a piece and a stored block of a member that is too long to be read again", async () => {
    const data = noise(9 << 20);
    const body = open(data);
    const { bytes, damage } = await gunzip(Buffer.concat([header, body, Buffer.alloc(50_000, 7)]));
    expect(bytes.equals(data.subarray(0, bytes.length))).toBe(true);
    expect(data.length - bytes.length).toBeLessThanOrEqual((1 << 14) + (1 << 16));
    expect(header.length + body.length - damage!.offset).toBeLessThanOrEqual(1 << 14);
  });

  it("takes zeros behind a member for padding, also before another one", async () => {
    const data = Buffer.from("x\n".repeat(1000));
    const packed = Buffer.concat([gzipSync(data), Buffer.alloc(10_000), gzipSync(data), Buffer.alloc(5)]);
    const whole = { bytes: Buffer.concat([data, data]), damage: undefined, garbage: undefined };
    expect(await gunzip(packed)).toEqual(whole);
    expect(await gunzip(packed, [1])).toEqual(whole);
  });

  it.each([1, 2, 3, 4, 9, 5000])("says that %i bytes of garbage follow, and loses nothing", async (length) => {
    const data = Buffer.from("x\n".repeat(1000));
    for (const padding of [0, 1, 600]) {
      const good = Buffer.concat([gzipSync(data), Buffer.alloc(padding)]);
      const { bytes, damage, garbage } = await gunzip(Buffer.concat([good, Buffer.alloc(length, "x")]));
      expect(bytes.equals(data)).toBe(true);
      expect(damage).toBeUndefined();
      expect(garbage).toMatchObject({ offset: good.length, message: expect.stringContaining("are no gzip member") });
    }
  });

  it.each([
    ["its last byte but one", -2, /says \d+ bytes, its data has 2000/],
    ["its CRC", -6, /CRC [0-9a-f]{8}, its data has [0-9a-f]{8}/],
  ])("checks each member: %s is changed, another follows", async (_what, at, message) => {
    const data = Buffer.from("x\n".repeat(1000));
    const first = gzipSync(data);
    first[first.length + at]! ^= 1;
    const { bytes, damage } = await gunzip(Buffer.concat([first, gzipSync(data)]));
    expect(bytes.equals(data)).toBe(true);
    expect(damage!.message).toMatch(message);
    expect(first.length - damage!.offset).toBeLessThanOrEqual(8);
  });

  it("reads hundreds of members, at night thousands", async () => {
    const length = amount({ quick: 200, full: 400, nightly: 2000 });
    const lines = Array.from({ length }, (__, i) => `${i}\n`);
    const { bytes, damage } = await gunzip(
      Buffer.concat(lines.map((line) => gzipSync(line, { memLevel: 1 }))),
      [100_000],
    );
    expect(damage).toBeUndefined();
    expect(bytes.toString()).toBe(lines.join(""));
  });

  it.each([
    ["", new Uint8Array(1000)],
    ["Buffer ", Buffer.alloc(1000)],
  ])("does not mind a source that uses one %sbuffer for all chunks", async (_what, buffer) => {
    const data = noise(30_000);
    const packed = Buffer.concat([gzipSync(data.subarray(0, 10_000)), gzipSync(data.subarray(10_000))]);
    for (const length of [1000, 7, 1]) {
      function* source() {
        for (let at = 0; at < packed.length; at += length) {
          const part = packed.subarray(at, at + length);
          buffer.fill(0xaa);
          buffer.set(part);
          yield buffer.subarray(0, part.length);
        }
      }
      const pieces: Uint8Array[] = [];
      const reader = new GzipReader(new ByteQueue(source(), "test"), inflater);
      for await (const piece of reader.text()) pieces.push(Uint8Array.from(piece));
      expect(reader.damage).toBeUndefined();
      expect(Buffer.concat(pieces).equals(data)).toBe(true);
    }
  });

  it("leaves a source that stands still when it is closed", async () => {
    const cancelled = new Promise((resolve) => {
      const packed = gzipSync(noise(100_000));
      const stream = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(packed.subarray(0, 50_000)),
        cancel: resolve,
      });
      const queue = new ByteQueue(stream, "test");
      void (async () => {
        for await (const _piece of new GzipReader(queue, inflater).text()) break;
        queue.close();
      })();
    });
    await cancelled;
  });
});
