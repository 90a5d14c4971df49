// How the lines of an event look, learned from lines that were read with care: fixed bytes, a value, fixed bytes, … A trace
// has some dozens of such forms and millions of lines. A line that fits a form needs no look at names of fields: its fixed
// bytes are compared four at a time, and what lies between are the values. What fits none is read with care.
import type { EventType } from "./event-table.js";
import type { FieldParser } from "./fields.js";
import { parseHex, parseNumber } from "./numbers.js";

const NEWLINE = 10;
const SPACE = 32;
const OPEN = 91;
const SLOTS = 1024;
/** Forms that are tried for one beginning, of one event, and in all. */
const MAX_PER_SLOT = 12;
const MAX_PER_EVENT = 48;
const MAX_TEMPLATES = 2048;
/** Symbols that a field remembers: most come from a few places in the kernel. */
const SYMBOLS = 6;
const MAX_SYMBOL = 120;

/** Bytes that a line may be read beyond its newline. */
export const OVERREAD = 8;

/** Bytes as 32-bit words, the last one with a mask. */
interface Fixed {
  readonly length: number;
  readonly words: Int32Array;
  readonly mask: number;
}

const HEX = 0;
const NUMBER = 1;
const SYMBOL = 2;
const OTHER = 3;

interface KnownSymbol {
  /** The symbol and the byte behind it. */
  readonly text: Fixed;
  readonly id: number;
}

interface Value {
  /** Fixed bytes before it; of a hexadecimal number with 0x, that too. */
  readonly before: Fixed;
  readonly kind: number;
  /** Where its words go, from the event's first. */
  readonly slot: number;
  readonly field: number;
  /** What ends it, if it is text that may hold blanks; see `FieldParser.until`. */
  readonly next: Uint8Array;
  readonly word: boolean;
  readonly symbols: KnownSymbol[];
}

/** One form of an event's lines, from the event's name to the newline. */
export interface Template {
  readonly type: EventType;
  /** Bit i is set if the form has field i. */
  readonly present: number;
  readonly values: readonly Value[];
  /** Fixed bytes behind the last value, the newline included. */
  readonly end: Fixed;
  /** Words of fields that the form does not have. */
  readonly zeros: readonly number[];
}

/** The forms that were learned. */
export class Templates {
  readonly #slots: (Template[] | undefined)[] = new Array<Template[] | undefined>(SLOTS).fill(undefined);
  readonly #perEvent: Uint16Array;
  readonly #fields: FieldParser;
  #count = 0;
  /** The form that the latest line fitted. */
  found: Template | undefined;

  /** @param types how many events there are */
  constructor(types: number, fields: FieldParser) {
    this.#perEvent = new Uint16Array(types);
    this.#fields = fields;
  }

  /**
   * Reads the event at `body` into `out[at...]`; {@link found} is then its form.
   * @param view the same bytes; a line may be read over its newline by {@link OVERREAD} bytes
   * @returns the index of the newline, or -1 if the line fits no form that is known
   */
  match(view: DataView, bytes: Uint8Array, body: number, out: Uint32Array, at: number): number {
    const list = this.#slots[slotOf(view.getInt32(body, true))];
    if (list === undefined) return -1;
    for (let i = 0; i < list.length; i++) {
      const template = list[i]!;
      const end = this.#read(template, view, bytes, body, out, at);
      if (end < 0) {
        this.#fields.highBytes = false;
        continue;
      }
      if (i > 0) {
        // The form that fitted moves up: the next line is likely to be like this one.
        list[i] = list[i - 1]!;
        list[i - 1] = template;
      }
      this.found = template;
      return end;
    }
    return -1;
  }

