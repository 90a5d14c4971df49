// The JSON Schema files of the package: what users write as data, made of the schemas by which the library checks it
// (src/base/schema.ts). scripts/finish-dist.mjs writes them; test/package/schemas.test.ts holds both to each other.
import { toJsonSchema } from "@valibot/to-json-schema";

/**
 * Each file: the module of src/ that has the schema, its name there, and what is said of it. `beyond`: what a schema cannot
 * say and the check refuses all the same.
 */
export const schemaFiles = {
  policy: {
    module: "kernel/policy",
    schema: "policySchema",
    about:
      "A policy: which flushes and frees lead to which IOMMU invalidation, and when a freed table may be used again.",
  },
  mapping: {
    module: "trace/mapping-schema",
    schema: "mappingSchema",
    about: "A mapping: what events of a trace mean.",
    beyond: "Fields, arguments and conditions must be those of the event and the operation that they belong to.",
  },
  geometry: {
    module: "hardware/geometry",
    schema: "geometrySchema",
    about: "Caches of a CPU or an IOMMU.",
    beyond: "entries must be a multiple of ways, and each page size in at most one cache of a list.",
  },
  hardware: {
    module: "replay/machines",
    schema: "hardwareSchema",
    about: "CPUs and the IOMMU that a trace is replayed on.",
    beyond: "In caches, entries must be a multiple of ways, and each page size in at most one cache of a list.",
  },
  "cost-model": {
    module: "cost/model",
    schema: "costModelSchema",
    about: "A cost model: nanoseconds for each thing that a policy causes.",
  },
  profile: {
    module: "replay/profile",
    schema: "profileSchema",
    about: "A profile: what a synthetic workload is drawn with. Of the values of a list each is equally likely.",
    beyond:
      "At least one group needs a rate above 0, purges need areas, and the version must be of Linux and not older than the oldest known.",
  },
  bench: {
    module: "benchmark/result",
    schema: "benchResultSchema",
    about: "A result of the benchmark: machine, versions, and a row for each contestant at each case.",
  },
  plan: {
    module: "sweep/plan",
    schema: "sweepPlanSchema",
    about: "A plan of a sweep: axes, whose every combination is a job.",
    beyond: "Versions must be of Linux and not older than the oldest known.",
  },
  advice: {
    module: "advice/form",
    schema: "adviceSchema",
    about:
      "Advice: cures that were tried, what each leaves open and costs, and which is the smallest that makes every cell safe.",
  },
  kernel: {
    module: "kernel/kernel",
    schema: "kernelSchema",
    about: "The kernel of a machine.",
    beyond:
      "The version must be one of Linux that is not older than the oldest known, and the pool must fit below the last frame.",
  },
};

/** A JSON Schema (draft 7) of a schema; `formOf` is that of src/base/schema.ts. */
export function jsonSchemaOf(schema, formOf) {
  return toJsonSchema(schema, {
    target: "draft-07",
    // JSON has no number that is not finite.
    ignoreActions: ["finite"],
    overrideSchema: ({ valibotSchema, jsonSchema }) => {
      const form = formOf(valibotSchema);
      if (form === undefined) return jsonSchema;
      const { $schema: _, ...rest } = jsonSchemaOf(form, formOf);
      return rest;
    },
  });
}

/** All files by name, each as an object. `load` imports a module of src/, named without its extension. */
export async function makeSchemas(load) {
  const { formOf } = await load("base/schema");
  const made = Object.entries(schemaFiles).map(async ([name, { module, schema, ...words }]) => {
    const { [schema]: source } = await load(module);
    const { $schema, ...rest } = jsonSchemaOf(source, formOf);
    const { about, beyond } = words;
    const head = { $schema, title: `stalewalk ${name}`, description: about, ...(beyond && { $comment: beyond }) };
    // A list without a bound has the largest number for one.
    const bounded = JSON.stringify(rest, (key, value) =>
      key === "maxItems" && value === Number.MAX_SAFE_INTEGER ? undefined : value,
    );
    return [name, { ...head, ...JSON.parse(bounded) }];
  });
  return Object.fromEntries(await Promise.all(made));
}
