// The JSON Schema files of the package, held to the checks that they are made of: another validator takes and refuses the same.
// What a schema cannot say (that one value fits another) only the check refuses; nothing is the other way round.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type SchemaObject } from "ajv";
import { describe, expect, it } from "vitest";
import { adviceSchema } from "../../src/advice/form.js";
import { type AdviseOptions, advise, checkAdvice } from "../../src/advice/index.js";
import { parse, type Schema } from "../../src/base/schema.js";
import { benchResultSchema, checkBenchResult } from "../../src/benchmark/result.js";
import { checkCostModel, defaultCostModel } from "../../src/cost/index.js";
import { costModelSchema } from "../../src/cost/model.js";
import { MAX_POOL } from "../../src/engine/limits.js";
import { geometrySchema } from "../../src/hardware/geometry.js";
import { checkPolicy, createMachineSync, geometries, policies } from "../../src/index.js";
import { kernelSchema } from "../../src/kernel/kernel.js";
import { policySchema } from "../../src/kernel/policy.js";
import { checkHardware, checkProfile, profiles, replayHardware } from "../../src/replay/index.js";
import { hardwareSchema } from "../../src/replay/machines.js";
import { profileSchema } from "../../src/replay/profile.js";
import { checkPlan, sweepPlanSchema } from "../../src/sweep/plan.js";
import { joinMapping, MAPPING } from "../../src/trace/index.js";
import { mappingSchema } from "../../src/trace/mapping-schema.js";
import { resultOf, rowOf } from "../benchmark/results.js";
import { Random } from "../fuzz/mutate.js";
import { mutateJson } from "../fuzz/mutate-json.js";
import { runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { ROOT } from "../support/pack-package.js";
import { valueFor } from "./schema-values.js";

const { makeSchemas } = (await import(new URL("../../scripts/json-schemas.mjs", import.meta.url).href)) as {
  makeSchemas: (load: (module: string) => Promise<unknown>) => Promise<Record<string, SchemaObject>>;
};
const made = await makeSchemas((module) => import(/* @vite-ignore */ `../../src/${module}.js`));

/** Examples of JSON that pages show, by a field that all of a kind have. */
function shown(page: string, field: string): unknown[] {
  const blocks = readFileSync(join(ROOT, "docs", page), "utf8").matchAll(/```json\n(.*?)```/gs);
  return [...blocks].map(([, block]) => JSON.parse(block!) as object).filter((it) => field in it);
}

/** Advice as JSON has it. */
async function adviceOf(options: Omit<AdviseOptions, "costs">): Promise<unknown> {
  const costs: AdviseOptions["costs"] = async (all) => all.map(({ hooks }) => Number(hooks.kernelRange));
  return JSON.parse(JSON.stringify(await advise({ ...options, walks: "atomic", costs })));
}

const mappingEvents = [
  { name: "mine", fields: [{ name: "a" }, { name: "by", type: "symbol", optional: true }], layout: "probe" },
  { name: "point", system: "x", fields: [{ name: "n", type: "hex" }], layout: ["n {n}"] },
];

interface Subject {
  readonly schema: unknown;
  /** The check as a whole, which may refuse more. */
  readonly check: (value: unknown) => unknown;
  readonly examples: readonly unknown[];
}

const subjects: Record<string, Subject> = {
  policy: {
    schema: policySchema,
    check: (it) => checkPolicy(it),
    examples: [...Object.values(policies), ...shown("policies.md", "hooks"), ...shown("policies.md", "free"), {}],
  },
  mapping: {
    schema: mappingSchema,
    check: joinMapping,
    examples: [
      ...shown("recording.md", "rules"),
      { version: 1, rules: MAPPING },
      { version: 1, events: mappingEvents, rules: [{ event: "mine", operation: "vfree", args: { address: "a" } }] },
      {
        version: 1,
        rules: [{ event: "vfree", operation: "vfree", args: { address: { value: 5 } }, when: { addr: 1 } }],
      },
    ],
  },
  geometry: {
    schema: geometrySchema,
    check: (it) => checkHardware({ cpu: it }),
    examples: [...Object.values(geometries), { l1: [{ entries: 6, ways: 3, replacement: "fifo", enabled: false }] }],
  },
  hardware: {
    schema: hardwareSchema,
    check: (it) => checkHardware(it),
    examples: [...Object.values(replayHardware), { cpu: "zen2", iommu: { l1: [{ entries: 128, ways: 8 }] } }],
  },
  "cost-model": {
    schema: costModelSchema,
    check: (it) => checkCostModel(it),
    examples: [defaultCostModel, ...shown("costs.md", "figures"), { figures: { queueWait: 900 } }],
  },
  profile: {
    schema: profileSchema,
    check: (it) => checkProfile(it),
    examples: [...Object.values(profiles), ...shown("simulation.md", "name")],
  },
  bench: {
    schema: benchResultSchema,
    check: checkBenchResult,
    examples: [
      resultOf([rowOf("stalewalk", [1, 2, 3]), rowOf("0.1.0", [2])]),
      { ...resultOf([rowOf("stalewalk", [1], { counters: {} })], "Z80", "engine 0123"), missing: [] },
    ],
  },
  plan: {
    schema: sweepPlanSchema,
    check: (it) => checkPlan(it),
    examples: [
      ...shown("sweeps.md", "simulate"),
      {
        verdicts: {
          kernels: ["7.3"],
          policies: ["none", { name: "own", free: "deferred" }],
          hardware: [[], ["device-tlb"]],
        },
      },
      { replay: { traces: ["a.trace.gz"], seeds: [0, 2 ** 32 - 1], geometries: ["zen2"] }, simulate: {} },
    ],
  },
  advice: {
    schema: adviceSchema,
    check: (it) => checkAdvice(it),
    // As the command prints it: a small space, with a complete cure and without one.
    examples: await Promise.all([
      adviceOf({ kernel: "6.18.7", changes: 1, scenarios: ["exit"] }),
      adviceOf({ kernel: "7.3", from: "none", changes: 1, scenarios: ["pmd_free_pte_page"], maxStates: 20 }),
    ]),
  },
  kernel: {
    schema: kernelSchema,
    // A machine is made of small ones only: the largest pool asks for 4 GiB.
    check: (it) => {
      const { pool } = (it ?? {}) as { pool?: unknown };
      const large = Number.isInteger(pool) && Number(pool) > 64 && Number(pool) <= MAX_POOL;
      const kernel = large ? { ...(it as object), pool: 64 } : (it as object);
      return createMachineSync({ workloadPages: 1, kernel });
    },
    examples: [{}, { version: "6.12", pool: 64, mms: 4, policy: "deferred-free" }, { policy: { free: "deferred" } }],
  },
};

const accepts = (action: () => unknown): boolean => {
  try {
    action();
    return true;
  } catch (error) {
    // Whatever is refused is so by an error of ours.
    expect(error).toMatchObject({ code: expect.any(String) });
    return false;
  }
};

describe("JSON Schema files", () => {
  it("there is one of each, and those of the package are what the sources say", () => {
    expect(Object.keys(made).sort()).toEqual(Object.keys(subjects).sort());
    for (const [name, schema] of Object.entries(made)) {
      const path = join(ROOT, "dist/schemas", `${name}.json`);
      expect(existsSync(path), `${path}: run npm run build`).toBe(true);
      expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(schema);
    }
  });

  describe.each(Object.entries(subjects))("%s", (name, { schema, check, examples }) => {
    const json = made[name]!;
    const validate = new Ajv({ strict: true, strictTypes: false }).compile(json);
    const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

    it.each(examples.map((example) => [JSON.stringify(example).slice(0, 60), example]))("takes %s", (_, example) => {
      expect(validate(plain(example)), JSON.stringify(validate.errors)).toBe(true);
      expect(accepts(() => check(plain(example)))).toBe(true);
    });

    /** Takes what the check's own schema takes, and nothing else; the check may refuse more, never less. */
    const agree = (value: unknown): boolean => {
      const said = validate(value);
      const own = accepts(() => parse(schema as Schema<unknown>, value, ""));
      expect(said, `${JSON.stringify(value)}: ${JSON.stringify(validate.errors)}`).toBe(own);
      if (accepts(() => check(value))) expect(own, JSON.stringify(value)).toBe(true);
      return said;
    };

    it("agrees with the check on values made of the schema, some of them spoilt", () => {
      const seen = new Set<boolean>();
      fc.assert(
        fc.property(valueFor(json), (value) => {
          // Names of presets are no files.
          if (typeof value === "string") return;
          seen.add(agree(plain(value)));
        }),
        { numRuns: runs(500) },
      );
      expect(seen.size).toBe(2);
    });

    it("agrees with the check on examples with changes", () => {
      const seeds = examples.map((example) => new TextEncoder().encode(JSON.stringify(example)));
      const seen = new Set<boolean>();
      fc.assert(
        fc.property(fc.nat(), (seed) => {
          const bytes = mutateJson(seeds, new Random(seed));
          const value = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
          if (typeof value === "string") return;
          seen.add(agree(value));
        }),
        { numRuns: runs(500) },
      );
      expect(seen.size).toBe(2);
    });
  });

  it("a file may name its schema", () => {
    const $schema = "./node_modules/stalewalk/dist/schemas/policy.json";
    expect(checkPolicy({ $schema, name: "mine" })).toEqual({ ...policies.none, about: undefined, name: "mine" });
    expect(checkCostModel({ $schema })).toEqual(checkCostModel({}));
    expect(checkHardware({ $schema })).toEqual(checkHardware({}));
    expect(joinMapping({ $schema, version: 1 })).toEqual(joinMapping({ version: 1 }));
    expect(() => checkPolicy({ $schema: 5 })).toThrow("policy.$schema is 5; expected the address of a JSON Schema");
  });
});
