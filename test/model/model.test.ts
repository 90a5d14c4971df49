// The model's walker against cases worked out by hand from the SDM, vol. 3A, 4.5 to 4.8: outcomes, error codes, A and D.

import { describe, expect, it } from "vitest";
import { type Controls, decodeAccess } from "./access.js";
import * as build from "./builder.js";
import { ALL, FETCH, KERNEL_FETCH, KERNEL_READ, KERNEL_WRITE, PLAIN, READ, World, WRITE } from "./builder.js";
import { ACCESSED, DIRTY, EXECUTE_DISABLE, PRESENT, USER, WRITABLE } from "./entry.js";
import type { MachineParameters, Outcome } from "./walk.js";

const VA = 0x7f12_3456_7000n;
const key = (number: number): bigint => BigInt(number) << 59n;

interface Case extends build.PageMapping {
  controls?: Partial<Controls>;
  machine?: Partial<MachineParameters>;
}

/** Map one page as the case says and access it. */
function outcome(it: Case, access: number, address = VA): Outcome {
  const world = new World(it.machine);
  const root = world.table();
  world.map(root, VA, it);
  return world.cpu(root, { controls: { ...PLAIN, ...it.controls } }).access(address, access);
}

const fault = (reason: string, errorCode: number, level = 1) => ({ kind: "fault", reason, errorCode, level });
const supervisor = { frame: 9, leaf: PRESENT | WRITABLE };
const readOnly = { frame: 9, leaf: PRESENT | USER };

describe("physical addresses (SDM 4.5.4)", () => {
  it("takes offset bits by page size", () => {
    const address = VA + 0xabcn;
    const ok = (level: number, physicalAddress: bigint) => ({ kind: "ok", level, physicalAddress });
    expect(outcome({ frame: 0x55 }, READ, address)).toEqual(ok(1, 0x55abcn));
    expect(outcome({ frame: 0x200, level: 2 }, READ, address)).toEqual(ok(2, 0x200000n + (address & 0x1f_ffffn)));
    expect(outcome({ frame: 0x40000, level: 3 }, READ, address)).toEqual(
      ok(3, 0x4000_0000n + (address & 0x3fff_ffffn)),
    );
  });

  it("leaves PAT (bit 12) out of a large page's address and ignores bit 7 of a PTE (PAT)", () => {
    expect(outcome({ frame: 0x201, level: 2 }, READ)).toMatchObject({ physicalAddress: 0x200000n + (VA & 0x1f_ffffn) });
    expect(outcome({ frame: 9, leaf: ALL | 0x80n }, READ)).toMatchObject({ kind: "ok", physicalAddress: 0x9000n });
  });

  it("walks five levels and tells 48-bit from 57-bit canonical addresses (SDM 4.5, vol. 1 3.3.7.1)", () => {
    const wide = 0x00ff_1234_5678_9000n;
    const world = new World({ levels: 5 });
    const root = world.table();
    world.map(root, wide, { frame: 7 });
    expect(world.cpu(root).access(wide, READ)).toEqual({ kind: "ok", level: 1, physicalAddress: 0x7000n });
    expect(world.cpu(root).access(wide ^ (1n << 57n), READ)).toEqual({ kind: "non-canonical" });
    expect(outcome({ frame: 7 }, READ, wide)).toEqual({ kind: "non-canonical" });
    expect(outcome({ frame: 7 }, READ, 0x0000_8000_0000_0000n)).toEqual({ kind: "non-canonical" });
    expect(outcome({ frame: 7 }, READ, 0xffff_8000_0000_0000n)).toEqual(fault("not-present", 4, 4));
  });
});

