// What drops what on a CPU: instructions and page faults (SDM vol. 3A, 4.10.4.1; rules.md 6).
// Expected contents are worked out by hand.

import { describe, expect, it } from "vitest";
import {
  A,
  B,
  cache,
  contents,
  FAR,
  fourPages,
  G,
  held,
  PLAIN,
  pdeOf,
  READ,
  tlb,
  type World,
  WRITE,
} from "./builder.js";
import { GLOBAL, PRESENT, USER } from "./entry.js";
import { Machine } from "./machine.js";

/** A CPU that used A, B and FAR under PCIDs 1 and 2, and G; PCID 1 is current. */
function warmCpu(config: Parameters<World["cpu"]>[1] = {}) {
  const { it, root } = fourPages();
  const cpu = it.cpu(root, { pcid: 2, l1: [tlb(16, 16)], psc: { 2: cache(8, 8), 4: cache(8, 8) }, ...config });
  for (const address of [A, B, FAR, G]) cpu.access(address, READ);
  cpu.movCr3(root, 1, true);
  for (const address of [A, B, FAR]) cpu.access(address, READ);
  return { it, root, cpu };
}

const FULL = {
  tlb: ["A1", "A2", "B1", "B2", "FAR1", "FAR2", "G"],
  pde: [pdeOf(A, 1), pdeOf(A, 2), pdeOf(FAR, 1), pdeOf(FAR, 2)].sort(),
  pml4e: ["0 1", "0 2"],
};
const NO_PSC_OF_1 = { pde: [pdeOf(A, 2), pdeOf(FAR, 2)].sort(), pml4e: ["0 2"] };
const EMPTY = { tlb: [], pde: [], pml4e: [] };

describe("CPU invalidation (SDM 4.10.4.1)", () => {
  it("starts from what the accesses cached", () => {
    expect(contents(warmCpu().cpu)).toEqual(FULL);
  });

  it("INVLPG drops the address of the current PCID and all its paging-structure entries, of no other PCID", () => {
    const { cpu } = warmCpu();
    cpu.invlpg(A + 0xfffn);
    expect(contents(cpu)).toEqual({ tlb: ["A2", "B1", "B2", "FAR1", "FAR2", "G"], ...NO_PSC_OF_1 });
  });

  it("INVLPG drops a global page too, whatever PCID is current", () => {
    const { cpu } = warmCpu();
    cpu.invlpg(G);
    expect(contents(cpu).tlb).toEqual(FULL.tlb.filter((name) => name !== "G"));
  });

  it("INVLPG by scope: all drops every PCID's paging-structure entries, path only those of the address", () => {
    const all = warmCpu({ invlpgScope: "all" }).cpu;
    all.invlpg(A);
    expect(contents(all)).toMatchObject({ pde: [], pml4e: [] });
    const path = warmCpu({ invlpgScope: "path" }).cpu;
    path.invlpg(A);
    expect(contents(path)).toMatchObject({ pde: FULL.pde.filter((it) => it !== pdeOf(A, 1)), pml4e: ["0 2"] });
  });

  it("INVLPG of a large page by any of its addresses; of a non-canonical address nothing", () => {
    const { it, root } = fourPages();
    const large = 0x30_0000_0000n;
    it.map(root, large, { frame: 0x40000, level: 3 });
    const cpu = it.cpu(root);
    cpu.access(large, READ);
    cpu.invlpg((large + 0x3fff_f000n) ^ (1n << 60n));
    expect(cpu.agent.dump().l1[0]?.ways).toHaveLength(1);
    cpu.invlpg(large + 0x3fff_f000n);
    expect(cpu.agent.dump().l1[0]?.ways).toHaveLength(0);
  });

  it("INVPCID 0: one address of one PCID, no globals, and its path", () => {
    const { cpu } = warmCpu();
    cpu.invpcid(0, A, 2);
    cpu.invpcid(0, G, 2);
    expect(contents(cpu)).toEqual({
      tlb: FULL.tlb.filter((name) => name !== "A2"),
      pde: FULL.pde.filter((it) => it !== pdeOf(A, 2)),
      pml4e: ["0 1"],
    });
  });

  it("INVPCID 1: one PCID but globals; 2: everything; 3: everything but globals", () => {
    const one = warmCpu().cpu;
    one.invpcid(1, 0n, 1);
    expect(contents(one)).toEqual({ tlb: ["A2", "B2", "FAR2", "G"], ...NO_PSC_OF_1 });
    const everything = warmCpu().cpu;
    everything.invpcid(2, 0n, 1);
    expect(contents(everything)).toEqual(EMPTY);
    const butGlobals = warmCpu().cpu;
    butGlobals.invpcid(3, 0n, 1);
    expect(contents(butGlobals)).toEqual({ ...EMPTY, tlb: ["G"] });
  });

  it("MOV CR3 drops the new PCID but globals; with no-flush nothing", () => {
    const { cpu, root } = warmCpu();
    cpu.movCr3(root, 2, true);
    expect(contents(cpu)).toEqual(FULL);
    cpu.movCr3(root, 1, false);
    expect(contents(cpu)).toEqual({ tlb: ["A2", "B2", "FAR2", "G"], ...NO_PSC_OF_1 });
  });

  it("without PCIDE the PCID is 0 and no-flush is ignored", () => {
    const { it, root } = fourPages();
    const cpu = it.cpu(root, {
      pcid: 9,
      controls: { ...PLAIN, pcide: false },
      psc: { 2: cache(4, 4), 4: cache(4, 4) },
    });
    cpu.access(A, READ);
    cpu.access(G, READ);
    expect(contents(cpu)).toEqual({ tlb: ["A0", "G"], pde: [pdeOf(A, 0)], pml4e: ["0 0"] });
    cpu.movCr3(root, 9, true);
    expect(cpu.context.tag).toBe(0);
    expect(contents(cpu)).toEqual({ ...EMPTY, tlb: ["G"] });
  });

  it.each([
    ["PGE off", { pge: false }, EMPTY],
    ["PCIDE off", { pcide: false }, EMPTY],
    ["SMEP on", { smep: true }, { tlb: ["A2", "B2", "FAR2", "G"], ...NO_PSC_OF_1 }],
    ["SMAP, PKE, WP, NXE, AC, PKRU", { smap: true, pke: true, wp: false, nxe: false, ac: true, pkru: 1 }, FULL],
  ])("a change of controls: %s", (_, change, wanted) => {
    const { cpu } = warmCpu();
    cpu.setControls({ ...PLAIN, ...change });
    expect(contents(cpu)).toEqual(wanted);
  });

  it("PGE on again, SMEP off: the first drops everything, the second nothing; PCIDE off makes the PCID 0", () => {
    const { cpu, root } = warmCpu({ controls: { ...PLAIN, smep: true, pge: false } });
    cpu.setControls({ ...PLAIN, smep: false, pge: false });
    expect(contents(cpu).tlb).toHaveLength(7);
    cpu.setControls({ ...PLAIN, smep: false, pge: true });
    expect(contents(cpu)).toEqual(EMPTY);
    cpu.movCr3(root, 1, false);
    cpu.setControls({ ...PLAIN, pcide: false });
    expect(cpu.context.tag).toBe(0);
  });

  it("a range is an INVLPG per 4 KiB page, from the start aligned down while below the end", () => {
    const { cpu } = warmCpu();
    const before = cpu.invalidations;
    cpu.flushRange(A + 0x123n, B + 1n);
    expect(cpu.invalidations - before).toBe(2);
    expect(contents(cpu).tlb).toEqual(["A2", "B2", "FAR1", "FAR2", "G"]);
    cpu.flushRange(FAR, FAR);
    cpu.flushRange(0xffff_ffff_ffff_f000n, 0xffff_ffff_ffff_ffffn);
    expect(cpu.invalidations - before).toBe(3);
    expect(() => cpu.flushRange(0n, 1n << 40n)).toThrow("expected at most 1048576 pages");
  });

  it("range or all is that up to 33 pages, none beyond 2^64, and everything above", () => {
    const { cpu } = warmCpu();
    const before = cpu.invalidations;
    cpu.rangeOrAll(A + 0x123n, 33);
    cpu.rangeOrAll(0xffff_ffff_ffff_f000n, 33);
    expect(cpu.invalidations - before).toBe(34);
    expect(contents(cpu).tlb).toContain("FAR1");
    cpu.rangeOrAll(A, 34);
    expect(cpu.invalidations - before).toBe(35);
    expect(contents(cpu)).toEqual(EMPTY);
  });
});

