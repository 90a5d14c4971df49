// The native contestant: a process that gets a machine and two programs on its standard input (protocol: native/main.c),
// and takes its own time. One process for each case.
import type { Controls } from "stalewalk";
import type { BenchCase } from "../cases.js";
import { type Check, namedCounters } from "../check.js";
import { LineProcess } from "../line-process.js";
import type { PieceTimes } from "../pieces.js";
import { benchControls, type World } from "../world.js";
import type { NativeBuild } from "./compile.js";
import { operationBytes } from "./contestant.js";
import { type Shape, shapesOf } from "./shapes.js";

const MAGIC = 0x31304b4c57544c53n;
const BITS = { wp: 1, smep: 2, smap: 4, pge: 16, nxe: 64, ac: 128 } as const;

function controlBits(controls: Controls): number {
  return Object.entries(BITS).reduce((bits, [name, bit]) => bits | (controls[name as keyof typeof BITS] ? bit : 0), 0);
}

/** The bytes that describe a machine and its programs. */
function describe({ set, geometry, cpus }: World, prepare: Uint8Array, program: Uint8Array): Uint8Array[] {
  const shapes = shapesOf(geometry, set.levels);
  const list = (kind: number, caches: Shape[]) =>
    caches.flatMap(({ sets, ways, levels }) => [
      kind,
      sets,
      ways,
      levels.reduce((bits, level) => bits | (1 << level), 0),
    ]);
  const caches = [...list(1, shapes.l1), ...list(2, shapes.l2), ...list(3, shapes.psc)];
  const head = [
    ...[MAGIC, set.levels, set.maxPhyAddr, controlBits(benchControls(set.controls)), set.root, cpus],
    ...[caches.length / 4, set.tables.length, prepare.length / operationBytes, program.length / operationBytes],
    ...caches,
  ];
  const tables = set.tables.flatMap(({ frame, entries }) => [BigUint64Array.of(BigInt(frame)), entries]);
  const words = [BigUint64Array.from(head, BigInt), ...tables];
  const bytes = words.map((array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return [Buffer.concat(bytes), prepare, program];
}

/** One machine of the native contestant, with its programs. */
export class NativeCase {
  private constructor(private readonly process: LineProcess) {}

  /** Starts a process and sends it everything. @throws Error if it cannot be started or refuses */
  static async start(
    { name, program: executable }: NativeBuild,
    { world, prepare, program }: Pick<BenchCase, "world" | "prepare" | "program">,
  ): Promise<NativeCase> {
    const started = await LineProcess.start(name, executable);
    for (const bytes of describe(world, prepare, program)) await started.send(bytes);
    return new NativeCase(started);
  }

  /** Plays "prepare, program" `times` times. */
  async check(times: number): Promise<Check> {
    const { hash, counters } = (await this.process.ask(`check ${times}`)) as { hash: string; counters: number[] };
    return { hash, counters: namedCounters(counters) };
  }

  /** Times of so many plays, in pieces of so many operations. */
  async time(plays: number, pieceOperations: number): Promise<PieceTimes> {
    return (await this.process.ask(`time ${plays} ${pieceOperations}`)) as PieceTimes;
  }

  /** Ends the process. */
  close(): Promise<void> {
    return this.process.close();
  }
}
