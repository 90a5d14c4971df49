// The entry point "stalewalk/image": page-table images (ELF cores of physical memory) as walkers, compared with QEMU's
// own listings, and audited. No Node built-ins: bring the bytes.
//
// ```ts
// import { Access } from "stalewalk";
// import { loadImage, openCore } from "stalewalk/image";
// const image = await openCore(bytes, { file: "vm.core.gz" });
// const { walker } = await loadImage(image);
// console.log(walker.explain(0xffffffffff600000n, Access.userRead).outcome);
// ```

export { DEFAULT_MAX_INFLATED_BYTES, GzipError } from "../formats/unpack.js";
export {
  type AuditLeaf,
  type AuditOptions,
  auditTables,
  type EntryCounts,
  type ImageAudit,
  type LeafFinding,
  type SharedTable,
} from "./audit.js";
export { type CheckInput, type CheckOptions, type CheckResult, checkImage } from "./check.js";
export { type ImageContext, imageContext, imageTables, type LoadOptions } from "./context.js";
export { CoreImage, type CoreOptions, readCore } from "./core.js";
export { CoreFormatError, ImageError, ListingFormatError } from "./error.js";
export type { Segment } from "./frames.js";
export {
  formatInfoMem,
  formatInfoTlb,
  formatMemRange,
  formatTlbRow,
  type LeafBatch,
  type MemRange,
  memRanges,
  parseInfoMem,
  parseInfoTlb,
  TLB_FLAGS,
  type TlbListing,
  type TlbRow,
  tlbRow,
  tlbRows,
} from "./listing.js";
export { type LoadedImage, loadImage } from "./load.js";
export type { CoreCpu } from "./notes.js";
export { openCore } from "./open.js";
export type { CheckPart, Difference, NamedText } from "./part.js";
export { type ListedRegisters, parseInfoRegisters } from "./registers.js";
export { type ByteSource, memorySource } from "./source.js";
export { findTables, type MissingTable, type TableGraph, type TableVisit, type WalkRules } from "./tables.js";
