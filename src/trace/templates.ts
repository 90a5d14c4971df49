// How the lines of an event look, learned from lines that were read with care: fixed bytes, a value, fixed bytes, … A trace has
// some dozens of such forms and millions of lines. Lines like them are read by a small module (assembly/trace/), sixteen bytes at
// a time, without a look at names of fields. What fits none of them, or could mean anything else, is read with care.
import { bytesOfBase64 } from "../base/base64.js";
import { batchEvents, batchWords, clockNumber, kind, place, stateWord, textBytes, why } from "./abi.js";
import type { EventBatch, EventColumns } from "./batch.js";
import type { TraceClock } from "./clock.js";
import type { EventType } from "./event-table.js";
import type { FieldParser } from "./fields.js";
import { WASM_BASE64 } from "./wasm-bytes.js";

const NEWLINE = 10;
const OPENING = 40;
const EQUALS = 61;
/** Bytes of an event, from its name to its newline, whose form is learned; at least as many as choose a list of forms. */
const MIN_EVENT = 8;
const MAX_EVENT = 3000;

/** What the module exports; assembly/trace/ says more. Addresses are those of its memory. */
interface TraceModule {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly BLOCK: { readonly value: number };
  read(from: number, end: number): number;
  beginForm(body: number, type: number, present: number, fields: number): number;
  addPiece(at: number, length: number, kind: number, slot: number, stop: number): void;
  endForm(body: number, at: number, length: number): void;
  know(at: number, length: number, id: number): void;
}

let compiled: WebAssembly.Module | undefined;

