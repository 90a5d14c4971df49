// The engine of `stalewalk/memory` against the reference model: the random programs of worlds with RAM, which the test keeps here, in two
// ranges. In half of them somebody else writes to it between the read of an entry and its marking. The model reads the same memory.

import { describe, expect, it } from "vitest";
import { kernelPrograms } from "../model/kernel/programs.js";
import { programs } from "../model/programs.js";
import { expectAgreement } from "../support/agreement.js";
import { OPERATIONS, PACES } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { makeHosted } from "../support/guest-memory.js";
import { expectKernelAgreement } from "../support/kernel-agreement.js";
import { seedAt } from "../support/seed.js";

const LENGTH = 200;
const ALL = Math.ceil(OPERATIONS / 4);

describe("the engine over memory of the host's, and the reference model", () => {
  it(`agree after each of ${ALL} random operations`, { timeout: 0 }, () => {
    let done = 0;
    for (let round = 0; done < ALL; round++) {
      const runs = Math.max(1, Math.min(100, Math.ceil((ALL - done) / (LENGTH / 2))));
      const hosted = programs(LENGTH, "come and go").filter(({ config }) => config.ram !== undefined);
      fc.assert(
        fc.property(hosted, fc.constantFrom(...PACES), fc.option(fc.nat()), (program, every, meddler) => {
          const config = { ...program.config, ...(meddler !== null && { meddler }) };
          done += expectAgreement({ ...program, config }, { every, make: makeHosted });
        }),
        { seed: seedAt(round), numRuns: runs },
      );
    }
    expect(done).toBeGreaterThanOrEqual(ALL);
  });

  it(`agree with a kernel, whose pool lies there in part, after each of ${ALL / 2} random operations`, {
    timeout: 0,
  }, () => {
    let done = 0;
    for (let round = 0; done < ALL / 2; round++) {
      const runs = Math.max(1, Math.min(100, Math.ceil((ALL / 2 - done) / (LENGTH / 2))));
      const hosted = kernelPrograms(LENGTH).filter(({ config }) => config.ram !== undefined);
      fc.assert(
        fc.property(hosted, fc.constantFrom(...PACES), (program, every) => {
          done += expectKernelAgreement(program, every, makeHosted);
        }),
        { seed: seedAt(round), numRuns: runs },
      );
    }
    expect(done).toBeGreaterThanOrEqual(ALL / 2);
  });
});
