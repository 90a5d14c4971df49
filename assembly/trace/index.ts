// The module that reads lines of a trace by their form, for src/trace/templates.ts. It is a module of its own beside the engine: it
// knows no machine, imports nothing, and has a memory of its own. The list of exports is its contract.

export { addPiece, beginForm, endForm } from "./forms";
export { BLOCK } from "./memory";
export { read } from "./read";
export { know } from "./texts";
