// assembly/program/kernel-workload.ts: accesses have the pattern that its name promises, in working sets that stay as long as asked
// for, and the uniform programs are those of version 0.1.0.

import { describe, expect, it } from "vitest";
import * as bench from "../../bench/yardstick/index.js";
import {
  createMachineSync,
  type KernelPattern,
  type KernelWorkloadOptions,
  type Machine,
  operationBytes,
} from "../../src/index.js";
import { startKernelWorkload } from "../../src/program/kernel-workload.js";

const USER = { base: 0x7f00_0000_0000n, pages: 4096 };
const CPUS = 2;
/** Version 0.1.0: of its machines what is asked for here is as today's. */
const yardstick = bench.yardstick.createMachineSync as unknown as typeof createMachineSync;

function machineOf(pasids = [1], make = createMachineSync): Machine {
  return make({
    tables: 64,
    cpus: Array.from({ length: CPUS }, () => ({})),
    iommus: [{ pasids, devices: [{}] }],
    kernel: { pool: 64 },
  });
}

/** The records of a program, each as the words that say what is done, by whom and where. */
function programOf(machine: Machine, start: () => void, records: number): { head: number; word: number; at: bigint }[] {
  const { exports } = machine.engine;
  start();
  const program = exports.allocate(records * operationBytes) >>> 0;
  exports.generateKernel(program, records);
  const view = new DataView(exports.memory.buffer, program);
  return Array.from({ length: records }, (_, i) => {
    const at = i * operationBytes;
    return {
      head: view.getUint32(at, true),
      word: view.getUint32(at + 4, true),
      at: view.getBigUint64(at + 8, true),
    };
  });
}

/** Pages that devices access in a program of DMA alone: requester, page. */
function dmaOf(options: Partial<KernelWorkloadOptions>, records: number, pasids = [1]): [number, number][] {
  const machine = machineOf(pasids);
  const none = { cpuAccess: 0, vmalloc: 0, vfree: 0, flushRange: 0, flushAll: 0, userRemap: 0, switchMm: 0, work: 0 };
  const devices = { first: machine.iommus[0]?.requester(1, 0) ?? 0, count: pasids.length };
  const start = (): void =>
    startKernelWorkload(machine.engine, { user: USER, devices, probes: 0, mix: none, ...options }, CPUS);
  return programOf(machine, start, records).map(({ head, at }) => [head >>> 16, Number((at - USER.base) >> 12n)]);
}

describe("patterns of a kernel workload", () => {
  it("uniform: the programs of version 0.1.0, record for record", () => {
    const records = 20_000;
    const [now, then] = [createMachineSync, yardstick].map((make) => {
      const machine = machineOf([1], make);
      const devices = { first: machine.iommus[0]?.requester(1, 0) ?? 0, count: 1 };
      return programOf(
        machine,
        () => {
          if (make === createMachineSync) {
            startKernelWorkload(machine.engine, { user: USER, devices, pattern: "uniform", seed: 7n }, CPUS);
            return;
          }
          machine.runKernelWorkload({ user: USER, devices, seed: 7n }, 0);
        },
        records,
      );
    });
    // The number of an operation has changed since.
    const addresses = (program = now): unknown[] => (program ?? []).map(({ head, word, at }) => [head >>> 8, word, at]);
    expect(addresses()).toEqual(addresses(then));
    expect(new Set(now?.map(({ head }) => head & 0xff)).size).toBeGreaterThan(8);
  });

  it("streams: eight accesses to each page of the working set, one page after the other, and then again", () => {
    const pages = dmaOf({ pattern: "streams", workingSet: 16, stay: 100_000 }, 1000).map(([, page]) => page);
    const first = pages[0] ?? 0;
    expect(pages).toEqual(pages.map((_, i) => first + (Math.floor(i / 8) % 16)));
  });

  it("a working set stays as long as asked for, and each device has one of its own", () => {
    const [workingSet, stay] = [32, 512];
    const accesses = dmaOf({ pattern: "zipf", workingSet, stay }, 32_768, [1, 2]);
    const places = new Map<number, Set<number>>();
    for (let i = 0; i < accesses.length; i += 2 * stay) {
      for (const device of new Set(accesses.map(([requester]) => requester))) {
        const pages = accesses
          .slice(i, i + 2 * stay)
          .flatMap(([requester, page]) => (requester === device ? page : []));
        expect(Math.max(...pages) - Math.min(...pages)).toBeLessThan(workingSet);
        expect(Math.max(...pages)).toBeLessThan(USER.pages);
        places.set(device, (places.get(device) ?? new Set()).add(Math.min(...pages)));
      }
    }
    expect(places.size).toBe(2);
    for (const of of places.values()) expect(of.size).toBeGreaterThan(24);
  });

  it("zipf: page n is about as likely as 1 / n", () => {
    const pages = dmaOf({ pattern: "zipf", workingSet: 64, stay: 2 ** 32 - 1 }, 60_000).map(([, page]) => page);
    const first = Math.min(...pages);
    const shares = Array.from({ length: 7 }, (_, octave) => {
      const [from, to] = [octave === 0 ? 0 : 2 ** (octave - 1), 2 ** octave];
      return pages.filter((page) => page - first >= from && page - first < to).length / pages.length;
    });
    // Page 0 alone has 1/7 of (1 + 1/2 + ... + 1/64); each octave the half of what its lower bounds have.
    const expected = shares.map((_, octave) => {
      const bounds = [64, 32, 16, 8, 4, 2, 1].filter((bound) => bound >= 2 ** octave);
      const size = octave === 0 ? 1 : 2 ** (octave - 1);
      return bounds.reduce((sum, bound) => sum + size / bound, 0) / 7;
    });
    for (const [octave, share] of shares.entries()) expect(share).toBeCloseTo(expected[octave] ?? 0, 1.7);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  it("streams and zipf come back to pages that caches hold, uniform does not", () => {
    const hits = (pattern: KernelPattern): number => {
      const machine = createMachineSync({
        tables: 64,
        cpus: [{}],
        iommus: [{ pasids: [1], devices: [{}], l1: [{ entries: 64, ways: 8 }] }],
        kernel: { pool: 64 },
      });
      const { kernel, iommus } = machine;
      const requester = iommus[0]?.requester(1, 0) ?? 0;
      kernel?.run((program) => program.mmCreate(0).mmap(0, USER.base, USER.pages).switchMm(0, 0).svaBind(requester, 0));
      machine.runKernelWorkload({ user: USER, devices: { first: requester, count: 1 }, pattern }, 20_000);
      const { hits, lookups } = iommus[0]?.caches[0]?.counters ?? { hits: 0, lookups: 1 };
      return hits / lookups;
    };
    expect(hits("uniform")).toBeLessThan(0.05);
    expect(hits("streams")).toBeGreaterThan(0.5);
    expect(hits("zipf")).toBeGreaterThan(0.5);
  });

  it.each([
    ["pattern", { pattern: "zip" }],
    ["workingSet", { workingSet: 0 }],
    ["stay", { stay: 0 }],
  ])("refuses another %s", (field, options) => {
    const machine = machineOf();
    const all = { user: USER, devices: { first: 2, count: 1 }, ...options } as KernelWorkloadOptions;
    expect(() => machine.runKernelWorkload(all, 1)).toThrow(expect.objectContaining({ field }));
  });
});
