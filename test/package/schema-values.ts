// Values made of a JSON Schema by fast-check: most parts right, some not. Only the keywords that our schemas have.
import type { SchemaObject } from "ajv";
import fc, { type Arbitrary } from "../support/fast-check.js";

const JUNK: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, "", "x", "none", "4K", [], {}, [[]], { a: 1 }, { not: 1 }, "a\nb", "1a"),
  fc.constantFrom(0, -1, 0.5, 1, 3, 4097, 2 ** 31, 2 ** 53, 1e300, -0),
  fc.jsonValue({ maxDepth: 1 }),
);

/** How parts of a value are made. */
type Part = (schema: SchemaObject) => Arbitrary<unknown>;

const right: Part = (schema) => rightValue(schema, right);
const spoilt: Part = (schema) =>
  fc.oneof({ weight: 24, arbitrary: rightValue(schema, spoilt) }, { weight: 1, arbitrary: JUNK });

/** A value as the schema wants it, or one that has something else in some places: of large ones few would be right by chance. */
export function valueFor(schema: SchemaObject): Arbitrary<unknown> {
  return fc.oneof({ weight: 1, arbitrary: right(schema) }, { weight: 4, arbitrary: spoilt(schema) });
}

function rightValue(schema: SchemaObject, part: Part): Arbitrary<unknown> {
  if (schema["anyOf"]) return fc.oneof(...(schema["anyOf"] as SchemaObject[]).map(part));
  if ("const" in schema) return fc.constant(schema["const"]);
  if (schema["enum"]) return fc.constantFrom(...(schema["enum"] as unknown[]));
  switch (schema["type"]) {
    case "boolean":
      return fc.boolean();
    case "integer":
      return wholeOf(schema);
    case "number":
      return fc.oneof(wholeOf(schema), fc.double({ min: schema["minimum"], max: schema["maximum"], noNaN: true }));
    case "string":
      return textOf(schema);
    case "array":
      return fc.array(part(schema["items"]), {
        minLength: schema["minItems"] ?? 0,
        maxLength: schema["maxItems"] ?? 3,
      });
    case "object":
      return objectOf(schema, part);
    default:
      throw new Error(`no values for ${JSON.stringify(schema)}`);
  }
}

function wholeOf({ minimum, maximum }: SchemaObject): Arbitrary<number> {
  const least = Math.max(minimum, 1);
  const small = fc.integer({ min: least, max: Math.max(least, Math.min(maximum, 64)) });
  return fc.oneof(fc.constantFrom(minimum, maximum), small);
}

function textOf({ pattern, minLength = 0 }: SchemaObject): Arbitrary<string> {
  if (pattern) return fc.stringMatching(new RegExp(pattern), { maxLength: 8 });
  return fc.string({ minLength, maxLength: 8, unit: "binary" });
}

function objectOf(
  { properties = {}, required = [], additionalProperties, minProperties = 0 }: SchemaObject,
  part: Part,
) {
  const entries = Object.entries(properties as Record<string, SchemaObject>);
  const named = fc.record(Object.fromEntries(entries.map(([name, it]) => [name, part(it)])), {
    requiredKeys: required as string[],
  });
  const more = typeof additionalProperties === "object" ? additionalProperties : undefined;
  const names = fc.constantFrom("addr", "address", "a", "constructor", "__proto__", "toString");
  const further: Arbitrary<Record<string, unknown>> = more
    ? fc.dictionary(names, part(more), { minKeys: minProperties, maxKeys: 2, noNullPrototype: true })
    : fc.oneof(
        { weight: 24, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.dictionary(names, JUNK, { maxKeys: 1 }) },
      );
  return fc.tuple(named, further).map(([one, other]) => ({ ...one, ...other }));
}
