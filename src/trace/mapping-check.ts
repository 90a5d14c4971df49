// Checks a user's mapping (parsed JSON) and joins it with the built-in one. Every error names the path in the JSON, the
// value, and what is allowed there.
import { StalewalkError } from "../base/errors.js";
import { splitLayout } from "./event-table.js";
import {
  EVENTS,
  type EventDefinition,
  FIELD_TYPES,
  type FieldDefinition,
  type FieldType,
  MAX_FIELDS,
} from "./events.js";
import { type ArgumentSource, type Condition, type LastEvent, MAPPING, type Rule } from "./mapping.js";
import { OPERATION_NAMES, OPERATIONS, type OperationName } from "./operations.js";

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
  const root = object(file, "", ["version", "events", "rules"]);
  if (root["version"] !== 1) throw new MappingError("version", root["version"], "1");
  const events = array(root["events"] ?? [], "events").map((e, i) => event(e, `events[${i}]`));
  const known = new Map([...EVENTS, ...events].map((e) => [e.name, e]));
  const rules = array(root["rules"] ?? [], "rules").map((r, i) => checkRule(r, `rules[${i}]`, known));
  const replaced = new Set(rules.map((r) => r.event));
  const kept = MAPPING.filter((r) => !replaced.has(r.event));
  for (const definition of events) {
    // A replaced event may have lost fields that a built-in rule reads.
    for (const rule of kept) {
      if (rule.event !== definition.name) continue;
      for (const name of [...Object.keys(rule.when ?? {}), ...fieldSources(rule)]) {
        if (definition.fields.some((f) => f.name === name)) continue;
        const path = `events[${events.indexOf(definition)}].fields`;
        throw new MappingError(path, definition.fields, `a field ${name}, which the built-in rule reads, or own rules`);
      }
    }
  }
  return { events, rules: [...kept, ...rules] };
}

function fieldSources(rule: Rule): string[] {
  return Object.values(rule.args ?? {}).filter((source): source is string => typeof source === "string");
}

function object(value: unknown, path: string, keys: readonly string[] | undefined): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new MappingError(path, value, "an object");
  }
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    if (keys && !keys.includes(key)) throw new MappingError(at(path, key), record[key], `only ${keys.join(", ")} here`);
  }
  return record;
}

function at(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function array(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) throw new MappingError(path, value, "an array");
  return value;
}

function name(value: unknown, path: string, pattern = /^[A-Za-z_][A-Za-z0-9_]*$/): string {
  if (typeof value !== "string" || !pattern.test(value) || value.length > 64) {
    throw new MappingError(path, value, "a name of letters, digits and _, at most 64");
  }
  return value;
}

function event(value: unknown, path: string): EventDefinition {
  const e = object(value, path, ["name", "system", "fields", "layout"]);
  const eventName = name(e["name"], at(path, "name"));
  const system = e["system"] === undefined ? "kprobes" : name(e["system"], at(path, "system"));
  const fields = array(e["fields"] ?? [], at(path, "fields")).map((f, i) => field(f, `${path}.fields[${i}]`));
  if (fields.length > MAX_FIELDS) throw new MappingError(at(path, "fields"), fields, `at most ${MAX_FIELDS} fields`);
  fields.forEach((f, i) => {
    if (fields.findIndex((other) => other.name === f.name) !== i) {
      throw new MappingError(`${path}.fields[${i}].name`, f.name, "a name that no other field has");
    }
  });
  const layout = e["layout"] ?? "probe";
  if (layout === "probe") {
    const odd = fields.findIndex((f) => f.type !== "number" && f.type !== "symbol");
    if (odd >= 0)
      throw new MappingError(`${path}.fields[${odd}].type`, fields[odd]!.type, "number or symbol in a probe");
    return { name: eventName, system, fields, layout };
  }
  const texts = array(layout, at(path, "layout")).map((text, i) => {
    const where = `${path}.layout[${i}]`;
    if (typeof text !== "string" || text === "") throw new MappingError(where, text, "a text");
    if (/[\r\n]/.test(text)) throw new MappingError(where, text, "a text without line breaks");
    if (/\}\{/.test(text)) throw new MappingError(where, text, "something fixed between two fields");
    if (!splitLayout(text, fields)) {
      throw new MappingError(where, text, `only ${fields.map((f) => `{${f.name}}`).join(", ")}, each once`);
    }
    return text;
  });
  if (texts.length === 0) throw new MappingError(at(path, "layout"), layout, '"probe" or at least one text');
  return { name: eventName, system, fields, layout: texts };
}

function field(value: unknown, path: string): FieldDefinition {
  const f = object(value, path, ["name", "type", "optional"]);
  const type = f["type"] ?? "number";
  if (!FIELD_TYPES.includes(type as FieldType)) {
    throw new MappingError(at(path, "type"), type, `one of ${FIELD_TYPES.join(", ")}`);
  }
  const optional = f["optional"] ?? false;
  if (typeof optional !== "boolean") throw new MappingError(at(path, "optional"), optional, "true or false");
  return { name: name(f["name"], at(path, "name")), type: type as FieldType, optional };
}

