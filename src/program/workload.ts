// Synthetic programs from the engine's own seeded generator: the same seed gives the same counters on every machine.

import { checkAddress, checkInteger, InvalidOptionError } from "../base/errors.js";
import {
  anything,
  integer,
  isObject,
  number,
  object,
  oneOf,
  optional,
  parse,
  seed,
  unknownField,
} from "../base/schema.js";
import type { Seed } from "../base/seed.js";
import { flushKinds, flushScale, maxRequesters, mayWrite, pcids, streams, writeScale } from "../engine/abi.js";
import { checkAccess } from "../hardware/context.js";
import type { Access } from "../paging/access.js";

/** How accesses follow one another over the list of pages. `chase` follows one random cycle through all of them. */
export type Stream = (typeof streams)[number];

/** Flushes per million operations, by kind. */
export interface FlushMix {
  /** INVLPG of one page, on every CPU. */
  page?: number;
  /** 1 to 64 pages on every CPU: INVLPG of each, or above 33 everything (`invlpgRangeOrAll` of a program; no kernel, no policy). */
  range?: number;
  /** The same of 34 to 512 pages: always above the ceiling. */
  aboveCeiling?: number;
  /** INVPCID type 1 of one address space, on one CPU; or, if a device is drawn, a PASID-selective invalidation of its PASID. */
  space?: number;
  /** Everything, globals included, on every CPU. */
  global?: number;
  /** INVPCID type 3 on every CPU: everything but globals. */
  allButGlobal?: number;
}

/** Pages of a workload and how they are accessed. */
export interface WorkloadPage {
  /** Virtual address (bits 0..11 do not matter). */
  va: bigint;
  /** Kind of access. */
  access: Access;
  /** Whether some accesses may be writes instead. Default false. */
  writable?: boolean;
}

/** A synthetic workload. */
export interface WorkloadOptions {
  /** 0 to 2^64 - 1. Default 1. */
  seed?: Seed;
  /** Pages that are accessed; streams pick from this list by index. */
  pages: readonly WorkloadPage[];
  /** Default `uniform`. */
  stream?: Stream;
  /** Pages from one access to the next of a strided stream. Default 17. */
  stride?: number;
  /** Exponent of a Zipf stream. Default 0.99. */
  exponent?: number;
  /** Share of writes among accesses to writable pages, 0 to 1. Default 0.25. */
  writes?: number;
  /** Flushes among the accesses. Default none. */
  flushes?: FlushMix;
  /** First requester and how many from there on take part. Default the first CPU alone. */
  requesters?: { first: number; count: number };
  /** PCIDs 0 to this - 1 are flushed by `space` on CPUs. Default 1. */
  pcids?: number;
}

const PAGE_FIELDS = ["va", "access", "writable"];

/** A checked workload in the engine's terms. @internal */
export interface WorkloadShape {
  seed: bigint;
  pages: BigUint64Array;
  stream: number;
  stride: number;
  exponent: number;
  /** Per `writeScale` accesses. */
  writes: number;
  /** Per `flushScale` operations, by kind. */
  flushes: number[];
  requesters: { first: number; count: number };
  pcids: number;
}

const perMillion = optional(number(0, 1e6, "0 to 1000000 per million operations"));

/** Requesters from the first on. @internal */
export const requestersSchema = object(
  { first: integer(0, maxRequesters - 1), count: integer(1, maxRequesters) },
  "requesters: { first, count }",
);

const workloadSchema = object({
  seed: optional(seed()),
  pages: anything(),
  stream: optional(oneOf(streams)),
  stride: optional(integer(0, 0xffff_ffff)),
  exponent: optional(number(Number.MIN_VALUE, 8, "a number above 0, up to 8")),
  writes: optional(number(0, 1)),
  flushes: optional(object(Object.fromEntries(flushKinds.map((kind) => [kind, perMillion])))),
  requesters: optional(requestersSchema),
  pcids: optional(integer(1, pcids)),
});

/** @internal @throws InvalidOptionError */
export function checkWorkload(options: WorkloadOptions, most: number): WorkloadShape {
  // A list of pages may be long and is looked at once, below.
  const { pages } = options;
  const checked = parse(workloadSchema, isObject(options) ? { ...options, pages: [] } : options, "") as WorkloadOptions;
  if (!Array.isArray(pages)) throw new InvalidOptionError("pages", pages, "a list of pages");
  if (pages.length === 0 || pages.length > most) {
    throw new InvalidOptionError("pages.length", pages.length, `1 to ${most} (workloadPages of the machine)`);
  }
  const { writes = 0.25, exponent = 0.99, requesters = { first: 0, count: 1 } } = checked;
  const flushes = flushKinds.map((kind) => Math.round(((checked.flushes?.[kind] ?? 0) * flushScale) / 1e6));
  if (flushes.reduce((a, b) => a + b, 0) > flushScale) {
    throw new InvalidOptionError(
      "flushes",
      JSON.stringify(options.flushes),
      "at most a million per million operations",
    );
  }
  checkInteger("requesters.count", requesters.count, 1, maxRequesters - requesters.first);
  return {
    seed: BigInt(checked.seed ?? 1n),
    pages: BigUint64Array.from(pages as readonly WorkloadPage[], (page, i) => {
      if (!isObject(page)) throw new InvalidOptionError(`pages[${i}]`, page, "a page: { va, access, … }");
      for (const key of Object.keys(page)) {
        if (!PAGE_FIELDS.includes(key)) {
          throw unknownField(`pages[${i}]`, key, (page as unknown as Record<string, unknown>)[key], PAGE_FIELDS);
        }
      }
      const va = checkAddress(`pages[${i}].va`, page.va) & ~0xfffn;
      return va | BigInt(checkAccess(page.access)) | (page.writable ? mayWrite : 0n);
    }),
    stream: streams.indexOf(checked.stream ?? "uniform"),
    stride: checked.stride ?? 17,
    exponent,
    writes: Math.round(writes * writeScale),
    flushes,
    requesters,
    pcids: checked.pcids ?? 1,
  };
}
