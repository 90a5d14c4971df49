// Descriptors of an invalidation queue that a trace tells of, counted by type.

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
