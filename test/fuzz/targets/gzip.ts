// The gzip reader, with each library. What it calls whole must be what Node's own gunzip makes of the same bytes; what it
// gives before damage must be the same whatever the chunks. fflate passes over some things that zlib refuses: the complement
// behind a stored block's length, codes that are not whole. What was read then has the CRC and the length that the member ends with.
import { gunzipSync, gzipSync } from "node:zlib";
import { ByteQueue } from "../../../src/formats/byte-queue.js";
import { GzipReader } from "../../../src/formats/gzip.js";
import { fflateInflater, type Inflater } from "../../../src/formats/inflate.js";
import { zlibInflater } from "../../../src/formats/node.js";
import type { FuzzTarget } from "../target.js";

function seeds(): Uint8Array[] {
  const text = Buffer.from(
    "  init-1  [001] .....  24.029708: vfree: (vfree+0x4/0x50) addr=0xffffd05f80480000\n".repeat(40),
  );
  const noise = Uint8Array.from({ length: 700 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 255);
  const named = gzipSync(text);
  // A name in the header, which zlib does not write by itself.
  named[3] = 8;
  return [
    gzipSync(text),
    gzipSync(noise),
    gzipSync(text, { level: 0 }),
    gzipSync(""),
    Buffer.concat([gzipSync(text.subarray(0, 500)), gzipSync(noise), Buffer.alloc(20), gzipSync("x\n")]),
    Buffer.concat([named.subarray(0, 10), Buffer.from("trace.txt\0"), named.subarray(10)]),
    gzipSync(new Uint8Array(200_000)),
  ];
}

async function gunzip(bytes: Uint8Array, inflater: Inflater, chunk: number) {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, i) =>
    bytes.subarray(i * chunk, (i + 1) * chunk),
  );
  const reader = new GzipReader(new ByteQueue(chunks, "fuzz"), inflater);
  const pieces: Uint8Array[] = [];
  for await (const piece of reader.text()) pieces.push(Uint8Array.from(piece));
  return { text: Buffer.concat(pieces), damage: reader.damage, garbage: reader.garbage };
}

/** What Node's gunzip makes of whole members; undefined if it refuses them for a reason that is let pass. */
function nodeText(bytes: Uint8Array, letPass: readonly string[]): Buffer | undefined {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    if (letPass.includes((error as Error).message)) return undefined;
    throw error;
  }
}

function target(name: string, inflater: Inflater, letPass: readonly string[] = []): FuzzTarget {
  return {
    name: `gzip, ${name}`,
    seeds,
    structureEnd: () => 40,
    async run(bytes, turn) {
      const whole = await gunzip(bytes, inflater, bytes.length || 1);
      // In a long run one size each, so that every place is a border of some.
      for (const size of turn === undefined ? [13, 61, 509] : [61 + (turn % 997)]) {
        const parts = await gunzip(bytes, inflater, size);
        if (!parts.text.equals(whole.text)) throw new Error("other text in other chunks");
        if (JSON.stringify([parts.damage, parts.garbage]) !== JSON.stringify([whole.damage, whole.garbage])) {
          throw new Error(`other findings in chunks of ${size}: ${JSON.stringify([whole, parts])}`);
        }
      }
      const offset = (whole.damage ?? whole.garbage)?.offset ?? 0;
      if (!(offset >= 0 && offset <= bytes.length)) throw new Error(`offset ${offset} of ${bytes.length}`);
      if (whole.damage) return "refused";
      // Node's gunzip stops at padding, and takes no empty file and no garbage.
      const bare = bytes.subarray(0, whole.garbage?.offset ?? bytes.length);
      const padded = Buffer.from(bare).includes(Buffer.from([0, 0x1f, 0x8b]));
      const text = bare.length > 0 && !padded ? nodeText(bare, letPass) : undefined;
      if (text && !text.equals(whole.text)) throw new Error("not the text that Node's gunzip gives");
      return "read";
    },
  };
}

export const gzipTargets = [
  target("fflate", fflateInflater, [
    "invalid stored block lengths",
    "too many length or distance symbols",
    "invalid code lengths set",
    "invalid bit length repeat",
    "invalid code -- missing end-of-block",
    "invalid literal/lengths set",
    "invalid distances set",
    "invalid literal/length code",
    "invalid distance code",
    "invalid distance too far back",
  ]),
  target("zlib", zlibInflater),
];
