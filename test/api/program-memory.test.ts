// Programs that the caller builds in the engine's own memory, and programs whose results nobody wants.
import { describe, expect, it } from "vitest";
import { Access, createMachineSync, type Machine, ProgramBuilder, unpackOutcome } from "../../src/index.js";

function made(): Machine {
  const machine = createMachineSync({ tables: 3, workloadPages: 16, cpus: [{ root: 0x1000n }] });
  for (const frame of [1, 2, 3]) machine.frames.setTable(frame);
  machine.frames.writeEntry(0x1000n, 0x2007n);
  return machine;
}

function accesses(count: number): ProgramBuilder {
  const builder = new ProgramBuilder();
  for (let i = 0; i < count; i++) builder.access(0, BigInt(i) << 12n, Access.userRead);
  return builder;
}

describe("a program in the engine's memory", () => {
  it("plays as any other, again and again, and as its bytes are changed", () => {
    const [own, other] = [made(), made()];
    const builder = accesses(100);
    const program = builder.build(own.programMemory(100));
    expect(program).toEqual(builder.build());
    for (let round = 0; round < 3; round++) expect(own.play(program)).toEqual(other.play(builder.build()));
    // Record 1 becomes a fetch.
    program[16 + 1] = Access.userFetch;
    expect(unpackOutcome(own.play(program)[1] as bigint)).toMatchObject({ kind: "fault", errorCode: 0x14 });
    expect(own.cpus[0]?.counters.translations).toBe(400);
  });

  it("plays in part, from its beginning or from within", () => {
    const machine = made();
    const program = accesses(100).build(machine.programMemory(65_536));
    expect(machine.play(program.subarray(0, 16 * 7))).toHaveLength(7);
    expect(machine.play(program.subarray(16 * 90))).toHaveLength(10);
    expect(machine.cpus[0]?.counters.translations).toBe(17);
  });

  it("is checked before each play", () => {
    const machine = made();
    const program = accesses(4).build(machine.programMemory(4));
    machine.play(program);
    program[16 * 2] = 200;
    expect(() => machine.play(program)).toThrow(/operation 2/);
    expect(machine.cpus[0]?.counters.translations).toBe(4);
  });

  it("holds 1 to 65,536 records", () => {
    const machine = made();
    for (const records of [0, 65_537, 1.5]) expect(() => machine.programMemory(records)).toThrow(/records/);
    expect(() => accesses(5).build(machine.programMemory(4))).toThrow(/into\.length/);
  });
});

describe("a program without results", () => {
  it.each([100, 70_000])("of %i records does what it does with them", (count) => {
    const [without, other] = [made(), made()];
    const program = accesses(count).build();
    expect(without.play(program, { results: false })).toHaveLength(0);
    expect(other.play(program, { results: true })).toHaveLength(count);
    expect(without.cpus[0]?.counters).toEqual(other.cpus[0]?.counters);
    expect(without.cpus[0]?.counters.translations).toBe(count);
  });

  it("has no other options", () => {
    expect(() => made().play(accesses(1).build(), { result: false } as object)).toThrow(/result/);
    expect(() => made().play(accesses(1).build(), { results: 0 } as object)).toThrow(/results/);
  });
});
