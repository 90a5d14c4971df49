// Guest memory in place (rules.md section 18): what a host that shares its RAM with the walker may rely on.

import { describe, expect, it } from "vitest";
import { Access, createMachineSync, InvalidOptionError, type Machine, ProgramBuilder } from "../../src/index.js";
import { A, D, G, P, PS, RW, US, USER_PAGE } from "../support/tables.js";

const MIB = 2 ** 20;
const BASE = 0x4000_0000n;
const VA = 0x40_3000n;
const tlb = { l1: [{ entries: 16, ways: 4 }], psc: { 2: { entries: 4, ways: 4 } } };

/** A machine with 1 MiB of RAM at 1 GiB, where a guest has four tables: its root at BASE, the page of VA at 0x4008_0000. */
function guest(options: Parameters<typeof createMachineSync>[0] = {}) {
  const machine = createMachineSync({
    workloadPages: 1,
    tables: 4,
    cpus: [tlb],
    ram: { bytes: MIB, base: BASE },
    ...options,
  });
  const ram = machine.ram!;
  const memory = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  const store = (address: bigint, entry: bigint) => memory.setBigUint64(Number(address - BASE), entry, true);
  const load = (address: bigint) => memory.getBigUint64(Number(address - BASE), true);
  const table = (number: number) => BASE + BigInt(number * 4096);
  store(table(0), table(1) | USER_PAGE);
  store(table(1), table(2) | USER_PAGE);
  const pde = table(2) + 8n * 2n;
  const pte = table(3) + 8n * 3n;
  store(pde, table(3) | USER_PAGE);
  store(pte, (BASE + 0x8_0000n) | USER_PAGE);
  const cpu = machine.cpus[0]!;
  cpu.movToCr3(table(0));
  return { machine, ram, store, load, table, pde, pte, cpu };
}

const okAt = (physicalAddress: bigint) => ({ kind: "ok", physicalAddress, level: 1, pageSize: 4096 });

describe("machine.ram", () => {
  it("is one array as long as the machine lives, of the size that was asked for; other machines have none", () => {
    const { machine, ram, cpu } = guest();
    expect(ram).toHaveLength(MIB);
    cpu.translate(VA, Access.userWrite);
    machine.restore(machine.snapshot({ ram: true }));
    expect(machine.ram).toBe(ram);
    expect(ram.buffer.byteLength).toBeGreaterThan(MIB);
    expect(createMachineSync({ workloadPages: 1, tables: 1 }).ram).toBeUndefined();
    machine.dispose();
    expect(() => machine.ram).toThrow("this machine has been disposed of");
  });

  it("stays where it is when a program is stopped in the middle", () => {
    const machine = createMachineSync({ ram: { bytes: 16 * 4096 }, cpus: [{ root: 0x1000n }] });
    const { ram } = machine;
    const program = new ProgramBuilder().access(0, 0n, Access.userRead).access(0, 0n, Access.userRead).build();
    machine.playUntil(program, { operations: new Uint8Array(), points: [] }, 0);
    expect(machine.cpus[0]!.counters.translations).toBe(1);
    expect(machine.ram).toBe(ram);
    expect(ram).toHaveLength(16 * 4096);
  });

  it("is where walks read entries and set A and D, at every level", () => {
    const { cpu, load, table, pde, pte } = guest();
    expect(cpu.translate(VA + 0x12n, Access.userRead)).toMatchObject(okAt(BASE + 0x8_0012n));
    for (const at of [table(0), table(1), pde, pte]) expect(load(at) & (A | D)).toBe(A);
    expect(cpu.translate(VA, Access.userWrite)).toMatchObject(okAt(BASE + 0x8_0000n));
    expect(load(pte) & (A | D)).toBe(A | D);
  });

  it("shows a store to the next walk, and to no cache before it is invalidated", () => {
    const { cpu, store, pde, pte, table } = guest();
    cpu.translate(VA, Access.userRead);
    store(pte, (BASE + 0x9_0000n) | USER_PAGE);
    expect(cpu.translate(VA, Access.userRead)).toMatchObject(okAt(BASE + 0x8_0000n));
    expect(cpu.explain(VA, Access.userRead).outcome).toMatchObject(okAt(BASE + 0x9_0000n));
    cpu.invlpg(VA);
    expect(cpu.translate(VA, Access.userRead)).toMatchObject(okAt(BASE + 0x9_0000n));
    // The PDE cache still leads to the old table; the next page of the same 2 MiB goes that way.
    store(table(3) + 8n * 4n, (BASE + 0xa_0000n) | USER_PAGE);
    store(pde, 0n);
    expect(cpu.translate(VA + 0x1000n, Access.userRead)).toMatchObject(okAt(BASE + 0xa_0000n));
    cpu.invlpg(VA);
    expect(cpu.translate(VA, Access.userRead)).toMatchObject({ kind: "fault", reason: "not-present", level: 2 });
  });

  it("holds whatever a guest puts there: nonsense is a fault, a root that nobody declared a table", () => {
    const { cpu, store, pte, table } = guest();
    store(pte, 0xffff_ffff_ffff_ffffn);
    expect(cpu.translate(VA, Access.userRead)).toMatchObject({ kind: "fault", reason: "reserved", level: 1 });
    store(pte, 0n);
    expect(cpu.translate(VA, Access.userRead)).toMatchObject({ kind: "fault", reason: "not-present", level: 1 });
    store(table(1), table(2) | USER_PAGE | PS | G);
    cpu.flushAll();
    expect(cpu.translate(VA, Access.userRead)).toMatchObject({ kind: "fault", reason: "reserved", level: 3 });
    cpu.movToCr3(table(0x77));
    expect(cpu.translate(VA, Access.userRead)).toMatchObject({ kind: "fault", reason: "not-present", level: 4 });
  });

  it("is absent outside, where tables may be added as ever", () => {
    const { machine, cpu, store, pde } = guest();
    store(pde, (BASE + BigInt(MIB)) | USER_PAGE);
    const frame = Number((BASE + BigInt(MIB)) >> 12n);
    expect(cpu.translate(VA, Access.userRead)).toEqual({ kind: "absent", level: 1, frame });
    store(pde, (BASE - 0x1000n) | USER_PAGE);
    cpu.flushAll();
    expect(cpu.translate(VA, Access.userRead)).toMatchObject({ kind: "absent", frame: frame - 257 });
    expect(machine.frames).toMatchObject({ size: 256, capacity: 260 });
    machine.frames.setTable(frame - 257, new BigUint64Array(512).fill(P | RW | US));
    cpu.flushAll();
    expect(cpu.translate(VA, Access.userRead)).toMatchObject(okAt(0n));
    expect(machine.frames.size).toBe(257);
  });
});

