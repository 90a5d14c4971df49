// C4: a machine has one generator of workloads; whatever would disturb a running one is refused.

import { expect, it } from "vitest";
import {
  Access,
  createMachineSync,
  InvalidOptionError,
  type KernelWorkloadOptions,
  type Machine,
} from "../../src/index.js";

const pages = Array.from({ length: 64 }, (_, i) => ({ va: BigInt(i) << 12n, access: Access.userRead }));
const workload = { pages, stream: "zipf" as const, seed: 1n };
const OPERATIONS = 200_000;
const kernelWorkload = { devices: { first: 1, count: 1 } } as KernelWorkloadOptions;

const made = (): Machine => createMachineSync({ iommus: [{ pasids: [1] }], kernel: {} });
const counters = (machine: Machine) => machine.cpus[0]!.counters;

it("C4: generate() inside onProgress is refused, and the run's numbers are those of a run alone", () => {
  const alone = made();
  alone.runWorkload(workload, OPERATIONS);
  const machine = made();
  const refused: unknown[] = [];
  const disturb: ((on: Machine) => void)[] = [
    (on) => on.generate({ ...workload, seed: 2n }, 10),
    (on) => on.runWorkload({ ...workload, stream: "chase" }, 10),
    (on) => on.runKernelWorkload(kernelWorkload, 10),
  ];
  machine.runWorkload(workload, OPERATIONS, {
    onProgress: () => {
      for (const call of disturb) {
        try {
          call(machine);
        } catch (error) {
          refused.push(error);
        }
      }
      // Another machine is another generator.
      expect(made().generate(workload, 10)).toHaveLength(160);
    },
  });
  expect(refused.length).toBeGreaterThanOrEqual(6);
  expect(refused.every((error) => error instanceof InvalidOptionError)).toBe(true);
  expect(counters(machine)).toEqual(counters(alone));
});

it("C4: after a run that was aborted the machine is free again", () => {
  const machine = made();
  const controller = new AbortController();
  const run = { signal: controller.signal, onProgress: () => controller.abort() };
  expect(() => machine.runWorkload(workload, OPERATIONS, run)).toThrow();
  expect(machine.generate(workload, 10)).toHaveLength(160);
});