function checkRule(value: unknown, path: string, known: ReadonlyMap<string, EventDefinition>): Rule {
  const r = object(value, path, ["event", "operation", "args", "when", "last", "reason"]);
  const definition = eventOf(r["event"], at(path, "event"), known);
  const operation = r["operation"];
  const operations: readonly unknown[] = [...OPERATION_NAMES, "ignore"];
  if (!operations.includes(operation)) {
    throw new MappingError(at(path, "operation"), operation, `one of ${operations.join(", ")}`);
  }
  const reason = r["reason"];
  if (reason !== undefined && typeof reason !== "string") throw new MappingError(at(path, "reason"), reason, "a text");
  const args = object(r["args"] ?? {}, at(path, "args"), undefined);
  const allowed = operation === "ignore" ? {} : (OPERATIONS[operation as OperationName] as Record<string, string>);
  for (const key of Object.keys(args)) {
    const where = at(at(path, "args"), key);
    const type = allowed[key];
    if (!type) throw new MappingError(where, args[key], `only ${Object.keys(allowed).join(", ") || "nothing"} here`);
    checkSource(args[key], where, type, definition);
  }
  const last = r["last"] === undefined ? undefined : checkLast(r["last"], at(path, "last"), definition, known);
  return {
    event: definition.name,
    operation: operation as Rule["operation"],
    args: args as Record<string, ArgumentSource>,
    when: conditions(r["when"] ?? {}, at(path, "when"), definition),
    ...(last && { last }),
    ...(reason !== undefined && { reason }),
  };
}

function checkLast(
  value: unknown,
  path: string,
  definition: EventDefinition,
  known: ReadonlyMap<string, EventDefinition>,
): LastEvent {
  const last = object(value, path, ["event", "when", "until", "same"]);
  const other = eventOf(last["event"], at(path, "event"), known);
  const until = array(last["until"] ?? [], at(path, "until"));
  const same = array(last["same"] ?? [], at(path, "same"));
  same.forEach((field, i) => {
    const both = [definition, other].every((event) => event.fields.some((f) => f.name === field));
    const where = `${path}.same[${i}]`;
    if (!both) throw new MappingError(where, field, `a field of both ${definition.name} and ${other.name}`);
  });
  return {
    event: other.name,
    when: conditions(last["when"], at(path, "when"), other),
    until: until.map((name, i) => eventOf(name, `${path}.until[${i}]`, known).name),
    same: same as string[],
  };
}

function eventOf(value: unknown, path: string, known: ReadonlyMap<string, EventDefinition>): EventDefinition {
  const definition = typeof value === "string" ? known.get(value) : undefined;
  if (!definition) throw new MappingError(path, value, "the name of a built-in event or of one under events");
  return definition;
}

function isText(definition: EventDefinition, fieldName: string): boolean {
  const type = definition.fields.find((f) => f.name === fieldName)?.type;
  return type !== "number" && type !== "hex";
}

function checkSource(value: unknown, path: string, type: string, definition: EventDefinition): void {
  if (typeof value === "string") {
    const names = definition.fields.filter((f) => isText(definition, f.name) === (type === "text")).map((f) => f.name);
    if (!names.includes(value))
      throw new MappingError(
        path,
        value,
        `${type === "address" ? "an" : "a"} ${type} field: ${names.join(", ") || "there is none"}`,
      );
    return;
  }
  const key = type === "text" ? "text" : "value";
  const fixed = object(value, path, [key])[key];
  const fits = type === "text" ? typeof fixed === "string" : Number.isSafeInteger(fixed);
  if (!fits) throw new MappingError(at(path, key), fixed, type === "text" ? "a text" : "a whole number up to 2^53");
}

function conditions(value: unknown, path: string, definition: EventDefinition): Record<string, Condition> {
  const record = object(
    value,
    path,
    definition.fields.map((f) => f.name),
  );
  for (const [key, condition] of Object.entries(record)) {
    const where = at(path, key);
    const text = isText(definition, key);
    const plain = (v: unknown, p: string) => {
      const fits = text ? typeof v === "string" : Number.isSafeInteger(v);
      if (!fits) throw new MappingError(p, v, text ? "a text" : "a whole number up to 2^53");
    };
    if (typeof condition !== "object" || condition === null) {
      plain(condition, where);
      continue;
    }
    const c = object(condition, where, text ? ["not", "function"] : ["not"]);
    if ("not" in c) plain(c["not"], at(where, "not"));
    else if (!("function" in c)) throw new MappingError(where, condition, text ? "not or function in it" : "not in it");
    const functions = c["function"] === undefined ? [] : [c["function"]].flat();
    functions.forEach((f) => {
      if (typeof f !== "string") throw new MappingError(at(where, "function"), f, "a function name, or several");
    });
  }
  return record as Record<string, Condition>;
}
