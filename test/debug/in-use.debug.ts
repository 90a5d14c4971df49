// The debug build is what these tests play on: every way to a machine leads to it, and an assertion that does not hold says where. Were
// the shipped build played instead, nothing else here would fail.

import { describe, expect, it } from "vitest";
import { compileEngine, compileEngineSync, createMachine, createMachineSync, type Machine } from "../../src/index.js";
import { AssertionFailed } from "./engine.js";

interface Inside {
  readonly engine: { readonly exports: { setDevice(requester: number, device: number): void } };
}

describe("a machine of the debug tests", () => {
  it.each<[string, () => Machine | Promise<Machine>]>([
    ["createMachine", () => createMachine()],
    ["createMachineSync", () => createMachineSync()],
    ["createMachine of a compiled module", async () => createMachine({ module: await compileEngine() })],
    ["createMachineSync of a compiled module", () => createMachineSync({ module: compileEngineSync() })],
  ])("made by %s has assertions, and they say where they stand", async (_, make) => {
    const { engine } = (await make()) as unknown as Inside;
    // A CPU has no device TLB.
    expect(() => engine.exports.setDevice(0, 0)).toThrow(AssertionFailed);
    expect(() => engine.exports.setDevice(0, 0)).toThrow(
      /^assembly\/hardware\/requesters\.ts\(\d+,\d+\): the requester has no TLB/,
    );
  });
});
