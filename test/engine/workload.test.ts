// assembly/program/workload.ts and random.ts: every stream has the distribution that its name promises, flushes come as often as
// asked for, and the same seed gives the same operations.

import { describe, expect, it } from "vitest";
import {
  Access,
  createMachineSync,
  everyCpu,
  type FlushMix,
  type Machine,
  type MachineConfig,
  Operation,
  operationBytes,
  type WorkloadOptions,
  type WorkloadPage,
} from "../../src/index.js";
import { seedAt } from "../support/seed.js";
import { pageAt, Tables } from "../support/tables.js";

const PAGES = 1000;
const BASE = 0x7f00_0000_0000n;

function pagesOf(count: number, page: Partial<WorkloadPage> = {}): WorkloadPage[] {
  return Array.from({ length: count }, (_, i) => {
    return { va: BASE + (BigInt(i) << 12n), access: Access.userRead, ...page };
  });
}

const machineOf = (config: MachineConfig = {}): Machine =>
  createMachineSync({ tables: 1, workloadPages: 4096, ...config });

interface Decoded {
  operation: number;
  type: number;
  requester: number;
  argument: number;
  address: bigint;
  /** Place of the page in the list. */
  page: number;
}

/** The operations of a workload. */
function operationsOf(options: WorkloadOptions, count: number, machine = machineOf()): Decoded[] {
  const program = machine.generate(options, count);
  expect(program).toHaveLength(count * operationBytes);
  const view = new DataView(program.buffer);
  return Array.from({ length: count }, (_, i) => {
    const at = i * operationBytes;
    const address = view.getBigUint64(at + 8, true);
    return {
      operation: view.getUint8(at),
      type: view.getUint8(at + 1),
      requester: view.getUint16(at + 2, true),
      argument: view.getUint32(at + 4, true),
      address,
      page: Number((address - BASE) >> 12n),
    };
  });
}

/** Places in the list of the pages of a workload's operations. */
function pageNumbers(options: WorkloadOptions, count: number): number[] {
  const words = new BigUint64Array(machineOf().generate(options, count).buffer);
  return Array.from({ length: count }, (_, i) => Number(((words[2 * i + 1] ?? 0n) - BASE) >> 12n));
}

