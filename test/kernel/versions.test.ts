// Kernels as data: the records of src/kernel/versions.ts against docs/rules.md and the reference model's copy, and what a
// machine, the search and the command make of a version.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { traitBit } from "../../src/engine/abi.js";
import {
  createMachineSync,
  defaultKernel,
  InvalidOptionError,
  kernelFacts,
  kernelRecords,
  kernelVersions,
  policies,
  resolveKernel,
} from "../../src/index.js";
import { kernelText, traitBits } from "../../src/kernel/versions.js";
import { traitsOf, VERSIONS } from "../model/kernel/versions.js";
import { ROOT } from "../support/pack-package.js";
import { collect } from "../verdicts/collect.js";

const rules = readFileSync(join(ROOT, "docs/rules.md"), "utf8");

describe("records", () => {
  it("are of these versions, oldest first; the newest is meant by default", () => {
    expect(kernelVersions).toEqual(["6.1", "6.6", "6.12", "6.18.7", "6.18.53", "7.0", "7.1.9", "7.2.7", "7.3"]);
    expect(defaultKernel).toBe("7.3");
    expect(resolveKernel().version).toBe("7.3");
  });

  it("have a source for every fact, and a policy that there is", () => {
    for (const { source, ships } of kernelRecords) {
      expect(source).not.toBe("");
      expect(Object.keys(policies)).toContain(ships);
    }
    for (const { about, source } of Object.values(kernelFacts)) expect(`${about}${source}`).toMatch(/\d/);
  });

  it("are those of docs/rules.md, with its traits", () => {
    const rows = [...rules.matchAll(/^ *\| ((?:\d[\d.]*(?:, )?)+) \| (none|`[^|]*`) \|$/gm)].flatMap(
      ([, versions, traits]) =>
        (versions ?? "")
          .split(", ")
          .map((version) => [version, [...(traits ?? "").matchAll(/`(\w+)`/g)].map((it) => it[1]).sort()]),
    );
    expect(rows).toEqual(kernelRecords.map(({ version, traits }) => [version, [...traits].sort()]));
    for (const trait of Object.keys(kernelFacts)) expect(rules).toContain(`| \`${trait}\` |`);
  });

  it("are those of the reference model", () => {
    expect(VERSIONS).toEqual(kernelVersions);
    for (const version of VERSIONS) {
      const traits = Object.entries(traitsOf(version)).flatMap(([trait, on]) => (on ? trait : []));
      expect(traits.sort()).toEqual([...resolveKernel(version).record.traits].sort());
    }
  });

  it("have the engine's traits, one bit each", () => {
    expect(Object.keys(traitBit).sort()).toEqual(Object.keys(kernelFacts).sort());
    expect(new Set(Object.values(traitBit)).size).toBe(Object.keys(kernelFacts).length);
    expect(traitBits(resolveKernel("6.12").record)).toBe(0);
  });
});

describe("which record stands for a version", () => {
  it.each([
    ["6.1.0-53-amd64", "6.1"],
    ["6.12.117+deb12-amd64", "6.12"],
    ["6.18.6", "6.12"],
    ["6.18.15", "6.18.7"],
    ["6.18.60", "6.18.53"],
    ["6.19.3", "6.18.7"],
    ["7.0.30", "7.0"],
    ["7.1.8", "7.0"],
    ["7.1.12", "7.1.9"],
    ["7.2.6", "7.1.9"],
    ["7.2.7", "7.2.7"],
    ["7.3.4+deb14-amd64", "7.3"],
    ["8.1", "7.3"],
  ])("%s: %s", (asked, version) => {
    expect(resolveKernel(asked).version).toBe(version);
  });

  it("is said in words", () => {
    expect(kernelText(resolveKernel("7.3"))).toBe("Linux 7.3");
    expect(kernelText(resolveKernel("7.1.8"))).toBe("Linux 7.1.8 (taken for 7.0: nothing so old is known of 7.1)");
  });
});

describe("a machine's kernel", () => {
  it("has a version, and refuses one that is older than all", () => {
    const machine = createMachineSync({ kernel: { version: "6.18.15" } });
    expect(machine.kernel?.version).toMatchObject({ asked: "6.18.15", version: "6.18.7", note: "taken for 6.18.7" });
    expect(() => createMachineSync({ kernel: { version: "5.15" } })).toThrow(InvalidOptionError);
    expect(() => createMachineSync({ kernel: { version: 6 as never } })).toThrow("kernel.version");
  });
});

describe("K4: tables of a split, by version", () => {
  const verdict = async (kernel: string) => {
    const records = await collect({
      kernel,
      policies: ["deferred-free"],
      scenarios: ["cpa_collapse_large_pages"],
      hardware: "usual",
      agents: ["iommu"],
      depth: 2,
    });
    return records.map((record) => `${record.kernel} ${record.verdict}`);
  };

  it.each(["6.18.7", "7.0", "7.1.9"])("%s: not marked, freed at once, a hazard under deferred-free", async (kernel) => {
    expect(await verdict(kernel)).toEqual([`${kernel} hazard`]);
  });

  it.each(["6.18.53", "7.2.7", "7.3"])("%s: marked, deferred, safe", async (kernel) => {
    expect(await verdict(kernel)).toEqual([`${kernel} safe`]);
  });
});
