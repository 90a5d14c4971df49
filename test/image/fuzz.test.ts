// Damaged images: cut at every structural border, and with bytes changed. Each ends in a result or in one of this folder's
// errors, never in another error and never in a hang.

import { beforeAll, describe, expect, it } from "vitest";
import { GzipError } from "../../src/formats/unpack.js";
import { auditTables } from "../../src/image/audit.js";
import { checkImage } from "../../src/image/check.js";
import { imageContext, imageTables } from "../../src/image/context.js";
import { readCore } from "../../src/image/core.js";
import { CoreFormatError, ImageError, ListingFormatError } from "../../src/image/error.js";
import { parseInfoMem, parseInfoTlb } from "../../src/image/listing.js";
import { loadImage } from "../../src/image/load.js";
import { openCoreFile, readText } from "../../src/image/node.js";
import { openCore } from "../../src/image/open.js";
import { amount, runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { gzip } from "./build-core.js";
import { fixtures } from "./images.js";

const path = fixtures[0]!.path!;
let core: Uint8Array;
let headersEnd: number;
beforeAll(async () => {
  const { gunzipSync } = await import("node:zlib");
  const { readFileSync } = await import("node:fs");
  core = new Uint8Array(gunzipSync(readFileSync(path)));
  const view = new DataView(core.buffer);
  headersEnd = 64 + 56 * view.getUint16(56, true);
});

type Ending = "read" | "refused";

/** Reads and audits a core; every error but the folder's own ones fails the test. */
function tryCore(bytes: Uint8Array): Ending {
  try {
    const image = readCore(bytes, { file: "fuzz" });
    auditTables(image, imageTables(image, imageContext(image)));
    return "read";
  } catch (error) {
    if (error instanceof CoreFormatError || error instanceof ImageError) return "refused";
    throw error;
  }
}

/** Bytes of the core with some changed: the headers and notes more often than their share. */
const change = fc.record({
  inHeaders: fc.boolean(),
  // Without bias: small numbers would hit the magic number again and again.
  at: fc.noBias(fc.nat(2 ** 30)),
  xor: fc.integer({ min: 1, max: 255 }),
});

function changed(changes: readonly { inHeaders: boolean; at: number; xor: number }[]): Uint8Array {
  const bytes = core.slice();
  for (const { inHeaders, at, xor } of changes) {
    const limit = inHeaders ? headersEnd + 2048 : bytes.length;
    bytes[at % limit]! ^= xor;
  }
  return bytes;
}

describe("a cut core", () => {
  it("is refused at every border of its structure, and beside it", () => {
    const view = new DataView(core.buffer);
    const borders = new Set([0, 4, 16, 64]);
    for (let at = 64; at < headersEnd; at += 56) {
      const offset = Number(view.getBigUint64(at + 8, true));
      borders
        .add(at + 56)
        .add(offset)
        .add(offset + Number(view.getBigUint64(at + 32, true)));
      if (view.getUint32(at, true) !== 4) continue;
      const end = offset + Number(view.getBigUint64(at + 32, true));
      for (let note = offset; note < end; ) {
        const name = Math.ceil(view.getUint32(note, true) / 4) * 4;
        borders
          .add(note)
          .add(note + 12)
          .add(note + 12 + name);
        note += 12 + name + Math.ceil(view.getUint32(note + 4, true) / 4) * 4;
      }
    }
    expect(borders.size).toBeGreaterThan(50);
    for (const border of borders) {
      for (const length of [border - 1, border, border + 1]) {
        if (length < 0 || length > core.length) continue;
        expect(tryCore(core.subarray(0, length)), `${length} bytes`).toBe(length === core.length ? "read" : "refused");
      }
    }
  });

  it("is refused as gzip, whatever the length", async () => {
    const packed = await gzip(core);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: packed.length - 1 }), async (length) => {
        const error = await openCore(packed.subarray(0, length)).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error instanceof GzipError || error instanceof CoreFormatError).toBe(true);
      }),
      { numRuns: runs(100) },
    );
  });
});

/** What a header byte is set to; borders of a byte first. */
const VALUES = [0xff, 0, 0x80, 1, 0x7f].slice(0, amount({ quick: 1, full: 2, nightly: 5 }));

describe("a core with changed bytes", () => {
  it("is read and audited, or refused", () => {
    const endings = { read: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        endings[tryCore(changed(changes))]++;
      }),
      { numRuns: runs(400) },
    );
    // Both ends must have been met, else the changes miss what they aim at.
    expect(Math.min(endings.read, endings.refused)).toBeGreaterThan(10);
  });

  it("is refused or accepted under each single change of a header byte", () => {
    const bytes = core.slice();
    for (let at = 0; at < 64 + 3 * 56; at++) {
      for (const value of VALUES) {
        const before = bytes[at]!;
        bytes[at] = value;
        tryCore(bytes);
        bytes[at] = before;
      }
    }
    expect(bytes).toEqual(core);
  });

  it("is walked by the engine as the audit counts it, or refused", async () => {
    let walked = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        try {
          const loaded = await loadImage(readCore(changed(changes)));
          const { parts } = checkImage(loaded, {}, { maxLeaves: 20_000, maxTableVisits: 2000 });
          const leaves = loaded.graph.leaves.reduce((sum, n) => sum + n, 0);
          expect(parts).toEqual([{ name: "probes", compared: 2 * leaves, differences: 0, first: [] }]);
          walked++;
        } catch (error) {
          if (error instanceof CoreFormatError || error instanceof ImageError) return;
          throw error;
        }
      }),
      { numRuns: runs(40) },
    );
    expect(walked).toBeGreaterThan(amount({ quick: 0, full: 5, nightly: 50 }));
  });
});

describe("a listing with changed characters", () => {
  it("is parsed or refused by line", async () => {
    const parsers = [
      { parse: parseInfoTlb, text: (await readText(path.replace("core.gz", "info-tlb.txt.gz"))).slice(0, 2000) },
      { parse: parseInfoMem, text: (await readText(path.replace("core.gz", "info-mem.txt.gz"))).slice(0, 2000) },
    ];
    const edit = fc.tuple(fc.nat(1999), fc.constantFrom("", "\n", "-", "0", "f", " ", "X", "é", "\0", ":"));
    fc.assert(
      fc.property(fc.constantFrom(...parsers), edit, ({ parse, text }, [at, replacement]) => {
        try {
          parse(text.slice(0, at) + replacement + text.slice(at + 1));
        } catch (error) {
          expect(error).toBeInstanceOf(ListingFormatError);
        }
      }),
      { numRuns: runs(250) },
    );
  });
});

it("opens the untouched fixture", async () => {
  const { image } = await openCoreFile(path);
  expect(tryCore(core)).toBe("read");
  expect(image.warnings).toEqual([]);
});
