// The gzip reader, with each library. What it calls whole must be what Node's own gunzip makes of the same bytes; what it
// gives before damage must be the same whatever the chunks.
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
  for await (const piece of reader.text()) pieces.push(piece);
  return { text: Buffer.concat(pieces), damage: reader.damage, garbage: reader.garbage };
}

function target(name: string, inflater: Inflater): FuzzTarget {
  return {
    name: `gzip, ${name}`,
    seeds,
    structureEnd: () => 40,
    async run(bytes) {
      const whole = await gunzip(bytes, inflater, bytes.length || 1);
      const parts = await gunzip(bytes, inflater, 61);
      if (!parts.text.equals(whole.text)) throw new Error("other text in other chunks");
      if (JSON.stringify([parts.damage, parts.garbage]) !== JSON.stringify([whole.damage, whole.garbage])) {
        throw new Error(`other findings in other chunks: ${JSON.stringify([whole, parts])}`);
      }
      const offset = (whole.damage ?? whole.garbage)?.offset ?? 0;
      if (!(offset >= 0 && offset <= bytes.length)) throw new Error(`offset ${offset} of ${bytes.length}`);
      if (whole.damage) return "refused";
      // Node's gunzip stops at padding, and takes no empty file and no garbage.
      const bare = bytes.subarray(0, whole.garbage?.offset ?? bytes.length);
      const padded = Buffer.from(bare).includes(Buffer.from([0, 0x1f, 0x8b]));
      if (bare.length > 0 && !padded && !gunzipSync(bare).equals(whole.text)) {
        throw new Error("not the text that Node's gunzip gives");
      }
      return "read";
    },
  };
}

export const gzipTargets = [target("fflate", fflateInflater), target("zlib", zlibInflater)];
