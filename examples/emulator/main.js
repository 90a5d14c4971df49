// Boots the guest and says what came of it: node examples/emulator/main.js
import { geometries } from "stalewalk";
import { Emulator } from "./emulator.js";
import { boot, KERNEL_STACK, RAM_BYTES } from "./guest.js";

const told = [];
const emulator = new Emulator({
  bytes: RAM_BYTES,
  caches: geometries.skylake,
  kernelStack: KERNEL_STACK,
  device: (_offset, value) => told.push(value),
});
boot(emulator);
emulator.run();

const { walks, adWrites, invalidations } = emulator.cpu.counters;
console.log(`${emulator.instructions} instructions, ${emulator.faults} page faults, ${walks} walks`);
console.log(`${adWrites} entries in which walks set A or D, ${invalidations} invalidations`);
console.log(`the guest counts: A in ${told[0]} pages, D in ${told[1]}, ${told[2]} faults`);
