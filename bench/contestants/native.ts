// The native contestant: a process that gets a machine and two programs on its standard input (protocol: native/main.c),
// and takes its own time. One process for each case.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Controls } from "stalewalk";
import type { Check } from "../check.js";
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
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;
  private errors = "";

  private constructor(private readonly build: NativeBuild) {
    this.child = spawn(build.program, [], { stdio: ["pipe", "pipe", "pipe"] });
    this.child.stderr.on("data", (text) => {
      this.errors += text;
    });
    // A process that died early makes writing fail; what it said is in the answer that does not come.
    this.child.stdin.on("error", () => {});
    this.reader = createInterface(this.child.stdout);
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  /** Starts a process and sends it everything. @throws Error if it cannot be started or refuses */
  static async start(build: NativeBuild, world: World, prepare: Uint8Array, program: Uint8Array): Promise<NativeCase> {
    const native = new NativeCase(build);
    await once(native.child, "spawn");
    for (const bytes of describe(world, prepare, program)) {
      if (!native.child.stdin.write(bytes))
        await Promise.race([once(native.child.stdin, "drain"), once(native.child, "close")]);
    }
    return native;
  }

  /** The build's name. */
  get name(): NativeBuild["name"] {
    return this.build.name;
  }

  private async ask(command: string): Promise<unknown> {
    this.child.stdin.write(`${command}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.name} ended: ${this.errors.trim() || "without a word"}`);
    return JSON.parse(value);
  }

  /** Plays "prepare, program" `times` times. */
  async check(times: number): Promise<Check> {
    return (await this.ask(`check ${times}`)) as Check;
  }

  /** Seconds that the program took in each of `samples` plays. */
  async time(samples: number): Promise<number[]> {
    const { ns } = (await this.ask(`time ${samples}`)) as { ns: number[] };
    return ns.map((value) => value / 1e9);
  }

  /** Ends the process. */
  async close(): Promise<void> {
    this.reader.close();
    const closed =
      this.child.exitCode === null && this.child.signalCode === null ? once(this.child, "close") : undefined;
    this.child.stdin.end();
    await closed;
  }
}
