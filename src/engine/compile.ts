// Compiling the copy of the engine that is inside this package, as base64. Nothing happens at import.

import { bytesOfBase64 } from "../base/base64.js";
import { WASM_BASE64 } from "./wasm-bytes.js";
import type { WasmModule } from "./wasm-module.js";

let compiled: WasmModule | undefined;
let compiling: Promise<WasmModule> | undefined;

/** Compiles the engine (once; later calls return the same module). Rejects if the host forbids compiling from bytes. */
export async function compileEngine(): Promise<WasmModule> {
  if (compiled) return compiled;
  compiling ??= WebAssembly.compile(bytesOfBase64(WASM_BASE64));
  try {
    compiled = await compiling;
  } finally {
    compiling = undefined;
  }
  return compiled;
}

/** The same without waiting; browsers refuse this on the main thread for modules above 4 KiB (not so in workers). */
export function compileEngineSync(): WasmModule {
  compiled ??= new WebAssembly.Module(bytesOfBase64(WASM_BASE64));
  return compiled;
}
