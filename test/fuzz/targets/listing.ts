// The readers of QEMU's listings. What they take must be written as it was read: no number changed in silence.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { ListingFormatError } from "../../../src/image/error.js";
import { formatMemRange, formatTlbRow, parseInfoMem, parseInfoTlb } from "../../../src/image/listing.js";
import { parseInfoRegisters } from "../../../src/image/registers.js";
import { fixtures } from "../../image/images.js";
import { endingOf, type FuzzTarget } from "../target.js";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const lines = (source: string) =>
  source
    .split("\n")
    .map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line))
    .filter((line) => line !== "");

function seeds(kind: string): Uint8Array[] {
  const path = fixtures[0]!.path!.replace("core.gz", `${kind}.txt.gz`);
  const whole = new Uint8Array(gunzipSync(readFileSync(path)));
  return [whole.subarray(0, 400), whole.subarray(0, 4000), whole];
}

function same(read: readonly string[], written: readonly string[]): void {
  if (read.length !== written.length) throw new RangeError(`${read.length} lines read as ${written.length}`);
  for (const [i, line] of read.entries())
    if (line !== written[i]) throw new RangeError(`${line} read as ${written[i]}`);
}

const refusals = [ListingFormatError];

export const listingTargets: FuzzTarget[] = [
  {
    name: "info tlb",
    seeds: () => seeds("info-tlb"),
    run: (bytes) =>
      endingOf(() => {
        const { count, address, physical, flags } = parseInfoTlb(text(bytes));
        const rows = Array.from({ length: count }, (_, i) =>
          formatTlbRow({ address: address[i]!, physical: physical[i]!, flags: flags[i]! }),
        );
        same(lines(text(bytes)), rows);
      }, refusals),
  },
  {
    name: "info mem",
    seeds: () => seeds("info-mem"),
    run: (bytes) => endingOf(() => same(lines(text(bytes)), parseInfoMem(text(bytes)).map(formatMemRange)), refusals),
  },
  {
    name: "info registers",
    seeds: () => seeds("info-registers").slice(2),
    run: (bytes) =>
      endingOf(() => {
        for (const { cr3, cpl } of parseInfoRegisters(text(bytes))) {
          if (cr3 >> 64n !== 0n || ![0, 1, 2, 3].includes(cpl)) throw new RangeError(`CR3 ${cr3}, CPL ${cpl}`);
        }
      }, refusals),
  },
];
