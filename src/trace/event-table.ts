// Event definitions made ready for the parser: names found by a hash over their bytes, keys and fixed texts as bytes.
import { EVENTS, type EventDefinition, type FieldDefinition, MAX_FIELDS } from "./events.js";
import { hashBytes } from "./strings.js";

/** One piece of a tracepoint's text: fixed bytes, then (but at the end) a field. */
export interface Piece {
  readonly literal: Uint8Array;
  /** Index of the field behind the literal; -1 at the end of the text. */
  readonly field: number;
  /** Fixed bytes behind the field, for fields that end there; empty at the end of the line. */
  readonly next: Uint8Array;
}

/** An event with its number. */
export interface EventType extends EventDefinition {
  /** Index in {@link EventTable.types}; what batches hold. */
  readonly id: number;
  /** The name as bytes, as lines have it. */
  readonly nameBytes: Uint8Array;
  /** `name=` of each field, for probes. */
  readonly keys: readonly Uint8Array[];
  /** Bit per field that must be there. */
  readonly required: number;
  /** For tracepoints: the texts it may have. */
  readonly texts: readonly (readonly Piece[])[];
}

const encoder = new TextEncoder();

/** The pieces of one text; undefined if it names a field that is not among `fields`, or names one twice. */
export function splitLayout(text: string, fields: readonly FieldDefinition[]): readonly Piece[] | undefined {
  const parts = text.split(/\{([^{}]*)\}/);
  const pieces: Piece[] = [];
  const used = new Set<number>();
  for (let i = 0; i < parts.length; i += 2) {
    const name = parts[i + 1];
    const field = name === undefined ? -1 : fields.findIndex((f) => f.name === name);
    if (name !== undefined && (field < 0 || used.has(field))) return undefined;
    used.add(field);
    pieces.push({ literal: encoder.encode(parts[i]), field, next: encoder.encode(parts[i + 2] ?? "") });
  }
  return pieces;
}

/** Looks events up by the bytes of their name. */
export class EventTable {
  /** The events; `EventType.id` is the index. */
  readonly types: readonly EventType[];
  readonly #slots: Int16Array;
  readonly #mask: number;

  /** @param definitions the events; of two with one name the later wins */
  constructor(definitions: readonly EventDefinition[]) {
    const byName = new Map(definitions.map((d) => [d.name, d]));
    this.types = [...byName.values()].map(makeType);
    let size = 64;
    while (size < this.types.length * 4) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int16Array(size).fill(-1);
    for (const type of this.types) {
      let slot = spread(hashBytes(type.nameBytes, 0, type.nameBytes.length)) & this.#mask;
      while (this.#slots[slot]! >= 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = type.id;
    }
  }

  /** The event named `bytes[start, end)` with this `hashBytes()`; undefined if it is unknown. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): EventType | undefined {
    let slot = spread(hash) & this.#mask;
    for (let id = this.#slots[slot]!; id >= 0; id = this.#slots[slot]!) {
      const type = this.types[id]!;
      const name = type.nameBytes;
      if (name.length === end - start) {
        let i = 0;
        while (i < name.length && name[i] === bytes[start + i]) i++;
        if (i === name.length) return type;
      }
      slot = (slot + 1) & this.#mask;
    }
    return undefined;
  }

  /** The event with this name. */
  byName(name: string): EventType | undefined {
    const bytes = encoder.encode(name);
    return this.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length));
  }
}

let builtIn: EventTable | undefined;

/** The table of the built-in events, and of further ones if there are any. Tables do not change: readers share the first. */
export function eventTable(further: readonly EventDefinition[] = []): EventTable {
  if (further.length > 0) return new EventTable([...EVENTS, ...further]);
  builtIn ??= new EventTable(EVENTS);
  return builtIn;
}

function spread(hash: number): number {
  return hash ^ (hash >>> 13);
}

function makeType(definition: EventDefinition, id: number): EventType {
  const { name, fields, layout } = definition;
  if (fields.length > MAX_FIELDS) throw new RangeError(`event ${name}: ${fields.length} fields, at most ${MAX_FIELDS}`);
  const texts = layout === "probe" ? [] : layout.map((text) => splitLayout(text, fields));
  const bad = texts.indexOf(undefined);
  if (bad >= 0) throw new RangeError(`event ${name}: text ${bad} names a field that is not defined, or one twice`);
  let required = 0;
  fields.forEach((field, i) => {
    if (!field.optional) required |= 1 << i;
  });
  return {
    ...definition,
    id,
    nameBytes: encoder.encode(name),
    keys: fields.map((field) => encoder.encode(`${field.name}=`)),
    required,
    texts: texts as (readonly Piece[])[],
  };
}