describe("page faults (SDM 4.10.4.1)", () => {
  it("drop the address and its path in the current PCID, globals too, after the walk", () => {
    const { cpu } = warmCpu();
    const dropped = A + 0x9000n;
    expect(cpu.access(dropped, READ)).toMatchObject({ reason: "not-present", level: 1 });
    expect(contents(cpu)).toEqual({ ...FULL, pde: FULL.pde.filter((it) => it !== pdeOf(A, 1)), pml4e: ["0 2"] });
  });

  it("drop a global entry hit by a refused access", () => {
    const { it, root } = fourPages();
    it.map(root, FAR + 0x7000n, { frame: 0xc, leaf: PRESENT | USER | GLOBAL });
    const cpu = it.cpu(root);
    cpu.access(FAR + 0x7000n, READ);
    expect(cpu.access(FAR + 0x7000n, WRITE)).toMatchObject({ reason: "write" });
    expect(held(cpu.agent.dump().l1[0])).toEqual([]);
  });
});

describe("shootdown (rules.md 6)", () => {
  it("does the operation on each CPU of the mask, each under its own PCID", () => {
    const { it, root } = fourPages();
    const table = (frame: number) => ({
      frame,
      state: "table" as const,
      entries: [...Array(512).keys()].map((index): [number, bigint] => [
        index,
        it.memory.readEntry(frame, index) ?? 0n,
      ]),
    });
    const cpu = { root, pcid: 1, controls: PLAIN, invlpgScope: "pcid" as const, l1: [tlb(4, 4)], l2: [], psc: {} };
    const machine = new Machine({
      ...it.parameters,
      frames: it.memory.frames().map(table),
      cpus: [cpu, { ...cpu, pcid: 2 }, cpu],
      iommus: [],
    });
    for (const each of machine.cpus) each.access(A, READ);
    machine.shootdown(0b110, { kind: "invlpg", address: A });
    expect(machine.cpus.map((each) => contents(each).tlb)).toEqual([["A1"], [], []]);
    expect(machine.cpus.map((each) => each.invalidations)).toEqual([0, 1, 1]);
  });
});
