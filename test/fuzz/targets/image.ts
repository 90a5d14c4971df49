// The core reader: headers, segments and notes, then the tables that they lead to, audited.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { GzipError } from "../../../src/formats/unpack.js";
import { auditTables } from "../../../src/image/audit.js";
import { imageContext, imageTables } from "../../../src/image/context.js";
import { CoreFormatError, ImageError } from "../../../src/image/error.js";
import { openCore } from "../../../src/image/open.js";
import { buildCore, qemuNote, table } from "../../image/build-core.js";
import { fixtures } from "../../image/images.js";
import { endingOf, type FuzzTarget } from "../target.js";

function seeds(): Uint8Array[] {
  const recorded = fixtures.map(({ path }) => new Uint8Array(gunzipSync(readFileSync(path!))));
  const segments = [
    { address: 0x1000n, bytes: table({ 0: 0x2003n, 511: 0x1003n }) },
    { address: 0x2000n, bytes: table({ 0: 0x3003n, 1: 0x1000_0083n }) },
    { address: 0x3000n, bytes: table({ 0: 0x4003n, 7: 0xe3n }) },
    { address: 0x4000n, bytes: table({ 0: 0x5003n }) },
  ];
  const note = { name: "CORE", type: 1, content: new Uint8Array(337) };
  const notes = [note, qemuNote({ cr3: 0x1000n }), qemuNote({ cr3: 0x1000n, cr4: 0x1020n })];
  // Small ones more often: their headers are reached sooner.
  const small = [buildCore({ segments, notes }), buildCore({ segments, notes, extendedCount: true })];
  return [...small, ...small, ...small, ...recorded];
}

export const imageTarget: FuzzTarget = {
  name: "core reader",
  seeds,
  structureEnd: (seed) => 64 + 56 * new DataView(seed.buffer, seed.byteOffset).getUint16(56, true) + 1500,
  run: (bytes) =>
    endingOf(async () => {
      const image = await openCore(bytes, { file: "fuzz" });
      const audit = auditTables(image, imageTables(image, imageContext(image)));
      const leaves = audit.leaves["4K"] + audit.leaves["2M"] + audit.leaves["1G"];
      if (!Number.isSafeInteger(leaves)) throw new RangeError(`${leaves} leaves`);
      if (image.warnings.length > 80) throw new RangeError(`${image.warnings.length} warnings`);
    }, [CoreFormatError, ImageError, GzipError]),
};
