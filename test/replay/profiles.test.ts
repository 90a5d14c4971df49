// The built-in profiles against the recordings that they are modelled on: what was measured, what is drawn; and the check of
// profiles in files.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  checkProfile,
  type Profile,
  type ProfileName,
  profiles,
  type ReplayResult,
  replay,
  simulate,
} from "../../src/replay/index.js";
import { ACTIVITIES } from "../../src/replay/profile.js";
import { openTrace } from "../../src/trace/node.js";
import { ROOT } from "../support/pack-package.js";
import { sharedData } from "../support/shared-data.js";

/** What a kernel did, as counts of a recording. */
interface Counts {
  readonly areas: number;
  readonly kernelRange: number;
  readonly all: number;
  readonly mm: number;
  readonly tables: number;
}

/** Of each recording, so that profiles are held to it where it is not at hand. */
const RECORDED: Readonly<Record<ProfileName, Counts>> = {
  "vmalloc-churn": { areas: 1598, kernelRange: 335, all: 0, mm: 2807, tables: 288 },
  "vmalloc-mix": { areas: 1921, kernelRange: 28, all: 25, mm: 15561, tables: 0 },
  "module-loading": { areas: 1115, kernelRange: 981, all: 547, mm: 29240, tables: 0 },
  "memory-hotplug": { areas: 14340, kernelRange: 4, all: 18, mm: 42682, tables: 6 },
  "process-churn": { areas: 7086, kernelRange: 3, all: 0, mm: 20291, tables: 0 },
  "driver-dma": { areas: 31, kernelRange: 20, all: 12, mm: 285, tables: 0 },
  "table-frees": { areas: 1000, kernelRange: 65, all: 152, mm: 2683, tables: 28 },
};
const ALL = Object.entries(profiles) as [ProfileName, Profile][];

/** No device: it changes nothing that is counted here. */
const ALONE = { policies: ["none"], devices: { ratePerMs: 0, perStep: 0 } } as const;

const countsOf = ({ trace, program: { flushes, frees } }: ReplayResult): Counts => ({
  areas: trace.operations["map-pages"] ?? 0,
  kernelRange: flushes.kernelRange,
  all: flushes.all,
  mm: flushes.mm,
  tables: Object.values(frees).reduce((sum, count) => sum + count, 0),
});

/** What must agree: flushes of each kind per area, and tables freed per flush of kernel addresses. */
const ratios = ({ areas, kernelRange, all, mm, tables }: Counts) => ({
  "flush_tlb_kernel_range() per area": kernelRange / areas,
  "flush_tlb_all() per area": all / areas,
  "flush_tlb_mm_range() per area": mm / areas,
  "tables per kernel flush": tables / (kernelRange + all),
});

const PAGE = readFileSync(join(ROOT, "docs/simulation.md"), "utf8");
/** As the page has it. */
const figure = (ratio: number): string => (ratio === 0 ? "0" : ratio.toPrecision(3));

const nameOf = ({ source = "" }: Profile): string => source.replace(/,.*/, "");
const recordingOf = (profile: Profile): string | undefined =>
  sharedData(`traces/${nameOf(profile)}.trace.txt.gz`) ?? sharedData(`live/${nameOf(profile)}.trace.txt.gz`);

describe("profiles draw what their recordings have, within 10 %:", () => {
  it.each(ALL)("%s", { timeout: 300_000 }, async (name, profile) => {
    // So long that what is rare comes some twenty times: a removal every four seconds, a purge every three thousand areas.
    const result = await simulate({ profile, operations: 1_000_000, ...ALONE });
    const [drawn, recorded] = [ratios(countsOf(result)), ratios(RECORDED[name])];
    for (const [what, ratio] of Object.entries(recorded) as [keyof typeof recorded, number][]) {
      expect(drawn[what], what).toBeGreaterThanOrEqual(0.9 * ratio);
      expect(drawn[what], what).toBeLessThanOrEqual(1.1 * ratio);
    }
    expect(result.policies[0]).toMatchObject({ flushesMatch: true, outOfFrames: 0 });
    expect(result.program.skipped).toEqual({});
    const figures = Object.entries(recorded).map(
      ([what, ratio]) => `${figure(ratio)}, ${figure(drawn[what as keyof typeof drawn])}`,
    );
    expect(PAGE).toContain(`| \`${name}\` | ${nameOf(profile)} | ${figures.join(" | ")} |\n`);
  });
});

