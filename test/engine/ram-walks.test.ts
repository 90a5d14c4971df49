// The same random walks with tables in guest RAM, in memory that the host keeps, and in the frame store: the same outcomes, and the
// same entries afterwards, while stores to the tables and invalidations come in between.

import { describe, expect, it } from "vitest";
import { type Access, type Machine, ProgramBuilder } from "../../src/index.js";
import type { MachineConfig } from "../model/machine.js";
import { entryFromSeed, INDICES, machineConfig, roots } from "../model/worlds.js";
import { amount } from "../support/effort.js";
import { engineMachine, entriesIn } from "../support/engine-player.js";
import fc from "../support/fast-check.js";
import { makeHosted } from "../support/guest-memory.js";

const WALKS = amount({ quick: 10_000, full: 50_000, nightly: 1_000_000 });
const PER_WORLD = 5_000;

/** Numbers below a limit, one after the other. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A program of accesses by every CPU and PASID, some stores to tables, and what a guest invalidates. */
function programFor(machine: Machine, config: MachineConfig, seed: number): Uint8Array {
  const next = numbersFrom(seed);
  const among = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  const bits = 12 + 9 * config.levels;
  const requesters = machine.iommus.flatMap((iommu) =>
    iommu.pasids.flatMap((pasid) => iommu.devices.map((_, device) => iommu.requester(pasid, device))),
  );
  const address = (): bigint => {
    let va = BigInt(next(4096));
    for (let level = 1; level <= config.levels; level++) va |= BigInt(among(INDICES)) << BigInt(12 + 9 * (level - 1));
    return BigInt.asUintN(64, BigInt.asIntN(bits, va));
  };
  const program = new ProgramBuilder();
  for (let i = 0; i < PER_WORLD; i++) {
    const cpu = next(machine.cpus.length);
    const kind = next(100);
    if (kind < 4) {
      const frame = among(config.frames).frame;
      const entry = entryFromSeed(next(2 ** 32) * 256 + next(256), among([1, 2, 3, 4] as const), config.levels);
      program.writeEntry(BigInt(frame * 4096 + among(INDICES) * 8), entry);
    } else if (kind < 8) program.invlpg(cpu, address());
    else if (kind < 9) program.movToCr3(cpu, BigInt(among(roots(config.levels)) * 4096), 0, false);
    else if (kind < 40) program.access(among(requesters), address(), among([4, 5, 20]) as Access);
    else program.access(cpu, address(), among([0, 1, 2, 4, 5, 6, 8, 16, 17, 20]) as Access);
  }
  return program.build();
}

/** The tables of small numbers in RAM, and the same machine with every frame of it in the frame store. */
function twins(config: MachineConfig): { own: MachineConfig; store: MachineConfig } {
  const ram = { first: 0x108, count: 0x60 };
  const all = Array.from({ length: ram.count }, (_, i) => ram.first + i);
  const others = all.filter((frame) => !config.frames.some((it) => it.frame === frame));
  const frames = [...config.frames, ...others.map((frame) => ({ frame, state: "table" as const, entries: [] }))];
  return { own: { ...config, frames, ram }, store: { ...config, frames, ram: undefined } };
}

describe("guest RAM, memory of the host's and the frame store", () => {
  it(`give the same outcomes and leave the same entries after ${WALKS} random walks`, { timeout: 0 }, () => {
    const reached = new Map<bigint, number>();
    const shape = fc.constantFrom<{ levels: 4 | 5; cpus: number; iommus: number }>(
      { levels: 4, cpus: 2, iommus: 1 },
      { levels: 5, cpus: 1, iommus: 1 },
    );
    fc.assert(
      fc.property(shape.chain(machineConfig), fc.noBias(fc.nat(2 ** 32 - 1)), (config, seed) => {
        const { own, store } = twins(config);
        const [inRam, inStore] = [engineMachine(own, []), engineMachine(store, [])];
        const inHosts = engineMachine(own, [], undefined, makeHosted);
        const program = programFor(inRam, config, seed);
        const outcomes = inRam.play(program);
        expect(outcomes).toEqual(inStore.play(program));
        expect(inHosts.play(program)).toEqual(outcomes);
        for (const outcome of outcomes) reached.set(outcome >> 60n, (reached.get(outcome >> 60n) ?? 0) + 1);
        for (const { frame } of own.frames) {
          const entries = entriesIn(inStore, store, frame);
          expect(entriesIn(inRam, own, frame)).toEqual(entries);
          expect(entriesIn(inHosts, own, frame)).toEqual(entries);
        }
        const counters = inStore.cpus.map((cpu) => cpu.counters);
        for (const machine of [inRam, inHosts]) expect(machine.cpus.map((cpu) => cpu.counters)).toEqual(counters);
        for (const machine of [inRam, inHosts, inStore]) machine.dispose();
      }),
      { numRuns: Math.ceil(WALKS / PER_WORLD) },
    );
    // Translations by leaves of all three sizes, and faults.
    for (const kind of [1n, 2n, 3n, 8n]) expect(reached.get(kind), `outcomes ${kind}`).toBeGreaterThan(WALKS / 100);
  });
});
