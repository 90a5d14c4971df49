// stalewalk by other doors: tables in guest RAM, in memory that the host keeps. Nothing here needs Node.
import type { Machine } from "stalewalk";
import { createMachineSync as createHosted, guestMemory } from "stalewalk/memory";
import { present } from "../library.js";
import { benchControls, type World } from "../world.js";
import type { Contestant } from "./contestant.js";
import { contestantOf } from "./stalewalk.js";

const PAGE = 4096n;

/** What a machine has whose tables are a guest's, and the frames from the first of them to the last. */
function guestOptions({ set, geometry, cpus }: World) {
  const frames = set.tables.map(({ frame }) => frame);
  const first = frames.reduce((least, frame) => Math.min(least, frame));
  const last = frames.reduce((most, frame) => Math.max(most, frame));
  const options = {
    levels: set.levels,
    maxPhyAddr: set.maxPhyAddr,
    tables: 1,
    workloadPages: 1,
    cpus: Array.from({ length: cpus }, () => ({ ...geometry, controls: benchControls(set.controls), root: set.root })),
  };
  return { options, first, base: BigInt(first) * PAGE, bytes: (last - first + 1) * Number(PAGE) };
}

/** Stores tables as a guest would, and nobody is told. */
function storeTables({ set }: World, first: number, ram: Uint8Array<ArrayBuffer>): void {
  for (const { frame, entries } of set.tables) {
    new BigUint64Array(ram.buffer, ram.byteOffset + (frame - first) * Number(PAGE), entries.length).set(entries);
  }
}

/** The same machine with its tables in guest RAM, in place. */
function guestMachine(world: World): Machine {
  const { options, first, base, bytes } = guestOptions(world);
  const machine = present.createMachineSync({ ...options, ram: { base, bytes } });
  storeTables(world, first, machine.ram as Uint8Array<ArrayBuffer>);
  return machine;
}

/** The same machine with its tables in memory that the host keeps: another WebAssembly instance's, or an array of JavaScript. */
function hostedMachine(world: World, where: "WebAssembly" | "JavaScript"): Machine {
  const { options, first, base, bytes } = guestOptions(world);
  const source =
    where === "WebAssembly" ? new WebAssembly.Memory({ initial: Math.ceil(bytes / 2 ** 16) }) : new ArrayBuffer(bytes);
  storeTables(world, first, new Uint8Array("buffer" in source ? source.buffer : source));
  return createHosted({ ...options, memory: guestMemory(source, [{ base, bytes, offset: 0 }]) });
}

/** The engine, with its tables in guest RAM. */
export const stalewalkInRam: Contestant = contestantOf("guest RAM", guestMachine);

/** The engine of `stalewalk/memory`, which loads entries through functions of another WebAssembly instance, or of JavaScript. */
export const stalewalkOverWasm: Contestant = contestantOf("WebAssembly's memory", (world) =>
  hostedMachine(world, "WebAssembly"),
);
export const stalewalkOverJs: Contestant = contestantOf("JavaScript's memory", (world) =>
  hostedMachine(world, "JavaScript"),
);
