// Advice on small spaces: what is proved of each cure, which of them no other beats, and that cells that no policy tells apart are the same.
import { describe, expect, it } from "vitest";
import { type Advice, type AdviseOptions, advise, simulatedCosts } from "../../src/advice/index.js";
import { openOfText } from "../../src/advice/text.js";
import { type Policy, verdictsOf } from "./verdicts-of.js";

/** Costs that are worked out by hand: what is hooked costs 10 each, deferral 5, a second root 100. */
const byHand: AdviseOptions["costs"] = async (policies) =>
  policies.map(
    ({ hooks, free, root }) =>
      10 * (Number(hooks.kernelRange) + Number(hooks.flushAll)) +
      (free === "deferred" ? 5 : 0) +
      (root === "user-only" ? 100 : 0),
  );
const SMALL = { walks: "atomic", costs: byHand } as const;
const openRows = (advice: Advice, change: string): string =>
  openOfText(advice.cures.find(({ changes }) => changes.join("; ") === change)?.open ?? []);

describe("advise", () => {
  it("on 6.18.7: a root without the kernel half closes what no other single change does; 7.3 is not enough", async () => {
    const rows = ["remove_pagetable", "remove_pagetable/boot", "cpa_collapse_large_pages"] as const;
    const advice = await advise({ ...SMALL, kernel: "6.18.7", changes: 1, scenarios: rows });
    expect(openRows(advice, "")).toBe("remove_pagetable, remove_pagetable/boot, cpa_collapse_large_pages");
    expect(openRows(advice, "what Linux 7.3 does")).toBe("remove_pagetable, remove_pagetable/boot");
    expect(openRows(advice, "tables of cpa_collapse_large_pages() without the mark are deferred, too")).toBe(
      "remove_pagetable, remove_pagetable/boot",
    );
    // It frees before it clears: a worker that runs in between invalidates too early.
    expect(openRows(advice, "tables of remove_pagetable() without the mark are deferred, too")).toBe(
      "remove_pagetable (a race of deferred work), remove_pagetable/boot, cpa_collapse_large_pages",
    );
    const root = "the IOMMU gets a root without the kernel half";
    expect(advice.smallest?.changes).toEqual([root]);
    expect(advice.cheapest).toBe(advice.smallest);
    expect(advice.cures.filter(({ complete }) => complete)).toEqual([advice.smallest]);
    expect(advice.hangsOnDrain).toEqual([]);
    expect(advice.assumptions).toContainEqual(expect.stringMatching(/^an invalidation is complete only when/));
    // What has as many hazards and costs no less is beaten.
    const front = advice.cures.filter((cure) => cure.front);
    expect(front.map(({ changes, costNs }) => [changes[0] ?? "", costNs])).toEqual([
      ["tables of cpa_collapse_large_pages() without the mark are deferred, too", 5],
      [root, 105],
      ["what Linux 6.18.53 does", 5],
      ["what Linux 7.2.7 does", 5],
      ["what Linux 7.3 does", 5],
    ]);
  });

  it("from none: the hooked flush is the smallest cure of pmd_free_pte_page(), and hangs on the wait for walks", async () => {
    const advice = await advise({
      ...SMALL,
      kernel: "7.3",
      from: "none",
      changes: 2,
      scenarios: ["pmd_free_pte_page"],
    });
    expect(advice.cures[0]?.cells).toEqual({ safe: 0, race: 0, hazard: 1, unsettled: 0 });
    expect(advice.cheapest?.changes).toEqual([
      "tables with the kernel's mark are freed by deferred work, which invalidates first",
    ]);
    expect(advice.cheapest?.costNs).toBe(5);
    // A complete cure is not made larger, and each set of changes comes once.
    const names = advice.cures.map(({ changes }) => changes.join("; "));
    expect(new Set(names).size).toBe(names.length);
    const complete = advice.cures.filter((cure) => cure.complete).map(({ changes }) => changes.join("; "));
    expect(names.filter((name) => complete.some((other) => name.startsWith(`${other}; `)))).toEqual([]);
    expect(complete).toContain("flush_tlb_kernel_range() invalidates the IOMMU");
    const stepwise = await advise({
      ...SMALL,
      walks: "stepwise",
      kernel: "7.3",
      from: "flush-range",
      changes: 1,
      scenarios: ["pmd_free_pte_page"],
    });
    expect(openOfText(stepwise.hangsOnDrain)).toBe("pmd_free_pte_page");
  });

  it("says of cells that a limit has ended that they are not settled, and takes them for open", async () => {
    const advice = await advise({ ...SMALL, kernel: "7.3", changes: 1, scenarios: ["exit"], maxStates: 20 });
    expect(advice.cures[0]?.cells).toEqual({ safe: 0, race: 0, hazard: 0, unsettled: 1 });
    expect(openRows(advice, "")).toBe("exit (not settled)");
    expect(advice.smallest).toBeUndefined();
  });

  it("proves once what no policy tells apart: exit under every policy, a site under deferrals of others", async () => {
    const noticed = async (policy: Partial<Policy>, row: "exit" | "pmd_free_pte_page") => {
      const { says, race, proof, raceProof } = await verdictsOf(policy, row);
      return [says, race, proof?.states, proof?.transitions, raceProof?.states];
    };
    const user: Partial<Policy>[] = [
      { free: "immediate", hooks: { kernelRange: true, flushAll: true }, scope: "pasid" },
      { free: "immediate", hooks: { kernelRange: true, flushAll: true }, timing: "work" },
      { free: "deferred", deferUnmarkedOf: ["remove_pagetable", "pmd_free_pte_page"] },
    ];
    const plain = await noticed({}, "exit");
    for (const policy of user) expect((await noticed(policy, "exit")).slice(0, 1)).toEqual(plain.slice(0, 1));
    expect((await noticed(user[0] as Policy, "exit")).slice(2, 4)).toEqual(plain.slice(2, 4));
    const others = { free: "deferred", deferUnmarkedOf: ["remove_pagetable", "cpa_collapse_large_pages"] } as const;
    expect(await noticed(others, "pmd_free_pte_page")).toEqual(
      await noticed({ free: "deferred" }, "pmd_free_pte_page"),
    );
  });

  it("costs by a simulation, the same workload for each", async () => {
    const costs = simulatedCosts({ operations: 20_000 });
    const policy = (await advise({ ...SMALL, kernel: "7.3", changes: 1, scenarios: ["exit"] })).cures[0]
      ?.policy as Policy;
    const hooked = { ...policy, name: "hooked", hooks: { kernelRange: true, flushAll: true } };
    const [plain, more] = (await costs([policy, hooked], "7.3")) as [number, number];
    expect(plain).toBeGreaterThan(0);
    expect(more).toBeGreaterThan(plain);
    expect(await costs([policy], "7.3")).toEqual([plain]);
  });

  it("refuses what it is not", async () => {
    await expect(advise({ ...SMALL, changes: 9 })).rejects.toThrow("changes is 9; expected an integer from 1 to 4");
    await expect(advise({ ...SMALL, from: "nothing" as never })).rejects.toThrow(/^from is "nothing"/);
    await expect(advise({ ...SMALL, kernel: "2.6" })).rejects.toThrow(/kernel/);
  });
});
