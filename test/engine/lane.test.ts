// The lane plays runs of accesses in a loop of its own (assembly/hardware/lane-hits.ts), with copies of the rules of a hit, of a miss
// and of a fill. What it does must be what single accesses do: outcomes, every cache's contents and counters, tables.

import { describe, expect, it } from "vitest";
import { seeded } from "../../bench/random.js";
import {
  Access,
  type AgentGeometry,
  type CpuConfig,
  createMachineSync,
  geometries,
  type IommuConfig,
  type Machine,
  ProgramBuilder,
  unpackOutcome,
} from "../../src/index.js";
import { everyCpu } from "../../src/program/operations.js";
import { type Program, programs } from "../model/programs.js";
import { dumpEngine, engineMachine, stepEngine } from "../support/engine-player.js";
import fc from "../support/fast-check.js";
import { SEED } from "../support/seed.js";
import { exportsOf } from "../support/state.js";

/** Addresses that the accesses of a program name, as runs: each access is followed by others of its kind. */
function runsOf({ operations }: Program): { at: number; addresses: bigint[] }[] {
  const pool = operations.flatMap((it) => (it.kind === "access" ? [it.address] : []));
  return operations.flatMap((it, at) => {
    if (it.kind !== "access") return [];
    // Others from anywhere in the program, and the same one twice.
    const others = Array.from({ length: 6 }, (_, i) => pool[(at * 5 + i * (i + 3)) % pool.length] as bigint);
    return [{ at, addresses: [it.address, ...others, it.address] }];
  });
}

describe("a run of accesses", () => {
  it("does what the accesses do one by one", { timeout: 0 }, () => {
    let played = 0;
    let hits = 0;
    fc.assert(
      fc.property(programs(40), (program) => {
        const { config, operations } = program;
        const lane = engineMachine(config, operations);
        const single = engineMachine(config, operations);
        const runs = new Map(runsOf(program).map(({ at, addresses }) => [at, addresses]));
        for (const [at, operation] of operations.entries()) {
          const addresses = runs.get(at);
          if (operation.kind !== "access" || !addresses) {
            expect(stepEngine(lane, config, operation)).toEqual(stepEngine(single, config, operation));
            continue;
          }
          const builder = new ProgramBuilder();
          for (const address of addresses) builder.access(operation.cpu, address, operation.access as Access);
          const outcomes = lane.play(builder.build());
          const cpu = single.cpus[operation.cpu]!;
          const expected = addresses.map((va) => cpu.translate(va, operation.access as Access));
          expect([...outcomes].map(unpackOutcome)).toEqual(expected);
          expect(dumpEngine(lane, config)).toEqual(dumpEngine(single, config));
          played += addresses.length;
        }
        hits += lane.cpus.reduce((sum, { l1 }) => sum + (l1[0]?.counters.hits ?? 0), 0);
        lane.dispose();
        single.dispose();
      }),
      { seed: SEED, numRuns: 60 },
    );
    expect(played).toBeGreaterThan(2000);
    expect(hits).toBeGreaterThan(200);
  });
});

const ROOT = 0x1000n;
/** Pages of 4 KiB and above them of 2 MiB that the tables of the second test map. */
const SMALL_PAGES = 4096;
const LARGE_PAGES = 64;
const LARGE_AT = 0x4000_0000n;
/** Where 512 of the small pages are mapped once more. */
const FAR = [2n << 30n, 3n << 30n, 4n << 30n, 5n << 30n, 1n << 39n];

