// Stories followed on the machine: what stands at each step, and how they end when something is changed.
import { beforeAll, describe, expect, it } from "vitest";
import { compileEngineSync, type Machine, ProgramBuilder } from "../../src/index.js";
import {
  changedIommu,
  machineAt,
  retell,
  type StoryPlace,
  type Told,
  usualIommu,
  type VerdictRecord,
  verdicts,
} from "../../src/verdicts/index.js";

const module = compileEngineSync();

/** Every story of a record. */
const storiesOf = ({ witness, worst, race }: VerdictRecord): Told[] =>
  [witness, worst?.witness, race?.witness].flatMap((it) => it ?? []);

/** All that is looked at of a machine. */
function seen(machine: Machine): unknown {
  const { kernel, iommus, cpus } = machine;
  const frames = Array.from({ length: 20 }, (_, i) => machine.frames.describe(0x1000 + i));
  const words = Array.from({ length: 20 }, (_, i) => machine.frames.view(0x1000 + i)?.slice());
  const caches = [...iommus, ...cpus].flatMap((agent) => agent.caches.map((cache) => [cache.name, cache.contents()]));
  return {
    frames,
    words,
    caches,
    free: kernel?.freeFrames(),
    held: kernel?.counters.framesHeld,
    walks: machine.walks.underWay(),
  };
}

