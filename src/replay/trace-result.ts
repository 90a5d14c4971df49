// What a replay says of the trace: how it was read, what it became, the tables it frees. The same for every policy.

import type { Site } from "../program/sites.js";
import type { TraceFormat } from "../trace/index.js";

/** The trace as it was read. No figure may be shown without saying if it is {@link damaged}. */
export interface ReplayTrace {
  /** Name of the trace as the caller gave it. */
  readonly name: string;
  /** Form of the text; `synthetic`: there was none, its operations were drawn. */
  readonly format: TraceFormat | "synthetic";
  /** The input was read to its end. */
  readonly complete: boolean;
  /** Anything is missing or not trustworthy. */
  readonly damaged: boolean;
  /** The first findings, formatted with line and offset; damage and notes. */
  readonly findings: readonly { readonly severity: "damage" | "note"; readonly text: string }[];
  /** Findings beyond those listed. */
  readonly findingsDropped: number;
  /** Events lost by the tracer itself: a number, and marks without one. */
  readonly lost: { readonly counted: number; readonly uncounted: number };
  /** Lines, comments and blank lines included. */
  readonly lines: number;
  /** Lines that could not be read and were skipped. */
  readonly damagedLines: number;
  /** Bytes of text, after decompression. */
  readonly bytes: number;
  /** Events read, known and unknown. */
  readonly events: number;
  /** Events by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** Events that the reader does not know, by name. */
  readonly unknown: Readonly<Record<string, number>>;
  /** Operations by name (what the events mean). */
  readonly operations: Readonly<Record<string, number>>;
  /** CPUs that the header names. */
  readonly cpus: number | undefined;
  /** Time of the first event, ns on the trace's clock, and from there to the last. */
  readonly firstTimeNs: number;
  /** `ticks`: the trace's clock counts something else than time. */
  readonly timeUnit: "ns" | "ticks";
  /** From the first event to the last, in `timeUnit`. */
  readonly durationNs: number;
}

/** The program that the trace became; the same for every policy. */
export interface ReplayProgram {
  /** Records played by each machine. */
  readonly records: number;
  /** Of these: accesses of the device-access model, and those aimed at the kernel half. */
  readonly accesses: number;
  /** Accesses aimed at the kernel half. */
  readonly kernelProbes: number;
  /** Table frees of the trace by site, as the trace names it; and those that come before any flush. */
  readonly frees: Readonly<Record<string, number>>;
  /** Frees that come before any flush. */
  readonly freesBeforeFlush: number;
  /** Of these frees, those that the traced kernel itself handed to its deferred worker; each counts at its hand-over. */
  readonly freesDeferred: number;
  /** Flush calls of the trace. Equal to every policy's `kernel` counters, see `PolicyResult.flushesMatch`. */
  readonly flushes: FlushCalls;
  /** Operations of the trace that the replay has no use for, or could not play, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** Calls of the kernel's flush entry points. */
export interface FlushCalls {
  /** flush_tlb_kernel_range() */
  readonly kernelRange: number;
  /** flush_tlb_all() */
  readonly all: number;
  /** __flush_tlb_all() that is not the execution of flush_tlb_all() */
  readonly local: number;
  /** flush_tlb_mm_range() */
  readonly mm: number;
}

/** A kernel page table that the trace frees. */
export interface TableFree {
  /** Number from 0. */
  readonly index: number;
  /** Line of the trace that frees it, or number of the event that was drawn, from 1. */
  readonly line: number;
  /** ns from the first event. */
  readonly timeNs: number;
  /** Kernel function, as the trace names it. */
  readonly site: string;
  /** The same as a site of the model. */
  readonly modelSite: Site;
  /** First virtual address that the table served (of the range, where the trace does not tell more). */
  readonly address: bigint;
  /** Level of the table: 1 = PT, 2 = PD. */
  readonly level: number;
  /** Frame number of the page in the traced machine, if the trace tells. */
  readonly frame: number | undefined;
  /** Its address in the direct map of the traced kernel, if the trace tells. */
  readonly page: bigint | undefined;
  /** Address of its struct page in the traced kernel, if the trace tells. */
  readonly structPage: bigint | undefined;
  /** Whether the traced kernel handed it to its deferred worker; {@link timeNs} is the time of that. */
  readonly deferred: boolean;
  /** CPU that freed it. */
  readonly cpu: number;
  /** Thread that freed it. */
  readonly pid: number;
  /** Whether the free comes before the flush that should precede it (same thread, since the table was unlinked). */
  readonly beforeFlush: boolean;
  /** Time of the flush that belongs to it, ns from the first event: before or after the free; undefined if there is none. */
  readonly flushTimeNs: number | undefined;
  /** Function that flushed. */
  readonly flushCaller: string | undefined;
  /** Number of the record in the program that frees: `Hazard.freedAt` refers to it under policies that free at once. */
  readonly operation: number;
}

/** Bins over the time of the trace; arrays have `bins` elements. */
export interface Timeline {
  /** Length of a bin, ns. */
  readonly binNs: number;
  /** Number of bins. */
  readonly bins: number;
  /** Events of the trace (those that became operations). */
  readonly events: readonly number[];
  /** Flush calls of kernel addresses (ranged and full). */
  readonly kernelFlushes: readonly number[];
  /** Table frees. */
  readonly frees: readonly number[];
}
