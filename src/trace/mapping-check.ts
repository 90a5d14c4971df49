// Checks a user's mapping (parsed JSON) and joins it with the built-in one. Every error names the path in the JSON, the
// value, and what is allowed there.
import { InvalidOptionError, StalewalkError } from "../base/errors.js";
import { parse, unknownField } from "../base/schema.js";
import { splitLayout } from "./event-table.js";
import { EVENTS, type EventDefinition, type FieldDefinition } from "./events.js";
import { type ArgumentSource, type Condition, type LastEvent, MAPPING, type Rule } from "./mapping.js";
import { mappingSchema } from "./mapping-schema.js";
import { OPERATIONS, type OperationName } from "./operations.js";

/** A mapping file: further or replaced events, and rules. Rules for an event replace all built-in rules of that event. */
export interface MappingFile {
  /** Version of the form. */
  readonly version: 1;
  /** Events that are added, or replace those of the same name. */
  readonly events?: readonly EventDefinition[];
  /** Rules that are added; for their events the built-in ones go. */
  readonly rules?: readonly Rule[];
}

/** Events and rules as {@link joinMapping} joined them. */
export interface Mapping {
  /** What to give as `TraceOptions.events`. */
  readonly events: readonly EventDefinition[];
  /** What the events mean, in the order in which rules are tried. */
  readonly rules: readonly Rule[];
}

/** A mistake in a mapping file. */
export class MappingError extends StalewalkError {
  /** For telling errors apart without `instanceof`. */
  override readonly name = "MappingError";
  /** Where, e.g. `rules[2].when.order`. */
  readonly path: string;
  /** What is allowed there. */
  readonly allowed: string;

  constructor(path: string, value: unknown, allowed: string) {
    const shown = JSON.stringify(value) ?? String(value);
    super(
      "mapping",
      `mapping: ${path || "the file"}: ${shown.length > 80 ? `${shown.slice(0, 79)}…` : shown}, expected ${allowed}`,
      path,
      value,
    );
    this.path = path;
    this.allowed = allowed;
  }
}

/** The built-in events and rules alone. */
export const DEFAULT_MAPPING: Mapping = { events: [], rules: MAPPING };

/**
 * Checks `file` and joins it with the built-in mapping.
 * @param file parsed JSON of the shape {@link MappingFile}
 * @throws MappingError at the first mistake
 */
export function joinMapping(file: unknown): Mapping {
  try {
    parse(mappingSchema, file, "");
    // What is right by itself is kept as it was given: a copy would lose fields that are called as something of every object.
    return join(file as GivenFile);
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error;
    const whole = error.value === file;
    throw new MappingError(whole ? "" : error.field, error.value, error.expected);
  }
}

/** A file whose values are right, each by itself. */
interface GivenFile {
  readonly events?: readonly GivenEvent[];
  readonly rules?: readonly Rule[];
}

interface GivenEvent extends Partial<Omit<EventDefinition, "fields">> {
  readonly name: string;
  readonly fields?: readonly (Partial<FieldDefinition> & { readonly name: string })[];
}

function join({ events: given = [], rules: givenRules = [] }: GivenFile): Mapping {
  const events = given.map((it, i) => event(it, `events[${i}]`));
  const known = new Map([...EVENTS, ...events].map((e) => [e.name, e]));
  const rules = givenRules.map((it, i) => checkRule(it, `rules[${i}]`, known));
  const replaced = new Set(rules.map((r) => r.event));
  const kept = MAPPING.filter((r) => !replaced.has(r.event));
  for (const definition of events) {
    // A replaced event may have lost fields that a built-in rule reads.
    for (const rule of kept) {
      if (rule.event !== definition.name) continue;
      for (const name of [...Object.keys(rule.when ?? {}), ...fieldSources(rule)]) {
        if (definition.fields.some((f) => f.name === name)) continue;
        const path = `events[${events.indexOf(definition)}].fields`;
        throw wrong(path, definition.fields, `a field ${name}, which the built-in rule reads, or own rules`);
      }
    }
  }
  return { events, rules: [...kept, ...rules] };
}

function wrong(path: string, value: unknown, allowed: string): InvalidOptionError {
  return new InvalidOptionError(path, value, allowed);
}

function fieldSources(rule: Rule): string[] {
  return Object.values(rule.args ?? {}).filter((source): source is string => typeof source === "string");
}