/** Sizes as in hardware, and others: sets that are no power of two, one set, one cache for all sizes, no l2, other replacements. */
const shapes: Record<string, CpuConfig> = {
  skylake: geometries.skylake,
  zen2: geometries.zen2,
  "sets that are no power of two": {
    l1: [{ entries: 48, ways: 4 }],
    l2: [{ entries: 1200, ways: 12 }],
    psc: { 2: { entries: 24, ways: 4 } },
  },
  "24 ways": { l1: [{ entries: 24, ways: 24 }], l2: [{ entries: 480, ways: 24 }] },
  "no l2, and paths in sets that are no power of two": {
    l1: [{ entries: 16, ways: 4 }],
    psc: { 2: { entries: 12, ways: 4 }, 3: { entries: 6, ways: 2 } },
  },
  "no l2": { l1: [{ entries: 64, ways: 4 }], psc: geometries.skylake.psc },
  "no TLBs": { psc: geometries.skylake.psc },
  "no caches at all": {},
  "paths that are mostly cached one level up": {
    l1: [{ entries: 16, ways: 4 }],
    l2: [{ entries: 96, ways: 12 }],
    psc: { 2: { entries: 4, ways: 2 }, 3: { entries: 4, ways: 4 } },
  },
  "the same without an l2, and paths of three levels": {
    l1: [{ entries: 12, ways: 3 }],
    psc: { 2: { entries: 3, ways: 3 }, 3: { entries: 2, ways: 2 }, 4: { entries: 2, ways: 2 } },
  },
  "the same without TLBs": { psc: { 2: { entries: 4, ways: 1 }, 3: { entries: 2, ways: 1 } } },
  "paths first in, first out": {
    l1: [{ entries: 16, ways: 4 }],
    l2: [{ entries: 96, ways: 12 }],
    psc: { 2: { entries: 4, ways: 2 }, 3: { entries: 4, ways: 4, replacement: "fifo" } },
  },
  "large pages first": {
    l1: [
      { entries: 8, ways: 4, pageSizes: ["2M"] },
      { entries: 64, ways: 4, pageSizes: ["4K"] },
    ],
    l2: [{ entries: 512, ways: 8 }],
  },
  "an l2 whose first cache has no small pages": {
    l1: [{ entries: 16, ways: 4 }],
    l2: [
      { entries: 16, ways: 4, pageSizes: ["2M"] },
      { entries: 96, ways: 12, pageSizes: ["4K"] },
    ],
  },
  "an l1 with the most ways whose victim takes no loop": {
    l1: [{ entries: 48, ways: 12 }],
    l2: [{ entries: 256, ways: 16 }],
  },
  "an l1 with more ways than that, and an l2 with more than a vector": {
    l1: [{ entries: 32, ways: 16 }],
    l2: [{ entries: 240, ways: 24 }],
  },
  "an l2 with more ways than a vector": { l1: [{ entries: 16, ways: 4 }], l2: [{ entries: 240, ways: 24 }] },
  "one set, and an l2 with sets that are no power of two": {
    l1: [{ entries: 3, ways: 3 }],
    l2: [{ entries: 60, ways: 4 }],
  },
  "address spaces, and protection keys": { ...geometries.skylake, controls: { pcide: true, pke: true, pkru: 0x38 } },
  "no PCIDs, and no protection keys": { ...geometries.skylake, controls: { pcide: false, pke: false } },
  "a protection key of most pages that refuses writes": {
    ...geometries.skylake,
    controls: { pcide: true, pke: true, pkru: 0x3a },
  },
  "first in, first out": {
    l1: [{ entries: 64, ways: 4, replacement: "fifo" }],
    l2: [{ entries: 1536, ways: 12, replacement: "random" }],
    psc: { 2: { entries: 32, ways: 4, replacement: "fifo" } },
  },
};

function laidOut(cpu: CpuConfig, iommus: IommuConfig[] = []): Machine {
  const machine = createMachineSync({ tables: 32, workloadPages: 1, cpus: [{ ...cpu, root: ROOT }], iommus });
  const { frames } = machine;
  for (let frame = 1; frame <= 9; frame++) frames.setTable(frame);
  frames.writeEntry(ROOT, 0x2007n);
  frames.writeEntry(0x2000n, 0x3007n);
  frames.writeEntry(0x2008n, 0x4007n);
  // More regions of 1 GiB, and one of 512 GiB, than the caches of paths hold: below each the same pages.
  for (let pd = 5n; pd <= 8n; pd++) {
    // Of these, one read-only, one for the kernel alone, and pages of the 512 GiB without execution.
    frames.writeEntry(0x2000n + 8n * (pd - 3n), (pd << 12n) | (pd === 6n ? 5n : pd === 7n ? 3n : 7n));
    frames.writeEntry(pd << 12n, 0x10007n);
  }
  frames.writeEntry(ROOT + 8n, (1n << 63n) | 0x9007n);
  frames.writeEntry(0x9000n, 0x5007n);
  for (let pt = 0; pt < SMALL_PAGES / 512; pt++) {
    // Some pages read-only, some for the kernel alone, some global, a few holes; A and D are the walker's to set.
    const kinds = [0x7n, 0x7n, 0x5n, 0x7n, 0x3n, 0x107n, 0x7n, 0x0n];
    // Keys 0 to 2: of the second no access, of the third no write, where CR4.PKE is set.
    const entry = (i: number) =>
      (BigInt(i % 3) << 59n) | (BigInt(0x1000 + pt * 512 + i) << 12n) | (kinds[(i * 7) % kinds.length] as bigint);
    frames.setTable(
      16 + pt,
      BigUint64Array.from({ length: 512 }, (_, i) => entry(i)),
    );
    frames.writeEntry(0x3000n + BigInt(8 * pt), (BigInt(16 + pt) << 12n) | 7n);
  }
  for (let i = 0; i < LARGE_PAGES; i++) frames.writeEntry(0x4000n + BigInt(8 * i), (BigInt(i + 64) << 21n) | 0x87n);
  return machine;
}

