// RISC-V walk vectors, which are played on a build of the engine of their own.

export { checkRiscvVectors, type RiscvCheck, type RiscvCheckOptions, type RiscvDifference } from "./check.js";
export { RISCV_PARTS, type RiscvPart } from "./compare.js";
export {
  parseRiscvVector,
  RISCV_LEVELS,
  type RiscvControls,
  type RiscvDeviation,
  type RiscvMode,
  type RiscvResult,
  type RiscvVector,
} from "./vector.js";
