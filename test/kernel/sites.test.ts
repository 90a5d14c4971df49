// Sites and points: the engine's list and the host's are the same, and what a site's record says is what the engine does.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  createMachineSync,
  type Machine,
  ProgramBuilder,
  type ReachedPoint,
  type SiteRecord,
  type SiteStep,
  siteRecords,
  sites,
} from "../../src/index.js";
import { pointNames, siteSteps } from "../../src/program/sites.js";
import { type Scenario, scenarios, sentences } from "../../src/verdicts/scenarios.js";
import { recordOf } from "../../src/verdicts/stage.js";
import { ROOT } from "../support/pack-package.js";

const SOURCE = readFileSync(join(ROOT, "assembly/kernel/sites.ts"), "utf8");

/** Constants of a type in the engine's list, with the comment line above each. */
function constants(type: "u8" | "u32"): { name: string; value: number; comment: string }[] {
  const found = SOURCE.matchAll(new RegExp(`(?<=^(.*)\\n)export const (\\w+): ${type} = (\\w+);$`, "gm"));
  return [...found].map(([, comment = "", name = "", value]) => ({ name, value: Number(value), comment }));
}

function machineFor(policy: "none" | "deferred-free"): Machine {
  const machine = createMachineSync({
    workloadPages: 1,
    cpus: [{}, {}],
    kernel: { version: "7.1.9", pool: 64, mms: 1, policy },
  });
  machine.kernel?.run((p) => p.mmCreate(0));
  return machine;
}

/** Plays a scenario's free on a machine. */
function playFree(scenario: Scenario, policy: "none" | "deferred-free"): { machine: Machine; reached: ReachedPoint[] } {
  const machine = machineFor(policy);
  const [region] = scenario.regions;
  for (const { play } of region.setUp) machine.kernel?.run(play);
  machine.playInterleaved(recordOf(region.free.play), { operations: new Uint8Array(), points: [] });
  return { machine, reached: machine.reachedPoints() };
}

const stepsOf = ({ points }: SiteRecord): [string, SiteStep][] => Object.entries(points);

describe("the engine's list of sites and points", () => {
  it("has the host's points, by number, each with a comment", () => {
    const points = constants("u32");
    const own = pointNames.flatMap((name, value) => (name === undefined ? [] : [{ name, value }]));
    expect(points.map(({ name, value }) => ({ name, value }))).toEqual(own);
    expect(points.filter(({ comment }) => !/^\/\*\* .+ \*\/$/.test(comment))).toEqual([]);
    expect(new Set(own.map(({ value }) => value)).size).toBe(own.length);
  });

  it("has as many sites, numbered from 0", () => {
    const numbers = constants("u8").map(({ value }) => value);
    expect(numbers).toEqual([...sites.keys(), sites.length]);
    // Bits of a policy's `deferUnmarkedOf`, and of a hazard's site.
    expect(sites.length).toBeLessThanOrEqual(32);
  });

  it("names every point that the engine has, and none that it has not", () => {
    const kernel = ["attributes", "direct-map", "policy", "reclaim", "steps", "user", "vmalloc"].map(
      (name) => `assembly/kernel/${name}.ts`,
    );
    const code = [...kernel, "assembly/program/play.ts"].map((path) => readFileSync(join(ROOT, path), "utf8")).join("");
    const unused = constants("u32").filter(
      ({ name }) => !new RegExp(`^(?!import).*\\b${name}\\b.*[);]$`, "m").test(code),
    );
    expect(unused.map(({ name }) => name)).toEqual([]);
  });
});