/** Pages that lie in one set of an l1 with 16 sets, with the same partial tag (assembly/cache/layout.ts): three or more of each. */
const twins: readonly number[][] = (() => {
  const alike = new Map<string, number[]>();
  for (let page = 0; page < SMALL_PAGES; page++) {
    const spread = Math.imul(page, 0x9e37_79b1) >>> 24;
    const key = `${page & 15} ${spread | 1}`;
    alike.set(key, [...(alike.get(key) ?? []), page]);
  }
  return [...alike.values()].filter(({ length }) => length >= 3);
})();

/** Kinds of accesses that the long programs mix. */
const KINDS = [Access.userRead, Access.userWrite, Access.supervisorRead, Access.userFetch, Access.speculativeUserRead];

/**
 * Accesses in runs, of one kind or of many, some of them to large pages from the middle on, with single flushes between, and with
 * switches of address space where there are some. `upset`: in a row, too, and page tables change; sets are rarely full then.
 */
function mixture(below: (limit: number) => number, spaces: number, upset: boolean): Uint8Array {
  const builder = new ProgramBuilder();
  while (builder.count < 6000) {
    if (spaces > 1 && below(8) === 0) builder.movToCr3(0, ROOT, below(spaces), below(4) !== 0);
    const run = 1 + below(40);
    const one = KINDS[below(KINDS.length)] as Access;
    const mixed = below(2) === 0;
    const pages = [48, 1024, SMALL_PAGES][below(3)] as number;
    const large = builder.count > 3000 && below(4) === 0;
    const alike = below(4) === 0 ? twins[below(twins.length)] : undefined;
    const far = below(4) === 0;
    for (let i = 0; i < run; i++) {
      const page = alike ? (alike[below(alike.length)] as number) : below(pages);
      const near = far ? (FAR[below(FAR.length)] as bigint) + (BigInt(page % 512) << 12n) : BigInt(page) << 12n;
      const va = large ? LARGE_AT + (BigInt(below(LARGE_PAGES)) << 21n) : near;
      const bits = below(100) === 0 ? (below(2) === 0 ? 1n << 47n : 0xffffn << 48n) : 0n;
      builder.access(0, bits | (va + BigInt(below(4096))), mixed ? (KINDS[below(KINDS.length)] as Access) : one);
    }
    if (below(3) === 0) builder.invlpg(0, BigInt(below(pages)) << 12n);
    if (below(40) === 0) builder.movToCr3(0, ROOT);
    if (below(80) === 0) builder.flushAll(0);
    // Pages of both sizes are cached for the same addresses: nothing drops the others.
    if (upset && below(20) === 0) builder.writeEntry(0x3000n, below(2) === 0 ? 0x10007n : 0x1_0000_0087n);
    // A region of 1 GiB goes, or comes back without A.
    const gib = BigInt(2 + below(4));
    if (upset && below(10) === 0)
      builder.writeEntry(0x2000n + 8n * gib, below(3) === 0 ? 0n : ((gib + 3n) << 12n) | 7n);
    if (upset && below(12) === 0) flushesInARow(builder, below, spaces);
  }
  return builder.build();
}