function countBy<T>(items: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/** Pearson's statistic against expected counts; about `expected.length` with as many degrees of freedom. */
function chiSquare(found: (index: number) => number, expected: readonly number[]): number {
  return expected.reduce((sum, wanted, i) => sum + (found(i) - wanted) ** 2 / wanted, 0);
}

/** Far out in the tail of a chi-square distribution: five standard deviations. */
const improbable = (degrees: number): number => degrees + 5 * Math.sqrt(2 * degrees);

describe("streams", () => {
  it("sequential goes through the list, again and again", () => {
    const order = pageNumbers({ pages: pagesOf(PAGES), stream: "sequential" }, 2500);
    expect(order).toEqual(Array.from({ length: 2500 }, (_, i) => i % PAGES));
  });

  it.each([1, 17, 999, 1000, 12_345, 0xffff_ffff, 0])("strided goes on by %i pages, modulo the list", (stride) => {
    const order = pageNumbers({ pages: pagesOf(PAGES), stream: "strided", stride }, 3000);
    expect(order).toEqual(Array.from({ length: 3000 }, (_, i) => (i * stride) % PAGES));
  });

  it.each([1n, 2n, 0xffff_ffff_ffff_ffffn])(
    "chase visits every page once a cycle, always in the same random order (seed %i)",
    (seed) => {
      const order = pageNumbers({ pages: pagesOf(PAGES), stream: "chase", seed }, 3 * PAGES);
      const cycle = order.slice(0, PAGES);
      expect(cycle.toSorted((a, b) => a - b)).toEqual(Array.from({ length: PAGES }, (_, i) => i));
      expect(order.slice(PAGES, 2 * PAGES)).toEqual(cycle);
      expect(order.slice(2 * PAGES)).toEqual(cycle);
      // Random: hardly any page is followed by its neighbour.
      expect(cycle.filter((page, i) => cycle[i + 1] === page + 1).length).toBeLessThan(12);
      expect(cycle).not.toEqual(pageNumbers({ pages: pagesOf(PAGES), stream: "chase", seed: seed ^ 4n }, PAGES));
    },
  );

  it("uniform draws every page equally often, and independently of the page before", () => {
    const draws = 200_000;
    const order = pageNumbers({ pages: pagesOf(PAGES), stream: "uniform", seed: BigInt(seedAt(5)) }, draws);
    const counts = countBy(order);
    const flat = Array.from({ length: PAGES }, () => draws / PAGES);
    expect(chiSquare((i) => counts.get(i) ?? 0, flat)).toBeLessThan(improbable(PAGES - 1));
    const pairs = countBy(
      order.flatMap((page, i) => (i % 2 === 1 ? [(page % 20) * 20 + ((order[i - 1] ?? 0) % 20)] : [])),
    );
    const even = Array.from({ length: 400 }, () => draws / 2 / 400);
    expect(chiSquare((i) => pairs.get(i) ?? 0, even)).toBeLessThan(improbable(399));
  });

  it.each([0.5, 0.99, 1.2, 2])("zipf draws page i with a weight of 1 / (i + 1)^%d", (exponent) => {
    const draws = 200_000;
    const counts = countBy(
      pageNumbers({ pages: pagesOf(PAGES), stream: "zipf", exponent, seed: BigInt(seedAt(9)) }, draws),
    );
    const weights = Array.from({ length: PAGES }, (_, i) => 1 / (i + 1) ** exponent);
    const sum = weights.reduce((a, b) => a + b);
    // Pages expected less than 20 times go into one group, as the statistic wants it.
    const often = weights.map((weight) => (weight * draws) / sum).filter((expected) => expected >= 20);
    const seldom = draws - often.reduce((a, b) => a + b);
    const found = (i: number): number => {
      if (i < often.length) return counts.get(i) ?? 0;
      return draws - often.reduce((total, _, page) => total + (counts.get(page) ?? 0), 0);
    };
    const expected = seldom >= 20 ? [...often, seldom] : often;
    expect(chiSquare(found, expected)).toBeLessThan(improbable(expected.length));
  });

  it.each(["sequential", "strided", "uniform", "zipf", "chase"] as const)(
    "%s of a single page stays on it",
    (stream) => {
      expect(new Set(pageNumbers({ pages: pagesOf(1), stream }, 100))).toEqual(new Set([0]));
    },
  );
});

describe("accesses", () => {
  it("are those of the page; a share of those to writable pages are writes; offsets are anywhere in the page", () => {
    const draws = 100_000;
    const pages: WorkloadPage[] = pagesOf(4).map((page, i) => ({
      ...page,
      access: i < 2 ? Access.userRead : Access.supervisorFetch,
      writable: i % 2 === 1,
    }));
    const operations = operationsOf({ pages, writes: 0.25, stream: "sequential", seed: BigInt(seedAt(3)) }, draws);
    expect(operations.every(({ operation }) => operation === Operation.access)).toBe(true);
    const types = (page: number) => countBy(operations.filter((it) => it.page === page).map(({ type }) => type));
    expect([...types(0).keys()]).toEqual([Access.userRead]);
    expect([...types(2).keys()]).toEqual([Access.supervisorFetch]);
    for (const [page, write] of [
      [1, Access.userWrite],
      [3, Access.supervisorWrite],
    ] as const) {
      expect((types(page).get(write) ?? 0) / (draws / 4)).toBeCloseTo(0.25, 1.5);
    }
    const offsets = countBy(operations.map(({ address }) => Number(address & 0xfffn)));
    expect([...offsets.keys()].every((offset) => offset % 8 === 0)).toBe(true);
    expect(offsets.size).toBe(512);
    expect(chiSquare((i) => offsets.get(8 * i) ?? 0, Array(512).fill(draws / 512))).toBeLessThan(improbable(511));
  });

  it("are spread over the requesters asked for", () => {
    const machine = machineOf({ cpus: [{}, {}, {}], iommus: [{ pasids: [1, 2] }] });
    const options = { pages: pagesOf(8), requesters: { first: 1, count: 3 } };
    const counts = countBy(operationsOf(options, 30_000, machine).map(({ requester }) => requester));
    expect([...counts.keys()].toSorted()).toEqual([1, 2, 3]);
    expect(chiSquare((i) => counts.get(i + 1) ?? 0, [10_000, 10_000, 10_000])).toBeLessThan(improbable(2));
  });
});

describe("flushes", () => {
  const mix: Required<FlushMix> = {
    page: 20_000,
    range: 10_000,
    aboveCeiling: 5_000,
    space: 8_000,
    global: 1_000,
    allButGlobal: 2_000,
  };

  it("come as often as asked for, each of its kind and with its lengths", () => {
    const total = 250_000;
    const operations = operationsOf({ pages: pagesOf(PAGES), flushes: mix, pcids: 7, seed: BigInt(seedAt(11)) }, total);
    const kernel = operations.filter(({ operation }) => operation === Operation.invlpgRangeOrAll);
    const invpcid = operations.filter(({ operation }) => operation === Operation.invpcid);
    const found: Record<keyof FlushMix, Decoded[]> = {
      page: operations.filter(({ operation }) => operation === Operation.invlpg),
      // Both kinds of range may have 34 to 64 pages; a mix of one kind tells them apart (below).
      range: kernel,
      aboveCeiling: kernel,
      space: invpcid.filter(({ type }) => type === 1),
      global: operations.filter(({ operation }) => operation === Operation.flushAll),
      allButGlobal: invpcid.filter(({ type }) => type === 3),
    };
    const expectRate = (count: number, perMillion: number): void => {
      const expected = (total * perMillion) / 1e6;
      expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
    };
    expectRate(kernel.length, mix.range + mix.aboveCeiling);
    for (const kind of ["page", "space", "global", "allButGlobal"] as const) expectRate(found[kind].length, mix[kind]);
    const flushes = found.page.length + kernel.length + invpcid.length + found.global.length;
    expect(operations.filter(({ operation }) => operation === Operation.access)).toHaveLength(total - flushes);
    // Every CPU hears of a flush, but for that of one address space.
    for (const [kind, list] of Object.entries(found)) {
      expect([...new Set(list.map(({ requester }) => requester))], kind).toEqual([kind === "space" ? 0 : everyCpu]);
    }
    expect([...new Set(found.space.map(({ argument }) => argument))].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(found.page.every(({ page, address }) => page >= 0 && page < PAGES && address % 4096n === 0n)).toBe(true);
  });

  it.each([
    ["range", 1, 64],
    ["aboveCeiling", 34, 512],
  ] as const)("of kind %s have %i to %i pages, each as often", (kind, least, most) => {
    const operations = operationsOf({ pages: pagesOf(16), flushes: { [kind]: 1e6 }, seed: BigInt(seedAt(2)) }, 50_000);
    expect(operations.every(({ operation }) => operation === Operation.invlpgRangeOrAll)).toBe(true);
    const counts = countBy(operations.map(({ argument }) => argument));
    const lengths = most - least + 1;
    expect(Math.min(...counts.keys())).toBe(least);
    expect(Math.max(...counts.keys())).toBe(most);
    const flat = Array.from({ length: lengths }, () => 50_000 / lengths);
    expect(chiSquare((i) => counts.get(least + i) ?? 0, flat)).toBeLessThan(improbable(lengths - 1));
  });
});

describe("the same seed", () => {
  const options: WorkloadOptions = {
    pages: pagesOf(64),
    stream: "zipf",
    seed: BigInt(seedAt(77)),
    flushes: { page: 10_000 },
  };

  it("gives the same operations, whatever was generated before and however many at a time", () => {
    const machine = machineOf();
    const first = machine.generate(options, 150_000);
    machine.generate({ ...options, stream: "chase", seed: 1n }, 10);
    // Compared as bytes: an equality of 2.4 million elements, one by one, takes seconds.
    expect(Buffer.compare(machine.generate(options, 150_000), first)).toBe(0);
    expect(machineOf().generate(options, 1000)).toEqual(first.slice(0, 1000 * operationBytes));
    expect(machine.generate({ ...options, seed: BigInt(seedAt(78)) }, 1000)).not.toEqual(
      first.slice(0, 1000 * operationBytes),
    );
  });

  it("leaves the same behind as the generated program when it is played", () => {
    const config: MachineConfig = { cpus: [{ l1: [{ entries: 16, ways: 4 }], psc: { 2: { entries: 4, ways: 4 } } }] };
    const ran = machineOf(config);
    ran.runWorkload(options, 100_000);
    const played = machineOf(config);
    played.play(played.generate(options, 100_000));
    expect(ran.cpus[0]!.counters).toEqual(played.cpus[0]!.counters);
    expect(ran.cpus[0]!.counters.translations).toBeGreaterThan(90_000);
  });
});

describe("runWorkload", () => {
  it("tells its progress and stops when told to", () => {
    const machine = machineOf();
    const seen: number[] = [];
    machine.runWorkload({ pages: pagesOf(8) }, 200_000, {
      onProgress: ({ done, total, unit }) => seen.push(unit === "operations" ? done / total! : -1),
    });
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)).toBe(1);
    const stop = new AbortController();
    const before = machine.cpus[0]!.counters.translations;
    const run = () =>
      machine.runWorkload({ pages: pagesOf(8) }, 1e9, {
        signal: stop.signal,
        onProgress: ({ done }) => done > 100_000 && stop.abort(new Error("enough")),
      });
    expect(run).toThrow("enough");
    expect(machine.cpus[0]!.counters.translations - before).toBeLessThan(1e6);
  });

  it.each([
    [{ pages: [] }, "pages.length is 0; expected 1 to 4096"],
    [{ pages: pagesOf(4097) }, "pages.length is 4097; expected 1 to 4096"],
    [{ pages: pagesOf(1), writes: 1.5 }, "writes is 1.5; expected a number from 0 to 1"],
    [{ pages: pagesOf(1), writes: Number.NaN }, "writes is NaN; expected a number from 0 to 1"],
    [{ pages: pagesOf(1), exponent: 0 }, "exponent is 0; expected a number above 0"],
    [{ pages: pagesOf(1), stride: -1 }, "stride is -1; expected an integer from 0"],
    [{ pages: pagesOf(1), stream: "random" as never }, 'stream is "random"; expected one of sequential'],
    [{ pages: pagesOf(1), flushes: { page: -1 } }, "flushes.page is -1; expected 0 to 1000000"],
    [{ pages: pagesOf(1), flushes: { page: 6e5, range: 6e5 } }, "expected at most a million per million operations"],
    [{ pages: pagesOf(1), requesters: { first: 0, count: 2 } }, "expected requesters of this machine"],
    [{ pages: pagesOf(1), requesters: { first: 1024, count: 1 } }, "requesters.first is 1024"],
    [{ pages: pagesOf(1), pcids: 0 }, "pcids is 0; expected an integer from 1 to 4096"],
    [{ pages: pagesOf(1), seed: 1n << 64n }, "seed is 0x10000000000000000"],
    [{ pages: pagesOf(1, { access: 3 as never }) }, "access is 3"],
  ] satisfies [WorkloadOptions, string][])("refuses %#", (options, message) => {
    expect(() => machineOf().runWorkload(options, 1)).toThrow(message);
  });

  it("flushes of PCIDs that are no PASID's tag leave an IOMMU's caches whole (named trap)", () => {
    const cache = { entries: 64, ways: 4 };
    const machine = createMachineSync({
      tables: 16,
      workloadPages: 64,
      cpus: [{ l1: [cache] }],
      iommus: [{ l1: [cache], psc: { 2: cache, 3: cache }, pasids: [3] }],
    });
    const tables = new Tables(machine.frames);
    const pages = Array.from({ length: 64 }, (_, i) => {
      tables.map(pageAt(i), 0x100 + i);
      return { va: pageAt(i), access: Access.userRead, writable: false };
    });
    machine.cpus[0]!.movToCr3(tables.cr3, 0);
    machine.iommus[0]!.bind(3, { root: tables.cr3 });
    machine.runWorkload(
      {
        seed: 1n,
        pages,
        stream: "uniform",
        flushes: { space: 100_000 },
        requesters: { first: 0, count: 2 },
        pcids: 4096,
      },
      20_000,
    );
    // Reads alone fill each key once: what was filled is there, or was displaced, or dropped.
    for (const { name, counters, contents } of [...machine.cpus, ...machine.iommus].flatMap(({ caches }) =>
      caches.map((it) => ({ name: it.name, counters: it.counters, contents: it.contents() })),
    )) {
      expect(counters.fills, name).toBeGreaterThan(0);
      expect(contents.length, name).toBe(counters.fills - counters.evictions - counters.invalidated);
    }
  });

  it("refuses a number of operations that is none", () => {
    expect(() => machineOf().runWorkload({ pages: pagesOf(1) }, -1)).toThrow(
      "operations is -1; expected an integer from 0",
    );
  });
});

