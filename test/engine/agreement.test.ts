// The engine against the reference model: random programs, compared after every operation. Results, fault codes, accessed
// and dirty bits, and the exact content of every cache, its order of replacement and its counters included.
// STALEWALK_OPERATIONS sets how many operations are compared in all; STALEWALK_SEED where the sequence starts.

import { describe, expect, it } from "vitest";
import { programs } from "../model/programs.js";
import { expectAgreement } from "../support/agreement.js";
import { OPERATIONS, PACES } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { seedAt } from "../support/seed.js";

const LENGTH = 200;

describe("engine and reference model", () => {
  it(`agree after each of ${OPERATIONS} random operations`, { timeout: 0 }, () => {
    let done = 0;
    for (let round = 0; done < OPERATIONS; round++) {
      const runs = Math.max(1, Math.min(100, Math.ceil((OPERATIONS - done) / (LENGTH / 2))));
      fc.assert(
        fc.property(programs(LENGTH, "come and go"), fc.constantFrom(...PACES), (program, every) => {
          done += expectAgreement(program, { every });
        }),
        { seed: seedAt(round), numRuns: runs },
      );
    }
    expect(done).toBeGreaterThanOrEqual(OPERATIONS);
  });
});
