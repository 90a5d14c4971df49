// The entry point `stalewalk` in workerd (Cloudflare's runtime), which compiles nothing from bytes: the module is a file that its
// tools hand over compiled. The same names as index.ts, with the same types.

import type { WasmModule } from "./engine/wasm-module.js";
import { checkWalker, Walker, type WalkerOptions } from "./hardware/walker.js";
import { checkMachine, Machine } from "./machine.js";
import type { MachineConfig } from "./machine-config.js";
import module from "./stalewalk.wasm";

export * from "./common.js";

/** The engine, which the host has compiled. */
export async function compileEngine(): Promise<WasmModule> {
  return module;
}

/** The same without waiting. */
export function compileEngineSync(): WasmModule {
  return module;
}

/** Makes a machine. */
export async function createMachine(config: MachineConfig = {}): Promise<Machine> {
  return createMachineSync(config);
}

/** The same without waiting. */
export function createMachineSync(config: MachineConfig = {}): Machine {
  const checked = checkMachine(config);
  return new Machine(checked.module ?? module, checked);
}

/** Makes a walker. */
export async function createWalker(options: WalkerOptions = {}): Promise<Walker> {
  return createWalkerSync(options);
}

/** The same without waiting. */
export function createWalkerSync(options: WalkerOptions = {}): Walker {
  const checked = checkWalker(options);
  return new Walker(checked.module ?? module, checked);
}
