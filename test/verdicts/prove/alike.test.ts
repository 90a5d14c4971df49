// Cells that are said to be alike are explored once: that they are so, by the engine's own counters and by exploring each by itself.
import { describe, expect, it } from "vitest";
import { finishInTurns, Turns } from "../../../src/base/progress.js";
import { checkPolicy } from "../../../src/kernel/policies.js";
import { kernelRecords } from "../../../src/kernel/versions.js";
import { changedIommu, usualIommu, type VerdictsOptions } from "../../../src/verdicts/index.js";
import { type Cell, groupsOf, planOf } from "../../../src/verdicts/plan.js";
import { actsOf } from "../../../src/verdicts/prove/alike.js";
import type { Wanted } from "../../../src/verdicts/prove/choices.js";
import { Explorer } from "../../../src/verdicts/prove/explore.js";
import { type ScenarioName, scenarioNames, scenariosOf } from "../../../src/verdicts/scenarios.js";
import { Stage } from "../../../src/verdicts/stage.js";
import { amount } from "../../support/effort.js";
import fc from "../../support/fast-check.js";
import { collect } from "../collect.js";
import { exploreCell, type Cell as Named, PLAIN, rowOf, stageOf } from "./cells.js";

const EVERYTHING = { hooks: { kernelRange: true, flushAll: true }, free: "deferred" } as const;

/** What comes of a cell by itself. */
async function alone({ policy, agent, hardware, scenario }: Cell, kernel: string, wanted: Wanted): Promise<unknown> {
  const { version } = planOf({ kernel });
  const explorer = new Explorer(new Stage(policy, agent, hardware, version, { walks: "stepwise", drain: "all" }));
  const turns = new Turns(undefined);
  const limits = { states: 1_000_000, ms: Infinity };
  const { found, ...rest } = await finishInTurns(explorer.explore(scenario, wanted, limits, turns), turns);
  return { ...rest, placed: found?.attempt.placed.map(({ point, move }) => [point, move.text]) };
}

describe("what a row does that a policy may hook or defer", () => {
  it.each(kernelRecords)("is what the engine counts: Linux $version", (record) => {
    const different: string[] = [];
    for (const row of scenariosOf(record)) {
      for (const deferUnmarkedOf of [[], [row.site]]) {
        const policy = checkPolicy({ ...EVERYTHING, name: "everything", deferUnmarkedOf });
        const walking = { walks: "stepwise", drain: "all" } as const;
        const stage = new Stage(policy, "iommu", usualIommu, record.version, walking);
        stage.enter(row, [0, 1]);
        for (const { free } of row.regions) stage.kernel.run(free.play);
        const { kernelRangeFlushes, flushAlls, framesDeferred } = stage.kernel.counters;
        const does = { kernelRange: kernelRangeFlushes > 0, flushAll: flushAlls > 0, defers: framesDeferred > 0 };
        const said = actsOf(row, policy, record);
        if (JSON.stringify(does) !== JSON.stringify(said)) {
          different.push(`${row.name} ${deferUnmarkedOf}: ${JSON.stringify({ does, said })}`);
        }
      }
    }
    expect(different).toEqual([]);
  });

  it.each([
    ["a flush", { policy: "none", row: "pmd_free_pte_page/split" }, { split: false }, /flushAlls is 2; expected 0/],
    ["deferred work", { policy: "deferred-free", row: "pmd_free_pte_page" }, { boot: true }, /deferred work waits/],
  ] as const)("is looked at in every state: %s", async (_what, cell: Named, wrong, message) => {
    const explorer = new Explorer(stageOf(cell));
    const turns = new Turns(undefined);
    const limits = { states: 10_000, ms: Infinity };
    const row = { ...rowOf(cell.row), ...wrong } as ReturnType<typeof rowOf>;
    await expect(finishInTurns(explorer.explore(row, PLAIN, limits, turns), turns)).rejects.toThrow(message);
  });
});

