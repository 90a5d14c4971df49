// `stalewalk replay` and `stalewalk record-help` from the command line.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReplayResult } from "../../src/replay/index.js";
import { runCli, runJson } from "../cli/run-cli.js";

const excerpt = (name: string) => fileURLToPath(new URL(`../fixtures/traces/${name}`, import.meta.url));
const HUGE = excerpt("hugevmap.trace.txt");
let folder = "";
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-replay-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("replay", () => {
  it("prints one table for all policies, the free, its witness, and the assumptions", async () => {
    const { code, out, err } = await runCli("replay", HUGE);
    expect([code, err]).toEqual([0, ""]);
    for (const policy of ["none", "flush-range", "flush-async", "deferred-free", "user-root", "sva-off"]) {
      expect(out).toMatch(new RegExp(`^${policy} +\\d`, "m"));
    }
    expect(out).toContain("kernel page tables freed: 1 (pmd_free_pte_page 1), 0 of them before their flush");
    expect(out).toContain("the PT of ffffcee241a00000, frame 0x1c0f0, freed after its flush");
    expect(out).toContain("witnesses against none");
    expect(out).not.toContain("witnesses against deferred-free");
    expect(out).toContain("assumptions:");
    expect(out).not.toContain("DAMAGED");
  });

  it("ends with 1 if a policy that was named lets a walk through, else with 0", async () => {
    expect((await runCli("replay", HUGE, "--policy", "none")).code).toBe(1);
    expect((await runCli("replay", HUGE, "--policy", "flush-range")).code).toBe(0);
    expect((await runCli("replay", HUGE, "--policy", "all")).code).toBe(0);
  });

  it("takes policy, geometry and cost from files", async () => {
    const policy = file("policy.json", '{"name": "mine", "hooks": {"kernelRange": true}, "scope": "pasid"}');
    const geometry = file(
      "geometry.json",
      '{"name": "tiny", "cpu": "none", "iommu": {"psc": {"2": {"entries": 4, "ways": 4}}}}',
    );
    const cost = file("cost.json", '{"name": "slow queue", "figures": {"queueWait": 100000}}');
    const args = [
      "--policy",
      policy,
      "--policy",
      "none",
      "--geometry",
      geometry,
      "--cost",
      cost,
      "--cpus",
      "3",
      "--seed",
      "9",
    ];
    const { code, value } = await runJson("replay", HUGE, ...args);
    const result = value as ReplayResult;
    expect(code).toBe(1);
    expect(result.policies.map((p) => p.policy.name)).toEqual(["mine", "none"]);
    expect(result.policies[0]!.invalidations.pasidSelective).toBeGreaterThan(0);
    expect(result.policies[0]!.cost.byKind.queueWait.unitNs).toBe(100000);
    expect(result.configuration).toMatchObject({ cpus: 3, cpuGeometry: { name: "tiny" }, devices: { seed: 9 } });
    expect(result.packageVersion).toMatch(/^\d+\.\d+\.\d+/);
    expect(result.trace.counts["pmd_free_pte_page"]).toBe(1);
  });

  it("prints CSV with one line per policy", async () => {
    const { out } = await runCli("replay", HUGE, "--csv");
    const lines = out.trimEnd().split("\r\n");
    expect(lines).toHaveLength(9);
    expect(lines[0]).toMatch(/^trace,damaged,policy,/);
  });

  it("lists the frees before their flush, and the driver's queue", async () => {
    const hotplug = await runCli("replay", excerpt("hotplug.trace.txt"));
    expect(hotplug.out).toContain("1 of them before their flush");
    expect(hotplug.out).toContain("freed BEFORE its flush");
    const iommu = await runCli("replay", excerpt("iommu.trace.txt"), "--policy", "none");
    expect(iommu.out).toMatch(/the driver's own queue: \d+ descriptors \(iotlb page \d+/);
  });

  it("says that a damaged trace was damaged, beside every form of figures", async () => {
    const cut = file(
      "cut.txt",
      "            init-1       [001] .....    24.029708: exit_mmap: mt_mod 1, DESTROY\n   torn li",
    );
    const text = await runCli("replay", cut, "--policy", "none");
    expect(text.code).toBe(0);
    expect(text.out.match(/DAMAGED INPUT/g)).toHaveLength(2);
    const csv = await runCli("replay", cut, "--csv");
    expect(csv.err).toContain("DAMAGED INPUT");
    expect(csv.out).toContain("true,none");
    const strict = await runCli("replay", cut, "--strict");
    expect(strict.code).toBe(2);
    expect(strict.err).toContain("cut.txt:2:");
  });

  it.each([
    [["--policy", "best"], /--policy is "best"; expected none, .*all, or a JSON file/],
    [["--geometry", "zen99"], /--geometry is "zen99"; expected skylake/],
    [["--probes", "2"], /devices\.kernelProbes is 2; expected a number from 0 to 1/],
    [["--probes", "x"], /--probes/],
    [
      ["--page-requests", "--geometry", "zen2"],
      /devices\.pageRequests is true; expected hardware with `dialect: "vtd"`/,
    ],
    [["--levels", "3"], /levels is 3/],
    [["--json", "--csv"], /exclude each other/],
    [["--cost", "nosuch.json"], /nosuch\.json: no such file/],
  ])("%j: one line that says what was expected", async (args, message) => {
    const { code, out, err } = await runCli("replay", HUGE, ...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  it.each([
    ["policy", '{"hooks": {"kernelRange": 1}}', /hooks\.kernelRange is 1/],
    ["policy", "{", /no JSON/],
    ["geometry", '{"cpu": {"l1": [{"entries": 3, "ways": 2}]}}', /cpu\.l1\[0\]\.entries is 3/],
    ["cost", '{"figures": {"ipi": 1}}', /figures\.ipi/],
    ["mapping", '{"version": 2}', /version/],
  ])("a wrong %s file is named with its field", async (option, text, message) => {
    const path = file(`wrong-${option}.json`, text);
    const { code, err } = await runCli("replay", HUGE, `--${option}`, path);
    expect(code).toBe(2);
    expect(err).toContain(`wrong-${option}.json: `);
    expect(err).toMatch(message);
  });

  it("names a trace that is not there, or is no trace", async () => {
    const missing = await runCli("replay", join(folder, "nosuch.txt"));
    expect([missing.code, missing.out]).toEqual([2, ""]);
    expect(missing.err).toContain("nosuch.txt: no such file");
    const directory = await runCli("replay", folder);
    expect(directory.code).toBe(2);
  });
});

describe("record-help", () => {
  it("prints the script", async () => {
    const { code, out } = await runCli("record-help", "--kernel", "6.12");
    expect(code).toBe(0);
    expect(out).toMatch(/^#!\/bin\/sh/);
    expect(out).toContain("flush_tlb_kernel_range");
  });
});