describe("not-present and reserved-bit faults (SDM 4.7)", () => {
  it.each([
    ["user read", READ, {}, 4],
    ["user write", WRITE, {}, 6],
    ["user fetch with NXE", FETCH, {}, 0x14],
    ["user fetch without NXE and SMEP: no I/D", FETCH, { nxe: false }, 4],
    ["user fetch with SMEP alone: I/D", FETCH, { nxe: false, smep: true }, 0x14],
    ["supervisor read", KERNEL_READ, {}, 0],
    ["implicit read: never U", build.IMPLICIT_READ + READ, {}, 0],
  ])("not present, %s", (_, access, controls, errorCode) => {
    expect(outcome({ frame: 9, leaf: 0n, controls }, access)).toEqual(fault("not-present", errorCode));
  });

  it("checks nothing else in a not-present entry", () => {
    expect(outcome({ frame: 9, leaf: (1n << 51n) | EXECUTE_DISABLE }, READ)).toEqual(fault("not-present", 4));
  });

  it.each<[string, Case, number]>([
    ["a frame bit at MAXPHYADDR", { frame: 9, leaf: ALL | (1n << 46n) }, 1],
    ["bit 51", { frame: 9, leaf: ALL | (1n << 51n) }, 1],
    ["bit 13 of a 2 MiB leaf", { frame: 0x202, level: 2 }, 2],
    ["bit 20 of a 2 MiB leaf", { frame: 0x300, level: 2 }, 2],
    ["bit 29 of a 1 GiB leaf", { frame: 0x60000, level: 3 }, 3],
    ["PS in a PDPTE without 1 GiB pages", { frame: 0x40000, level: 3, machine: { pages1G: false } }, 3],
    ["PS in a PML4E", { frame: 9, upper: ALL | 0x80n }, 4],
    ["XD without NXE", { frame: 9, leaf: ALL | EXECUTE_DISABLE, controls: { nxe: false } }, 1],
    ["XD without NXE, above", { frame: 9, upper: ALL | EXECUTE_DISABLE, controls: { nxe: false } }, 4],
  ])("reserved: %s gives P and RSVD", (_, it, level) => {
    expect(outcome(it, READ)).toEqual(fault("reserved", 0xd, level));
    expect(outcome(it, KERNEL_WRITE)).toEqual(fault("reserved", 0xb, level));
  });

  it("does not reserve frame bits below MAXPHYADDR, G of non-leaf entries, or bits 52..58", () => {
    expect(outcome({ frame: 9, upper: ALL | 0x100n | (0x7fn << 52n), leaf: ALL | (0x7fn << 52n) }, READ).kind).toBe(
      "ok",
    );
    expect(outcome({ frame: 2 ** 33 }, READ)).toMatchObject({ physicalAddress: 1n << 45n });
  });
});

