// assembly/cache/living.ts: the clock of a cache has 32 bits. Before it ends, times become ranks and it starts again;
// contents, order of replacement and counters must not show it.

import { describe, expect, it } from "vitest";
import { createMachineSync } from "../../src/index.js";
import { programs } from "../model/programs.js";
import { cachesOf, expectAgreement } from "../support/agreement.js";
import { runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { pageAt, Tables } from "../support/tables.js";

/** Where the clock is set back (assembly/cache/living.ts). */
const CLOCK_LIMIT = 0xf000_0000;

describe("a clock that starts again", () => {
  // Known: a fill that makes the clock start again loses its own entry (the sweep takes its key, whose time is not
  // written yet, for a dead one). The tick has to come before the key is stored; then this is a plain `it`.
  it("is not to be seen: engine and model agree after every operation, wherever in an operation it happens", () => {
    fc.assert(
      fc.property(
        programs(120),
        fc.integer({ min: 1, max: 24 }),
        fc.integer({ min: 1, max: 9 }),
        (program, left, period) => {
          expectAgreement(program, {
            before: (index, machine) => {
              if (index % period !== 0) return;
              for (const cache of cachesOf(machine)) cache.moveClock(CLOCK_LIMIT - left);
            },
          });
        },
      ),
      { numRuns: runs(150) },
    );
  });

  it.each(Array.from({ length: 12 }, (_, i) => i + 1))(
    "keeps entries and their order, %i ticks before its end",
    (left) => {
      const machine = createMachineSync({ tables: 16, workloadPages: 1, cpus: [{ l1: [{ entries: 4, ways: 4 }] }] });
      const tables = new Tables(machine.frames);
      for (let page = 0; page < 8; page++) tables.map(pageAt(page), 0x100 + page);
      const cpu = machine.cpus[0]!;
      cpu.movToCr3(tables.cr3);
      for (const page of [0, 1, 2, 3]) cpu.translate(pageAt(page), 4);
      cpu.l1[0]!.moveClock(CLOCK_LIMIT - left);
      // 0 is the youngest now; 4, 5, 6 displace 1, 2, 3.
      for (const page of [0, 4, 5, 6]) expect(cpu.translate(pageAt(page), 4).kind).toBe("ok");
      const pages = cpu.l1[0]!.contents().map(({ pageNumber, rank }) => [Number(pageNumber), rank]);
      expect(pages).toEqual([
        [0, 0],
        [4, 1],
        [5, 2],
        [6, 3],
      ]);
      expect(cpu.l1[0]!.counters).toEqual({ lookups: 8, hits: 1, fills: 7, evictions: 3, invalidated: 0 });
    },
  );
});
