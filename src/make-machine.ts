// Making a machine with the engine that is inside this package.

import { compileEngine, compileEngineSync } from "./engine/compile.js";
import { checkMachine, Machine } from "./machine.js";
import type { MachineConfig } from "./machine-config.js";

/**
 * Makes a machine.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 */
export async function createMachine(config: MachineConfig = {}): Promise<Machine> {
  const checked = checkMachine(config);
  return new Machine(checked.module ?? (await compileEngine()), checked);
}

/** The same without waiting; see `compileEngineSync` for where that is refused. */
export function createMachineSync(config: MachineConfig = {}): Machine {
  const checked = checkMachine(config);
  return new Machine(checked.module ?? compileEngineSync(), checked);
}
