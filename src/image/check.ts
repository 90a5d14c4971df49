// Holds a walker against what QEMU's monitor said of the same tables in the same stop: entry for entry, both directions.
// `info tlb` checks every leaf, `info mem` the rights over all levels, the probes that a single walk finds each leaf again.

import { checkFields, RUN_FIELDS } from "../base/known-fields.js";
import { hex } from "../base/notation.js";
import type { RunOptions } from "../base/progress.js";
import { Access } from "../paging/access.js";
import { ImageError } from "./error.js";
import {
  formatMemRange,
  formatTlbRow,
  type LeafBatch,
  type MemRange,
  memRanges,
  pageSizeOfLevel,
  parseInfoMem,
  parseInfoTlb,
  type TlbListing,
  type TlbRow,
  tlbRows,
} from "./listing.js";
import type { LoadedImage } from "./load.js";
import { type CheckPart, type NamedText, startPart } from "./part.js";
import { compareRecord, compareRegisters } from "./recorded.js";

const US = 1n << 2n;

/** The result of {@link checkImage}. */
export interface CheckResult {
  /** Name of the image as the caller gave it. */
  file: string;
  /** True if no part has a difference. */
  equal: boolean;
  /** One comparison each: listings, probes, registers. */
  parts: CheckPart[];
}

/** What {@link checkImage} compares with; the probes need nothing. */
export interface CheckInput {
  /** Text of `info tlb`. */
  tlb?: NamedText;
  /** Text of `info mem`. */
  mem?: NamedText;
  /** Text of `info registers -a`. */
  registers?: NamedText;
  /** The image's JSON record: cr0, cr3, cr4, efer, levels, cpl, cpu_index, leaves; each compared if it is there. */
  record?: NamedText;
}

/** Options of {@link checkImage}. */
export interface CheckOptions extends RunOptions {
  /** How many differences each part lists. Default: 10. */
  maxDifferences?: number;
  /** Largest number of leaves to enumerate. Default: 2^26. */
  maxLeaves?: number;
  /** Largest number of table visits to make. Default: 2^22. */
  maxTableVisits?: number;
}

/**
 * Compares a loaded image with listings.
 *
 * @throws ImageError if the tables map more than `maxLeaves` or need more than `maxTableVisits`
 * @throws ListingFormatError if a listing can't be parsed
 * @example
 * ```ts
 * import { checkImage, loadImage } from "stalewalk/image";
 * import { findCompanions, openCoreFile, readText } from "stalewalk/image/node";
 *
 * const { image } = await openCoreFile("vm.core.gz");
 * const { tlb } = findCompanions("vm.core.gz"); // vm.info-tlb.txt.gz, what QEMU's `info tlb` printed of the same machine
 * const result = checkImage(await loadImage(image), { tlb: { file: tlb!, text: await readText(tlb!) } });
 * console.log(result.equal); // true
 * ```
 */
export function checkImage(loaded: LoadedImage, input: CheckInput, options: CheckOptions = {}): CheckResult {
  checkFields(options, { ...RUN_FIELDS, maxDifferences: true, maxLeaves: true, maxTableVisits: true });
  const { image, context, walker } = loaded;
  const leaves = requireEnumerable(loaded, options);
  const limit = options.maxDifferences ?? 10;
  const parts: CheckPart[] = [];
  const passes = 1 + (input.tlb ? 1 : 0) + (input.mem ? 1 : 0);
  let done = 0;
  const batches = function* (): Generator<LeafBatch> {
    for (const batch of walker.mappings()) {
      yield batch;
      done += batch.count;
      options.onProgress?.({ done, total: leaves * passes, unit: "leaves" });
      options.signal?.throwIfAborted();
    }
  };
  if (input.tlb) parts.push(compareTlb(tlbRows(batches()), parseInfoTlb(input.tlb.text, input.tlb.file), limit));
  if (input.mem) {
    const ranges = memRanges(batches(), context.rules.levels);
    parts.push(compareMem(ranges, parseInfoMem(input.mem.text, input.mem.file), limit));
  }
  parts.push(probeAll(loaded, batches(), limit));
  if (input.registers) parts.push(compareRegisters(loaded, input.registers, limit));
  if (input.record) parts.push(compareRecord(loaded, input.record, input.registers, limit));
  return { file: image.file, equal: parts.every((part) => part.differences === 0), parts };
}

