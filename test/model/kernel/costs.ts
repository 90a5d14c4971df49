// What the kernel's work costs, in counts (rules.md section 17): interrupts, single flushes, waits for the invalidation queue, and
// how long frames are held back.

import type { Kernel } from "./kernel.js";

/** Descriptors that Intel's driver submits with one wait. */
const BATCH = 16;

/** A flush of `flushed` CPUs: one of them does it by itself, the others are interrupted. */
function interrupt(k: Kernel, flushed: number): void {
  if (flushed < 2) return;
  k.counters.ipiBroadcasts += 1;
  k.counters.ipiReceivers += flushed - 1;
}

/** Every CPU drops everything; by INVLPGB without an interrupt. */
export function countFullFlushes(k: Kernel): void {
  if (!k.broadcasts) interrupt(k, k.cpus.length);
  k.counters.cpuFullFlushes += k.cpus.length;
}

/** Every CPU drops so many pages. */
export function countPageFlushes(k: Kernel, pages: number): void {
  interrupt(k, k.cpus.length);
  k.counters.cpuPageFlushes += pages * k.cpus.length;
}

/** The CPUs that run an mm have flushed it. */
export function countMmFlush(k: Kernel, running: number): void {
  interrupt(k, running);
}

/** Waits of one round: the IOMMU of each descriptor that was submitted, in order. */
export function countWaits(k: Kernel, submitted: readonly { iommu: number; pasid: number }[]): void {
  let batch = { iommu: -1, pasid: -1, descriptors: 0 };
  for (const { iommu, pasid } of submitted) {
    const goesOn =
      k.iommu(iommu).dialect === "amd"
        ? iommu === batch.iommu && pasid === batch.pasid
        : iommu === batch.iommu && batch.descriptors < BATCH;
    if (!goesOn) {
      k.counters.queueWaits += 1;
      batch = { iommu, pasid, descriptors: 0 };
    }
    batch.descriptors += 1;
  }
}

/** A table goes to the deferred list. */
export function countDeferral(k: Kernel): void {
  k.counters.framesDeferred += 1;
  k.counters.maxFramesHeld = Math.max(k.counters.maxFramesHeld, k.held());
}

/** A table that was deferred is released. */
export function countRelease(k: Kernel, since: { operation: number; time: bigint }): void {
  k.counters.operationsHeld += k.hazards.operation - since.operation;
  k.counters.nanosecondsHeld += Number(k.time - since.time);
}
