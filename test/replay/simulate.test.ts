// Synthetic workloads: determinism, the shape of the result, what it says of itself, and the command. What is drawn is held against
// recordings in profiles.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { policies } from "../../src/index.js";
import {
  type ProfileName,
  profiles,
  type ReplayResult,
  replay,
  type SimulateOptions,
  simulate,
  toCsv,
  toJson,
  witnesses,
} from "../../src/replay/index.js";
import { ACTIVITIES } from "../../src/replay/profile.js";
import { renderReport } from "../../src/report/index.js";
import { runCli, runJson } from "../cli/run-cli.js";
import { fixture } from "../trace/support.js";

/** What does not depend on when and where it ran. */
const lasting = (result: ReplayResult): ReplayResult => ({
  ...result,
  throughput: { ...result.throughput, playSeconds: 0, seconds: 0, operationsPerSecond: 0 },
  policies: result.policies.map((policy) => ({ ...policy, seconds: 0 })),
});
const play = (options: SimulateOptions) => simulate({ operations: 20_000, policies: ["none"], ...options });

describe("a simulation", () => {
  it("gives the same bytes for the same seed, others for another", async () => {
    const one = await play({ profile: "table-frees", seed: 5, policies: ["none", "deferred-free"] });
    const again = await play({ profile: "table-frees", seed: 5, policies: ["none", "deferred-free"] });
    expect(toJson(lasting(again))).toBe(toJson(lasting(one)));
    expect(toCsv(again)).toBe(toCsv(one));
    const other = await play({ profile: "table-frees", seed: 6, policies: ["none", "deferred-free"] });
    expect(other.trace.operations).not.toEqual(one.trace.operations);
  });

  it("has a result of the shape of a replay's, under every policy", async () => {
    const drawn = await simulate({ operations: 20_000 });
    const played = await replay(fixture("hugevmap.trace.txt"));
    expect(drawn.policies.map(({ policy }) => policy.name)).toEqual(Object.keys(policies));
    const keys = (value: object) => Object.keys(value).filter((key) => key !== "workload");
    for (const part of ["configuration", "trace", "program", "timeline", "throughput"] as const) {
      expect(keys(drawn[part]), part).toEqual(keys(played[part]));
    }
    expect(Object.keys(drawn)).toEqual(Object.keys(played));
    expect(Object.keys(drawn.policies[0]!)).toEqual(Object.keys(played.policies[0]!));
    expect(toCsv(drawn).split("\r\n")[0]).toBe(toCsv(played).split("\r\n")[0]);
    expect(drawn.configuration.workload).toMatchObject({ seed: 1, operations: 20_000 });
    expect(drawn.policies[0]!.hazards.byAgent.iommu).toBeGreaterThan(0);
    expect(drawn.program.records).toBeGreaterThanOrEqual(20_000);
    expect(drawn.program.records).toBeLessThan(21_000);
  });

  it("tells its frees by events, of which a trace's lines are", async () => {
    const drawn = await play({ profile: "table-frees", seed: 5 });
    const told = witnesses(drawn, drawn.policies[0]!);
    expect(told.length).toBeGreaterThan(0);
    for (const sentence of told) {
      expect(sentence).toMatch(/, event \d+;/);
      expect(sentence).not.toMatch(/trace|\bline\b/);
    }
  });

  it("plays every group of a profile, each alone, without a device, and in an endless list of addresses", async () => {
    for (const name of ACTIVITIES) {
      const group = { ...profiles["table-frees"], ...profiles["vmalloc-churn"] }[name as "areas"] ?? { perSecond: 10 };
      const result = await play({ profile: { name, [name]: group }, devices: { ratePerMs: 0, perStep: 0 } });
      expect(result.program.records, name).toBeGreaterThanOrEqual(20_000);
      expect(result.policies[0], name).toMatchObject({ flushesMatch: true });
      expect(result.program.skipped, name).toEqual({});
    }
  });

  it("ends with an error, and not never, when the profile asks for more addresses than there are", async () => {
    const areas = { perSecond: 1000, pages: [1 << 18], lifeMs: [1e7] };
    const full = play({
      profile: { name: "hoard", areas },
      operations: 2_000_000,
      devices: { ratePerMs: 0, perStep: 0 },
    });
    await expect(full).rejects.toThrow(
      /^profile is "hoard"; expected more purges, or fewer or smaller areas at a time: after/,
    );
  });

  it("says in every form that nothing was recorded: profile, seed, operations", async () => {
    const result = await play({ seed: 7, policies: ["none", "deferred-free"] });
    const { configuration, trace } = JSON.parse(toJson(result)) as ReplayResult;
    expect(trace).toMatchObject({ name: "vmalloc-churn", format: "synthetic", firstTimeNs: 0 });
    expect(configuration.workload).toEqual({ profile: profiles["vmalloc-churn"], seed: 7, operations: 20_000 });
    expect(configuration.devices.seed).toBe(7);
    expect(toCsv(result).split("\r\n")[2]).toMatch(/^"vmalloc-churn \(synthetic, seed 7\)",false,deferred-free,/);
    const page = await renderReport(result);
    expect(page).toContain("nothing was recorded: drawn by the profile <code>vmalloc-churn</code>, seed 7");
    expect(page).toContain(">What was drawn<");
    expect(page).toContain(profiles["vmalloc-churn"].about);
    expect(page).not.toContain("A kernel trace played");
    expect(result.assumptions[0]).toMatch(
      /^nothing was recorded: .* the profile vmalloc-churn \(seed 7\), modelled on linux612-/,
    );
  });

  it("refuses options with field, value and what is expected, and a misspelt profile with the nearest", async () => {
    await expect(play({ profile: "modul-loading" as ProfileName })).rejects.toThrow(
      /^profile is "modul-loading"; expected vmalloc-churn, .*did you mean module-loading\?$/,
    );
    await expect(play({ operations: 1 })).rejects.toThrow(/^operations is 1; expected an integer from 1000 to/);
    await expect(play({ seed: -1 })).rejects.toThrow(/^seed is -1; expected an integer from 0 to 4294967295/);
    await expect(play({ profile: { name: "x" } })).rejects.toThrow(/^profile is an object/);
    await expect(play({ kernel: "seven" })).rejects.toThrow(/^kernel is "seven"/);
  });

  it("tells of progress, and ends when it is told to", async () => {
    const done: number[] = [];
    await play({ onProgress: (progress) => done.push(progress.done) });
    expect(done.at(-1)).toBe(20_000);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    const reason = new Error("enough");
    await expect(play({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("the command", () => {
  it("plays a profile of a file, and says what is wrong with one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stalewalk-"));
    try {
      const file = join(folder, "mine.json");
      writeFileSync(file, JSON.stringify({ name: "mine", userFlushes: { perSecond: 1000, pages: [1, 0] } }));
      const { code, value } = await runJson("simulate", "--profile", file, "--operations", "5k", "--policy", "none");
      expect(code).toBe(0);
      expect(value).toMatchObject({ format: "stalewalk-replay", trace: { name: "mine", format: "synthetic" } });
      writeFileSync(file, JSON.stringify({ name: "mine", userFlush: {} }));
      const refused = await runCli("simulate", "--profile", file);
      expect(refused.code).toBe(2);
      expect(refused.err).toMatch(/did you mean userFlushes\?/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("lists its profiles, suggests the nearest name, reads amounts, and ends with 1 if a named policy fails", async () => {
    const { out } = await runCli("simulate", "--list-profiles");
    for (const name of Object.keys(profiles)) expect(out).toContain(name);
    expect((await runJson("simulate", "--list-profiles")).value).toHaveLength(Object.keys(profiles).length);
    const mistyped = await runCli("simulate", "--profile", "vmaloc-churn");
    expect(mistyped).toMatchObject({ code: 2, out: "" });
    expect(mistyped.err).toMatch(/did you mean vmalloc-churn\?/);
    expect((await runCli("simulate", "--operations", "10 million")).code).toBe(2);
    const csv = await runCli("simulate", "--operations", "0.05M", "--policy", "none", "--csv");
    expect(csv.code).toBe(1);
    expect(csv.out.split("\r\n")[1]).toMatch(/^"vmalloc-churn \(synthetic, seed 1\)",false,none,/);
  });
});
