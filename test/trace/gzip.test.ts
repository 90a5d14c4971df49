// The gzip decoder against zlib: every block type, level and strategy, any chunking, any damage.
import { constants, deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/trace/crc32.js";
import { Gunzip } from "../../src/trace/gzip.js";
import { amount, runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { chunked, fixture } from "./support.js";

function gunzip(data: Uint8Array, sizes: readonly number[] = [data.length || 1]) {
  const decoder = new Gunzip();
  const pieces: Uint8Array[] = [];
  for (const chunk of chunked(data, sizes))
    for (const piece of decoder.decode(chunk, false)) pieces.push(piece.slice());
  for (const piece of decoder.decode(new Uint8Array(0), true)) pieces.push(piece.slice());
  return { bytes: Buffer.concat(pieces), damage: decoder.damage };
}

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

/** Every place but in a quick run. */
const STEP = amount({ quick: 29, full: 1, nightly: 1 });
const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 4 });

describe("gzip decoder", () => {
  it("gives what zlib packed, member after member", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(content, options), { minLength: 1, maxLength: 3 }),
        sizes,
        (members, chunkSizes) => {
          const packed = Buffer.concat(members.map(([data, o]) => gzipSync(data, o)));
          const { bytes, damage } = gunzip(packed, chunkSizes);
          expect(damage).toBeUndefined();
          expect(bytes.equals(Buffer.concat(members.map(([data]) => data)))).toBe(true);
        },
      ),
      { numRuns: runs(150) },
    );
  });

  it("cut anywhere: a prefix of the text and a diagnosis, the same in any chunks", () => {
    const text = fixture("iommu.trace.txt");
    for (const level of [0, 1, 9]) {
      const packed = gzipSync(text, { level });
      for (let cut = 0; cut < packed.length; cut += level === 0 ? 41 : STEP) {
        const { bytes, damage } = gunzip(packed.subarray(0, cut));
        // Nothing at all is an empty file: that is for the caller to say.
        if (cut > 0) expect(damage?.message).toMatch(/^gzip data: .*cut file/);
        expect(damage?.offset ?? 0).toBeLessThanOrEqual(cut);
        expect(bytes.equals(Buffer.from(text).subarray(0, bytes.length))).toBe(true);
        const again = gunzip(packed.subarray(0, cut), [13, 400, 1]);
        expect(again.bytes.equals(bytes)).toBe(true);
        expect(again.damage).toEqual(damage);
      }
    }
  });

  it("a flipped bit: the same text, or a diagnosis", () => {
    const text = Buffer.from(fixture("hugevmap.trace.txt"));
    const packed = gzipSync(text);
    for (let bit = 0; bit < packed.length * 8; bit += STEP) {
      const flipped = Buffer.from(packed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const { bytes, damage } = gunzip(flipped);
      if (!damage) expect(bytes.equals(text)).toBe(true);
    }
  });

  it("any bytes: ends, with a diagnosis or a match", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), sizes, (noise, chunkSizes) => {
        const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]);
        const packed = Buffer.concat([head, noise]);
        const whole = gunzip(packed);
        const parts = gunzip(packed, chunkSizes);
        expect(parts.bytes.equals(whole.bytes)).toBe(true);
        expect(parts.damage).toEqual(whole.damage);
      }),
      { numRuns: runs(500) },
    );
  });

  it("reads headers with name, comment, extra field and header CRC", () => {
    const body = deflateRawSync("x\n");
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc32(0, Buffer.from("x\n"), 0, 2), 0);
    trailer.writeUInt32LE(2, 4);
    const head = Buffer.from([0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 2, 0, 1, 2, 65, 0, 66, 67, 0, 0, 0]);
    head.writeUInt16LE(crc32(0, head, 0, head.length - 2) & 0xffff, head.length - 2);
    const packed = Buffer.concat([head, body, trailer]);
    expect(gunzip(packed, [1])).toEqual({ bytes: Buffer.from("x\n"), damage: undefined });
    packed[14] = 64;
    expect(gunzip(packed).damage).toEqual({ message: "gzip data: the CRC of the member header is wrong", offset: 0 });
  });
});
