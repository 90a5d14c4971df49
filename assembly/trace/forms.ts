// Forms of lines: fixed bytes, a value, fixed bytes, … from the event's name to the newline. They are learned from lines that the
// host has read with care. A trace has some dozens of forms and millions of lines.

import { find, same } from "./bytes";
import { VECTOR } from "./memory";
import { anyNumber, hexadecimal, value } from "./numbers";
import { numberOf } from "./texts";

const NEWLINE: u8 = 10;
const CLOSING: u8 = 41;

/** Lists of forms by the first eight bytes of the event. */
const SLOTS: i32 = 1024;
/** Forms that are tried for one line at most. */
const MAX_PER_SLOT: u32 = 12;
const POOL_BYTES: i32 = 1 << 17;
/** Most bytes of a form: fixed bytes of one line, and pieces for all of its values. */
const MAX_FORM: i32 = 1 << 12;
const HEADS: usize = memory.data(SLOTS * sizeof<u32>(), sizeof<u32>());
const POOL: usize = memory.data(POOL_BYTES + VECTOR, VECTOR);
/** Bytes of the pool in use. */
const USED: usize = memory.data(sizeof<u32>(), sizeof<u32>());
/** The form that is being learned. */
const MADE: usize = memory.data(sizeof<u32>(), sizeof<u32>());

// A form: its head, then pieces.
const NEXT: usize = 0;
/** The event's number. */
export const TYPE: usize = NEXT + 4;
/** Bit i is set if the form has field i. */
export const PRESENT_FIELDS: usize = TYPE + 4;
/** Words of all fields of the event. */
export const FIELD_WORDS: usize = PRESENT_FIELDS + 4;
/** Bit i is set if the form does not have field i. */
const ABSENT_FIELDS: usize = FIELD_WORDS + 4;
const HEAD_BYTES: i32 = 20;

// A piece: fixed bytes, then what follows them.
const KIND: usize = 0;
/** Where the value goes, in words from the event's first. */
const SLOT: usize = KIND + 1;
/** Number of fixed bytes. */
const LENGTH: usize = SLOT + 1;
/** How many bytes of the next piece end the value. */
const STOP: usize = LENGTH + 2;
const FIXED: usize = STOP + 2;

// Kinds of what follows. Numbers come first.
export const HEX: u32 = 0;
export const NUMBER: u32 = 1;
export const SYMBOL: u32 = 2;
/** Text up to the first byte of the next piece. */
export const WORD: u32 = 3;
/** Text up to the bytes that end it. */
export const PHRASE: u32 = 4;
/** The place of a probe, which nobody asks for. */
export const PLACE: u32 = 5;
/** The end of the line: the last of the fixed bytes is its newline. */
export const END: u32 = 6;

// ---- scratch: nothing survives a call ----
/** The form that the latest line fitted. */
export let found: usize = 0;
/** Whether that line has a text that is not known. */
export let strange: bool = false;

// @ts-ignore: decorator
@inline
function headOf(body: usize): usize {
  return HEADS + (<usize>((load<u64>(body) * 0x9e3779b97f4a7c15) >> 54) << 2);
}

/** The end of a symbol, which may have a module in brackets. */
function symbolEnd(p: usize): usize {
  let q = p;
  while (true) {
    const mask = i8x16.bitmask(i8x16.lt_u(v128.load(q), i8x16.splat(33)));
    q += ctz(mask | 0x10000);
    if (mask != 0) break;
  }
  if (load<u16>(q) != 0x5b20) return q;
  const end = find(q + 2, 93, NEWLINE);
  return load<u8>(end) == 93 ? end + 1 : q;
}

/** The end of a text in front of `length` bytes at `next`, or of its line; 0 if the line ends with a carriage return. */
function textEnd(p: usize, word: bool, next: usize, length: usize): usize {
  const stop: u8 = length > 0 ? load<u8>(next) : NEWLINE;
  let q = p;
  while (true) {
    q = find(q, stop, NEWLINE);
    if (word || load<u8>(q) == NEWLINE || same(q, next, length)) break;
    q++;
  }
  return load<u16>(q - 1) == 0x0a0d ? 0 : q;
}