describe("frames of RAM", () => {
  it("are tables that nobody declared; what is declared makes hazards, what is not makes none", () => {
    const { machine, cpu, store, table } = guest({ kernel: { pool: 2, poolBase: 0x10 } });
    const kernel = machine.kernel!;
    const frame = Number(table(3) >> 12n);
    expect(machine.frames.describe(frame)).toEqual({ state: "table", level: 0, generation: 0 });
    for (const page of [4n, 5n, 6n]) store(table(3) + 8n * page, BASE | USER_PAGE);
    cpu.movToCr3(table(0));
    cpu.translate(VA, Access.userRead);
    expect(kernel.hazardCounts.total).toBe(0);
    // The guest has freed its page table, says the embedder, and nobody has told the CPU.
    machine.frames.set(frame, "free");
    cpu.translate(VA + 0x1000n, Access.userRead);
    const [first] = kernel.hazards();
    expect(first).toMatchObject({ frame, level: 1, site: undefined, generations: { cached: 0, now: 1 } });
    expect(first!.kinds).toEqual(["walk-after-free", "write-after-free", "forged-translation"]);
    machine.frames.set(frame, "table", 1);
    cpu.translate(VA + 0x2000n, Access.userRead);
    const second = kernel.hazards()[1];
    expect(second).toMatchObject({ frame, generations: { cached: 0, now: 2 } });
    expect(second!.kinds).toContain("walk-of-reused-frame");
    cpu.flushAll();
    cpu.translate(VA + 0x3000n, Access.userRead);
    expect(kernel.hazardCounts.total).toBe(2);
  });

  it("may be a kernel's pool: its tables then stand in RAM, and are free before", () => {
    const poolBase = Number(BASE >> 12n) + 16;
    const { machine, ram, cpu } = guest({ kernel: { pool: 32, poolBase } });
    const kernel = machine.kernel!;
    expect(machine.frames.size).toBe(256);
    expect(kernel.freeFrames()).toHaveLength(31);
    expect(machine.frames.describe(poolBase + 31)).toMatchObject({ state: "free", generation: 0 });
    expect(machine.frames.describe(poolBase + 32)).toMatchObject({ state: "table", generation: 0 });
    expect(machine.frames.describe(poolBase - 1)).toMatchObject({ state: "table", generation: 0 });
    const va = 0xffff_c900_0000_0000n;
    kernel.run((p) => p.vmalloc(va, 1));
    cpu.movToCr3(BigInt(kernel.root(0) ?? poolBase) << 12n);
    expect(cpu.translate(va, Access.supervisorWrite)).toMatchObject({ kind: "ok" });
    const root = new BigUint64Array(ram.buffer, ram.byteOffset + 16 * 4096, 512);
    expect(root[Number((va >> 39n) & 511n)]! & P).toBe(P);
  });
});

