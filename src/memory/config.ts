// What a machine of `stalewalk/memory` is made with, and how it is checked.

import { anything, isObject, object, parse } from "../base/schema.js";
import { type MachineConfig, machineFields } from "../machine-config.js";
import { type GuestMemory, guestMemorySchema } from "./host-memory.js";

/** A machine over guest memory that the host keeps. */
export interface MemoryMachineConfig extends Omit<MachineConfig, "ram"> {
  /** The guest's memory, in place of {@link MachineConfig.ram}. */
  memory: GuestMemory;
}

const memoryMachineSchema = object({
  ...machineFields(),
  // Checked below, and kept as it is: its functions may be methods of an object that has more.
  memory: anything(),
});

const partsOf = ({ load, compareExchange, ranges }: Record<string, unknown>) => ({ load, compareExchange, ranges });

/** A machine's options, checked. @internal @throws InvalidOptionError naming the field, the value and what is allowed */
export function checkMemoryMachine(config: MemoryMachineConfig): MemoryMachineConfig {
  const checked = parse(memoryMachineSchema, config, "") as MemoryMachineConfig;
  const memory: unknown = checked.memory;
  parse(guestMemorySchema, isObject(memory) ? partsOf(memory) : memory, "memory");
  return checked;
}
