// Descriptors of an invalidation queue that a trace tells of, counted by type.

import { DescriptorError } from "./fields.js";
import { decodeVtd, type VtdDescriptor, vtdAddressMask } from "./vtd.js";

/** What the driver put into its queue, by type. */
export interface QueueSummary {
  /** Descriptors whose words the trace tells. */
  readonly descriptors: number;
  /** Descriptors submitted together with one that the trace tells, words unknown. */
  readonly untold: number;
  /** By type, e.g. `iotlb`, `interrupt-entry`. */
  readonly byType: Readonly<Record<string, number>>;
  /** By type and granularity, e.g. `iotlb page`. */
  readonly byGranularity: Readonly<Record<string, number>>;
  /** 4 KiB pages that page-selective IOTLB descriptors name. */
  readonly pages: number;
  /** Submissions; each ends with a wait descriptor that the driver adds and spins for. */
  readonly waits: number;
  /** Descriptors that are not as the specification says, by what is wrong; the first one of each kind as an example. */
  readonly malformed: Readonly<Record<string, number>>;
}

/**
 * Counts the descriptors of a trace, word by word, without keeping them.
 * @example
 * ```ts
 * import { QueueCounter } from "stalewalk/queue";
 *
 * const counter = new QueueCounter();
 * counter.add(0x12n, 0n, 0n, 0n, 2); // a global invalidation of the IOTLB, and one descriptor more that the trace did not hold
 * console.log(counter.summary.byType, counter.summary.waits); // { iotlb: 1 } 1
 * ```
 */
export class QueueCounter {
  readonly #byType = new Map<string, number>();
  readonly #byGranularity = new Map<string, number>();
  readonly #malformed = new Map<string, number>();
  #descriptors = 0;
  #untold = 0;
  #pages = 0;
  #waits = 0;

  /**
   * One submission to a VT-d queue: the words of its first descriptor, and how many it has in all.
   * @returns the descriptor, or undefined if it is not one (counted as malformed)
   */
  add(qw0: bigint, qw1: bigint, qw2: bigint, qw3: bigint, count: number): VtdDescriptor | undefined {
    this.#descriptors++;
    this.#waits++;
    this.#untold += Math.max(0, count - 1);
    let descriptor: VtdDescriptor;
    try {
      descriptor = decodeVtd(qw0, qw1, qw2, qw3);
    } catch (error) {
      if (!(error instanceof DescriptorError)) throw error;
      if (this.#malformed.size < MAX_KINDS || this.#malformed.has(error.message)) add(this.#malformed, error.message);
      else add(this.#malformed, "(others)");
      return undefined;
    }
    add(this.#byType, descriptor.type);
    if ("granularity" in descriptor) add(this.#byGranularity, `${descriptor.type} ${descriptor.granularity}`);
    const mask = vtdAddressMask(descriptor);
    if (mask !== undefined && (descriptor.type === "iotlb" || descriptor.type === "pasid-iotlb"))
      this.#pages += 2 ** mask;
    return descriptor;
  }

  /** What was counted so far. */
  get summary(): QueueSummary {
    return {
      descriptors: this.#descriptors,
      untold: this.#untold,
      byType: Object.fromEntries(this.#byType),
      byGranularity: Object.fromEntries(this.#byGranularity),
      pages: this.#pages,
      waits: this.#waits,
      malformed: Object.fromEntries(this.#malformed),
    };
  }
}

/** Kinds of malformed descriptors told apart: a damaged trace must not fill the memory. */
const MAX_KINDS = 100;

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