// Tables that point at each other can map 2^45 pages; counting them is cheap, listing them is not.
function requireEnumerable({ image, graph }: LoadedImage, options: CheckOptions): number {
  const leaves = graph.leaves.reduce((sum, n) => sum + n, 0);
  const maxLeaves = options.maxLeaves ?? 2 ** 26;
  if (leaves > maxLeaves) {
    throw new ImageError(
      image.file,
      `the tables map ${leaves} pages, more than the ${maxLeaves} this check enumerates`,
    );
  }
  const visits = graph.visits.flat().reduce((sum, visit) => sum + visit.visits, 0);
  const maxVisits = options.maxTableVisits ?? 2 ** 22;
  if (visits > maxVisits) {
    throw new ImageError(
      image.file,
      `the tables are reached at ${visits} addresses, more than the ${maxVisits} allowed`,
    );
  }
  return leaves;
}

/** Compares leaves, ascending by address, with an `info tlb` listing. */
export function compareTlb(rows: Iterable<TlbRow>, listing: TlbListing, limit: number): CheckPart {
  const { part, differ } = startPart("info tlb", limit);
  let at = 0;
  const listed = () => {
    const row = { address: listing.address[at]!, physical: listing.physical[at]!, flags: listing.flags[at]! };
    return { listing: formatTlbRow(row), line: listing.line[at]! };
  };
  for (const row of rows) {
    for (; at < listing.count && listing.address[at]! < row.address; at++) {
      part.compared++;
      differ(() => ({ walker: undefined, ...listed() }));
    }
    part.compared++;
    if (at < listing.count && listing.address[at] === row.address) {
      if (listing.physical[at] !== row.physical || listing.flags[at] !== row.flags) {
        differ(() => ({ walker: formatTlbRow(row), ...listed() }));
      }
      at++;
    } else {
      differ(() => ({ walker: formatTlbRow(row), listing: undefined }));
    }
  }
  for (; at < listing.count; at++) {
    part.compared++;
    differ(() => ({ walker: undefined, ...listed() }));
  }
  return part;
}

/** Compares ranges, ascending by start, with an `info mem` listing. */
export function compareMem(
  ranges: Iterable<MemRange>,
  listing: readonly (MemRange & { line: number })[],
  limit: number,
): CheckPart {
  const { part, differ } = startPart("info mem", limit);
  let at = 0;
  const listed = () => ({ listing: formatMemRange(listing[at]!), line: listing[at]!.line });
  for (const range of ranges) {
    for (; at < listing.length && listing[at]!.start < range.start; at++) {
      part.compared++;
      differ(() => ({ walker: undefined, ...listed() }));
    }
    part.compared++;
    if (at < listing.length && listing[at]!.start === range.start) {
      if (formatMemRange(range) !== listed().listing) differ(() => ({ walker: formatMemRange(range), ...listed() }));
      at++;
    } else {
      differ(() => ({ walker: formatMemRange(range), listing: undefined }));
    }
  }
  for (; at < listing.length; at++) {
    part.compared++;
    differ(() => ({ walker: undefined, ...listed() }));
  }
  return part;
}

// First and last byte of each page; by the privilege that owns the page, so that SMAP does not stand in the way.
function probeAll({ walker }: LoadedImage, batches: Iterable<LeafBatch>, limit: number): CheckPart {
  const { part, differ } = startPart("probes", limit);
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) {
      const level = batch.level[i]!;
      const size = pageSizeOfLevel(level);
      const base = batch.entry[i]! & 0xffffffffff000n & ~(size - 1n);
      const access = batch.rights[i]! & US ? Access.userRead : Access.supervisorRead;
      for (const offset of [0n, size - 1n]) {
        const address = batch.virtualAddress[i]! + offset;
        const outcome = walker.probe(address, access);
        part.compared++;
        const good = outcome.kind === "ok" && outcome.physicalAddress === base + offset && outcome.level === level;
        if (good) continue;
        differ(() => ({
          walker: `probe of ${hex(address)}: ${describeOutcome(outcome)}`,
          listing: `mapping to ${hex(base + offset)} by a leaf at level ${level}`,
        }));
      }
    }
  }
  return part;
}

function describeOutcome(outcome: object): string {
  return Object.entries(outcome)
    .map(([name, value]) => `${name} ${typeof value === "bigint" ? hex(value) : value}`)
    .join(", ");
}
