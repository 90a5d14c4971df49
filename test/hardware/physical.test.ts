// One access by numbers: what translate() and request() answer, in a double.

import { describe, expect, it } from "vitest";
import { Access, createMachineSync, InvalidOptionError, type Outcome, unpackFault } from "../../src/index.js";
import { programs } from "../model/programs.js";
import { runs } from "../support/effort.js";
import { dumpEngine, engineMachine, stepEngine } from "../support/engine-player.js";
import fc from "../support/fast-check.js";

const halves = (va: bigint): [high: number, low: number] => [
  Number(BigInt.asUintN(32, va >> 32n)),
  Number(BigInt.asUintN(32, va)),
];
/** An outcome as physical() and unpackFault() give it: without the level and size of the page. */
const plain = (outcome: Outcome) =>
  outcome.kind === "ok" ? { kind: "ok", physicalAddress: outcome.physicalAddress } : outcome;
const told = (result: number) => (result < 0 ? unpackFault(result) : { kind: "ok", physicalAddress: BigInt(result) });

describe("physical()", () => {
  it("answers as translate() and request() do, faults included, and leaves the same behind", { timeout: 0 }, () => {
    const kinds = new Set<string>();
    let compared = 0;
    fc.assert(
      fc.property(programs(60), ({ config, operations }) => {
        const numbers = engineMachine(config, operations);
        const bigints = engineMachine(config, operations);
        for (const operation of operations) {
          const expected = stepEngine(bigints, config, operation);
          const { kind } = operation;
          if (kind !== "access" && kind !== "request") {
            stepEngine(numbers, config, operation);
            continue;
          }
          const [high, low] = halves(operation.address);
          const access = operation.access as Access;
          const result =
            "cpu" in operation
              ? numbers.cpus[operation.cpu]!.physical(high, low, access)
              : numbers.iommus[operation.iommu]!.physical(operation.pasid, high, low, access, operation.device);
          expect(told(result)).toEqual(plain(expected as Outcome));
          kinds.add((expected as Outcome).kind);
          compared++;
        }
        expect(dumpEngine(numbers, config)).toEqual(dumpEngine(bigints, config));
      }),
      { numRuns: runs(100) },
    );
    expect(compared).toBeGreaterThan(200);
    expect([...kinds].sort()).toEqual(["absent", "fault", "non-canonical", "ok"]);
  });

  it("takes halves with or without sign, and 52-bit addresses", () => {
    const machine = createMachineSync({ maxPhyAddr: 52, workloadPages: 1, cpus: [{ root: 0x1000n }] });
    const { frames } = machine;
    for (let frame = 1; frame <= 4; frame++) frames.setTable(frame);
    const top = 0x000f_ffff_ffff_f000n;
    for (const [at, entry] of [
      [0x1ff8n, 0x2003n],
      [0x2ff8n, 0x3003n],
      [0x3ff8n, 0x4003n],
      [0x4ff8n, top | 3n],
    ] as const) {
      frames.writeEntry(at, entry);
    }
    const cpu = machine.cpus[0]!;
    for (const [high, low] of [
      [-1, -1],
      [0xffff_ffff, 0xffff_ffff],
    ] as const) {
      expect(cpu.physical(high, low, Access.supervisorRead)).toBe(Number(top | 0xfffn));
    }
  });

  it("refuses what is no half of an address, no access, and no fault", () => {
    const { cpus } = createMachineSync({ workloadPages: 1 });
    const cpu = cpus[0]!;
    for (const bad of [0.5, 2 ** 32, -(2 ** 31) - 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => cpu.physical(bad, 0, Access.userRead)).toThrow(InvalidOptionError);
      expect(() => cpu.physical(0, bad, Access.userRead)).toThrow(/^low is /);
    }
    expect(() => cpu.physical(0, 0, 3 as Access)).toThrow(/^access is 3/);
    for (const result of [0, 0x1000, -1, -0.5, Number.NaN, -Number.MAX_SAFE_INTEGER]) {
      expect(() => unpackFault(result)).toThrow(InvalidOptionError);
    }
  });
});
