// What a run cost by a cost model: the shape that reports and tables read.

/** Things that cost time; each is one entry of a cost model. */
export const costKinds = [
  "cpuPageInvalidation",
  "cpuFullFlush",
  "cpuSpaceFlush",
  "ipiBroadcast",
  "ipiReceiver",
  "iotlbPageInvalidation",
  "iotlbPasidInvalidation",
  "iotlbGlobalInvalidation",
  "pasidCacheInvalidation",
  "deviceTlbInvalidation",
  "queueWait",
  "workRun",
  "rootSync",
  "iommuEntryRead",
  "cpuEntryRead",
] as const;

/** One of {@link costKinds}. */
export type CostKind = (typeof costKinds)[number];

/** One line of a bill. */
export interface CostLine {
  /** How often it happened. */
  readonly count: number;
  /** Nanoseconds each, by the model. */
  readonly unitNs: number;
  /** count * unitNs, ns. */
  readonly ns: number;
}

/** What a run cost. */
export interface Cost {
  /** Sum of all lines, ns. Work done by different CPUs and devices is added up: it is not elapsed time. */
  readonly totalNs: number;
  /** Part of the total that the IOMMU side causes (queue, IOMMU walks, deferred work, second roots), ns: what policies differ in. */
  readonly iommuNs: number;
  /** The lines of the bill: one per kind, those with a count of 0 included. */
  readonly byKind: Readonly<Record<CostKind, CostLine>>;
}
