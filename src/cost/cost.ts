// Counters times figures.

import type { KernelCounters } from "../kernel/kernel.js";
import { type CostModel, defaultCostModel } from "./model.js";
import { type Cost, type CostKind, type CostLine, costKinds } from "./result.js";

/** What a bill is made from: the kernel's counters, and entries that walks read. */
export interface CostCounters {
  /** The kernel's counters of the run. */
  readonly kernel: KernelCounters;
  /** Entries that walks of IOMMUs, and of CPUs, read from tables. Default 0. */
  readonly iommuEntryReads?: number;
  /** The same of CPUs. Default 0. */
  readonly cpuEntryReads?: number;
}

/** Kinds that only exist because there is an IOMMU (and a policy for it). */
const IOMMU_KINDS: ReadonlySet<CostKind> = new Set([
  "iotlbPageInvalidation",
  "iotlbPasidInvalidation",
  "iotlbGlobalInvalidation",
  "pasidCacheInvalidation",
  "deviceTlbInvalidation",
  "queueWait",
  "workRun",
  "rootSync",
  "iommuEntryRead",
]);

function countOf(kind: CostKind, { kernel, iommuEntryReads = 0, cpuEntryReads = 0 }: CostCounters): number {
  switch (kind) {
    case "cpuPageInvalidation":
      return kernel.cpuPageFlushes;
    case "cpuFullFlush":
      return kernel.cpuFullFlushes;
    case "cpuSpaceFlush":
      return kernel.cpuSpaceFlushes;
    case "ipiBroadcast":
      return kernel.ipiBroadcasts;
    case "ipiReceiver":
      return kernel.ipiReceivers;
    case "iotlbPageInvalidation":
      return kernel.pageSelectiveInvalidations;
    case "iotlbPasidInvalidation":
      return kernel.pasidSelectiveInvalidations;
    case "iotlbGlobalInvalidation":
      return kernel.globalInvalidations;
    case "pasidCacheInvalidation":
      return kernel.pasidCacheInvalidations;
    case "deviceTlbInvalidation":
      return kernel.deviceTlbInvalidations;
    case "queueWait":
      return kernel.queueWaits;
    case "workRun":
      return kernel.workRuns;
    case "rootSync":
      return kernel.rootSyncs;
    case "iommuEntryRead":
      return iommuEntryReads;
    case "cpuEntryRead":
      return cpuEntryReads;
  }
}

/**
 * What counters cost by a model. Everything happens once in exactly one line; what is in no line is in `notModelled`.
 * @example
 * ```ts
 * import { createMachine } from "stalewalk";
 * import { checkCostModel, cost } from "stalewalk/cost";
 *
 * const machine = await createMachine({ kernel: { policy: "flush-range" } });
 * machine.kernel!.run((p) => p.vmalloc(0xffff_c900_0000_0000n, 8).vfree(0xffff_c900_0000_0000n, 8).purge());
 * const { totalNs, byKind } = cost({ kernel: machine.kernel!.counters }, checkCostModel({ name: "mine", figures: { queueWait: 2000 } }));
 * console.log(totalNs > 0, byKind.queueWait.count); // true 0
 * ```
 */
export function cost(counters: CostCounters, model: CostModel = defaultCostModel): Cost {
  let totalNs = 0;
  let iommuNs = 0;
  const lines = costKinds.map((kind): [CostKind, CostLine] => {
    const count = countOf(kind, counters);
    const unitNs = model.figures[kind].ns;
    const ns = count * unitNs;
    totalNs += ns;
    if (IOMMU_KINDS.has(kind)) iommuNs += ns;
    return [kind, { count, unitNs, ns }];
  });
  return { totalNs, iommuNs, byKind: Object.fromEntries(lines) as Record<CostKind, CostLine> };
}