/** A run of flushes of a kind, mostly two or more; of one context also of contexts that do not exist where there are no PCIDs. */
function flushesInARow(builder: ProgramBuilder, below: (limit: number) => number, spaces: number): void {
  const kind = below(6);
  const type = ([0, 2, 3] as const)[below(3)] as 0 | 2 | 3;
  for (let i = below(5); i >= 0; i--) {
    if (kind === 0) builder.flushAll(0);
    else if (kind === 1) builder.invpcid(0, 1, below(spaces + 1));
    else if (kind === 3) builder.invpcid(0, type, below(spaces), BigInt(below(SMALL_PAGES)) << 12n);
    else if (kind === 2) builder.flushAll(everyCpu);
    else builder.invlpg(0, (BigInt(below(SMALL_PAGES)) << 12n) | (below(9) === 0 ? 1n << 47n : 0n));
  }
}

describe.each(Object.entries(shapes))("a long program on %s", (_, shape) => {
  it("does what it does record by record", () => {
    const lane = laidOut(shape);
    const plain = laidOut(shape);
    const below = seeded(SEED);
    for (let round = 0; round < 4; round++) {
      const program = mixture(below, shape.controls?.pcide ? 3 : 1, round > 1);
      // Who watches points sees every record by itself: such programs play without the lane.
      const { results } = plain.playInterleaved(program, { operations: new Uint8Array(0), points: [] });
      expect(lane.play(program)).toEqual(results);
      expect(seenOf(lane)).toEqual(seenOf(plain));
    }
    expect(lane.cpus[0]?.counters.faults).toBeGreaterThan(100);
  });
});

describe("a run of flushes", () => {
  const kinds: Record<string, (builder: ProgramBuilder, i: number) => ProgramBuilder> = {
    everything: (builder) => builder.flushAll(0),
    "one context": (builder) => builder.invpcid(0, 1, 0),
    "one page": (builder, i) => builder.invlpg(0, BigInt(i) << 12n),
  };

  it.each(Object.entries(kinds))("of %s ends with its program, whatever was played before", (_, flush) => {
    const machine = laidOut(geometries.skylake);
    const program = (count: number) => {
      const builder = new ProgramBuilder();
      for (let i = 0; i < count; i++) flush(builder, i);
      return builder.build();
    };
    expect(machine.play(program(8))).toEqual(BigUint64Array.from({ length: 8 }, () => 1n));
    expect(machine.play(program(3))).toEqual(BigUint64Array.from([1n, 1n, 1n]));
    expect(machine.cpus[0]?.counters.invalidations).toBe(11);
  });

  it.each(Object.entries(kinds))("of %s waits for a walk that is under way", (_, flush) => {
    const [lane, plain] = [
      laidOut({ ...geometries.skylake, walks: "stepwise" }),
      laidOut({ ...geometries.skylake, walks: "stepwise" }),
    ];
    const builder = new ProgramBuilder().beginWalk(0, 0, 0x1000n, Access.userRead).stepWalk(0);
    for (let i = 0; i < 3; i++) flush(builder, 1);
    const program = builder.finishWalk(0).build();
    const { results } = plain.playInterleaved(program, { operations: new Uint8Array(0), points: [] });
    expect(lane.play(program)).toEqual(results);
    expect(seenOf(lane)).toEqual(seenOf(plain));
  });
});

/** Counters and contents of all caches, and all entries. */
function seenOf(machine: Machine): unknown {
  const agents = [...machine.cpus, ...machine.iommus];
  return {
    counters: agents.map(({ counters }) => counters),
    caches: agents.flatMap(({ caches }) => caches.map((cache) => [cache.counters, cache.contents()])),
    entries: Array.from({ length: 32 }, (_, frame) => machine.frames.view(frame)?.join(",")),
  };
}

const PASID = 7;
const OTHER_PASID = 12;
/** A page that is mapped to the interrupt address range. */
const INTERRUPTS = 0x3000n;

/** The same tables behind an IOMMU, whose devices have no TLBs of their own. */
function laidOutForDevices(geometry: AgentGeometry, dialect: "vtd" | "amd"): Machine {
  const iommu = { ...geometry, dialect, pasids: [PASID, OTHER_PASID], devices: [{}, {}] };
  const machine = laidOut({}, [iommu]);
  machine.frames.writeEntry(0x10000n + 8n * (INTERRUPTS >> 12n), 0xfee0_0007n);
  for (const pasid of [PASID, OTHER_PASID]) machine.iommus[0]!.bind(pasid, { root: ROOT });
  return machine;
}