describe("cells that are alike", () => {
  const kernels = amount({ quick: ["7.3"], full: ["7.3"], nightly: ["6.12", "6.18.7", "7.0", "7.3"] });

  it.each(kernels)("have the same states, transitions and programs: Linux %s", { timeout: 0 }, async (kernel) => {
    const { cells, ...plan } = planOf({ kernel, prove: true });
    const groups = groupsOf({ ...plan, cells }).filter(({ length }) => length > 1);
    expect(groups.length).toBeGreaterThan(200);
    const drawn = fc.sample(fc.nat(2 ** 30), amount({ quick: 6, full: 12, nightly: 2 * groups.length }));
    const different: string[] = [];
    for (const [i, number] of drawn.entries()) {
      // At night every group, all of it; by day two cells of some.
      const [first, ...others] = groups[amount({ quick: number, full: number, nightly: i }) % groups.length] ?? [];
      const like = amount({ quick: 1, full: 1, nightly: Infinity });
      const wanted: Wanted = { race: i % 2 === 1, walks: amount({ quick: 0, full: 0, nightly: 1 }), wide: false };
      const expected = await alone(cells[first as number] as Cell, kernel, wanted);
      const from = like === 1 ? number % others.length : 0;
      for (const other of others.slice(from, from + like)) {
        const cell = cells[other] as Cell;
        const own = await alone(cell, kernel, wanted);
        if (JSON.stringify(own) === JSON.stringify(expected)) continue;
        different.push(`${cell.policy.name}, ${cell.scenario.name}, ${JSON.stringify(cell.hardware)}`);
      }
    }
    expect(different).toEqual([]);
  });

  it("are told each by itself: the same records as of one at a time", async () => {
    const hardware = [usualIommu, changedIommu(["device-tlb"]), changedIommu(["stop-at-supervisor"])];
    const options = { prove: true, walks: "atomic" } as const satisfies VerdictsOptions;
    const policies = ["none", "deferred-free"] as const;
    const scenarios = ["pmd_free_pte_page", "pmd_free_pte_page/split", "remove_pagetable/boot", "exit"] as const;
    const together = await collect({ ...options, hardware, policies, scenarios });
    expect(together.filter(({ says }) => says === "hazard").length).toBeGreaterThan(5);
    expect(together.filter(({ race }) => race === null).length).toBeGreaterThan(3);
    for (const record of together) {
      const { policy, agent, options: own, scenario } = record;
      const one = agent === "cpu" ? { cpus: [own] } : { hardware: [own] };
      const [single] = await collect({
        ...options,
        ...(one as VerdictsOptions),
        ...{ agents: [agent], policies: [policy as "none"], scenarios: [scenario] },
      });
      expect(record).toEqual(single);
    }
  });
});

describe("whoever takes a freed frame", () => {
  const cells: readonly Named[] = [
    { policy: "none", row: "pmd_free_pte_page" },
    { policy: "flush-async", row: "pmd_free_pte_page" },
    { policy: "deferred-free", row: "pmd_free_pte_page" },
    { policy: "deferred-free-unlocked", row: "pmd_free_pte_page" },
    { policy: "deferred-free", row: "remove_pagetable/vmemmap" },
    { policy: "none", row: "munmap" },
    { policy: "none", row: "zap_pte_range", kernel: "7.0" },
    { policy: "flush-range", row: "pud_free_pmd_page", drain: "none" },
    ...amount<readonly ScenarioName[]>({ quick: [], full: [], nightly: scenarioNames }).flatMap((row) =>
      (["none", "deferred-free"] as const).map((policy) => ({ policy, row })),
    ),
  ];

  it.each(cells)("changes no verdict, and makes no program shorter: $policy, $row", { timeout: 0 }, async (cell) => {
    for (const race of [false, true]) {
      const wanted: Wanted = { ...PLAIN, race, walks: amount({ quick: 0, full: 0, nightly: 1 }) };
      const left = await exploreCell(cell, wanted);
      const taken = await exploreCell(cell, { ...wanted, takes: true });
      expect([left.moves, left.ended]).toEqual([taken.moves, undefined]);
      expect(taken.states).toBeGreaterThanOrEqual(left.states);
    }
  });
});