describe("the record of a site", () => {
  it("is there for every site that a row of the matrix has, and every site has a row", () => {
    expect([...new Set(scenarios.map(({ site }) => site))].sort()).toEqual([...sites].sort());
  });

  it.each(scenarios)("$name: the engine reaches its points, in its order", (scenario) => {
    const record = siteRecords.find(({ name }) => name === scenario.site) as SiteRecord;
    const names = playFree(scenario, "none").reached.map(({ name }) => name as string);
    expect(names.at(-1)).toBe("OPERATION_DONE");
    // A free may come again before the next one: pud_free_pmd_page() frees several PTs.
    const once = names.slice(0, -1).filter((name, i) => name !== names[i - 1]);
    const own = stepsOf(record).map(([name]) => name);
    expect(once).toEqual(own.filter((name) => once.includes(name)));
    expect(once.length).toBeGreaterThan(0);
  });

  it("names no point that its rows do not reach, but of levels that 4 levels do not free", () => {
    const reached = new Set(
      scenarios.flatMap((row) => playFree(row, "none").reached.map(({ name }) => name as string)),
    );
    const rest = siteRecords.flatMap((record) => stepsOf(record).flatMap(([name]) => (reached.has(name) ? [] : name)));
    expect(rest).toEqual([
      ...["UNPLUG_PDPT_FREED", "UNPLUG_PDPT_CLEARED"],
      ...["KASAN_PDPT_FREED", "KASAN_PDPT_CLEARED", "KASAN_PML4_FREED", "KASAN_PML4_CLEARED"],
    ]);
  });

  it.each(scenarios)("$name: its steps are what the engine does", (scenario) => {
    const record = siteRecords.find(({ name }) => name === scenario.site) as SiteRecord;
    const { machine, reached } = playFree(scenario, "none");
    const counters = machine.kernel?.counters;
    const before = machineFor("none");
    for (const { play } of scenario.regions[0].setUp) before.kernel?.run(play);
    const flushes = { kernelRange: "kernelRangeFlushes", flushAll: "flushAlls", mmRange: "mmFlushes" } as const;
    for (const [flush, counter] of Object.entries(flushes)) {
      const rose = Number(counters?.[counter]) - Number(before.kernel?.counters[counter]);
      const steps = reached.filter(({ name }) => siteSteps[name as keyof typeof siteSteps] === "flush").length;
      expect(rose, counter).toBe(record.flush === flush ? steps : 0);
    }
    expect(stepsOf(record).some(([, step]) => step === "flush")).toBe(record.flush !== "none");
    // Frees tell frames, which are free now and freed by that site; munmap() gives back after its last point.
    const freed = reached.filter(({ name }) => siteSteps[name as keyof typeof siteSteps] === "free");
    for (const { at } of freed) expect(machine.frames.describe(Number(at))?.state).toBe("free");
    const told = scenario.user ? machine.kernel?.tablesFreed[scenario.site] : freed.length;
    expect(machine.kernel?.tablesFreed[scenario.site]).toBe(told);
    expect(told).toBeGreaterThan(0);
    // All else tells the address that it is about.
    const addresses = reached.filter(({ name }) => name !== "OPERATION_DONE" && !freed.some((it) => it.name === name));
    for (const { at, name } of addresses) {
      expect(at).toBe(name === "EXIT_UNBOUND" ? 0n : scenario.regions[0].addresses[0]);
    }
  });

  it.each(scenarios)("$name: its tables are marked as it says, or as their origin is", (scenario) => {
    const record = siteRecords.find(({ name }) => name === scenario.site) as SiteRecord;
    const held = playFree(scenario, "deferred-free").machine.kernel?.counters.framesHeld;
    // 7.1.9 marks no tables of splits.
    const others: Partial<Record<string, number>> = { "pmd_free_pte_page/split": 0, "remove_pagetable/vmemmap": 1 };
    const tables: Partial<Record<string, number>> = {
      pmd_free_pte_page: 1,
      pud_free_pmd_page: 3,
      kasan_remove_zero_shadow: 2,
    };
    expect(held).toBe(others[scenario.name] ?? (record.marks === "kernel" ? tables[scenario.name] : 0));
  });

  it.each(siteRecords)("$name: the level of its table is what a single step means", ({ name, level }) => {
    const machine = machineFor("none");
    const va = 0xffffc90000000000n;
    machine.kernel?.run((p) => p.vmalloc(va, 1));
    const program = new ProgramBuilder().tableClear(name, va).tableFree(name, va);
    const state = (frame: number) => machine.frames.describe(frame);
    const levels = Array.from({ length: 64 }, (_, i) => state(0x1000 + i)?.level);
    machine.playInterleaved(program.build(), { operations: new Uint8Array(), points: [] });
    const [cleared, , freed] = machine.reachedPoints();
    expect(cleared).toEqual({ name: "TABLE_CLEARED", at: va, nested: 0 });
    expect(freed?.name).toBe("TABLE_FREED");
    expect(levels[Number(freed?.at) - 0x1000]).toBe(level);
  });
});

