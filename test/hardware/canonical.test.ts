// C1: invalidations of addresses that are not canonical, at every surface (docs/rules.md 6.2 to 6.4; SDM vol. 2, INVLPG, INVPCID).

import { describe, expect, it } from "vitest";
import {
  Access,
  type CpuConfig,
  createMachineSync,
  everyCpu,
  geometries,
  type Machine,
  ProgramBuilder,
  refusalOf,
} from "../../src/index.js";

/** A page of the kernel half, and the address that differs from it in its upper bits alone. */
const PAGE = 0xffffc90000200000n;
const ALIAS = 0xc90000200000n;
/** A page of the user half, and a pointer to it with a tag in the bits that do not translate. */
const USER = 0x5500_0000_0000n;
const TAGGED = USER | (0x5an << 56n);

/** A CPU whose caches hold both pages, running an mm. */
function warm(cpu: CpuConfig = {}, levels: 4 | 5 = 4): Machine {
  const machine = createMachineSync({ levels, cpus: [{ ...geometries.skylake, ...cpu }], kernel: { pool: 64 } });
  machine.kernel!.run((p) => p.vmalloc(PAGE, 1).mmCreate(0).mmap(0, USER, 1).switchMm(0, 0));
  for (const [address, access] of [
    [PAGE, Access.supervisorRead],
    [USER, Access.userRead],
  ] as const) {
    expect(machine.cpus[0]!.translate(address, access).kind).toBe("ok");
  }
  return machine;
}

const entries = ({ cpus }: Machine): number[] => cpus[0]!.caches.map((cache) => cache.contents().length);
const play = (machine: Machine, build: (p: ProgramBuilder) => ProgramBuilder): string[] =>
  [...machine.play(build(new ProgramBuilder()).build())].map((result) => refusalOf(result) ?? "done");

/** Everything that flushes an alias, and what it counts. */
const NOTHING_DROPPED: [string, (machine: Machine) => void][] = [
  ["cpu.invlpg", ({ cpus }) => cpus[0]!.invlpg(ALIAS)],
  ["cpu.invlpg of a tagged pointer", ({ cpus }) => cpus[0]!.invlpg(TAGGED)],
  ["cpu.flushRange", ({ cpus }) => cpus[0]!.flushRange(ALIAS, ALIAS + 0x3000n)],
  ["cpu.invpcid of type 0", ({ cpus }) => expect(cpus[0]!.invpcid(0, 1, ALIAS)).toBe(false)],
  ["cpu.invpcid of type 0, tagged", ({ cpus }) => expect(cpus[0]!.invpcid(0, 1, TAGGED)).toBe(false)],
  ["program invlpg", (machine) => play(machine, (p) => p.invlpg(0, ALIAS).invlpg(everyCpu, TAGGED))],
  ["program invlpgRange", (machine) => play(machine, (p) => p.invlpgRange(0, ALIAS, 2))],
  ["program invlpgRangeOrAll", (machine) => play(machine, (p) => p.invlpgRangeOrAll(0, ALIAS, 2))],
  [
    "program invpcid 0",
    (machine) => expect(play(machine, (p) => p.invpcid(0, 0, 1, ALIAS))).toEqual(["general-protection"]),
  ],
  ["flushTlbMmRange", ({ kernel }) => kernel!.run((p) => p.flushTlbMmRange(0, ALIAS, ALIAS + 0x2000n))],
  ["flushTlbMmRange, tagged", ({ kernel }) => kernel!.run((p) => p.flushTlbMmRange(0, TAGGED, TAGGED + 0x1000n))],
];