/** Requests of two devices for two PASIDs, mostly one after the other, with invalidations between, those of a PASID also in a row. */
function requests(machine: Machine, below: (limit: number) => number): Uint8Array {
  const builder = new ProgramBuilder();
  const iommu = machine.iommus[0]!;
  const devices = [PASID, OTHER_PASID].flatMap((pasid) => [iommu.requester(pasid, 0), iommu.requester(pasid, 1)]);
  const any = (): number => devices[below(devices.length)] as number;
  while (builder.count < 4000) {
    const device = any();
    const pages = [12, 48, SMALL_PAGES][below(3)] as number;
    for (let i = below(30); i >= 0; i--) {
      const large = below(20) === 0;
      const va = large ? LARGE_AT + (BigInt(below(LARGE_PAGES)) << 21n) : BigInt(below(pages)) << 12n;
      builder.access(device, below(50) === 0 ? 1n << 60n : va, KINDS[below(KINDS.length)] as Access);
    }
    if (below(4) === 0) builder.invalidatePages(device, BigInt(below(pages)) << 12n);
    if (below(30) === 0) builder.invalidatePasid(device);
    if (below(30) === 0) for (let i = below(4); i >= 0; i--) builder.invalidatePasid(any());
    if (below(60) === 0) builder.invalidateIommu(device);
  }
  return builder.build();
}

describe.each([
  ["vtd", geometries.vtd],
  ["amd", { l1: [{ entries: 32, ways: 32 }], l2: [{ entries: 512, ways: 8 }], psc: geometries.vtd.psc }],
  ["vtd", {}],
] as const)("a long program of devices behind an IOMMU, %s, %o", (dialect, geometry) => {
  it("does what it does record by record", () => {
    const lane = laidOutForDevices(geometry, dialect);
    const plain = laidOutForDevices(geometry, dialect);
    const below = seeded(SEED);
    for (let round = 0; round < 3; round++) {
      const program = requests(lane, below);
      const { results } = plain.playInterleaved(program, { operations: new Uint8Array(0), points: [] });
      expect(lane.play(program)).toEqual(results);
      expect(seenOf(lane)).toEqual(seenOf(plain));
      // The PASID cache drops what it knows: the next request reads the entry again, and hits all the same, unless it has another domain.
      for (const { iommus } of [lane, plain]) {
        iommus[0]!.bind(OTHER_PASID, { root: ROOT, domain: 2 + round });
        for (const pasid of [PASID, OTHER_PASID]) iommus[0]!.invalidatePasidCache(pasid);
      }
    }
    const { faults } = lane.iommus[0]!.counters;
    expect(faults).toBeGreaterThan(50);
  });
});

const AREA = 0xffff_c900_0000_0000n;
const HEAP = 0x5500_0000_0000n;
/** As in assembly/paging/x86-64/entry.ts. */
const STALE_RIGHTS = 1n << 53n;

