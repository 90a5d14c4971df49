// Descriptors of an IOMMU's invalidation queue, executed as hardware would (docs/rules.md section 15; VT-d 6.5.2, AMD IOMMU 2.4).

import { checkAddress, checkInteger } from "../base/errors.js";
import type { Pointer } from "../engine/exports.js";
import type { Engine } from "../engine/instance.js";
import { decodeAmd } from "../queue/amd.js";
import { DescriptorError } from "../queue/fields.js";
import { decodeVtd } from "../queue/vtd.js";

/** A descriptor: of VT-d two 64-bit words or four, of AMD two. */
export type DescriptorWords = readonly [bigint, bigint, ...bigint[]];

/** What became of a queue of descriptors. */
export interface QueueResult {
  /** Descriptors that were executed. */
  done: number;
  /** What is wrong with the next one, at which the queue has stopped. */
  error?: DescriptorError;
}

/** The four words of a descriptor, checked; of two the others are 0. @throws InvalidOptionError for words that cannot be */
export function checkWords(dialect: "vtd" | "amd", words: DescriptorWords): [bigint, bigint, bigint, bigint] {
  checkInteger("words.length", words.length, 2, dialect === "amd" ? 2 : 4);
  const [first, second, third, fourth] = words.map((word, i) => checkAddress(`words[${i}]`, word)) as bigint[];
  return [first as bigint, second as bigint, third ?? 0n, fourth ?? 0n];
}

/**
 * Executes one descriptor.
 * @param near a context of the IOMMU
 * @param to source-id of the device whose TLB a device-TLB descriptor is sent to
 * @throws DescriptorError naming the field that hardware refuses
 */
export function execute(
  { exports }: Engine,
  dialect: "vtd" | "amd",
  near: Pointer,
  to: number,
  [first, second, third, fourth]: readonly [bigint, bigint, bigint, bigint],
): void {
  if (dialect === "amd") {
    decodeAmd(first, second);
    exports.executeAmd(near, to, first, second);
  } else {
    decodeVtd(first, second, third, fourth);
    exports.executeVtd(near, to, first, second);
  }
}

/** Executes descriptors in their order, until there are no more or hardware refuses one. */
export function executeUntilRefused(
  descriptors: readonly DescriptorWords[],
  submit: (words: DescriptorWords) => void,
): QueueResult {
  for (const [done, words] of descriptors.entries()) {
    try {
      submit(words);
    } catch (error) {
      if (error instanceof DescriptorError) return { done, error };
      throw error;
    }
  }
  return { done: descriptors.length };
}
