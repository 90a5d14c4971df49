// Compiling the copy of the engine that is inside this package, as base64. Nothing happens at import.

import { compilerOf } from "./compiler.js";
import { WASM_BASE64 } from "./wasm-bytes.js";
import type { WasmModule } from "./wasm-module.js";

const compiler = /* @__PURE__ */ compilerOf(WASM_BASE64);

/** Compiles the engine (once; later calls return the same module). Rejects if the host forbids compiling from bytes. */
export async function compileEngine(): Promise<WasmModule> {
  return compiler.compile();
}

/** The same without waiting; browsers refuse this on the main thread for modules above 4 KiB (not so in workers). */
export function compileEngineSync(): WasmModule {
  return compiler.compileSync();
}