it("gives devices the invalidations that they have: what is generated may be played, and comes to what a run comes to", () => {
  const pages = pagesOf(64);
  const options: WorkloadOptions = {
    seed: 7n,
    pages,
    flushes: { space: 200_000 },
    requesters: { first: 0, count: 4 },
    pcids: 4,
  };
  const made = (): Machine => {
    const machine = machineOf({ tables: 8, cpus: [{}], iommus: [{ pasids: [5, 9, 12] }] });
    const tables = new Tables(machine.frames);
    for (const { va } of pages) tables.map(va, Number((va - BASE) >> 12n) + 1);
    for (const cpu of machine.cpus) cpu.movToCr3(tables.cr3, 0);
    for (const pasid of [5, 9, 12]) machine.iommus[0]!.bind(pasid, { root: tables.cr3 });
    return machine;
  };
  const told = ({ cpus, iommus }: Machine) =>
    [...cpus, ...iommus].map(({ counters, caches }) => [counters, caches.map((cache) => cache.contents())]);
  const [ran, played] = [made(), made()];
  ran.runWorkload(options, 4000);
  played.play(played.generate(options, 4000));
  expect(told(played)).toEqual(told(ran));

  const flushes = operationsOf(options, 4000, made()).filter(({ operation }) => operation !== Operation.access);
  const kinds = countBy(
    flushes.map(({ operation, requester }) => `${requester === 0 ? "CPU" : "device"} ${operation}`),
  );
  expect([...kinds.keys()].sort()).toEqual([`CPU ${Operation.invpcid}`, `device ${Operation.invalidatePasid}`]);
  expect(countBy(flushes.map(({ requester }) => requester)).size).toBe(4);
});