describe("a run of accesses to translations that are out of date", () => {
  const made = () => {
    const machine = createMachineSync({ cpus: [geometries.skylake], kernel: { pool: 32 } });
    machine.kernel!.run((p) => p.mmCreate(0).mmap(0, HEAP, 4).vmalloc(AREA, 4).switchMm(0, 0));
    return machine;
  };
  const both = () => [made(), made()] as const;

  /** The same run in the lane and record by record; the hazards that it came to. */
  function played([lane, plain]: readonly [Machine, Machine], addresses: readonly bigint[], access: Access) {
    const builder = new ProgramBuilder();
    for (const address of addresses) builder.access(0, address, access);
    const program = builder.build();
    const { results } = plain.playInterleaved(program, { operations: new Uint8Array(0), points: [] });
    expect(lane.play(program)).toEqual(results);
    expect(seenOf(lane)).toEqual(seenOf(plain));
    expect(lane.kernel!.hazards()).toEqual(plain.kernel!.hazards());
    return lane.kernel!.hazardCounts.byKind;
  }

  it("counts each hit of an unmapped page", () => {
    const machines = both();
    const pages = [AREA, AREA + 0x1000n, AREA, AREA + 0x2000n];
    played(machines, pages, Access.supervisorRead);
    for (const machine of machines) machine.kernel!.run((p) => p.vfree(AREA, 2));
    expect(played(machines, pages, Access.supervisorRead)).toMatchObject({ "stale-translation": 3, "stale-rights": 0 });
  });

  it.each([0, 1, 2])(
    "walks through a freed table as single accesses do, %i paths to it cached further up forgotten",
    (forgotten) => {
      // The entries stay, so that a walk goes on where a path is cached; a table made anew has another generation.
      const shape = {
        l1: geometries.skylake.l1,
        psc: { 2: { entries: 2, ways: 1 }, 3: { entries: 2, ways: 1 }, 4: { entries: 4, ways: 4 } },
      };
      const machines = [0, 1].map(() => {
        const machine = createMachineSync({ cpus: [shape], kernel: { pool: 64 } });
        const far = [AREA, AREA + (1n << 22n), AREA + (1n << 31n)];
        machine.kernel!.run((p) => {
          p.mmCreate(0).switchMm(0, 0);
          for (const area of far) p.vmalloc(area, 8);
          return p;
        });
        return machine;
      }) as [Machine, Machine];
      const others = [[], [AREA + (1n << 22n)], [AREA + (1n << 31n), AREA + (1n << 22n)]][forgotten] as bigint[];
      played(machines, [AREA, ...others, ...others], Access.supervisorRead);
      for (const machine of machines) machine.kernel!.run((p) => p.tableFree("pmd_free_pte_page", AREA));
      const pages = Array.from({ length: 6 }, (_, i) => AREA + (BigInt(1 + i) << 12n));
      const { "walk-after-free": met } = played(machines, pages, Access.supervisorRead);
      expect(met).toBeGreaterThan(0);
    },
  );

  it("knows by the generation that a table which a cached path leads to is another one now", () => {
    const machines = both();
    const [first, neighbour, far] = [AREA + (1n << 33n), AREA + (1n << 33n) + (1n << 22n), AREA + (1n << 34n)];
    for (const machine of machines) machine.kernel!.run((p) => p.vmalloc(first, 4).vmalloc(neighbour, 8));
    // The lane's walk caches the path from the top; the first access of all, which finds empty caches, is played without it.
    played(machines, [AREA, AREA + 0x1000n, first, first + 0x1000n], Access.supervisorRead);
    // The directory goes, and its frame comes back as another table; its old entries are in nobody's way.
    for (const machine of machines)
      machine.kernel!.run((p) => p.tableFree("pud_free_pmd_page", first, 2).vmalloc(far, 1));
    const pages = Array.from({ length: 4 }, (_, i) => neighbour + (BigInt(i) << 12n));
    const { "walk-of-reused-frame": met } = played(machines, pages, Access.supervisorRead);
    expect(met).toBeGreaterThan(0);
  });

  it("counts each write that a mark on rights refuses the short way, and no read", () => {
    const machines = both();
    const pages = [HEAP, HEAP + 0x1000n, HEAP, HEAP + 0x2000n];
    played(machines, pages, Access.userWrite);
    // No operation marks the rights of a CPU's translation: the kernel flushes CPUs. The lane must honour the mark even so.
    for (const machine of machines) expect(markRights(machine, HEAP >> 12n)).toBeGreaterThan(0);
    expect(played(machines, pages, Access.userRead)).toMatchObject({ "stale-translation": 0, "stale-rights": 0 });
    expect(played(machines, pages, Access.userWrite)).toMatchObject({ "stale-translation": 0, "stale-rights": 2 });
  });
});

/** Marks a page's translations in the first cache; how many there were. */
function markRights(machine: Machine, page: bigint): number {
  const cache = machine.cpus[0]!.l1[0]!;
  const leaves = cache.contents().filter(({ pageNumber }) => pageNumber === page);
  const words = new BigUint64Array(exportsOf(machine).memory.buffer);
  for (const { data } of leaves) words[words.indexOf(data, cache.pointer >> 3)] = data | STALE_RIGHTS;
  return leaves.length;
}