describe("C1: an address that is not canonical", () => {
  it.each(NOTHING_DROPPED)("drops nothing by %s", (_, flush) => {
    for (const invlpgScope of ["pcid", "all", "path"] as const) {
      const machine = warm({ invlpgScope });
      const before = entries(machine);
      flush(machine);
      expect(entries(machine)).toEqual(before);
    }
  });

  it("is counted by INVLPG, which is carried out, and not by INVPCID, which is a #GP", () => {
    const machine = warm();
    const { invalidations } = machine.cpus[0]!.counters;
    machine.cpus[0]!.invlpg(ALIAS);
    machine.cpus[0]!.invpcid(0, 1, ALIAS);
    expect(machine.cpus[0]!.counters.invalidations - invalidations).toBe(1);
  });

  it("is one with five levels only above bit 56", () => {
    const machine = createMachineSync({ levels: 5, cpus: [geometries.skylake], kernel: {} });
    const [cpu] = machine.cpus;
    const page = 0xffa0_0000_0020_0000n;
    machine.kernel!.run((p) => p.vmalloc(page, 1));
    cpu!.translate(page, Access.supervisorRead);
    cpu!.invlpg(page ^ (1n << 57n));
    expect(cpu!.l1[0]!.contents()).toHaveLength(1);
    cpu!.invlpg(page);
    expect(cpu!.l1[0]!.contents()).toHaveLength(0);
  });
});

describe("C1: a range across the hole", () => {
  it("drops what it covers in both halves, and nothing else", () => {
    const machine = createMachineSync({ cpus: [{ ...geometries.skylake, invlpgScope: "path" }], kernel: { pool: 64 } });
    const [cpu] = machine.cpus;
    const [low, high] = [0x7fff_ffff_f000n, 0xffff_8000_0000_0000n];
    machine.kernel!.run((p) =>
      p
        .mmCreate(0)
        .mmap(0, low - 0x1000n, 2)
        .vmalloc(high, 2)
        .vmalloc(PAGE, 1)
        .switchMm(0, 0),
    );
    for (const page of [low - 0x1000n, low]) cpu!.translate(page, Access.userRead);
    for (const page of [high, high + 0x1000n, PAGE]) cpu!.translate(page, Access.supervisorRead);
    expect(cpu!.l1[0]!.contents()).toHaveLength(5);
    const { invalidations } = cpu!.counters;
    cpu!.flushRange(low, high + 0x1000n);
    expect(cpu!.l1[0]!.contents().map(({ pageNumber }) => pageNumber << 12n)).toEqual(
      expect.arrayContaining([low - 0x1000n, (high + 0x1000n) & 0xffff_ffff_ffffn, PAGE & 0xffff_ffff_ffffn]),
    );
    expect(cpu!.l1[0]!.contents()).toHaveLength(3);
    expect(cpu!.counters.invalidations - invalidations).toBe(Number((high - low) >> 12n) + 1);
  });

  it("ends at 2^64 at the latest, and does not go on at 0", () => {
    const machine = createMachineSync({ cpus: [geometries.skylake], kernel: { pool: 64 } });
    const [cpu] = machine.cpus;
    machine.kernel!.run((p) => p.mmCreate(0).mmap(0, 0n, 1).switchMm(0, 0));
    cpu!.translate(0n, Access.userRead);
    const { invalidations } = cpu!.counters;
    play(machine, (p) => p.invlpgRange(0, 0xffff_ffff_ffff_f000n, 100));
    expect(cpu!.l1[0]!.contents()).toHaveLength(1);
    expect(cpu!.counters.invalidations - invalidations).toBe(1);
  });
});

describe("C1: INVPCID with a PCID while CR4.PCIDE is off", () => {
  it("is a #GP in types 0 and 1, as the manual has it beside the address", () => {
    const machine = warm({ controls: { pcide: false } });
    const [cpu] = machine.cpus;
    const before = entries(machine);
    expect([cpu!.invpcid(0, 1, PAGE), cpu!.invpcid(1, 1)]).toEqual([false, false]);
    expect(play(machine, (p) => p.invpcid(0, 1, 7).invpcid(0, 1, 0).invpcid(0, 2, 7))).toEqual([
      "general-protection",
      "done",
      "done",
    ]);
    expect(entries(machine)).not.toEqual(before);
  });
});
