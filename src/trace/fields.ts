// Field values of one event, from bytes into the batch. Two layouts: probes (`(where) name=value ...`, any order) and
// tracepoint texts. Every function runs into the newline that ends the line at the latest, never over it.
import { appendedEnd, moduleEnd } from "./appended.js";
import type { EventType, Piece } from "./event-table.js";
import { MAX_FIELDS } from "./events.js";
import { parseHex, parseNumber } from "./numbers.js";
import type { StringTable } from "./strings.js";

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const OPEN = 40;
const EQUALS = 61;

/** Where a value of the latest line stood. */
export interface Span {
  start: number;
  end: number;
  field: number;
  /** Fixed bytes that end it, if it is text that may hold blanks. */
  next: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Parser of the fields behind an event's name; one per reader. */
export class FieldParser {
  /** Bit i is set if field i was there. */
  present = 0;
  /** What was expected where {@link parse} failed. */
  expected = "";
  /** Values of the latest line, in its order; {@link spanCount} of them are of it. */
  readonly spans: readonly Span[] = Array.from({ length: MAX_FIELDS }, () => ({
    start: 0,
    end: 0,
    field: 0,
    next: NOTHING,
  }));
  spanCount = 0;
  /** Where the place of the latest probe stood, without its parentheses. */
  readonly place = { start: 0, end: 0 };
  /** Whether the latest line held only what its event's definition names, so that others may be like it. */
  plain = true;
  /** Whether the latest line ended with values that perf script put behind the event's. */
  appended = false;
  /** Set when a text had bytes above 127; the caller clears it. */
  highBytes = false;
  /** Values that the kernel printed as `(fault)`. */
  faults = 0;
  /** Whether the writer may put values of its own behind the event's (perf script: addr, ip, sym and others). */
  mayAppend = false;
  /** Called for a `name=` that the probe's definition does not have. */
  onExtra: (type: EventType, name: string) => void = () => {};

  readonly #strings: StringTable;

  constructor(strings: StringTable) {
    this.#strings = strings;
  }

  /**
   * Reads all fields at `pos` into `words[at...]`.
   * @returns the index of the line's newline, or -1 if the fields are not as defined
   */
  parse(type: EventType, bytes: Uint8Array, pos: number, words: Uint32Array, at: number): number {
    this.present = 0;
    this.plain = true;
    this.appended = false;
    this.spanCount = 0;
    if (type.layout === "probe") return this.#probe(type, bytes, pos, words, at);
    let furthest = -1;
    let expected = "";
    for (const text of type.texts) {
      const end = this.#text(type, text, bytes, pos, words, at);
      // Other texts than the first may be like lines that the first takes otherwise.
      if (end >= 0) {
        if (text !== type.texts[0]) this.plain = false;
        return end;
      }
      this.present = 0;
      if (this.#reached < furthest) continue;
      furthest = this.#reached;
      expected = this.expected;
    }
    // The text that fits best says what is wrong with the line.
    this.expected = expected;
    return -1;
  }

  #probe(type: EventType, bytes: Uint8Array, pos: number, words: Uint32Array, at: number): number {
    let p = pos;
    if (bytes[p] !== 40) return this.#fail("the probed function in parentheses");
    // The place may hold " [module]" and " <- function", and "(fault)" cannot be in it: the next ")" ends it.
    let c = bytes[++p]!;
    this.place.start = p;
    while (c !== 41) {
      if (c === NEWLINE) return this.#fail("a closing parenthesis after the probed function");
      c = bytes[++p]!;
    }
    this.place.end = p;
    p++;
    const { keys, fields } = type;
    const count = keys.length;
    let next = 0;
    let present = 0;
    for (;;) {
      if (bytes[p] !== SPACE) break;
      // Trailing blanks end the line too.
      do p++;
      while (bytes[p] === SPACE);
      let field = -1;
      for (let tries = 0; tries < count; tries++) {
        const candidate = next < count ? next : 0;
        next = candidate + 1;
        const key = keys[candidate]!;
        const length = key.length;
        let i = 0;
        while (i < length && bytes[p + i] === key[i]) i++;
        if (i === length) {
          field = candidate;
          p += length;
          break;
        }
      }
      if (field < 0) {
        if (bytes[p] === NEWLINE || bytes[p] === RETURN) break;
        this.plain = false;
        if (this.#appended(bytes, p)) {
          p = this.#end;
          break;
        }
        p = this.#extra(type, bytes, p);
        if (p < 0) return -1;
        next = 0;
        continue;
      }
      const bit = 1 << field;
      if (present & bit) return this.#fail(`${fields[field]!.name}= once`);
      const slot = at + 2 * field;
      if (bytes[p] === 40) {
        this.plain = false;
        p = this.#fault(bytes, p);
        if (p < 0) return -1;
        words[slot] = 0;
        words[slot + 1] = 0;
        continue;
      }
      present |= bit;
      const start = p;
      p = fields[field]!.type === "symbol" ? this.symbol(bytes, p, words, slot) : parseNumber(bytes, p, words, slot);
      this.#span(start, p, field, NOTHING);
      if (p < 0) return this.#fail(`a value behind ${fields[field]!.name}=`);
      c = bytes[p]!;
      if (c !== SPACE && c !== NEWLINE && c !== RETURN) return this.#fail(`a blank behind ${fields[field]!.name}=`);
    }
    this.present = present;
    const missing = type.required & ~present & ~this.#faulted;
    this.#faulted = 0;
    if (missing !== 0) {
      const names = fields.filter((_, i) => missing & (1 << i)).map((f) => f.name);
      return this.#fail(`the field${names.length > 1 ? "s" : ""} ${names.join(", ")}`);
    }
    for (let i = 0; i < count; i++) {
      if (!(present & (1 << i))) {
        words[at + 2 * i] = 0;
        words[at + 2 * i + 1] = 0;
      }
    }
    return this.#lineEnd(bytes, p);
  }

