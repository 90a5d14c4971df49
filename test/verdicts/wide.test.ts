// The search with moves beside the usual ones (K20, I11): bind, unbind and the end of the process, a second walk under way, accesses
// whose page request is still on its way. What page requests change is known from an exhaustive model.
import { describe, expect, it } from "vitest";
import { checkPolicy, policies } from "../../src/kernel/policies.js";
import { usualIommu, type VerdictsOptions } from "../../src/verdicts/index.js";
import { movesOf } from "../../src/verdicts/moves.js";
import { scenarios } from "../../src/verdicts/scenarios.js";
import { type Move, type Placed, Stage } from "../../src/verdicts/stage.js";
import { mayTurn, walksOf } from "../../src/verdicts/turn.js";
import { amount } from "../support/effort.js";
import { collect, story } from "./collect.js";

const REQUESTS = { ...usualIommu, deviceTlb: true, pageRequests: true };
const SITES = ["pmd_free_pte_page", "pud_free_pmd_page", "cpa_collapse_large_pages"] as const;
const POLICIES = ["none", "flush-range", "flush-on-table-free", "deferred-free"] as const;

describe("a device that sends page requests", () => {
  const judge = async (options: VerdictsOptions): Promise<Record<string, string>> => {
    const records = await collect({
      ...{ kernel: "6.18.7", policies: POLICIES, scenarios: SITES, hardware: [REQUESTS], agents: ["iommu"], depth: 2 },
      ...options,
    });
    const letters = POLICIES.map((policy) => [
      policy,
      records.flatMap((r) => (r.policy === policy ? (r.verdict === "hazard" ? "H" : "s") : [])).join(""),
    ]);
    return Object.fromEntries(letters);
  };

  it("and waits for the answer, in whole walks: as without paging-structure caches", async () => {
    const safe = Object.fromEntries(POLICIES.map((policy) => [policy, "sss"]));
    expect(await judge({ walks: "atomic" })).toEqual(safe);
  });

  it("step by step: only pud_free_pmd_page under the two ranged policies becomes safe", async () => {
    const depth = amount({ quick: 2, full: 2, nightly: 3 });
    expect(await judge({ depth })).toEqual({
      ...{ none: "HHH", "flush-range": "ssH", "flush-on-table-free": "sss", "deferred-free": "ssH" },
    });
  });

  it("with an access whose request is on its way: nothing does", async () => {
    const options = { kernel: "6.18.7", policies: POLICIES, scenarios: SITES, agents: ["iommu"], depth: 2 } as const;
    const silent = await collect({ ...options, hardware: "usual" });
    const wide = await collect({ ...options, hardware: [REQUESTS], moves: "wide" });
    expect(wide.map(({ verdict }) => verdict)).toEqual(silent.map(({ verdict }) => verdict));
    const pud = wide.find((r) => r.policy === "flush-range" && r.scenario === "pud_free_pmd_page");
    expect(pud?.moves).toBe("wide");
    expect(pud && story(pud).some((text) => text.includes("a page request for it is on its way"))).toBe(true);
  });
});

describe("K20: bind, unbind and the end of the process", () => {
  const nightly = { policies: Object.keys(policies) as (keyof typeof policies)[], depth: 3 };
  const day = {
    policies: ["none", "deferred-free"],
    depth: 2,
    scenarios: ["pmd_free_pte_page", "munmap", "exit", "remove_pagetable/vmemmap"],
  } as const;
  const searched: VerdictsOptions = amount<VerdictsOptions>({ quick: day, full: day, nightly });

  it.each([
    ["usual hardware", usualIommu],
    ["no paging-structure caches, two walks", { ...usualIommu, pagingStructureCaches: false }],
  ])("as moves change no cell: %s", async (_, hardware) => {
    const options = { ...searched, hardware: [hardware], agents: ["iommu"] } as const;
    const cells = (records: Awaited<ReturnType<typeof collect>>): unknown[] =>
      records.map(({ policy, scenario, verdict, race }) => [policy, scenario, verdict, !race]);
    const usual = await collect(options);
    const wide = await collect({ ...options, moves: "wide" });
    expect(cells(wide)).toEqual(cells(usual));
    const tried = (records: typeof usual): number => records.reduce((sum, it) => sum + it.tried.programs, 0);
    expect(tried(wide)).toBeGreaterThan(tried(usual));
  });

  it("do what they say, at any point", () => {
    const scenario = scenarios[0]!;
    const walking = { walks: "stepwise", drain: "all" } as const;
    const stage = new Stage(checkPolicy("none"), "iommu", usualIommu, "7.3", walking, undefined, "wide");
    stage.enter(scenario);
    const [unbind, bind, exit] = movesOf(stage, scenario).processes as [Move, Move, Move];
    const start: Placed[] = [];
    const reads = (placed: readonly Placed[]): string => {
      const main = [{ kind: "start" as const, text: "", record: new Uint8Array(unbind.record.length) }];
      main[0]!.record.set(movesOf(stage, scenario).work.record);
      stage.play({ main, placed });
      const outcome = stage.machine.iommus[0]!.request(42, scenario.regions[0].addresses[0]!, 4);
      return "reason" in outcome ? outcome.reason : outcome.kind;
    };
    const at = (...moves: Move[]): Placed[] => moves.map((move) => ({ point: 0, move }));
    expect(reads(start)).not.toBe("no-pasid");
    expect(reads(at(unbind))).toBe("no-pasid");
    expect(reads(at(unbind, bind))).toBe(reads(start));
    expect(reads(at(exit))).toBe("no-pasid");
  });
});

describe("which moves may follow", () => {
  const move = (kind: Move["kind"], walk?: 0 | 1): Move => ({
    ...{ kind, text: kind, record: new Uint8Array() },
    ...(walk !== undefined && { walk }),
  });
  const at = (...moves: Move[]): Placed[] => moves.map((it) => ({ point: 0, move: it }));

  it("binds and unbinds in turns, ends once", () => {
    expect(mayTurn(at(), move("bind"))).toBe(false);
    expect(mayTurn(at(), move("unbind"))).toBe(true);
    expect(mayTurn(at(move("unbind")), move("unbind"))).toBe(false);
    expect(mayTurn(at(move("unbind")), move("bind"))).toBe(true);
    expect(mayTurn(at(move("exit")), move("bind"))).toBe(false);
    expect(mayTurn(at(move("exit")), move("exit"))).toBe(false);
    expect(mayTurn(at(move("free")), move("free"))).toBe(false);
    expect(mayTurn(at(move("free")), move("exit"))).toBe(true);
  });

  it("knows which walks are under way", () => {
    expect(walksOf(at())).toEqual({ begun: 0, underWay: [] });
    expect(walksOf(at(move("begin", 0), move("begin", 1)))).toEqual({ begun: 2, underWay: [0, 1] });
    expect(walksOf(at(move("begin", 0), move("begin", 1), move("finish", 0)))).toEqual({ begun: 2, underWay: [1] });
  });
});