describe("recordings of the profiles", () => {
  for (const [name, profile] of ALL) {
    const path = recordingOf(profile);
    const skipped = path ? "" : " (SKIPPED, the recording is not there)";
    it.skipIf(!path)(`${name}: counts are those of ${nameOf(profile)}${skipped}`, async () => {
      expect(countsOf(await replay(openTrace(path!), ALONE))).toEqual(RECORDED[name]);
    });

    it.skipIf(!path)(`${name}: every number is what the script measures${skipped}`, () => {
      expect(existsSync(join(ROOT, "dist/trace/index.js")), "dist is not there: run npm run build first").toBe(true);
      const script = join(ROOT, "scripts/measure-profile.mjs");
      const measured = JSON.parse(execFileSync(process.execPath, [script, path!], { encoding: "utf8" })) as Profile;
      const { name: _, about, kernel, cpus, ...numbers } = profile;
      expect(measured).toEqual(numbers);
      expect(`${profile.source}`).toContain(`${cpus} CPUs`);
    });
  }
});

describe("a profile", () => {
  it("that is built in has its own name, says where each group's numbers are from, and passes the check of files", () => {
    for (const [name, profile] of ALL) {
      expect(profile.name).toBe(name);
      expect(checkProfile(JSON.parse(JSON.stringify(profile)))).toEqual(profile);
      for (const group of Object.values(profile)) {
        if (typeof group === "object") expect((group as { source: string }).source, name).toMatch(/^linux\d/);
      }
    }
  });

  it("has the groups and fields that docs/simulation.md lists, and its example is one", () => {
    const fields = new Map<string, Set<string>>();
    for (const [, profile] of ALL) {
      for (const [group, values] of Object.entries(profile)) {
        if (typeof values !== "object") continue;
        const known = fields.get(group) ?? new Set();
        for (const field of Object.keys(values)) if (field !== "source") known.add(`\`${field}\``);
        fields.set(group, known);
      }
    }
    for (const group of [...ACTIVITIES, "purges", "devices"]) {
      const row = PAGE.split("\n").find((line) => line.startsWith(`| \`${group}\` | `));
      expect(row?.split(" | ").at(-1), group).toBe(`${[...fields.get(group)!].join(", ")} |`);
    }
    const [, example = ""] = /```json\n([\s\S]*?)```/.exec(PAGE) ?? [];
    expect(checkProfile(JSON.parse(example)).name).toBe("churn");
  });

  const areas = { perSecond: 1, pages: [4], lifeMs: [1] };
  it.each<[string, unknown, RegExp]>([
    ["without a group", { name: "x" }, /^profile is an object; expected a rate above 0 in at least one of areas/],
    [
      "whose rates are 0",
      { name: "x", fullFlushes: { perSecond: 0 } },
      /^profile\.fullFlushes\.perSecond is 0; expected a rate above 0/,
    ],
    ["with a group that is none", { name: "x", area: {} }, /^profile\.area .*did you mean areas\?/],
    [
      "with a field that is none",
      { name: "x", areas: { ...areas, lifeNs: [1] } },
      /^profile\.areas\.lifeNs .*did you mean lifeMs\?/,
    ],
    [
      "without a value in a list",
      { name: "x", userFlushes: { perSecond: 1, pages: [] } },
      /^profile\.userFlushes\.pages is an empty list; expected a list of 1 to 256 values/,
    ],
    [
      "with a negative rate",
      { name: "x", processes: { perSecond: -1, alive: 1 } },
      /^profile\.processes\.perSecond is -1; expected 0 to/,
    ],
    ["of a kernel that is none", { name: "x", areas, kernel: "seven" }, /^profile\.kernel is "seven"/],
    [
      "with purges of nothing",
      { name: "x", fullFlushes: { perSecond: 1 }, purges: { perUnmap: 0.5 } },
      /^profile\.purges is an object; expected areas or hugeAreas beside it/,
    ],
    ["that is a list", [], /^profile is an empty list; expected an object/],
  ])("%s is refused with the path", (_, profile, message) => {
    expect(() => checkProfile(profile)).toThrow(message);
  });
});
