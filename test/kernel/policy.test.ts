// Policies: one table makes checks, defaults, the engine's bits and the key of what CPUs notice; here it is held to the engine's
// source, to what CPUs do notice, and to what a check promises.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type CheckedPolicy, checkPolicy, createMachineSync, type Policy, policies } from "../../src/index.js";
import { noticedByCpus, type PolicyField, policyBits, policyFields } from "../../src/kernel/policy.js";
import { sites } from "../../src/program/sites.js";
import { replay } from "../../src/replay/index.js";
import { verdicts } from "../../src/verdicts/index.js";
import { ROOT } from "../support/pack-package.js";
import { collect } from "../verdicts/collect.js";

const fields = Object.keys(policyFields) as PolicyField[];

/** Values of a field other than its default. */
function others(field: PolicyField): unknown[] {
  if (field === "hooks") return [{ kernelRange: true }, { flushAll: true }];
  if (field === "deferUnmarkedOf") return [[sites[4]], [sites[0], sites[4]]];
  const { default: byDefault, values } = policyFields[field];
  return values ? values.slice(1) : [!byDefault];
}

describe("the table of fields", () => {
  const source = (name: string): string => readFileSync(join(ROOT, `assembly/kernel/${name}.ts`), "utf8");

  it("has the engine's bits, in its order", () => {
    const found = source("policy").matchAll(/^export const (\w+): u32 = 1(?: << (\d+))?;$/gm);
    const bits = [...found].map(([, name, shift]) => [name, Number(shift ?? 0)]);
    const own = fields.flatMap((field) => policyFields[field].bits.map(([name]) => name));
    expect(bits).toEqual(own.map((name, i) => [name, i]));
  });

  it("has the engine's scopes, in its order", () => {
    const found = source("driver").matchAll(/^(?:export )?const SCOPE_(\w+): u32 = (\d+);$/gm);
    const scopes = [...found].map(([, name = "", value]) => [name.toLowerCase(), Number(value)]);
    expect(scopes).toEqual(policyFields.scope.values?.map((name, i) => [name, i]));
  });

  it("sets a bit for every value but defaults, words of a scope and lists of sites", () => {
    const none = policyBits(policies.none);
    expect(none).toEqual({ bits: 1 << 8, scope: 0, deferSites: 0 });
    for (const field of fields) {
      for (const value of others(field)) {
        const changed = policyBits(checkPolicy({ [field]: value }));
        expect(changed, `${field} ${JSON.stringify(value)}`).not.toEqual(none);
        const difference = (changed.bits ^ none.bits).toString(2).replaceAll("0", "");
        expect(difference.length).toBe(field === "scope" || field === "deferUnmarkedOf" ? 0 : 1);
      }
    }
    expect(policyBits(checkPolicy({ deferUnmarkedOf: ["pmd_free_pte_page", "user"] })).deferSites).toBe(0b100001);
    expect(policyBits(checkPolicy({ scope: "all" })).scope).toBe(2);
  });
});

describe("docs/policies.md", () => {
  it("has the fields in their order, with defaults and everything that each may be", () => {
    const page = readFileSync(join(ROOT, "docs/policies.md"), "utf8");
    const table = page.slice(page.indexOf("| field | default | meaning |")).split("\n\n")[0] ?? "";
    const rows = [...table.matchAll(/^\| `(\w+)` \| (.*?) \| (.*) \|$/gm)].map((it) => it.slice(1));
    expect(rows.map(([name]) => name)).toEqual(["name", "about", ...fields]);
    for (const field of fields) {
      const [, byDefault = "", meaning = ""] = rows.find(([name]) => name === field) ?? [];
      const value = policyFields[field].default;
      expect(byDefault, field).toBe(field === "hooks" ? "both `false`" : `\`${JSON.stringify(value)}\``);
      const { values = [] } = policyFields[field];
      const words = [...meaning.matchAll(/`"([\w-]+)"`/g)].map((it) => it[1]);
      expect(
        values.filter((word) => word !== value && !words.includes(word)),
        field,
      ).toEqual([]);
      expect(
        words.filter((word) => !values.includes(word as string)),
        field,
      ).toEqual([]);
    }
    const hooked = [...table.matchAll(/`\{"(\w+)": true\}`/g)].map((it) => it[1]);
    expect(hooked).toEqual(Object.keys(policyFields.hooks.default));
    expect(table).toContain(
      sites
        .filter((site) => site !== "user" && site !== "zap_pte_range")
        .map((site) => `\`${site}\``)
        .join(", "),
    );
  });
});