describe("a story on the machine", () => {
  const records: VerdictRecord[] = [];
  beforeAll(async () => {
    const policies = ["none", "flush-async", "deferred-free", "deferred-free-unlocked"] as const;
    const scenarios = [
      "pmd_free_pte_page",
      "pud_free_pmd_page",
      "remove_pagetable/vmemmap",
      "kasan_remove_zero_shadow",
    ] as const;
    for await (const record of verdicts({ policies, scenarios, hardware: "usual" })) records.push(record);
    const hardware = [changedIommu(["no-paging-structure-caches"])];
    for await (const record of verdicts({ policies: ["none"], scenarios, hardware, agents: ["iommu"] }))
      records.push(record);
    for await (const record of verdicts({ policies: ["none"], scenarios: ["zap_pte_range"], kernel: "7.0" }))
      records.push(record);
  });

  it("ends where the hazard is, and has none before", () => {
    let stories = 0;
    for (const record of records) {
      for (const told of storiesOf(record)) {
        stories++;
        const last = machineAt(record, told, told.steps.length, { module }).kernel?.hazards() ?? [];
        expect(last).toContainEqual(told.hazard);
        const watched = last.find(({ agent }) => agent === told.hazard?.agent);
        const before = machineAt(record, told, told.steps.length - 1, { module }).kernel?.hazards() ?? [];
        expect(before).not.toContainEqual(watched);
      }
    }
    expect(stories).toBeGreaterThan(30);
  });

  it("has at each step the frames that the step names: those that wait are as many as the kernel counts, those freed are free", () => {
    const kinds = { held: 0, freed: 0, taken: 0 };
    for (const record of records) {
      for (const told of storiesOf(record)) {
        for (const { number, held = [], text, frames = [] } of told.steps) {
          const { kernel, frames: store } = machineAt(record, told, number, { module });
          expect([number, text, kernel?.counters.framesHeld]).toEqual([number, text, held.length]);
          for (const frame of held) expect(store.describe(frame)?.state).toBe("table");
          if (held.length > 0) kinds.held++;
          if (/freed at once|and frees|work: frees/.test(text)) {
            kinds.freed++;
            for (const frame of frames) expect([text, store.describe(frame)?.state]).toEqual([text, "free"]);
            expect(kernel?.freeFrames()).toEqual(expect.arrayContaining(frames));
          }
          if (text.startsWith("somebody takes frame")) {
            kinds.taken++;
            for (const frame of frames) expect(store.describe(frame)?.state).toBe("data");
          }
        }
      }
    }
    for (const count of Object.values(kinds)) expect(count).toBeGreaterThan(5);
  });

  it("clears an entry at the step that says so, and not before", () => {
    let cleared = 0;
    for (const record of records.filter(({ agent }) => agent === "iommu")) {
      for (const told of storiesOf(record)) {
        for (const { number, text } of told.steps) {
          const [, level, address] = /the (PD|PDPT) entry for (0x[0-9a-f]+) is cleared$/.exec(text) ?? [];
          if (address === undefined) continue;
          const depth = level === "PD" ? 2 : 3;
          const [before, after] = [number - 1, number].map((step) =>
            machineAt(record, told, step, { module })
              .cpus[0]?.explain(BigInt(address), 0)
              .chain.find((link) => link.level === depth),
          );
          expect([text, before?.entry === 0n, after?.entry]).toEqual([text, false, 0n]);
          cleared++;
        }
      }
    }
    expect(cleared).toBeGreaterThan(10);
  });

  it("stands at the end of a program as the program leaves it", () => {
    let compared = 0;
    for (const record of records) {
      for (const told of storiesOf(record)) {
        const { replay, steps } = told;
        const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
        const whole = machineAt(record, told, steps.filter(({ at }) => !at).length, { module });
        const { points } = whole.playInterleaved(bytes(replay.program), {
          operations: bytes(replay.operations),
          points: replay.points,
        });
        const last = steps.at(-1);
        if (last?.at?.point !== points - 1) continue;
        expect(seen(machineAt(record, told, steps.length, { module }))).toEqual(seen(whole));
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(5);
  });

  it("refuses a point that the program does not reach, and one before what is interleaved", () => {
    const record = records[0] as VerdictRecord;
    const machine = machineAt(record, record.witness as Told, 1, { module });
    const program = new ProgramBuilder().time(5n).build();
    const none = { operations: new Uint8Array(), points: [] };
    expect(() => machine.playUntil(program, none, 1)).toThrow(
      /point is 1, expected a point that the program reaches|point/,
    );
    const late = { operations: program, points: [2] };
    expect(() => machine.playUntil(program, late, 1)).toThrow(/point/);
  });

  it("refuses a step that is not there, and a policy without a preset's name", () => {
    const record = records[0] as VerdictRecord;
    const told = record.witness as Told;
    expect(() => machineAt(record, told, told.steps.length + 1, { module })).toThrow(/step/);
    expect(() => machineAt({ ...record, policy: "mine" }, told, 1, { module })).toThrow(/policy is mine|policy/);
  });
});

describe("a story with something changed", () => {
  const place: StoryPlace = {
    ...{ kernel: "7.3", policy: "none", scenario: "pmd_free_pte_page", agent: "iommu", options: usualIommu },
    ...{ walks: "stepwise", drain: "all", moves: "usual" },
  };
  let told: Told;
  beforeAll(async () => {
    for await (const { worst } of verdicts({
      policies: ["none"],
      scenarios: ["pmd_free_pte_page"],
      hardware: "usual",
      agents: ["iommu"],
    })) {
      told = worst?.witness as Told;
    }
  });

  it("is the same, when nothing is", () => {
    expect(retell(place, told, {}, { module })).toEqual(told);
  });

  it.each([
    ["flush-range", "the same range in the IOMMU"],
    ["deferred-free", "queued for the deferred work"],
    ["user-root", "refused"],
  ])("ends well under %s, which a step says: %s", (policy, words) => {
    const other = retell(place, told, { policy }, { module });
    expect(other.hazard).toBeUndefined();
    expect(other.steps.some(({ text }) => text.includes(words))).toBe(true);
    expect(other.steps.length).toBeGreaterThan(told.steps.length - 3);
  });

  it.each([
    ["flush-async", "forged-translation"],
    ["deferred-free-unlocked", undefined],
  ])("comes to %s: %s", (policy, kind) => {
    expect(retell(place, told, { policy }, { module }).hazard?.kind).toBe(kind);
  });

  it("without the first read nothing is cached, and without the one who takes the frame it is only free", () => {
    const moves = told.steps.filter(({ move }) => move !== undefined);
    expect(moves.map(({ move }) => move)).toEqual([0, 1, 2]);
    expect(retell(place, told, { drop: 0 }, { module }).hazard).toBeUndefined();
    expect(retell(place, told, { drop: 1 }, { module }).hazard?.kind).toBe("walk-after-free");
    expect(() => retell(place, told, { drop: 3 }, { module })).toThrow(/drop/);
  });

  it("is that of the device with a TLB of its own, where it has one: what the search finds there", async () => {
    const options = { ...usualIommu, deviceTlb: true };
    const operations: string[] = [];
    for (const hardware of [[usualIommu], [options]]) {
      const search = { policies: ["none"], scenarios: ["pmd_free_pte_page"], agents: ["iommu"], hardware } as const;
      for await (const { worst } of verdicts(search)) operations.push(worst?.witness.replay.operations as string);
    }
    expect(operations[1]).not.toBe(operations[0]);
    const other = retell(place, told, { options }, { module });
    expect([told, other].map(({ replay }) => replay.operations)).toEqual(operations);
  });

  it("differs by kernel: collapse is open in 6.18.7 under the merged fix, not in 7.3, and not there in 6.12", async () => {
    const scenario = "cpa_collapse_large_pages";
    const search = {
      kernel: "6.18.7",
      policies: ["deferred-free"],
      scenarios: [scenario],
      hardware: "usual",
      agents: ["iommu"],
    } as const;
    for await (const record of verdicts(search)) {
      const story = record.witness as Told;
      expect(retell(record, story, { kernel: "7.3" }, { module }).hazard).toBeUndefined();
      expect(retell(record, story, {}, { module }).hazard).toEqual(story.hazard);
      expect(() => retell(record, story, { kernel: "6.12" }, { module })).toThrow(/site that Linux 6.12 has/);
      const stopping = changedIommu(["stop-at-supervisor"]);
      expect(retell(record, story, { options: stopping }, { module }).hazard).toBeUndefined();
    }
  });
});
