// Compiling a module that the package carries as base64, once. Nothing happens at import.

import { bytesOfBase64 } from "../base/base64.js";
import type { WasmModule } from "./wasm-module.js";

/** Two ways to the same module, which is compiled at the first need. */
export interface Compiler {
  compile(): Promise<WasmModule>;
  compileSync(): WasmModule;
}

/** A compiler of the module with these bytes. */
export function compilerOf(base64: string): Compiler {
  let compiled: WasmModule | undefined;
  let compiling: Promise<WasmModule> | undefined;
  return {
    async compile() {
      if (compiled) return compiled;
      compiling ??= WebAssembly.compile(bytesOfBase64(base64));
      try {
        compiled = await compiling;
      } finally {
        compiling = undefined;
      }
      return compiled;
    },
    compileSync() {
      compiled ??= new WebAssembly.Module(bytesOfBase64(base64));
      return compiled;
    },
  };
}
