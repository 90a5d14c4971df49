// What a contestant is given: tables, controls, caches, a number of CPUs. The same for all of them.
import type { AgentGeometry, Controls, WorkloadPage } from "stalewalk";

/** One page table: 512 entries of a frame. */
export interface Table {
  /** Frame number. */
  frame: number;
  entries: BigUint64Array;
}

/** A leaf that the benchmark may access. */
export interface Page extends WorkloadPage {
  /** Level of the leaf: 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB. */
  level: number;
  /** Whether a write is allowed. */
  writable: boolean;
}

/** A set of tables, with the pages that it maps. */
export interface TableSet {
  name: string;
  levels: 4 | 5;
  /** Physical address width in bits. */
  maxPhyAddr: number;
  /** Physical address of the root table. */
  root: bigint;
  controls: Controls;
  tables: readonly Table[];
  /** Accessible leaves in address order. */
  pages: readonly Page[];
}

/** A machine of one or more equal CPUs; or of one IOMMU in their place, all of whose PASIDs have these tables. */
export interface World {
  set: TableSet;
  geometry: AgentGeometry;
  cpus: number;
  iommu?: { pasids: number; devices: number };
}

/** A requester of a world with an IOMMU, as programs number them. */
export function requesterOf({ pasids }: { pasids: number }, pasid: number, device: number): number {
  return device * pasids + pasid;
}

/** Controls of the benchmark: those of the tables, with PCIDs, and without protection keys (no table here uses them). */
export function benchControls(controls: Controls): Controls {
  return { ...controls, pcide: true, pke: false };
}
