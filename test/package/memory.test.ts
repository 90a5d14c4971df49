// `stalewalk/memory` as it is packed: several machines on several threads, each over the same guest memory, set A and D there and lose
// nothing (docs/rules.md 18.15).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { amount } from "../support/effort.js";
import { ROOT } from "../support/pack-package.js";
import { USER_PAGE } from "../support/tables.js";

const LIBRARY = pathToFileURL(join(ROOT, "dist/memory.js")).href;
const THREADS = 4;
/** Page tables from 0x4000 on, and their leaves. */
const TABLES = 16;
const LEAVES = 512 * TABLES;
/** Leaves that all threads fight for, and how often in a round. */
const CONTESTED = 8;
const FIGHTS = 256;
const PER_ROUND = LEAVES + FIGHTS * CONTESTED;
/** Of both kinds of memory together: ten million over each. */
const ACCESSES = amount({ quick: 200_000, full: 20_000_000, nightly: 20_000_000 });

const ROUNDS = Math.ceil(ACCESSES / 2 / THREADS / PER_ROUND);

/**
 * What each thread runs. In a round all marks are cleared, then all threads go through all pages at once, in the same order, half of
 * them reading and half writing; all must be accessed and dirty then. After that all access a few pages again and again, while each takes
 * marks away there and flips a bit of its own, as a guest does; every flip must be there.
 */
const THREAD = `
  import { parentPort, workerData } from "node:worker_threads";
  import { Access, createMachineSync, guestMemory, ProgramBuilder } from ${JSON.stringify(LIBRARY)};
  const { source, module, gate, number, rounds } = workerData;
  const leaves = new BigUint64Array(source.buffer ?? source, 0x4000, ${LEAVES});
  const machine = createMachineSync({ module, memory: guestMemory(source), tables: 1, workloadPages: 1 });
  const cpu = machine.cpus[0];
  cpu.movToCr3(0x1000n);
  const access = number % 2 === 0 ? Access.userRead : Access.userWrite;
  const pages = (count) => {
    const program = new ProgramBuilder();
    for (let page = 0; page < count; page++) program.access(0, BigInt(page) << 12n, access);
    return program.build();
  };
  const all = pages(${LEAVES});
  const few = pages(${CONTESTED});
  // All wait until all are here.
  const meet = () => {
    const turn = Atomics.load(gate, 1);
    if (Atomics.add(gate, 0, 1) === ${THREADS - 1}) {
      Atomics.store(gate, 0, 0);
      Atomics.add(gate, 1, 1);
      Atomics.notify(gate, 1);
    } else while (Atomics.load(gate, 1) === turn) Atomics.wait(gate, 1, turn);
  };
  const exchange = (leaf, change) => {
    for (let stood = Atomics.load(leaves, leaf), was; ; stood = was) {
      was = Atomics.compareExchange(leaves, leaf, stood, change(stood));
      if (was === stood) return;
    }
  };
  const own = 1n << BigInt(52 + number);
  let lost = 0;
  const play = (program) => {
    for (const outcome of machine.play(program)) if (outcome >> 60n !== 1n) lost++;
  };
  for (let round = 0; round < rounds; round++) {
    for (let leaf = number; leaf < ${LEAVES}; leaf += ${THREADS}) exchange(leaf, (it) => it & ~0x60n);
    meet();
    play(all);
    meet();
    for (let leaf = number; leaf < ${LEAVES}; leaf += ${THREADS}) if ((leaves[leaf] & 0x60n) !== 0x60n) lost++;
    meet();
    for (let fight = 0; fight < ${FIGHTS}; fight++) {
      play(few);
      for (let leaf = 0; leaf < ${CONTESTED}; leaf++) exchange(leaf, (it) => (it & ~0x60n) ^ own);
    }
    meet();
    const flipped = ${FIGHTS % 2 === 0} ? 0n : own;
    for (let leaf = 0; leaf < ${CONTESTED}; leaf++) if ((leaves[leaf] & own) !== flipped) lost++;
    meet();
  }
  parentPort.postMessage({ lost, marked: cpu.counters.adWrites });
`;

/** The threads over a source: what is lost in all, and how many marks were set. */
async function run(source: SharedArrayBuffer | WebAssembly.Memory): Promise<{ lost: number; marked: number }> {
  const words = new BigUint64Array("buffer" in source ? source.buffer : source);
  words[0x1000 / 8] = 0x2000n | USER_PAGE;
  words[0x2000 / 8] = 0x3000n | USER_PAGE;
  for (let table = 0; table < TABLES; table++) words[0x3000 / 8 + table] = BigInt(0x4000 + table * 4096) | USER_PAGE;
  for (let leaf = 0; leaf < LEAVES; leaf++) words[0x4000 / 8 + leaf] = BigInt(0x10_0000 + leaf * 4096) | USER_PAGE;
  const module = new WebAssembly.Module(readFileSync(join(ROOT, "dist/memory.wasm")));
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const url = new URL(`data:text/javascript,${encodeURIComponent(THREAD)}`);
  const found = await Promise.all(
    Array.from({ length: THREADS }, (_, number) => {
      const worker = new Worker(url, { workerData: { source, module, gate, number, rounds: ROUNDS } });
      return new Promise<{ lost: number; marked: number }>((resolve, reject) => {
        worker.on("message", resolve);
        worker.on("error", reject);
      });
    }),
  );
  return {
    lost: found.reduce((sum, { lost }) => sum + lost, 0),
    marked: found.reduce((sum, { marked }) => sum + marked, 0),
  };
}

describe(`${THREADS} threads over one guest memory`, () => {
  it.each<[string, () => SharedArrayBuffer | WebAssembly.Memory]>([
    ["a SharedArrayBuffer", () => new SharedArrayBuffer(0x20000)],
    ["a shared WebAssembly.Memory", () => new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true })],
  ])(`lose no A, no D and no bit of the guest's in ${ACCESSES / 2} accesses: %s`, { timeout: 0 }, async (_, make) => {
    const { lost, marked } = await run(make());
    expect(lost).toBe(0);
    // All leaves are marked anew in every round.
    expect(marked).toBeGreaterThan(ROUNDS * LEAVES);
  });
});
