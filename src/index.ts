// The library's table of contents. Works unchanged in Node, Deno, Bun, browsers and workers: no built-ins, nothing
// happens at import.

export * from "./common.js";
export { compileEngine, compileEngineSync } from "./engine/compile.js";
export { createWalker, createWalkerSync } from "./hardware/make-walker.js";
export { createMachine, createMachineSync } from "./make-machine.js";