  /** How far into the line the latest text fitted. */
  #reached = 0;
  /** All bits set while a line has a "(fault)": which field it was does not matter to what may be missing. */
  #faulted = 0;

  #fault(bytes: Uint8Array, pos: number): number {
    const word = "(fault)";
    for (let i = 0; i < word.length; i++) {
      if (bytes[pos + i] !== word.charCodeAt(i)) return this.#fail("a number or (fault)");
    }
    this.faults++;
    this.#faulted = -1;
    return pos + word.length;
  }

  #extra(type: EventType, bytes: Uint8Array, pos: number): number {
    let p = pos;
    let equals = -1;
    while (bytes[p]! > SPACE) {
      if (bytes[p] === 61 && equals < 0) equals = p;
      p++;
    }
    if (equals <= pos || p - pos > 200) return this.#fail("name=value");
    let name = "";
    for (let i = pos; i < equals; i++) {
      const c = bytes[i]!;
      if (!((c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95)) {
        return this.#fail("name=value");
      }
      name += String.fromCharCode(c);
    }
    // A module suffix belongs to the value.
    if (bytes[p] === SPACE && bytes[p + 1] === 91) while (bytes[p] !== NEWLINE && bytes[p] !== 93) p++;
    if (bytes[p] === 93) p++;
    this.onExtra(type, name);
    return p;
  }