describe("access rights (SDM 4.6.1), error codes (4.7)", () => {
  it.each<[string, Case, number, ReturnType<typeof fault> | "ok"]>([
    ["user read of a supervisor page", supervisor, READ, fault("supervisor-page", 5)],
    ["user page under a supervisor PML4E", { frame: 9, upper: PRESENT | WRITABLE }, READ, fault("supervisor-page", 5)],
    ["user write of a read-only page", readOnly, WRITE, fault("write", 7)],
    ["user write under a read-only PML4E", { frame: 9, upper: PRESENT | USER }, WRITE, fault("write", 7)],
    ["user write of a read-only page, WP = 0", { ...readOnly, controls: { wp: false } }, WRITE, fault("write", 7)],
    ["supervisor write of a read-only page", { frame: 9, leaf: PRESENT }, KERNEL_WRITE, fault("write", 3)],
    ["the same, WP = 0", { frame: 9, leaf: PRESENT, controls: { wp: false } }, KERNEL_WRITE, "ok"],
    ["user fetch of an XD page", { frame: 9, leaf: ALL | EXECUTE_DISABLE }, FETCH, fault("fetch", 0x15)],
    ["user fetch under an XD entry", { frame: 9, upper: ALL | EXECUTE_DISABLE }, FETCH, fault("fetch", 0x15)],
    ["user read of an XD page", { frame: 9, leaf: ALL | EXECUTE_DISABLE }, READ, "ok"],
    ["supervisor read of a user page, SMAP", { frame: 9, controls: { smap: true } }, KERNEL_READ, fault("smap", 1)],
    ["the same with AC", { frame: 9, controls: { smap: true, ac: true } }, KERNEL_READ, "ok"],
    [
      "implicit read of a user page, SMAP and AC",
      { frame: 9, controls: { smap: true, ac: true } },
      build.IMPLICIT_READ,
      fault("smap", 1),
    ],
    ["supervisor read of a supervisor page, SMAP", { ...supervisor, controls: { smap: true } }, KERNEL_READ, "ok"],
    [
      "supervisor fetch of a user page, SMEP",
      { frame: 9, controls: { smep: true } },
      KERNEL_FETCH,
      fault("smep", 0x11),
    ],
    ["supervisor fetch of a user page, SMAP", { frame: 9, controls: { smap: true } }, KERNEL_FETCH, "ok"],
    ["user fetch, SMEP", { frame: 9, controls: { smep: true } }, FETCH, "ok"],
    ["supervisor-page before write", { frame: 9, leaf: PRESENT }, WRITE, fault("supervisor-page", 7)],
    ["smap before write", { ...readOnly, controls: { smap: true } }, KERNEL_WRITE, fault("smap", 3)],
    [
      "smep before fetch",
      { frame: 9, leaf: ALL | EXECUTE_DISABLE, controls: { smep: true } },
      KERNEL_FETCH,
      fault("smep", 0x11),
    ],
  ])("%s", (_, it, access, wanted) => {
    const got = outcome(it, access);
    if (wanted === "ok") expect(got).toMatchObject({ kind: "ok", physicalAddress: 0x9000n });
    else expect(got).toEqual(wanted);
  });
});

describe("protection keys (SDM 4.6.2)", () => {
  const page = (pkru: number, controls: Partial<Controls> = {}, leaf = ALL): Case => ({
    frame: 9,
    leaf: leaf | key(5),
    controls: { pke: true, pkru, ...controls },
  });
  const accessDisable = 1 << 10;
  const writeDisable = 1 << 11;
  it.each<[string, Case, number, ReturnType<typeof fault> | "ok"]>([
    ["AD refuses a read", page(accessDisable), READ, fault("key", 0x25)],
    ["AD of another key does not", page(0xffff_ffff & ~(3 << 10)), WRITE, "ok"],
    ["WD refuses a write", page(writeDisable), WRITE, fault("key", 0x27)],
    ["WD allows a read", page(writeDisable), READ, "ok"],
    ["WD refuses a supervisor write with WP", page(writeDisable), KERNEL_WRITE, fault("key", 0x23)],
    ["WD allows a supervisor write without WP", page(writeDisable, { wp: false }), KERNEL_WRITE, "ok"],
    ["AD refuses a supervisor read", page(accessDisable), KERNEL_READ, fault("key", 0x21)],
    ["fetches have no keys", page(accessDisable), FETCH, "ok"],
    ["supervisor pages have no keys", page(accessDisable, {}, PRESENT | WRITABLE), KERNEL_READ, "ok"],
    ["PKE off: PKRU means nothing", page(accessDisable, { pke: false }), READ, "ok"],
    ["PK is reported beside R/W", page(accessDisable, {}, PRESENT | USER), WRITE, fault("write", 0x27)],
    ["PK is reported beside SMAP", page(accessDisable, { smap: true }), KERNEL_READ, fault("smap", 0x21)],
  ])("%s", (_, it, access, wanted) => {
    const got = outcome(it, access);
    if (wanted === "ok") expect(got.kind).toBe("ok");
    else expect(got).toEqual(wanted);
  });

  it("reads key 15 and PKRU bit 31", () => {
    const it = { frame: 9, leaf: ALL | key(15), controls: { pke: true, pkru: 0x8000_0000 } };
    expect(outcome(it, WRITE)).toEqual(fault("key", 0x27));
    expect(outcome(it, READ).kind).toBe("ok");
  });
});

