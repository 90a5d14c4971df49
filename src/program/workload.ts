// Synthetic programs from the engine's own seeded generator: the same seed gives the same counters on every machine.

import { checkAddress, checkInteger, checkOneOf, InvalidOptionError } from "../base/errors.js";
import { checkAccess } from "../hardware/context.js";
import type { Access } from "../paging/access.js";

/** How accesses follow one another over the list of pages. `chase` follows one random cycle through all of them. */
export type Stream = "sequential" | "strided" | "uniform" | "zipf" | "chase";

/** Flushes per million operations, by kind. */
export interface FlushMix {
  /** INVLPG of one page, on every CPU. */
  page?: number;
  /** `flush_tlb_kernel_range()` of 1 to 64 pages (above 33 the kernel flushes everything). */
  range?: number;
  /** The same of 34 to 512 pages: always above the ceiling. */
  aboveCeiling?: number;
  /** INVPCID type 1 of one address space, on one CPU. */
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
  /** Seed, 0 to 2^64 - 1. Default 1. */
  seed?: bigint;
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
  /** PCIDs 0 to this - 1 are flushed by `space`. Default 1. */
  pcids?: number;
}

const STREAMS = ["sequential", "strided", "uniform", "zipf", "chase"] as const;
const FLUSHES = ["page", "range", "aboveCeiling", "space", "global", "allButGlobal"] as const;
const MAX_REQUESTERS = 1024;
const MAY_WRITE = 32n;

/** A checked workload in the engine's terms. @internal */
export interface WorkloadShape {
  seed: bigint;
  pages: BigUint64Array;
  stream: number;
  stride: number;
  exponent: number;
  /** Per 2^10 accesses. */
  writes: number;
  /** Per 2^20 operations, by kind. */
  flushes: number[];
  requesters: { first: number; count: number };
  pcids: number;
}

/** @internal @throws InvalidOptionError */
export function checkWorkload(options: WorkloadOptions, most: number): WorkloadShape {
  const { pages, writes = 0.25, exponent = 0.99, requesters = { first: 0, count: 1 } } = options;
  if (pages.length === 0 || pages.length > most) {
    throw new InvalidOptionError("pages.length", pages.length, `1 to ${most} (workloadPages of the machine)`);
  }
  if (!(writes >= 0 && writes <= 1)) throw new InvalidOptionError("writes", writes, "a number from 0 to 1");
  if (!(exponent > 0 && exponent <= 8)) throw new InvalidOptionError("exponent", exponent, "a number above 0, up to 8");
  const flushes = FLUSHES.map((kind) => {
    const perMillion = options.flushes?.[kind] ?? 0;
    if (!(perMillion >= 0 && perMillion <= 1e6)) {
      throw new InvalidOptionError(`flushes.${kind}`, perMillion, "0 to 1000000 per million operations");
    }
    return Math.round((perMillion * 2 ** 20) / 1e6);
  });
  if (flushes.reduce((a, b) => a + b, 0) > 2 ** 20) {
    throw new InvalidOptionError(
      "flushes",
      JSON.stringify(options.flushes),
      "at most a million per million operations",
    );
  }
  checkInteger("requesters.first", requesters.first, 0, MAX_REQUESTERS - 1);
  checkInteger("requesters.count", requesters.count, 1, MAX_REQUESTERS - requesters.first);
  return {
    seed: checkAddress("seed", options.seed ?? 1n),
    pages: BigUint64Array.from(pages, ({ va, access, writable }, i) => {
      const page = checkAddress(`pages[${i}].va`, va) & ~0xfffn;
      return page | BigInt(checkAccess(access)) | (writable ? MAY_WRITE : 0n);
    }),
    stream: STREAMS.indexOf(checkOneOf("stream", options.stream ?? "uniform", STREAMS)),
    stride: checkInteger("stride", options.stride ?? 17, 0, 0xffff_ffff),
    exponent,
    writes: Math.round(writes * 1024),
    flushes,
    requesters,
    pcids: checkInteger("pcids", options.pcids ?? 1, 1, 4096),
  };
}
