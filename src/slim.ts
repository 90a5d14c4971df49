// The entry point `stalewalk/slim`: the library without the engine's bytes, for who has the module already: an edge runtime that
// imports `.wasm` files, a page that compiles while it downloads, workers that are sent one.

import { InvalidOptionError } from "./base/errors.js";
import type { OwnModule } from "./engine/instance.js";
import { checkWalker, Walker, type WalkerOptions } from "./hardware/walker.js";
import { checkMachine, Machine } from "./machine.js";
import type { MachineConfig } from "./machine-config.js";

export * from "./common.js";
export type { OwnModule } from "./engine/instance.js";

/** The module that was given. */
function given<T extends { module?: unknown }>(options: T): T & OwnModule {
  if (options.module) return options as T & OwnModule;
  const expected = "a WebAssembly.Module of `stalewalk/stalewalk.wasm`, as `stalewalk/slim` brings none";
  throw new InvalidOptionError("module", options.module, expected);
}

/**
 * Makes a machine.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { createMachine } from "stalewalk/slim";
 *
 * // In a browser: await WebAssembly.compileStreaming(fetch(new URL("stalewalk.wasm", import.meta.url)))
 * const bytes = await readFile(new URL(import.meta.resolve("stalewalk/stalewalk.wasm")));
 * const machine = await createMachine({ module: await WebAssembly.compile(bytes) });
 * console.log(machine.cpus.length); // 1
 * ```
 */
export async function createMachine(config: MachineConfig & OwnModule): Promise<Machine> {
  return createMachineSync(config);
}

/**
 * The same without waiting: the module has been compiled.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 */
export function createMachineSync(config: MachineConfig & OwnModule): Machine {
  const checked = given(checkMachine(config));
  return new Machine(checked.module, checked);
}

/**
 * Makes a walker.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 */
export async function createWalker(options: WalkerOptions & OwnModule): Promise<Walker> {
  return createWalkerSync(options);
}

/**
 * The same without waiting: the module has been compiled.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 */
export function createWalkerSync(options: WalkerOptions & OwnModule): Walker {
  const checked = given(checkWalker(options));
  return new Walker(checked.module, checked);
}
