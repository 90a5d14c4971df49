// Synthetic programs from the engine's own seeded generator: the same seed gives the same counters on every machine.

import { checkAddress, checkInteger, checkOneOf, InvalidOptionError } from "../base/errors.js";
import { flushKinds, flushScale, maxRequesters, mayWrite, pcids, streams, writeScale } from "../engine/abi.js";
import { checkAccess } from "../hardware/context.js";
import type { Access } from "../paging/access.js";

/** How accesses follow one another over the list of pages. `chase` follows one random cycle through all of them. */
export type Stream = (typeof streams)[number];

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
  pages: readonly WorkloadPage[];
  /** Default `uniform`. */
  stream?: Stream;
  /** Pages from one access to the next of a strided stream. Default 17. */
  stride?: number;
  /** Exponent of a Zipf stream. Default 0.99. */
  exponent?: number;
  /** Share of writes among accesses to writable pages, 0 to 1. Default 0.25. */
  writes?: number;
  flushes?: FlushMix;
  /** First requester and how many from there on take part. Default the first CPU alone. */
  requesters?: { first: number; count: number };
  /** PCIDs 0 to this - 1 are flushed by `space`. Default 1. */
  pcids?: number;
}

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

/** @internal @throws InvalidOptionError */
export function checkWorkload(options: WorkloadOptions, most: number): WorkloadShape {
  const { pages, writes = 0.25, exponent = 0.99, requesters = { first: 0, count: 1 } } = options;
  if (pages.length === 0 || pages.length > most) {
    throw new InvalidOptionError("pages.length", pages.length, `1 to ${most} (workloadPages of the machine)`);
  }
  if (!(writes >= 0 && writes <= 1)) throw new InvalidOptionError("writes", writes, "a number from 0 to 1");
  if (!(exponent > 0 && exponent <= 8)) throw new InvalidOptionError("exponent", exponent, "a number above 0, up to 8");
  const flushes = flushKinds.map((kind) => {
    const perMillion = options.flushes?.[kind] ?? 0;
    if (!(perMillion >= 0 && perMillion <= 1e6)) {
      throw new InvalidOptionError(`flushes.${kind}`, perMillion, "0 to 1000000 per million operations");
    }
    return Math.round((perMillion * flushScale) / 1e6);
  });
  if (flushes.reduce((a, b) => a + b, 0) > flushScale) {
    throw new InvalidOptionError(
      "flushes",
      JSON.stringify(options.flushes),
      "at most a million per million operations",
    );
  }
  checkInteger("requesters.first", requesters.first, 0, maxRequesters - 1);
  checkInteger("requesters.count", requesters.count, 1, maxRequesters - requesters.first);
  return {
    seed: checkAddress("seed", options.seed ?? 1n),
    pages: BigUint64Array.from(pages, ({ va, access, writable }, i) => {
      const page = checkAddress(`pages[${i}].va`, va) & ~0xfffn;
      return page | BigInt(checkAccess(access)) | (writable ? mayWrite : 0n);
    }),
    stream: streams.indexOf(checkOneOf("stream", options.stream ?? "uniform", streams)),
    stride: checkInteger("stride", options.stride ?? 17, 0, 0xffff_ffff),
    exponent,
    writes: Math.round(writes * writeScale),
    flushes,
    requesters,
    pcids: checkInteger("pcids", options.pcids ?? 1, 1, pcids),
  };
}