function event(given: GivenEvent, path: string): EventDefinition {
  const { name, system = "kprobes", layout = "probe" } = given;
  const fields = (given.fields ?? []).map((f) => ({ type: "number", optional: false, ...f }) as const);
  fields.forEach((f, i) => {
    if (fields.findIndex((other) => other.name === f.name) !== i) {
      throw wrong(`${path}.fields[${i}].name`, f.name, "a name that no other field has");
    }
  });
  if (layout === "probe") {
    const odd = fields.findIndex((f) => f.type !== "number" && f.type !== "symbol");
    if (odd >= 0) throw wrong(`${path}.fields[${odd}].type`, fields[odd]!.type, "number or symbol in a probe");
    return { name, system, fields, layout };
  }
  for (const [i, text] of layout.entries()) {
    const where = `${path}.layout[${i}]`;
    if (/\}\{/.test(text)) throw wrong(where, text, "something fixed between two fields");
    if (!splitLayout(text, fields)) {
      throw wrong(where, text, `only ${fields.map((f) => `{${f.name}}`).join(", ")}, each once`);
    }
  }
  return { name, system, fields, layout };
}

function checkRule(rule: Rule, path: string, known: ReadonlyMap<string, EventDefinition>): Rule {
  const { operation, args = {}, reason } = rule;
  const definition = eventOf(rule.event, `${path}.event`, known);
  const allowed = operation === "ignore" ? {} : (OPERATIONS[operation as OperationName] as Record<string, string>);
  for (const [key, source] of Object.entries(args)) {
    const type = Object.hasOwn(allowed, key) ? allowed[key] : undefined;
    if (!type) throw unknownArgument(`${path}.args`, key, source, Object.keys(allowed));
    checkSource(source, `${path}.args.${key}`, type, definition);
  }
  const last = rule.last && checkLast(rule.last, `${path}.last`, definition, known);
  return {
    event: definition.name,
    operation,
    args,
    when: conditions(rule.when ?? {}, `${path}.when`, definition),
    ...(last && { last }),
    ...(reason !== undefined && { reason }),
  };
}

function unknownArgument(path: string, key: string, value: unknown, allowed: readonly string[]): InvalidOptionError {
  if (allowed.length === 0) return wrong(`${path}.${key}`, value, "nothing here");
  return unknownField(path, key, value, allowed);
}

function checkLast(
  last: LastEvent,
  path: string,
  definition: EventDefinition,
  known: ReadonlyMap<string, EventDefinition>,
): LastEvent {
  const { until = [], same = [] } = last;
  const other = eventOf(last.event, `${path}.event`, known);
  same.forEach((field, i) => {
    const both = [definition, other].every((event) => event.fields.some((f) => f.name === field));
    if (!both) throw wrong(`${path}.same[${i}]`, field, `a field of both ${definition.name} and ${other.name}`);
  });
  return {
    event: other.name,
    when: conditions(last.when, `${path}.when`, other),
    until: until.map((name, i) => eventOf(name, `${path}.until[${i}]`, known).name),
    same,
  };
}

function eventOf(name: string, path: string, known: ReadonlyMap<string, EventDefinition>): EventDefinition {
  const definition = known.get(name);
  if (!definition) throw wrong(path, name, "the name of a built-in event or of one under events");
  return definition;
}

function isText(definition: EventDefinition, fieldName: string): boolean {
  const type = definition.fields.find((f) => f.name === fieldName)?.type;
  return type !== "number" && type !== "hex";
}

function checkSource(source: ArgumentSource, path: string, type: string, definition: EventDefinition): void {
  if (typeof source === "string") {
    const names = definition.fields.filter((f) => isText(definition, f.name) === (type === "text")).map((f) => f.name);
    if (names.includes(source)) return;
    const article = type === "address" ? "an" : "a";
    throw wrong(path, source, `${article} ${type} field: ${names.join(", ") || "there is none"}`);
  }
  const wanted = type === "text" ? "text" : "value";
  for (const key of Object.keys(source)) {
    if (key !== wanted) throw wrong(`${path}.${key}`, source[key as never], `only ${wanted} here`);
  }
}

/** Checks what conditions compare with: a text for a field that is text, else a number. */
function conditions(
  given: Readonly<Record<string, Condition>>,
  path: string,
  definition: EventDefinition,
): Record<string, Condition> {
  const names = definition.fields.map((f) => f.name);
  for (const [name, condition] of Object.entries(given)) {
    if (!names.includes(name)) throw unknownArgument(path, name, condition, names);
    const text = isText(definition, name);
    const compare = (value: unknown, where: string) => {
      if ((typeof value === "string") !== text) {
        throw wrong(where, value, text ? "a text" : "a whole number up to 2^53");
      }
    };
    const where = `${path}.${name}`;
    if (typeof condition !== "object") compare(condition, where);
    else {
      if ("not" in condition) compare(condition.not, `${where}.not`);
      if ("function" in condition && !text) throw wrong(`${where}.function`, condition.function, "only not here");
    }
  }
  return given;
}