  #span(start: number, end: number, field: number, next: Uint8Array): void {
    const span = this.spans[this.spanCount++]!;
    span.start = start;
    span.end = end;
    span.field = field;
    span.next = next;
  }

  /** A symbol, perhaps with a module; its number goes to `words[slot]`. Returns the index behind it, or -1. */
  symbol(bytes: Uint8Array, pos: number, words: Uint32Array, slot: number): number {
    let p = pos;
    let hash = 0;
    let seen = 0;
    let c = bytes[p]!;
    while (c > SPACE) {
      // No symbol has a "=": the blank before the next field is damaged.
      if (c === EQUALS) return -1;
      seen |= c;
      hash = (Math.imul(hash, 31) + c) | 0;
      c = bytes[++p]!;
    }
    if (p === pos) return -1;
    if (c === SPACE && bytes[p + 1] === 91) {
      let end = p + 1;
      while (bytes[end] !== 93 && bytes[end] !== NEWLINE) end++;
      if (bytes[end] === 93) {
        for (; p <= end; p++) {
          seen |= bytes[p]!;
          hash = (Math.imul(hash, 31) + bytes[p]!) | 0;
        }
      }
    }
    if (this.mayAppend && c === SPACE && bytes[p + 1] === OPEN) {
      const end = moduleEnd(bytes, p + 1);
      if (end >= 0) this.plain = false;
      for (; p < end; p++) {
        seen |= bytes[p]!;
        hash = (Math.imul(hash, 31) + bytes[p]!) | 0;
      }
    }
    if (seen > 127) this.highBytes = true;
    words[slot] = this.#strings.intern(bytes, pos, p, hash);
    words[slot + 1] = 0;
    return p;
  }

  #text(
    type: EventType,
    text: readonly Piece[],
    bytes: Uint8Array,
    pos: number,
    words: Uint32Array,
    at: number,
  ): number {
    let p = pos;
    let present = 0;
    const { fields } = type;
    this.spanCount = 0;
    for (let n = 0; n < text.length; n++) {
      const { literal, field, next } = text[n]!;
      this.#reached = p;
      for (let i = 0; i < literal.length; i++) {
        if (bytes[p + i] !== literal[i]) return this.#fail(JSON.stringify(decode(literal)));
      }
      p += literal.length;
      if (field < 0) continue;
      const slot = at + 2 * field;
      const start = p;
      const kind = fields[field]!.type;
      if (kind === "number") p = parseNumber(bytes, p, words, slot);
      else if (kind === "hex") p = parseHex(bytes, p, words, slot);
      else if (kind === "symbol") p = this.symbol(bytes, p, words, slot);
      else p = this.until(bytes, p, kind === "word", next, words, slot);
      if (p < 0) return this.#fail(`a value of ${fields[field]!.name}`);
      this.#span(start, p, field, next);
      present |= 1 << field;
    }
    for (let i = 0; i < fields.length; i++) {
      if (!(present & (1 << i))) {
        words[at + 2 * i] = 0;
        words[at + 2 * i + 1] = 0;
      }
    }
    this.present = present;
    return this.#lineEnd(bytes, p);
  }

  /** Text up to `next` (a word: up to its first byte, and not empty), or to the end of the line if there is no `next`. */
  until(bytes: Uint8Array, pos: number, word: boolean, next: Uint8Array, words: Uint32Array, slot: number): number {
    let p = pos;
    let hash = 0;
    let seen = 0;
    const stop = next.length > 0 ? next[0]! : NEWLINE;
    for (;;) {
      const c = bytes[p]!;
      if (c === NEWLINE || (c === RETURN && bytes[p + 1] === NEWLINE)) break;
      if (c === stop) {
        if (word) break;
        let i = 1;
        while (i < next.length && bytes[p + i] === next[i]) i++;
        if (i === next.length) break;
      }
      seen |= c;
      hash = (Math.imul(hash, 31) + c) | 0;
      p++;
    }
    if (word && p === pos) return -1;
    if (seen > 127) this.highBytes = true;
    words[slot] = this.#strings.intern(bytes, pos, p, hash);
    words[slot + 1] = 0;
    return p;
  }

  #lineEnd(bytes: Uint8Array, pos: number): number {
    let p = pos;
    while (bytes[p] === SPACE) p++;
    if (p > pos || bytes[p] === RETURN) this.plain = false;
    if (p > pos && bytes[p] !== NEWLINE && this.#appended(bytes, p)) p = this.#end;
    if (bytes[p] === RETURN) p++;
    return bytes[p] === NEWLINE ? p : this.#fail("the end of the line");
  }

  /** Where the values end that perf script put behind the event's. */
  #end = 0;

  #appended(bytes: Uint8Array, pos: number): boolean {
    this.#end = this.mayAppend ? appendedEnd(bytes, pos) : -1;
    this.appended = this.#end >= 0;
    return this.appended;
  }

  #fail(expected: string): -1 {
    this.expected = expected;
    this.#faulted = 0;
    return -1;
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
