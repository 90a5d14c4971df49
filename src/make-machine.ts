// Making a machine with the engine that is inside this package.

import { compileEngine, compileEngineSync } from "./engine/compile.js";
import { checkMachine, Machine } from "./machine.js";
import type { MachineConfig } from "./machine-config.js";

/**
 * Makes a machine.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { Access, createMachine, geometries } from "stalewalk";
 *
 * const machine = await createMachine({ tables: 4, cpus: [{ ...geometries.skylake, root: 0x1000n }] });
 * // Frames 1 to 4 are tables; each one's first entry leads on, the last to the page at 0x5000.
 * for (const frame of [1, 2, 3, 4]) {
 *   machine.frames.setTable(frame);
 *   machine.frames.writeEntry(BigInt(frame) << 12n, (BigInt(frame + 1) << 12n) | 7n);
 * }
 * const [cpu] = machine.cpus;
 * console.log(cpu.translate(0x123n, Access.userWrite)); // { kind: 'ok', physicalAddress: 20771n, level: 1, pageSize: 4096 }
 * console.log(cpu.counters.walks, cpu.translate(0x456n, Access.userRead).kind, cpu.counters.walks); // 1 ok 1
 * ```
 */
export async function createMachine(config: MachineConfig = {}): Promise<Machine> {
  const checked = checkMachine(config);
  return new Machine(checked.module ?? (await compileEngine()), checked);
}

/**
 * The same without waiting; see `compileEngineSync` for where that is refused.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { createMachineSync } from "stalewalk";
 *
 * const machine = createMachineSync({ ram: { bytes: 2 ** 20 }, cpus: [{ root: 0x1000n }] });
 * console.log(machine.ram?.length); // 1048576
 * ```
 */
export function createMachineSync(config: MachineConfig = {}): Machine {
  const checked = checkMachine(config);
  return new Machine(checked.module ?? compileEngineSync(), checked);
}