describe("docs/rules.md", () => {
  const rules = readFileSync(join(ROOT, "docs/rules.md"), "utf8");
  const points = pointNames.filter((name) => name !== undefined);

  it("lists the sites as their records are", () => {
    const rows = [...rules.matchAll(/^ *\| (\d) \| `(\w+)` \| (\d) \| `(\w+)` \| `(\w+)` \|/gm)].map((it) =>
      it.slice(1),
    );
    expect(rows).toEqual(
      siteRecords.map(({ name, level, flush, marks }, i) => [`${i}`, name, `${level}`, flush, marks]),
    );
  });

  it("lists every point once, and names it where it is reached", () => {
    const [before = "", list = ""] = rules.split("\n## 13. ");
    const names = (text: string): string[] =>
      [...text.matchAll(/`([A-Z]+(?:_[A-Z0-9]+)+)`/g)].map((it) => it[1] as string);
    expect(names(list).sort()).toEqual([...points].sort());
    const reached = new Set(names(before));
    expect(points.filter((name) => !reached.has(name))).toEqual(["OPERATION_DONE"]);
  });
});

describe("points of no site", () => {
  const AREA = 0xffffc90000000000n;
  const reached = (
    policy: Parameters<typeof createMachineSync>[0],
    ...programs: ((p: ProgramBuilder) => ProgramBuilder)[]
  ) => {
    const machine = createMachineSync(policy);
    return programs.map((play) => {
      machine.playInterleaved(recordOf(play), { operations: new Uint8Array(), points: [] });
      return machine.reachedPoints();
    });
  };
  const HALF = 0xffff800000000000n;

  it("of deferred work tell what was invalidated, and how many tables were taken", () => {
    const policy = {
      name: "both",
      free: "deferred",
      timing: "work",
      hooks: { kernelRange: true, flushAll: true },
    } as const;
    const done = { name: "OPERATION_DONE", at: 0n, nested: 0 };
    const config = { workloadPages: 1, kernel: { policy } };
    const replace = (p: ProgramBuilder) => p.vmalloc(AREA, 512, 21);
    const [, first, second] = reached(
      config,
      (p) => p.vmalloc(AREA, 512),
      replace,
      (p) => p.flushTlbAll().runWork(),
    );
    expect(first?.map(({ name }) => name)).toEqual(["PMD_CLEARED", "PMD_FLUSHED", "PMD_PT_FREED", "OPERATION_DONE"]);
    expect(second).toEqual([
      done,
      { name: "REQUEST_INVALIDATED", at: AREA, nested: 0 },
      { name: "REQUEST_INVALIDATED", at: 0n, nested: 0 },
      { name: "LIST_TAKEN", at: 1n, nested: 0 },
      { name: "HALF_INVALIDATED", at: HALF, nested: 0 },
      done,
    ]);
  });

  it("are forgotten with the next program, and written down up to 4096", () => {
    const many = (p: ProgramBuilder) => {
      for (let i = 0; i < 5000; i++) p.time(BigInt(i));
      return p;
    };
    const lengths = reached({ workloadPages: 1, kernel: {} }, many, (p) => p.time(1n)).map((points) => points.length);
    expect(lengths).toEqual([4096, 1]);
  });
});

describe("the sentences of stories", () => {
  it("name the address where a point tells one, and no frame", () => {
    for (const [name, sentence] of Object.entries(sentences)) {
      const step = siteSteps[name as keyof typeof siteSteps];
      expect(sentence(0xabc0000n).length, name).toBeGreaterThan(5);
      if (step === "free") expect(sentence(0xabc0000n), name).toBe(sentence(0n));
    }
    expect(Object.keys(sentences).sort()).toEqual(Object.keys(siteSteps).sort());
  });
});
