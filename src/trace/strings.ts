// Text of fields (symbols, device names) as small numbers. A symbol appears a hundred thousand times in a trace and is
// decoded once. Bounded: a damaged file must not fill the memory with strings.

const decoder = new TextDecoder();

/** Texts numbered from 1; number 0 is the empty text, used also when the table is full. */
export class StringTable {
  readonly #texts: string[] = [""];
  #pool: Uint8Array = new Uint8Array(1 << 14);
  #poolUsed = 0;
  #starts: Uint32Array = new Uint32Array(1 << 10);
  #slots: Uint32Array = new Uint32Array(1 << 11);
  readonly #limit: number;
  /** How many texts did not get a number because the table was full; they all read as the empty text. */
  refused = 0;

  /** @param limit most texts kept */
  constructor(limit = 1 << 16) {
    this.#limit = limit;
  }

  /** How many texts there are, the empty one included. */
  get size(): number {
    return this.#texts.length;
  }

  /** The text with this number; the empty text if there is none. */
  get(id: number): string {
    return this.#texts[id] ?? "";
  }

  /** The number of a text given as a string. */
  add(text: string): number {
    const bytes = new TextEncoder().encode(text);
    return this.intern(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length));
  }

  /** The number of the text `bytes[start, end)`, whose `hashBytes()` is `hash`. */
  intern(bytes: Uint8Array, start: number, end: number, hash: number): number {
    if (start === end) return 0;
    const slots = this.#slots;
    const mask = slots.length - 1;
    const pool = this.#pool;
    const starts = this.#starts;
    const length = end - start;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let id = slots[slot]!; id !== 0; id = slots[slot]!) {
      const at = starts[id]!;
      if (starts[id + 1]! - at === length) {
        let i = 0;
        while (i < length && pool[at + i] === bytes[start + i]) i++;
        if (i === length) return id;
      }
      slot = (slot + 1) & mask;
    }
    return this.#insert(bytes, start, end, slot);
  }

  #insert(bytes: Uint8Array, start: number, end: number, slot: number): number {
    const id = this.#texts.length;
    if (id > this.#limit || end - start > 4096) {
      this.refused++;
      return 0;
    }
    const need = this.#poolUsed + end - start;
    if (need > this.#pool.length) {
      const grown = new Uint8Array(Math.max(need, this.#pool.length * 2));
      grown.set(this.#pool);
      this.#pool = grown;
    }
    this.#pool.set(bytes.subarray(start, end), this.#poolUsed);
    if (id + 1 >= this.#starts.length) {
      const grown = new Uint32Array(this.#starts.length * 2);
      grown.set(this.#starts);
      this.#starts = grown;
    }
    this.#starts[id] = this.#poolUsed;
    this.#starts[id + 1] = need;
    this.#poolUsed = need;
    this.#texts.push(decoder.decode(bytes.subarray(start, end)));
    this.#slots[slot] = id;
    if (id * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    for (let id = 1; id < this.#texts.length; id++) {
      const hash = hashBytes(this.#pool, this.#starts[id]!, this.#starts[id + 1]!);
      let slot = (hash ^ (hash >>> 15)) & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}

/** The hash that {@link StringTable.intern} wants; callers compute it while they look for the end of the text. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
  return hash;
}