/** An instance of the module; undefined where the host forbids compiling, knows no SIMD, or has no memory left. */
function instantiate(): TraceModule | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  try {
    // Below the 4 KiB that browsers compile at once on their main thread.
    compiled ??= new WebAssembly.Module(bytesOfBase64(WASM_BASE64));
    return new WebAssembly.Instance(compiled).exports as unknown as TraceModule;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The forms that were learned, and the module that reads by them. */
export class Templates {
  /** The batch's columns, in the module's memory. */
  readonly columns: EventColumns;
  /** Index of the line that {@link read} stopped at because it fits no form; -1 if it did not. */
  missed = -1;

  readonly #module: TraceModule;
  readonly #clock: Float64Array;
  readonly #state: Uint32Array;
  readonly #text: Uint8Array;
  /** Address of the text, where the block at hand begins in it, and up to where it is held. */
  readonly #textAt: number;
  #from = 0;
  #held = -1;

  /** Undefined where there is no such module: everything is read with care then, to the same result. */
  static open(): Templates | undefined {
    const module = instantiate();
    return module && new Templates(module);
  }

  private constructor(module: TraceModule) {
    const { buffer } = module.memory;
    const block = module.BLOCK.value;
    this.#module = module;
    this.#clock = new Float64Array(buffer, block + place.clock, Object.keys(clockNumber).length);
    this.#state = new Uint32Array(buffer, block + place.state, Object.keys(stateWord).length);
    this.#textAt = block + place.text;
    this.#text = new Uint8Array(buffer, this.#textAt, textBytes);
    this.columns = {
      event: new Uint16Array(buffer, block + place.event, batchEvents),
      time: new Float64Array(buffer, block + place.time, batchEvents),
      cpu: new Uint16Array(buffer, block + place.cpu, batchEvents),
      pid: new Int32Array(buffer, block + place.pid, batchEvents),
      line: new Uint32Array(buffer, block + place.line, batchEvents),
      offset: new Uint32Array(buffer, block + place.offset, batchEvents + 1),
      present: new Uint32Array(buffer, block + place.present, batchEvents),
      words: new Uint32Array(buffer, block + place.words, batchWords),
    };
  }

  /** Another block begins. */
  release(): void {
    this.#held = -1;
    this.missed = -1;
  }

  /**
   * Reads lines from `pos` on into `batch`, whose columns are {@link columns}.
   * @param end where the block of whole lines ends
   * @param line the number of lines before
   * @returns the index of the first line that was not read
   */
  read(bytes: Uint8Array, pos: number, end: number, batch: EventBatch, clock: TraceClock, line: number): number {
    const state = this.#state;
    state[stateWord.count] = batch.count;
    state[stateWord.lines] = line;
    state[stateWord.inTicks] = clock.ticks ? 1 : 0;
    clock.lend(this.#clock);
    let at = pos;
    do {
      if (at >= this.#held && !this.#hold(bytes, at, end)) break;
      const base = this.#textAt - this.#from;
      at = this.#module.read(base + at, base + this.#held) - base;
    } while (at === this.#held && at < end);
    if (state[stateWord.count]! > batch.count) clock.takeBack(this.#clock);
    batch.count = state[stateWord.count]!;
    this.missed = at < end && state[stateWord.why] !== why.done ? at : -1;
    return at;
  }

  /** Copies as many whole lines as there is room for; false if not even one fits. */
  #hold(bytes: Uint8Array, start: number, end: number): boolean {
    const stop = end - start <= textBytes ? end : bytes.lastIndexOf(NEWLINE, start + textBytes - 1) + 1;
    if (stop <= start) return false;
    this.#text.set(bytes.subarray(start, stop));
    this.#from = start;
    this.#held = stop;
    return true;
  }

  /**
   * Learns from the line at {@link missed}, which the field parser has just read.
   * @param words the values of its fields, from `at` on
   */
  learn(
    type: EventType,
    fields: FieldParser,
    bytes: Uint8Array,
    body: number,
    newline: number,
    words: Uint32Array,
    at: number,
  ): void {
    const reason = this.#state[stateWord.why];
    const length = newline - body;
    if (reason === why.noForm && fields.plain && length >= MIN_EVENT && length <= MAX_EVENT) {
      this.#learnForm(type, fields, bytes, body, newline);
    }
    if (reason === why.noForm || reason === why.noText) this.#learnTexts(type, fields, bytes, words, at);
  }

  #learnForm(type: EventType, fields: FieldParser, bytes: Uint8Array, body: number, newline: number): void {
    const { spans, spanCount, present, place } = fields;
    const module = this.#module;
    const base = this.#textAt - this.#from;
    if (!module.beginForm(base + body, type.id, present, type.fields.length)) return;
    let p = body;
    if (type.layout === "probe") {
      module.addPiece(base + p, place.start - p, kind.place, 0, 0);
      p = place.end;
    }
    for (let i = 0; i < spanCount; i++) {
      const span = spans[i]!;
      const slot = 2 * span.field;
      const what = kindOf(type, span.field);
      // What stands before the digits is fixed, 0x too.
      const hex = what === kind.number && bytes[span.start] === 48 && bytes[span.start + 1] === 120;
      const start = hex ? span.start + 2 : span.start;
      module.addPiece(base + p, start - p, hex ? kind.hex : what, slot, span.next.length);
      p = span.end;
    }
    module.endForm(base + body, base + p, newline + 1 - p);
  }

  #learnTexts(type: EventType, fields: FieldParser, bytes: Uint8Array, words: Uint32Array, at: number): void {
    const base = this.#textAt - this.#from;
    for (let i = 0; i < fields.spanCount; i++) {
      const { start, end, field } = fields.spans[i]!;
      const what = kindOf(type, field);
      if (what === kind.hex || what === kind.number) continue;
      const id = words[at + 2 * field]!;
      if (id > 0 && isPlain(bytes, start, end)) this.#module.know(base + start, end - start, id);
    }
  }
}

/** How a field is read: in a probe everything but a symbol is a number. */
function kindOf(type: EventType, field: number): number {
  const written = type.fields[field]!.type;
  if (written === "symbol") return kind.symbol;
  if (written === "number" || type.layout === "probe") return kind.number;
  if (written === "hex") return kind.hex;
  return written === "word" ? kind.word : kind.phrase;
}

/**
 * Whether a text means the same wherever it stands: it is ASCII, and in a symbol's place it is one. No symbol has a "=", and
 * "(fault)" is no symbol.
 */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 127 || bytes[i] === EQUALS) return false;
  return bytes[start] !== OPENING;
}
