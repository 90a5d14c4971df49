// The entry point `stalewalk/memory`: machines over guest memory that the host keeps, walked in place. It brings a build of the engine
// of its own, which imports two functions (docs/rules.md section 18, from 18.11 on).

import { compilerOf } from "./engine/compiler.js";
import type { WasmModule } from "./engine/wasm-module.js";
import { Machine } from "./machine.js";
import { checkMemoryMachine, type MemoryMachineConfig } from "./memory/config.js";
import { HostMemory } from "./memory/host-memory.js";
import { WASM_BASE64 } from "./memory/wasm-bytes.js";

export * from "./common.js";
export type { PlacedRange, WasmMemory } from "./memory/accessors.js";
export type { MemoryMachineConfig } from "./memory/config.js";
export { guestMemory, type MemorySource } from "./memory/guest-memory.js";
export type { GuestMemory, MemoryRange } from "./memory/host-memory.js";

const compiler = /* @__PURE__ */ compilerOf(WASM_BASE64);

function machineOf(module: WasmModule, config: MemoryMachineConfig): Machine {
  return new Machine(module, config, (maxPhyAddr, beside) => new HostMemory(config.memory, maxPhyAddr, beside));
}

/**
 * Compiles the engine of this entry point (once), to be sent to workers. Rejects if the host forbids compiling from bytes.
 * @example
 * ```ts
 * import { compileEngine, createMachineSync, guestMemory } from "stalewalk/memory";
 *
 * const module = await compileEngine();
 * const memory = guestMemory(new SharedArrayBuffer(2 ** 16)); // each worker makes its own of the same buffer
 * console.log(createMachineSync({ module, memory }).cpus.length); // 1
 * ```
 */
export async function compileEngine(): Promise<WasmModule> {
  return compiler.compile();
}

/** The same without waiting; browsers refuse this on the main thread for modules above 4 KiB (not so in workers). */
export function compileEngineSync(): WasmModule {
  return compiler.compileSync();
}

/**
 * Makes a machine over guest memory that the host keeps. `module`, if given, is one of `stalewalk/memory.wasm`.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { Access, createMachine, guestMemory } from "stalewalk/memory";
 *
 * const guest = new Uint8Array(0x6000); // yours; a SharedArrayBuffer or a WebAssembly.Memory does as well
 * const words = new DataView(guest.buffer);
 * for (const frame of [1, 2, 3, 4]) words.setBigUint64(frame * 4096, BigInt(frame + 1) * 4096n + 7n, true);
 * const machine = await createMachine({ memory: guestMemory(guest), cpus: [{ root: 0x1000n }] });
 * console.log(machine.cpus[0].translate(0n, Access.userWrite).kind); // ok
 * // A and D stand in your memory.
 * console.log(words.getBigUint64(0x4000, true).toString(16)); // 5067
 * ```
 */
export async function createMachine(config: MemoryMachineConfig): Promise<Machine> {
  const checked = checkMemoryMachine(config);
  return machineOf(checked.module ?? (await compileEngine()), checked);
}

/**
 * The same without waiting; see {@link compileEngineSync} for where that is refused.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 */
export function createMachineSync(config: MemoryMachineConfig): Machine {
  const checked = checkMemoryMachine(config);
  return machineOf(checked.module ?? compileEngineSync(), checked);
}
