// stalewalk itself, played in place: the program lies in the engine's memory before the clock starts, as it does for the
// other contestants. This is the one file of the benchmark that reaches behind the API (what the API adds has rows of its
// own, see api-rows.ts).
import type { Cpu, Machine } from "stalewalk";
import { createMachineSync as createHosted, guestMemory } from "stalewalk/memory";
import { type Library, present } from "../library.js";
import type { World } from "../world.js";
import { benchControls } from "../world.js";
import { YARDSTICK, yardstick } from "../yardstick/index.js";
import { type Contestant, chunkOperations, chunksOf, operationBytes, type Piece, sumCounters } from "./contestant.js";

const PAGE = 4096n;
/** The operation that translates. */
const ACCESS = 1;

interface Engine {
  exports: {
    memory: WebAssembly.Memory;
    allocate(bytes: number): number;
    checkProgram(program: number, count: number): number;
    play(program: number, count: number, results: number): void;
  };
}

/** A machine of stalewalk over the tables of a world. */
export function stalewalkMachine(
  { set, geometry, cpus }: World,
  workloadPages = 1,
  library: Library = present,
): Machine {
  const machine = library.createMachineSync({
    levels: set.levels,
    maxPhyAddr: set.maxPhyAddr,
    tables: set.tables.length,
    workloadPages,
    cpus: Array.from({ length: cpus }, () => ({ ...geometry, controls: benchControls(set.controls), root: set.root })),
  });
  for (const { frame, entries } of set.tables) machine.frames.setTable(frame, entries);
  return machine;
}

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

/** Counters of a CPU in the benchmark's order. */
export function cpuCounters(cpu: Cpu): number[] {
  const { translations, faults, walks, entryReads, adWrites, invalidations } = cpu.counters;
  const caches = cpu.caches.map(({ counters: c }) => [c.lookups, c.hits, c.fills, c.evictions, c.invalidated]);
  return [translations, faults, walks, entryReads, adWrites, invalidations, ...caches.flat()];
}

/** The engine of a machine. */
function engineOf(machine: Machine): Engine["exports"] {
  return (machine as unknown as { engine: Engine }).engine.exports;
}

function load(machine: Machine, program: Uint8Array, results: number, pieceOperations: number): Piece[] {
  const engine = engineOf(machine);
  const start = engine.allocate(Math.max(program.length, operationBytes)) >>> 0;
  if (start === 0) throw new RangeError(`a program of ${program.length} bytes does not fit into the engine's memory`);
  new Uint8Array(engine.memory.buffer, start, program.length).set(program);
  const total = program.length / operationBytes;
  const playable = engine.checkProgram(start, total) >>> 0;
  if (playable !== total) throw new Error(`operation ${playable} of a benchmark's program cannot be played`);
  return chunksOf(program, pieceOperations).map(({ byteOffset, length }) => {
    const at = start + byteOffset - program.byteOffset;
    const count = length / operationBytes;
    return {
      play: () => engine.play(at, count, results),
      outcomes() {
        const answers = new Uint32Array(engine.memory.buffer, results, count * 2);
        return outcomesIn(answers, new Uint8Array(engine.memory.buffer, at, count * operationBytes));
      },
    };
  });
}

/** A program's answers with those to flushes taken out: what they say is no outcome, and differs between versions. */
function outcomesIn(answers: Uint32Array, program: Uint8Array): Uint32Array {
  return answers.map((word, i) => (program[(i >> 1) * operationBytes] === ACCESS ? word : 0));
}

function contestantOf(name: string, make: (world: World) => Machine): Contestant {
  return {
    name,
    create(world) {
      const machine = make(world);
      const results = engineOf(machine).allocate(chunkOperations * 8) >>> 0;
      if (results === 0) throw new RangeError("the results of a chunk do not fit into the engine's memory");
      return {
        load: (program, pieceOperations = chunkOperations) => load(machine, program, results, pieceOperations),
        counters: () => sumCounters(machine.cpus.map(cpuCounters)),
      };
    },
  };
}

/** The WebAssembly engine. */
export const stalewalk: Contestant = contestantOf("stalewalk", (world) => stalewalkMachine(world));

/** The engine of version 0.1.0. */
export const stalewalk010: Contestant = stalewalkOf(YARDSTICK, yardstick);

/** The engine of another build. */
export function stalewalkOf(name: string, library: Library): Contestant {
  return contestantOf(name, (world) => stalewalkMachine(world, 1, library));
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