describe("what CPUs notice", () => {
  it.each(fields)("%s: it is in the key, or declared to be nothing to them", (field) => {
    const { cpus = "always" } = policyFields[field];
    for (const base of ["immediate", "deferred"] as const) {
      const before = noticedByCpus(checkPolicy({ free: base }));
      for (const value of field === "free" ? [base === "deferred" ? "immediate" : "deferred"] : others(field)) {
        const changed = noticedByCpus(checkPolicy({ free: base, [field]: value }));
        expect(changed !== before).toBe(cpus === "always" || (cpus === "if deferred" && base === "deferred"));
      }
    }
  });

  // Each is judged in a run of its own: one run would take the cells of the first for all that have its key.
  const hidden = fields.filter((field) => policyFields[field].cpus === "never");
  it.each(hidden)("%s: no verdict on CPUs changes with it", { timeout: 120_000 }, async (field) => {
    const rows = ["pmd_free_pte_page", "remove_pagetable", "munmap"] as const;
    const options = { scenarios: rows, hardware: "usual", agents: ["cpu"], depth: 2 } as const;
    const judge = async (policy: Partial<Policy>): Promise<unknown> => {
      const records = await collect({ ...options, policies: [{ ...policy, name: "judged" }] });
      return records.map(({ scenario, verdict, kind, race }) => [scenario, verdict, kind, race?.kind ?? race]);
    };
    for (const free of ["immediate", "deferred"] as const) {
      const before = await judge({ free });
      for (const value of others(field)) expect(await judge({ free, [field]: value }), field).toEqual(before);
    }
  });

  it("free: the verdicts on CPUs do change with it, so the comparison above can tell", {
    timeout: 120_000,
  }, async () => {
    const options = { scenarios: ["remove_pagetable/vmemmap"], hardware: "usual", agents: ["cpu"], depth: 2 } as const;
    const records = await collect({ ...options, policies: ["none", "deferred-free"] });
    expect(records.map(({ verdict }) => verdict)).toEqual(["hazard", "safe"]);
  });
});

describe("a checked policy", () => {
  it("is complete, frozen, and passes later checks as it is", () => {
    const list = ["user"] as const;
    const policy = checkPolicy({ name: "mine", hooks: { flushAll: true }, deferUnmarkedOf: list });
    expect(policy).toEqual({ ...policies.none, about: undefined, ...policy });
    expect(policy.hooks).toEqual({ kernelRange: false, flushAll: true });
    expect(policy.deferUnmarkedOf).not.toBe(list);
    for (const part of [policy, policy.hooks, policy.deferUnmarkedOf, policies.none]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(checkPolicy(policy)).toBe(policy);
    expect(checkPolicy("none")).toBe(policies.none);
    expect(createMachineSync({ workloadPages: 1, kernel: { policy } }).kernel?.policy).toBe(policy);
  });

  it("is none any more once it has been copied: the copy is checked anew, and is another type", () => {
    const copy = { ...policies.none, scope: "page" as never };
    expect(() => checkPolicy(copy)).toThrow(/policy\.scope is "page"; expected one of range, pasid, all/);
    // @ts-expect-error: a copy is not checked
    const passed: CheckedPolicy = copy;
    expect(passed).toBe(copy);
  });

  it.each([
    [5, /^policy is 5; expected the name of a preset \(none, .*\) or an object$/],
    [[], /^policy is .*; expected the name of a preset/],
    ["nobody", /^policy is "nobody"; expected one of none, flush-range/],
    [{ nmae: "x" }, /^policy\.nmae is "x"; expected one of name, hooks, .*, about, \$schema; did you mean name\?$/],
    [{ name: "" }, /^policy\.name is ""; expected a name$/],
    [{ about: 5 }, /^policy\.about is 5; expected a text$/],
    [{ hooks: 5 }, /^policy\.hooks is 5; expected an object with kernelRange and flushAll$/],
    [{ hooks: { all: true } }, /^policy\.hooks\.all is true; expected one of kernelRange, flushAll$/],
    [{ hooks: { flushAll: 1 } }, /^policy\.hooks\.flushAll is 1; expected true or false$/],
    [{ onlyTableFrees: "yes" }, /^policy\.onlyTableFrees is "yes"; expected true or false$/],
    [{ notifyUser: undefined }, /^policy\.notifyUser is undefined; expected true or false$/],
    [{ worker: "lazy" }, /^policy\.worker is "lazy"; expected one of takes-list-first, invalidates-first$/],
    [{ deferUnmarkedOf: "user" }, /^policy\.deferUnmarkedOf is "user"; expected a list of sites$/],
    [{ deferUnmarkedOf: ["user", "pmd"] }, /^policy\.deferUnmarkedOf\[1\] is "pmd"; expected one of pmd_free_pte_page/],
  ])("is not made of %j", (value, message) => {
    expect(() => checkPolicy(value)).toThrow(message);
  });
});

describe("two policies of one name", () => {
  const mine = { name: "none", scope: "all" } as const;
  const message = /^policies\[2\]\.name is "none"; expected a name of its own \(policies\[0\] has this one\)$/;

  it("are refused by verdicts(), with both places", async () => {
    await expect(verdicts({ policies: ["none", "sva-off", mine] }).next()).rejects.toThrow(message);
    await expect(verdicts({ policies: ["none", "sva-off", "none"] }).next()).rejects.toThrow(message);
  });

  it("are refused by replay(), with both places", async () => {
    await expect(replay(new Uint8Array(), { policies: ["none", "sva-off", mine] })).rejects.toThrow(message);
    // Without a name it would pass for `none`.
    await expect(replay(new Uint8Array(), { policies: ["none", "sva-off", { scope: "all" }] })).rejects.toThrow(
      message,
    );
  });
});