describe("accessed and dirty (SDM 4.8)", () => {
  function flags(page: build.PageMapping, access: number): { flags: string[]; writes: number } {
    const world = new World();
    const root = world.table();
    world.map(root, VA, page);
    const cpu = world.cpu(root);
    cpu.access(VA, access);
    const entries = ([4, 3, 2, 1] as const).map((level) => world.entry(root, VA, level).value);
    const letters = entries.map((it) => `${it & ACCESSED ? "A" : "-"}${it & DIRTY ? "D" : "-"}`);
    return { flags: letters, writes: cpu.agent.counters.adWrites };
  }

  it("a read sets A at every level, a write also D in the leaf, and each entry is written once", () => {
    expect(flags({ frame: 9 }, READ)).toEqual({ flags: ["A-", "A-", "A-", "A-"], writes: 4 });
    expect(flags({ frame: 9 }, WRITE)).toEqual({ flags: ["A-", "A-", "A-", "AD"], writes: 4 });
    expect(flags({ frame: 9, leaf: ALL | ACCESSED, upper: ALL | ACCESSED }, WRITE).writes).toBe(1);
    expect(flags({ frame: 9, leaf: ALL | ACCESSED | DIRTY, upper: ALL | ACCESSED }, WRITE).writes).toBe(0);
  });

  it("a refused or not-present leaf keeps A and D; the entries above have A", () => {
    expect(flags(readOnly, WRITE)).toEqual({ flags: ["A-", "A-", "A-", "--"], writes: 3 });
    expect(flags({ frame: 9, leaf: 0n }, READ)).toEqual({ flags: ["A-", "A-", "A-", "--"], writes: 3 });
  });

  it("a speculative write is a speculative read: A but not D (rules.md 2)", () => {
    expect(flags({ frame: 9 }, build.SPECULATIVE_WRITE)).toEqual({ flags: ["A-", "A-", "A-", "A-"], writes: 4 });
  });

  it("a probe writes nothing and counts nothing", () => {
    const world = new World();
    const root = world.table();
    world.map(root, VA, { frame: 9 });
    const cpu = world.cpu(root);
    const before = cpu.agent.dump();
    expect(cpu.probe(VA, WRITE)).toEqual({ kind: "ok", level: 1, physicalAddress: 0x9000n });
    expect(cpu.explain(VA, WRITE)?.steps.map((it) => it.level)).toEqual([4, 3, 2, 1]);
    expect(cpu.agent.dump()).toEqual(before);
    expect(world.entry(root, VA, 1).value & (ACCESSED | DIRTY)).toBe(0n);
  });
});

describe("tables that are not in the store (rules.md 3.1)", () => {
  it("is its own outcome, with the level and frame, and drops nothing", () => {
    const world = new World();
    const root = world.table();
    world.map(root, VA, { frame: 9 });
    world.change(root, VA, 3, () => ALL | 0x7777_000n);
    const cpu = world.cpu(root);
    expect(cpu.access(VA, READ)).toEqual({ kind: "absent", level: 2, frame: 0x7777 });
    expect(cpu.agent.counters).toEqual({ translations: 1, faults: 0, walks: 1, entryReads: 2, adWrites: 2 });
    expect(cpu.agent.psc.map(({ cache }) => build.held(cache.dump()).length)).toEqual([0, 1, 1]);
    expect(world.cpu(0x8888).access(VA, READ)).toEqual({ kind: "absent", level: 4, frame: 0x8888 });
  });
});

describe("access codes (rules.md 2)", () => {
  it("implicit beats user, speculative beats write", () => {
    expect(decodeAccess(12)).toEqual({ type: "read", user: false, implicit: true, speculative: false });
    expect(decodeAccess(21)).toEqual({ type: "read", user: true, implicit: false, speculative: true });
    for (const code of [3, 7, 32, -1, 0.5]) expect(() => decodeAccess(code)).toThrow(`access code ${code}: expected`);
  });
});
