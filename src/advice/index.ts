// Advice: which change makes every cell safe, and what it costs.

export { type Advice, type AdviseOptions, advise, type Cure } from "./advise.js";
export type { CellState, JudgedCell, OpenCell, ProofOptions, Prover } from "./cells.js";
export { simulatedCosts } from "./costs.js";
export { checkAdvice } from "./form.js";
