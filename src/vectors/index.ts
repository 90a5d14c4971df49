// Walk vectors: recorded accesses of an emulator's MMU, read as a stream and compared with the engine. No Node built-ins.

export {
  checkVectors,
  type VectorCheck,
  type VectorCheckOptions,
  type VectorDifference,
} from "./check.js";
export { type Mismatch, VECTOR_PARTS, type VectorPart } from "./compare.js";
export { type Place, VectorFormatError } from "./error.js";
export { openVectors, type VectorFile } from "./form.js";
export { DEFAULT_MAX_LINE, type NumberedVector, type ReadOptions, readWalkVectors } from "./read.js";
export * from "./riscv/index.js";
export type { VectorEntry } from "./tables.js";
export {
  parseWalkVector,
  type VectorDeviation,
  type VectorResult,
  type WalkVector,
} from "./vector.js";
export * from "./vtd/index.js";
