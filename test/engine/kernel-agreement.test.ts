// The engine against the reference model, kernel included: random programs with an IOMMU, a kernel and any policy, other
// agents' operations interleaved at points. Compared after every operation: results, contents and counters of every cache,
// frames with states and generations, the stack of free frames, hazards with every field, the kernel's counters; and the
// points that the operation reached, by name and with what each tells.

import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { type KernelProgram, playKernel } from "../model/kernel/operations.js";
import { kernelPrograms } from "../model/kernel/programs.js";
import { OPERATIONS } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { dumpKernel, KernelPlayer, kernelMachine } from "../support/kernel-player.js";
import { seedAt } from "../support/seed.js";

/** Half as many: the model takes twice as long with a kernel. */
const KERNEL_OPERATIONS = OPERATIONS / 2;
const LENGTH = 120;

function compare(program: KernelProgram): number {
  const machine = kernelMachine(program.config);
  const player = new KernelPlayer(machine, program);
  playKernel(program, (index, { kind }, expected, model) => {
    const where = `operation ${index} (${kind})`;
    const result = player.next();
    if (!isDeepStrictEqual(result, expected)) expect(result, where).toEqual(expected);
    const reached = machine.reachedPoints();
    if (!isDeepStrictEqual(reached, model.points.trail)) expect(reached, where).toEqual(model.points.trail);
    const dump = model.dump();
    const own = dumpKernel(machine, program.config);
    if (!isDeepStrictEqual(own, dump)) expect(own, where).toEqual(dump);
  });
  return program.operations.length;
}

describe("engine and reference model, kernel included", () => {
  it(`agree after each of ${KERNEL_OPERATIONS} random operations`, { timeout: 0 }, () => {
    let done = 0;
    for (let round = 0; done < KERNEL_OPERATIONS; round++) {
      const runs = Math.max(1, Math.min(100, Math.ceil((KERNEL_OPERATIONS - done) / (LENGTH / 2))));
      fc.assert(
        fc.property(kernelPrograms(LENGTH), (program) => {
          done += compare(program);
        }),
        { seed: seedAt(round), numRuns: runs },
      );
    }
    expect(done).toBeGreaterThanOrEqual(KERNEL_OPERATIONS);
  });
});
