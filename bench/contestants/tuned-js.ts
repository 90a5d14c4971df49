// Contestant "tuned JS": the same algorithms as the engine's in JavaScript that a compiler likes. Plays packed programs.
import type { World } from "../world.js";
import { type Contestant, chunkOperations, chunksOf, operationBytes, sumCounters } from "./contestant.js";
import { TunedCpu } from "./tuned-cpu.js";
import { TunedFrames } from "./tuned-frames.js";

const EVERY_CPU = 0xffff;
const CEILING = 33;
const WORDS = operationBytes / 4;
/** An operation moves the 31-bit clock of a cache by at most 2 ticks; what is played in a benchmark is far below this. */
const MAX_OPERATIONS = 2 ** 29;

function playOn(cpu: TunedCpu, operation: number, type: number, argument: number, low: number, high: number): void {
  switch (operation) {
    case 2:
      cpu.invlpg(low, high, 1);
      break;
    case 3:
      cpu.invpcid(type, argument, low, high);
      break;
    case 4:
      cpu.movToCr3(low, high, argument, type !== 0);
      break;
    case 6:
      cpu.invlpg(low, high, argument);
      break;
    case 7:
      cpu.invpcid(2, 0, 0, 0);
      break;
    case 16:
      if (argument > CEILING) cpu.invpcid(2, 0, 0, 0);
      else cpu.invlpg(low, high, argument);
      break;
    default:
      throw new Error(`operation ${operation} is not one of the benchmark's`);
  }
}

function playChunk(cpus: TunedCpu[], program: Int32Array, results: Int32Array): void {
  const end = program.length;
  let out = 0;
  for (let at = 0; at < end; at += WORDS) {
    const head = program[at] as number;
    const operation = head & 0xff;
    const type = (head >> 8) & 0xff;
    const requester = head >>> 16;
    const low = program[at + 2] as number;
    const high = program[at + 3] as number;
    if (operation === 1) {
      const cpu = cpus[requester] as TunedCpu;
      cpu.translate(low, high, type);
      results[out] = cpu.low;
      results[out + 1] = cpu.high;
    } else {
      const argument = (program[at + 1] as number) >>> 0;
      if (requester === EVERY_CPU) for (const cpu of cpus) playOn(cpu, operation, type, argument, low, high);
      else playOn(cpus[requester] as TunedCpu, operation, type, argument, low, high);
      results[out] = 0;
      results[out + 1] = 0;
    }
    out += 2;
  }
}

/** The fast one. */
export const tunedJs: Contestant = {
  name: "tuned JS",
  create(world: World) {
    const frames = new TunedFrames(world.set.tables);
    const cpus = Array.from({ length: world.cpus }, () => new TunedCpu(world, frames));
    const results = new Int32Array(chunkOperations * 2);
    let played = 0;
    return {
      load(program, pieceOperations = chunkOperations) {
        return chunksOf(program.slice(), pieceOperations).map((bytes) => {
          const chunk = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
          const operations = bytes.length / operationBytes;
          return {
            play() {
              played += operations;
              if (played > MAX_OPERATIONS) throw new RangeError("the clocks of the tuned contestant have run out");
              playChunk(cpus, chunk, results);
            },
            outcomes: () => new Uint32Array(results.buffer, 0, operations * 2),
          };
        });
      },
      counters: () => sumCounters(cpus.map((cpu) => cpu.counters)),
    };
  },
};