describe("snapshots", () => {
  it("leave what RAM holds alone, and bring back its frames' states", () => {
    const { machine, cpu, load, store, pte, table } = guest();
    const before = machine.snapshot();
    store(pte, 0x1234n);
    cpu.translate(0n, Access.userRead);
    machine.frames.set(Number(table(9) >> 12n), "data");
    machine.restore(before);
    expect(load(pte)).toBe(0x1234n);
    expect(load(table(0)) & A).toBe(A);
    expect(machine.frames.describe(Number(table(9) >> 12n))).toMatchObject({ state: "table", generation: 0 });
    expect(cpu.counters.translations).toBe(0);
  });

  it("keep it if asked, whoever wrote there since", () => {
    const { machine, cpu, ram } = guest();
    machine.frames.setTable(7, new BigUint64Array(512).fill(9n));
    const before = machine.snapshot({ ram: true });
    const copy = ram.slice();
    cpu.translate(VA, Access.userWrite);
    ram.fill(0xff, 5000);
    machine.frames.writeEntry(0x7000n, 0n);
    for (let again = 0; again < 2; again++) {
      machine.restore(before);
      expect(Buffer.compare(ram, copy)).toBe(0);
      expect(machine.frames.readEntry(0x7000n)).toBe(9n);
      ram.fill(1);
    }
    expect(() => machine.snapshot({ rom: true } as never)).toThrow(InvalidOptionError);
  });
});

describe("what RAM may be", () => {
  const make = (ram: unknown, others = {}) =>
    createMachineSync({ workloadPages: 1, tables: 1, ...others, ram: ram as { bytes: number } });

  it.each([
    [{ bytes: 0 }, "ram.bytes is 0; expected a multiple of 4096 below 2^32"],
    [{ bytes: 4097 }, "ram.bytes is 4097; expected a multiple of 4096 below 2^32"],
    [{ bytes: 2 ** 32 }, "ram.bytes is 4294967296; expected a multiple of 4096 below 2^32"],
    [{}, "ram.bytes is undefined; expected a multiple of 4096 below 2^32"],
    [{ bytes: 4096, base: 0x1800n }, "ram.base is 0x1800; expected a physical address as bigint"],
    [{ bytes: 4096, base: -4096n }, "ram.base is -0x1000; expected a physical address as bigint"],
    [{ bytes: 8192, base: (1n << 46n) - 4096n }, "ram.base is 0x3ffffffff000; expected RAM that ends at 2^46"],
    [{ bytes: 4096, size: 1 }, "ram.size is 1; expected one of bytes, base"],
    [4096, "ram is 4096; expected an object that describes RAM"],
  ])("%o is refused", (ram, message) => expect(() => make(ram)).toThrow(message));

  it("names the most that 32 bits leave, which is taken, and one page more is not", { timeout: 0 }, () => {
    const most = mostOf(() => make({ bytes: 2 ** 32 - 4096 }));
    expect(most).toBeGreaterThan(3.9 * 2 ** 30);
    expect(mostOf(() => make({ bytes: most + 4096 }))).toBe(most);
    const machine = make({ bytes: most });
    const { ram } = machine;
    ram![most - 1] = 1;
    expect(machine.frames.view(most / 4096 - 1)![511]).toBe(1n << 56n);
    expect(machine.memoryBytes).toBeGreaterThan(2 ** 32 - 8192 - 65536);
    machine.dispose();
    expect(mostOf(() => make({ bytes: 2 ** 32 - 4096 }, { tables: 2 ** 10 }))).toBe(most - 1023 * 4096);
  });
});

/** The number that the error names. */
function mostOf(make: () => Machine): number {
  try {
    make();
  } catch (error) {
    return Number(/at most (\d+)/.exec(String(error))?.[1]);
  }
  throw new Error("it was taken");
}
