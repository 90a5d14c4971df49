// The library as its user meets it: what is exported, how the engine is come by, several machines at once, the end of one.

import { describe, expect, it } from "vitest";
import * as library from "../../src/index.js";
import {
  Access,
  compileEngine,
  compileEngineSync,
  createMachine,
  createMachineSync,
  createWalker,
  createWalkerSync,
  type Machine,
} from "../../src/index.js";
import { pageAt, Tables } from "../support/tables.js";

const small = { tables: 8, workloadPages: 8 };

/** One page at address 0, in a frame of its own for each machine. */
function furnish(machine: Machine, frame: number): void {
  const tables = new Tables(machine.frames);
  tables.map(0n, frame);
  for (const cpu of machine.cpus) cpu.movToCr3(tables.cr3);
}

describe("exports", () => {
  it("have these among them: taking one away breaks someone", () => {
    expect(Object.keys(library).toSorted()).toEqual(
      expect.arrayContaining([
        "Access",
        "InvalidOptionError",
        "Operation",
        "ProgramBuilder",
        "compileEngine",
        "compileEngineSync",
        "createMachine",
        "createMachineSync",
        "createWalker",
        "createWalkerSync",
        "everyCpu",
        "geometries",
        "isTranslated",
        "linuxControls",
        "operationBytes",
        "pageSizes",
        "unpackOutcome",
      ]),
    );
  });
});

describe("initialisation", () => {
  it("gives the same module, waited for or not, and however often", async () => {
    const [first, second] = await Promise.all([compileEngine(), compileEngine()]);
    expect(first).toBeInstanceOf(WebAssembly.Module);
    expect(second).toBe(first);
    expect(compileEngineSync()).toBe(first);
  });

  it("takes a module of the caller's", async () => {
    const module = await compileEngine();
    for (const machine of [await createMachine({ ...small, module }), createMachineSync({ ...small, module })]) {
      furnish(machine, 0x99);
      expect(machine.cpus[0]!.translate(0n, Access.userRead)).toMatchObject({ physicalAddress: 0x9_9000n });
    }
    for (const walker of [await createWalker({ module }), createWalkerSync({ module })]) {
      expect(walker.translate(0n, Access.userRead)).toEqual({ kind: "absent", level: 4, frame: 0 });
    }
  });

  it("the module imports nothing from its host", async () => {
    expect(WebAssembly.Module.imports(await compileEngine())).toEqual([]);
  });
});

describe("several machines at once", () => {
  it("share the module and nothing else", () => {
    const machines = [1, 2, 3].map((i) => {
      const machine = createMachineSync({
        ...small,
        levels: i === 3 ? 5 : 4,
        cpus: [{ l1: [{ entries: 4, ways: 4 }] }],
      });
      return machine;
    });
    const frames = machines.map((machine, i) => {
      const tables = new Tables(machine.frames, machine.levels);
      tables.map(pageAt(1), 0x100 + i);
      machine.cpus[0]!.movToCr3(tables.cr3);
      return 0x100 + i;
    });
    for (let round = 0; round < 3; round++) {
      for (const [i, machine] of machines.entries()) {
        const outcome = machine.cpus[0]!.translate(pageAt(1) + 8n, Access.userRead);
        expect(outcome).toMatchObject({ kind: "ok", physicalAddress: (BigInt(frames[i]!) << 12n) + 8n });
        if (i === 1) machine.cpus[0]!.flushAll();
      }
    }
    expect(machines.map(({ cpus }) => cpus[0]!.counters.walks)).toEqual([1, 3, 1]);
  });
});

describe("dispose", () => {
  it("ends a machine: its programs, workloads and sizes throw, other machines go on", () => {
    const machine = createMachineSync(small);
    const other = createMachineSync(small);
    furnish(other, 0x55);
    machine.dispose();
    machine.dispose();
    expect(() => machine.play(new Uint8Array(16))).toThrow("this machine has been disposed of");
    expect(() => machine.memoryBytes).toThrow("this machine has been disposed of");
    expect(() => machine.runWorkload({ pages: [{ va: 0n, access: Access.userRead }] }, 1)).toThrow("disposed of");
    expect(other.cpus[0]!.translate(0n, Access.userRead)).toMatchObject({ kind: "ok" });
  });

  it("ends the parts of a machine too", () => {
    const machine = createMachineSync(small);
    const cpu = machine.cpus[0]!;
    machine.dispose();
    expect(() => cpu.translate(0n, Access.userRead)).toThrow("disposed of");
  });
});
