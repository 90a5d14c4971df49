// The module that compares and copies states for proofs. The list of exports is its contract; the memory it works on is the engine's.

export { copy, copyRanges, differences } from "./states";
