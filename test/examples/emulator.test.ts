// examples/emulator/: the guest boots and comes to its end, every access of it is what the reference model says, its stores to tables
// and the A and D bits that walks set stand in its RAM.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Emulator } from "../../examples/emulator/emulator.js";
import { boot, DATA_ENTRIES, KERNEL_STACK, PAGES, RAM_BYTES, SPACES, SWITCHES } from "../../examples/emulator/guest.js";
import { linuxControls, type Outcome } from "../../src/index.js";
import { Machine as Model } from "../model/machine.js";
import { comparableOutcome } from "../support/agreement.js";
import { ROOT } from "../support/pack-package.js";

const A = 0x20n;
const D = 0x40n;
const lru = { replacement: "lru" as const, enabled: true };
/** Caches so small that the guest's 13 pages do not fit, and ones that hold everything. */
const GEOMETRIES = [
  {
    l1: [{ entries: 6, ways: 3, pageSizes: ["4K", "2M"], ...lru }],
    l2: [],
    psc: { 2: { entries: 2, ways: 1, ...lru } },
  },
  {
    l1: [{ entries: 8, ways: 2, pageSizes: ["4K", "2M"], ...lru }],
    l2: [{ entries: 64, ways: 4, pageSizes: ["4K"], ...lru }],
    psc: { 2: { entries: 4, ways: 4, ...lru }, 3: { entries: 4, ways: 2, ...lru }, 4: { entries: 2, ways: 2, ...lru } },
  },
  { l1: [], l2: [], psc: {} },
] as const;

/** What the guest did that concerns translation. */
interface Seen {
  accesses: number;
  faults: Outcome[];
  invlpgs: bigint[];
  switches: { root: bigint; pcid: number; noFlush: boolean }[];
  /** Stores to tables: physical addresses. */
  tableStores: number[];
  told: bigint[];
}

const isTable = (at: number): boolean =>
  SPACES.some((space) => Object.values(space).some((table) => at >= table && at < table + 4096));

/** Boots the guest with the model beside it. @throws if they differ at any access */
function play(caches: (typeof GEOMETRIES)[number]): { emulator: Emulator; model: Model; seen: Seen } {
  const seen: Seen = { accesses: 0, faults: [], invlpgs: [], switches: [], tableStores: [], told: [] };
  const model = new Model({
    ...{ levels: 4, maxPhyAddr: 46, pages1G: true, frames: [], iommus: [] },
    ram: { first: 0, count: RAM_BYTES / 4096 },
    cpus: [
      {
        ...(structuredClone(caches) as object as { l1: []; l2: []; psc: object }),
        controls: { ...linuxControls, pke: false },
        ...{ root: 0, pcid: 0, invlpgScope: "pcid" },
      },
    ],
  });
  const cpu = model.cpu(0);
  const store = (at: number, value: bigint): void => model.memory.writeEntry(at >> 12, (at & 4095) >> 3, value);
  let loaded = false;
  const emulator = new Emulator({
    bytes: RAM_BYTES,
    caches,
    kernelStack: KERNEL_STACK,
    device: (_offset: number, value: bigint) => seen.told.push(value),
    watch: {
      access(address: bigint, access: number, outcome: Outcome) {
        seen.accesses++;
        if (outcome.kind !== "ok") seen.faults.push(outcome);
        expect(comparableOutcome(outcome), `access ${seen.accesses}`).toEqual(cpu.access(address, access));
      },
      store(at: number, value: bigint) {
        if (isTable(at)) seen.tableStores.push(at);
        store(at, value);
      },
      invlpg(address: bigint) {
        seen.invlpgs.push(address);
        cpu.invlpg(address);
      },
      toCr3(root: bigint, pcid: number, noFlush: boolean) {
        // What the loader has written by now is no store of the guest's.
        if (!loaded) for (let at = 0; at < RAM_BYTES; at += 8) store(at, emulator.memory.getBigUint64(at, true));
        loaded = true;
        seen.switches.push({ root, pcid, noFlush });
        cpu.movCr3(Number(root >> 12n), pcid, noFlush);
      },
    },
  });
  boot(emulator);
  emulator.run();
  return { emulator, model, seen };
}

describe("examples/emulator", () => {
  it.each(GEOMETRIES)("boots, switches, faults and invalidates as the reference model does, caches %#", (caches) => {
    const { emulator, model, seen } = play(caches);
    expect(emulator.halted).toBe(true);
    expect(seen.accesses).toBeGreaterThan(3000);
    expect(seen.switches).toHaveLength(SWITCHES);
    expect(seen.switches.slice(1, 3)).toEqual([
      { root: 0x5000n, pcid: 2, noFlush: true },
      { root: 0x1000n, pcid: 1, noFlush: true },
    ]);
    expect(seen.invlpgs.length).toBeGreaterThanOrEqual(SWITCHES / 2 - 1);
    const reasons = new Set(seen.faults.map((outcome) => (outcome.kind === "fault" ? outcome.reason : outcome.kind)));
    expect([...reasons].sort()).toEqual(["not-present", "write"]);
    expect(emulator.faults).toBe(seen.faults.length);
    // Each address space runs as often, and writes each page each time.
    for (const { pt } of SPACES) {
      for (let page = 0; page < PAGES; page++) {
        const entry = emulator.memory.getBigUint64(pt + DATA_ENTRIES + page * 8, true);
        expect(entry & (A | D)).toBe(A | D);
        const frame = Number(entry & 0xffff_f000n);
        expect(emulator.memory.getBigUint64(frame, true)).toBe(BigInt(SWITCHES / 2));
      }
      // Read, and never written.
      expect(emulator.memory.getBigUint64(pt + DATA_ENTRIES + PAGES * 8, true) & (A | D)).toBe(A);
    }
    expect(seen.told).toEqual([BigInt(PAGES + 1), BigInt(PAGES), BigInt(emulator.faults)]);
    // The second address space is made of the guest's own stores, and so is every page of the first.
    for (const { root, pdpt, pd } of SPACES.slice(1))
      expect(seen.tableStores).toEqual(expect.arrayContaining([root, pdpt, pd]));
    expect(seen.tableStores.length).toBeGreaterThan(2 * PAGES);
    const differing: number[] = [];
    for (let at = 0; at < RAM_BYTES; at += 8) {
      if (model.memory.readEntry(at >> 12, (at & 4095) >> 3) !== emulator.memory.getBigUint64(at, true))
        differing.push(at);
    }
    expect(differing).toEqual([]);
    const { walks, adWrites, entryReads } = emulator.cpu!.counters;
    expect({ walks, adWrites, entryReads }).toEqual({ ...pick(model.dump().cpus[0]!.counters) });
  });

  it("meets stale translations: with caches it faults less often than without", () => {
    const [small, large, none] = GEOMETRIES.map((caches) => play(caches).emulator.faults) as [number, number, number];
    expect(large).toBeLessThan(none);
    expect(small).toBeLessThanOrEqual(none);
  });

  it("runs as a command", () => {
    const out = execFileSync(process.execPath, [join(ROOT, "examples/emulator/main.js")], { encoding: "utf8" });
    expect(out).toBe(
      [
        "3410 instructions, 31 page faults, 91 walks",
        "61 entries in which walks set A or D, 6 invalidations",
        "the guest counts: A in 13 pages, D in 12, 31 faults",
        "",
      ].join("\n"),
    );
  });
});

function pick({ walks, adWrites, entryReads }: { walks: number; adWrites: number; entryReads: number }) {
  return { walks, adWrites, entryReads };
}
