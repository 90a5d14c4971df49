// Compiling the copy of the engine that is inside this package, as base64. Nothing happens at import.

import { compilerOf } from "./compiler.js";
import { WASM_BASE64 } from "./wasm-bytes.js";
import type { WasmModule } from "./wasm-module.js";

const compiler = /* @__PURE__ */ compilerOf(WASM_BASE64);

/**
 * Compiles the engine (once; later calls return the same module). Rejects if the host forbids compiling from bytes.
 * @example
 * ```ts
 * import { compileEngine, createMachineSync } from "stalewalk";
 *
 * const module = await compileEngine(); // a WebAssembly.Module, which workers can be sent
 * const machines = [1, 2].map(() => createMachineSync({ module }));
 * console.log(machines.length); // 2
 * ```
 */
export async function compileEngine(): Promise<WasmModule> {
  return compiler.compile();
}

/**
 * The same without waiting; browsers refuse this on the main thread for modules above 4 KiB (not so in workers).
 * @example
 * ```ts
 * import { compileEngineSync, createMachineSync } from "stalewalk";
 *
 * const machine = createMachineSync({ module: compileEngineSync(), ram: { bytes: 4096 } });
 * console.log(machine.ram?.length); // 4096
 * ```
 */
export function compileEngineSync(): WasmModule {
  return compiler.compileSync();
}
