// The engine against the reference model, kernel included: random programs with an IOMMU, a kernel and any policy, other
// agents' operations interleaved at points. What is compared: test/support/kernel-agreement.ts.

import { describe, expect, it } from "vitest";
import { kernelPrograms } from "../model/kernel/programs.js";
import { OPERATIONS, PACES } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { expectKernelAgreement } from "../support/kernel-agreement.js";
import { seedAt } from "../support/seed.js";

/** Half as many: the model takes twice as long with a kernel. */
const KERNEL_OPERATIONS = OPERATIONS / 2;
const LENGTH = 120;

describe("engine and reference model, kernel included", () => {
  it(`agree after each of ${KERNEL_OPERATIONS} random operations`, { timeout: 0 }, () => {
    let done = 0;
    for (let round = 0; done < KERNEL_OPERATIONS; round++) {
      const runs = Math.max(1, Math.min(100, Math.ceil((KERNEL_OPERATIONS - done) / (LENGTH / 2))));
      fc.assert(
        fc.property(kernelPrograms(LENGTH), fc.constantFrom(...PACES), (program, every) => {
          done += expectKernelAgreement(program, every);
        }),
        { seed: seedAt(round), numRuns: runs },
      );
    }
    expect(done).toBeGreaterThanOrEqual(KERNEL_OPERATIONS);
  });
});
