// Recorded device requests of an emulator's VT-d: single walks, and sequences with invalidations between them.

export {
  checkVtdVectors,
  VTD_PARTS,
  type VtdCheck,
  type VtdCheckOptions,
  type VtdDifference,
  type VtdPart,
} from "./check.js";
export {
  checkVtdSequences,
  SEQUENCE_PARTS,
  type SequenceCheck,
  type SequenceDifference,
  type SequencePart,
} from "./check-sequences.js";
export {
  parseVtdSequence,
  type SequenceInvalidation,
  type SequenceSlot,
  type SequenceStep,
  type VtdSequence,
} from "./sequence.js";
export {
  parseVtdVector,
  VTD_DEVIATIONS,
  type VtdDeviation,
  type VtdPasidEntry,
  type VtdResult,
  type VtdVector,
} from "./vector.js";