/** Reads the event at `body`; its words go to `out`. Returns the address of its newline, 0 if no form fits. */
export function match(body: usize, out: usize): usize {
  const head = headOf(body);
  let before: usize = 0;
  let form = <usize>load<u32>(head);
  while (form != 0) {
    const newline = fits(form, body, out);
    if (newline != 0) {
      // The next line is likely to be like this one.
      if (before != 0) {
        store<u32>(before, load<u32>(form, NEXT), NEXT);
        store<u32>(form, load<u32>(head), NEXT);
        store<u32>(head, <u32>form);
      }
      found = form;
      return newline;
    }
    before = form;
    form = load<u32>(form, NEXT);
  }
  return 0;
}

function fits(form: usize, body: usize, out: usize): usize {
  let p = body;
  let piece = form + HEAD_BYTES;
  strange = false;
  while (true) {
    const length = <usize>load<u16>(piece, LENGTH);
    if (!same(p, piece + FIXED, length)) return 0;
    p += length;
    const kind = <u32>load<u8>(piece, KIND);
    if (kind == END) break;
    const slot = out + (<usize>load<u8>(piece, SLOT) << 2);
    const stop = <usize>load<u16>(piece, STOP);
    piece += FIXED + length;
    if (kind <= NUMBER) {
      p = kind == HEX ? hexadecimal(p) : anyNumber(p);
      if (p == 0) return 0;
      store<u64>(slot, value);
    } else if (kind == PLACE) {
      p = find(p, CLOSING, NEWLINE);
    } else {
      const end = kind == SYMBOL ? symbolEnd(p) : textEnd(p, kind == WORD, piece + FIXED, stop);
      if (end == 0 || (end == p && kind != PHRASE)) return 0;
      const number = end == p ? 0 : numberOf(p, end - p);
      if (number == 0 && end != p) strange = true;
      store<u64>(slot, number);
      p = end;
    }
  }
  for (let absent = load<u32>(form, ABSENT_FIELDS); absent != 0; absent &= absent - 1) {
    store<u64>(out + (<usize>ctz(absent) << 3), 0);
  }
  return p - 1;
}

/**
 * Begins to learn the form of the event at `body`, with these of its fields; addPiece() adds its pieces, endForm() ends it.
 * Returns false if there is no room for more.
 */
export function beginForm(body: usize, type: u32, present: u32, fields: u32): bool {
  const head = headOf(body);
  let length: u32 = 0;
  for (let form = <usize>load<u32>(head); form != 0; form = load<u32>(form, NEXT)) length++;
  const used = load<i32>(USED);
  if (length >= MAX_PER_SLOT || used + MAX_FORM > POOL_BYTES) return false;
  const made = POOL + used;
  store<u32>(made, load<u32>(head), NEXT);
  store<u32>(made, type, TYPE);
  store<u32>(made, present, PRESENT_FIELDS);
  store<u32>(made, 2 * fields, FIELD_WORDS);
  store<u32>(made, ~present & ((1 << fields) - 1), ABSENT_FIELDS);
  store<u32>(MADE, <u32>made);
  store<i32>(USED, used + HEAD_BYTES);
  return true;
}

/** The next piece: `length` fixed bytes at `at`, then a value of this kind for `slot`, which `stop` bytes of the next piece end. */
export function addPiece(at: usize, length: usize, kind: u32, slot: u32, stop: u32): void {
  const piece = POOL + load<u32>(USED);
  store<u8>(piece, kind, KIND);
  store<u8>(piece, slot, SLOT);
  store<u16>(piece, <u16>length, LENGTH);
  store<u16>(piece, stop, STOP);
  memory.copy(piece + FIXED, at, length);
  store<i32>(USED, <i32>(piece - POOL + FIXED + length));
}

/** The form of the event at `body` is whole: `length` fixed bytes at `at` end it. */
export function endForm(body: usize, at: usize, length: usize): void {
  addPiece(at, length, END, 0, 0);
  store<u32>(headOf(body), load<u32>(MADE));
}
