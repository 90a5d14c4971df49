// L7: machines and walkers as objects: letting go of them, showing them, and results that JSON can hold.

import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Access, createMachineSync, createWalkerSync, jsonText } from "../../src/index.js";

const make = {
  machine: () =>
    createMachineSync({ workloadPages: 1, iommus: [{ pasids: [1, 2] }], kernel: { pool: 8, policy: "deferred-free" } }),
  walker: () => createWalkerSync({}),
};

describe("L7: machines and walkers", () => {
  it.each(Object.entries(make))("a %s is let go of by dispose() and by `using`", (_, made) => {
    const it = made();
    expect(it.disposed).toBe(false);
    it.dispose();
    it.dispose();
    expect(it.disposed).toBe(true);
    expect(() => it.frames.size).toThrow("disposed of");
    let kept: ReturnType<typeof made>;
    {
      using used = made();
      kept = used;
    }
    expect(kept.disposed).toBe(true);
  });

  it("are short and useful on a console", () => {
    const machine = make.machine();
    expect(inspect(machine)).toMatch(/^Machine \{/);
    expect(inspect(machine)).toContain("policy: 'deferred-free', freeFrames: 7");
    expect(inspect(machine).length).toBeLessThan(300);
    expect(inspect({ machine }).length).toBeLessThan(320);
    expect(inspect(make.walker())).toMatch(/^Walker \{\s+levels: 4/);
    machine.dispose();
    expect(inspect(machine)).toBe("Machine { disposed: true }");
  });

  it("outcomes survive JSON, addresses as text that BigInt() reads back", () => {
    const machine = make.machine();
    const [result] = machine
      .kernel!.run((p) => p.mmCreate(0).mmap(0, 0x1000n, 1).switchMm(0, 0).access(0, 0x1008n, Access.userRead))
      .slice(-1);
    const outcome = result!.outcome!;
    const back = JSON.parse(jsonText(outcome)) as { physicalAddress: string };
    expect(outcome.kind).toBe("ok");
    expect({ ...back, physicalAddress: BigInt(back.physicalAddress) }).toEqual(outcome);
  });
});