  #read(template: Template, view: DataView, bytes: Uint8Array, body: number, out: Uint32Array, at: number): number {
    const { values, end, zeros } = template;
    let p = body;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!same(view, p, value.before)) return -1;
      p += value.before.length;
      const slot = at + value.slot;
      if (value.kind === HEX) p = parseHex(bytes, p, out, slot);
      else if (value.kind === SYMBOL) p = this.#symbol(value, view, bytes, p, out, slot);
      else if (value.kind === NUMBER) p = parseNumber(bytes, p, out, slot);
      else p = this.#fields.until(bytes, p, value.word, value.next, out, slot);
      if (p < 0) return -1;
    }
    if (!same(view, p, end)) return -1;
    for (let i = 0; i < zeros.length; i++) out[at + zeros[i]!] = 0;
    return p + end.length - 1;
  }

  #symbol(value: Value, view: DataView, bytes: Uint8Array, p: number, out: Uint32Array, slot: number): number {
    const { symbols } = value;
    for (let i = 0; i < symbols.length; i++) {
      const symbol = symbols[i]!;
      const { text } = symbol;
      if (!same(view, p, text)) continue;
      const end = p + text.length - 1;
      // A blank may be followed by the name of a module, which belongs to the symbol.
      if (bytes[end] === SPACE && bytes[end + 1] === OPEN) break;
      if (i > 0) {
        symbols[i] = symbols[i - 1]!;
        symbols[i - 1] = symbol;
      }
      out[slot] = symbol.id;
      out[slot + 1] = 0;
      return end;
    }
    const end = this.#fields.symbol(bytes, p, out, slot);
    const plain = end > p && end - p <= MAX_SYMBOL && (bytes[end] === SPACE || bytes[end] === NEWLINE);
    if (plain && !this.#fields.highBytes) {
      const known = { text: fixed(bytes, p, end + 1), id: out[slot]! };
      if (symbols.length < SYMBOLS) symbols.push(known);
      else symbols[SYMBOLS - 1] = known;
    }
    return end;
  }

  /** Learns the form of a line that the field parser has just read: its values are where that says. */
  learn(type: EventType, bytes: Uint8Array, body: number, newline: number, present: number): void {
    const { spans, spanCount } = this.#fields;
    if (this.#count >= MAX_TEMPLATES || this.#perEvent[type.id]! >= MAX_PER_EVENT || newline - body < 4) return;
    const values: Value[] = [];
    let p = body;
    for (let i = 0; i < spanCount; i++) {
      const span = spans[i]!;
      const field = type.fields[span.field]!;
      const number = field.type === "number";
      const hex = field.type === "hex" || (number && bytes[span.start] === 48 && bytes[span.start + 1] === 120);
      const start = hex && number ? span.start + 2 : span.start;
      const kind = hex ? HEX : number ? NUMBER : field.type === "symbol" ? SYMBOL : OTHER;
      const before = fixed(bytes, p, start);
      const word = field.type === "word";
      values.push({ before, kind, slot: 2 * span.field, field: span.field, next: span.next, word, symbols: [] });
      p = span.end;
    }
    const zeros = type.fields.flatMap((_, i) => (present & (1 << i) ? [] : [2 * i, 2 * i + 1]));
    const slot = slotOf(new DataView(bytes.buffer, bytes.byteOffset).getInt32(body, true));
    const list = this.#slots[slot] ?? [];
    this.#slots[slot] = list;
    if (list.length === MAX_PER_SLOT) list.pop();
    else this.#count++;
    this.#perEvent[type.id]!++;
    list.push({ type, present, values, end: fixed(bytes, p, newline + 1), zeros });
  }
}

function slotOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 22;
}

/** The bytes from `start` to `end`, ready to be compared. */
function fixed(bytes: Uint8Array, start: number, end: number): Fixed {
  const length = end - start;
  const words = new Int32Array(Math.ceil(length / 4));
  for (let i = 0; i < length; i++) words[i >> 2]! |= bytes[start + i]! << (8 * (i & 3));
  return { length, words, mask: length & 3 ? 2 ** (8 * (length & 3)) - 1 : -1 };
}

/** Whether these bytes stand at `pos`; reads up to three bytes more. */
function same(view: DataView, pos: number, { words, mask }: Fixed): boolean {
  const last = words.length - 1;
  let p = pos;
  for (let i = 0; i < last; i++, p += 4) if (view.getInt32(p, true) !== words[i]) return false;
  return last < 0 || ((view.getInt32(p, true) ^ words[last]!) & mask) === 0;
}
