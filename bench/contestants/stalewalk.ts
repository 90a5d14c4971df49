// stalewalk itself, played in place: the program lies in the engine's memory before the clock starts, as it does for the
// other contestants. This is the one file of the benchmark that reaches behind the API (what the API adds has rows of its
// own, see api-rows.ts). Nothing here needs Node.
import type { Cpu, Iommu, Machine } from "stalewalk";
import { type Library, present } from "../library.js";
import type { World } from "../world.js";
import { benchControls } from "../world.js";
import { type Contestant, chunkOperations, chunksOf, operationBytes, type Piece, sumCounters } from "./contestant.js";

/** The operation that translates. */
const ACCESS = 1;

interface Engine {
  exports: {
    memory: WebAssembly.Memory;
    allocate(bytes: number): number;
    checkProgram(program: number, count: number): number;
    play(program: number, count: number, results: number): void;
    executeVtd(near: number, device: number, first: bigint, second: bigint): void;
  };
}

/** Every device, in a descriptor's place. */
const ANY_DEVICE = 0xffffffff;

/** A machine of stalewalk over the tables of a world. */
export function stalewalkMachine(
  { set, geometry, cpus, iommu }: World,
  workloadPages = 1,
  library: Library = present,
): Machine {
  const machine = library.createMachineSync({
    levels: set.levels,
    maxPhyAddr: set.maxPhyAddr,
    tables: set.tables.length,
    workloadPages,
    cpus: Array.from({ length: cpus }, () => ({ ...geometry, controls: benchControls(set.controls), root: set.root })),
    ...(iommu && {
      iommus: [{ ...geometry, pasids: numbers(iommu.pasids), devices: numbers(iommu.devices).map(() => ({})) }],
    }),
  });
  for (const { frame, entries } of set.tables) machine.frames.setTable(frame, entries);
  for (const it of machine.iommus) for (const pasid of it.pasids) it.bind(pasid, { root: set.root });
  return machine;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Counters of an agent in the benchmark's order. */
export function cpuCounters(cpu: Cpu | Iommu): number[] {
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

/** A contestant whose machine is made so. */
export function contestantOf(name: string, make: (world: World) => Machine): Contestant {
  return {
    name,
    create(world) {
      const machine = make(world);
      const results = engineOf(machine).allocate(chunkOperations * 8) >>> 0;
      if (results === 0) throw new RangeError("the results of a chunk do not fit into the engine's memory");
      return {
        load: (program, pieceOperations = chunkOperations) => load(machine, program, results, pieceOperations),
        descriptor: ([first, second]) => {
          const near = (machine.iommus[0] as unknown as { contexts: number[][] }).contexts[0]?.[0] as number;
          const engine = engineOf(machine);
          return {
            play: () => engine.executeVtd(near, ANY_DEVICE, first, second),
            outcomes: () => new Uint32Array(0),
          };
        },
        counters: () => sumCounters([...machine.cpus, ...machine.iommus].map(cpuCounters)),
      };
    },
  };
}

/** The WebAssembly engine. */
export const stalewalk: Contestant = contestantOf("stalewalk", (world) => stalewalkMachine(world));

/** The engine of another build. */
export function stalewalkOf(name: string, library: Library): Contestant {
  return contestantOf(name, (world) => stalewalkMachine(world, 1, library));
}
