// DEFLATE (RFC 1951), resumable at any input byte. The host's DecompressionStream is not used: at a damaged byte it
// throws away what it had already decoded (how much differs from run to run), names no offset, and browsers refuse files
// of several members. Here the same input gives the same output and the same diagnosis everywhere.
import { buildCode, type Code, FAST_BITS, fixedCodes, InflateError, MAX_BITS } from "./huffman.js";

/** What {@link Inflate.run} stopped for. */
export type InflateStop = "input" | "output" | "end";

/** Distance that a match may reach back, in bytes. */
const WINDOW = 32768;
const OUTPUT = 1 << 18;
const LENGTH_BASE = new Uint16Array([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
]);
const LENGTH_EXTRA = new Uint8Array([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
]);
const DISTANCE_BASE = new Uint16Array([
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
]);
const DISTANCE_EXTRA = new Uint8Array([
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
]);
const CODE_LENGTH_ORDER = new Uint8Array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/**
 * A resumable DEFLATE decoder. Feed it with {@link setInput}, call {@link run} until it asks for input, and after every
 * call read `output[outputStart, outputEnd)`, which stays valid until the next call.
 */
export class Inflate {
  /** Holds the last 32 KiB already given out, then the new bytes. */
  readonly output: Uint8Array = new Uint8Array(WINDOW + OUTPUT + 258);
  outputStart = 0;
  outputEnd = 0;
  /** The next input byte to be loaded, an index into the array given to {@link setInput}. */
  position = 0;

  #input: Uint8Array = new Uint8Array(0);
  #last = false;
  #bits = 0;
  #bitCount = 0;
  #state: "header" | "stored" | "codes" | "done" = "header";
  #finalBlock = false;
  #storedLeft = 0;
  #literal: Code = { table: new Int32Array(0) };
  #distance: Code = { table: new Int32Array(0) };
  /** Bytes produced so far in this stream: a match may not reach further back. */
  #produced = 0;

  /** Starts a new stream at the next whole byte. */
  reset(): void {
    this.#state = "header";
    this.#finalBlock = false;
    this.#bits = 0;
    this.#bitCount = 0;
    this.#produced = 0;
    this.outputStart = this.outputEnd;
  }

  /** Gives the decoder `input` from `position` on; `last` says that nothing will follow. */
  setInput(input: Uint8Array, position: number, last: boolean): void {
    this.#input = input;
    this.position = position;
    this.#last = last;
  }

  /**
   * Moves `position` back over whole bytes that were loaded but not used. Done before every pause, so that no more than
   * seven bits are carried from one input array into the next.
   */
  #returnBytes(): void {
    this.position -= this.#bitCount >> 3;
    this.#bitCount &= 7;
    this.#bits &= (1 << this.#bitCount) - 1;
  }

  /**
   * Decodes until the input is used up to a point where a symbol might be cut ("input"), the output is full ("output"),
   * or the stream is complete ("end").
   * @throws InflateError on data that no encoder writes, and on input that ends early when it was said to be the last
   */
  run(): InflateStop {
    this.#slide();
    const limit = WINDOW + OUTPUT;
    for (;;) {
      if (this.outputEnd >= limit) return "output";
      switch (this.#state) {
        case "header":
          if (!this.#blockHeader()) return this.#pause("input");
          break;
        case "stored":
          if (!this.#copyStored(limit)) return this.#pause(this.outputEnd >= limit ? "output" : "input");
          break;
        case "codes": {
          const stop = this.#decode(limit);
          if (stop !== undefined) return this.#pause(stop);
          break;
        }
        case "done":
          return this.#pause("end");
      }
    }
  }

  #pause(stop: InflateStop): InflateStop {
    this.#returnBytes();
    return stop;
  }

  #slide(): void {
    if (this.outputEnd > WINDOW) {
      this.output.copyWithin(0, this.outputEnd - WINDOW, this.outputEnd);
      this.outputEnd = WINDOW;
    }
    this.outputStart = this.outputEnd;
  }

  #available(): number {
    return this.#input.length - this.position;
  }

  /** Loads whole bytes until `count` (at most 16) bits are there; false if the input is used up. */
  #need(count: number): boolean {
    while (this.#bitCount < count) {
      if (this.position >= this.#input.length) {
        if (this.#last) throw new InflateError("the data ends in the middle of a block (cut file?)");
        return false;
      }
      this.#bits |= this.#input[this.position++]! << this.#bitCount;
      this.#bitCount += 8;
    }
    return true;
  }

  #take(count: number): number {
    if (!this.#need(count)) throw new InflateError("internal: a block header was started without its input");
    const value = this.#bits & ((1 << count) - 1);
    this.#bits >>>= count;
    this.#bitCount -= count;
    return value;
  }

  #endOfBlock(): void {
    this.#state = this.#finalBlock ? "done" : "header";
  }

  /** Reads a block header whole (a dynamic one takes less than 320 bytes), or nothing of it. */
  #blockHeader(): boolean {
    if (!this.#last && this.#available() < 320) return false;
    this.#finalBlock = this.#take(1) === 1;
    const type = this.#take(2);
    if (type === 0) {
      this.#bits >>>= this.#bitCount & 7;
      this.#bitCount &= ~7;
      const length = this.#take(16);
      const complement = this.#take(16);
      if ((length ^ complement) !== 0xffff) throw new InflateError("the length of a stored block contradicts itself");
      this.#storedLeft = length;
      this.#state = "stored";
    } else if (type === 1) {
      const fixed = fixedCodes();
      this.#literal = fixed.literal;
      this.#distance = fixed.distance;
      this.#state = "codes";
    } else if (type === 2) {
      this.#dynamicCodes();
      this.#state = "codes";
    } else {
      throw new InflateError("a block of type 3, which does not exist");
    }
    return true;
  }

  #dynamicCodes(): void {
    const literals = this.#take(5) + 257;
    const distances = this.#take(5) + 1;
    const lengthCodes = this.#take(4) + 4;
    if (literals > 286) throw new InflateError(`${literals} literal codes where at most 286 are allowed`);
    if (distances > 30) throw new InflateError(`${distances} distance codes where at most 30 are allowed`);
    const lengths = new Uint8Array(320);
    for (let i = 0; i < lengthCodes; i++) lengths[CODE_LENGTH_ORDER[i]!] = this.#take(3);
    const code = buildCode(lengths, 19, "code-length");
    lengths.fill(0);
    const total = literals + distances;
    for (let at = 0; at < total; ) {
      const symbol = this.#symbol(code);
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) throw new InflateError("a repeated code length without one before it");
      const value = symbol === 16 ? lengths[at - 1]! : 0;
      const repeat = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
      if (at + repeat > total) throw new InflateError("a repeated code length runs over the end of the table");
      lengths.fill(value, at, at + repeat);
      at += repeat;
    }
    if (lengths[256] === 0) throw new InflateError("a block without an end-of-block code");
    this.#literal = buildCode(lengths, literals, "literal");
    this.#distance = buildCode(lengths.subarray(literals), distances, "distance");
  }

  /** One symbol, bit-exact at the end of the input; used for headers only. */
  #symbol(code: Code): number {
    for (let have = 1; have <= MAX_BITS; have++) {
      this.#need(have);
      let entry = code.table[this.#bits & ((1 << FAST_BITS) - 1)]!;
      if (entry < 0) entry = code.table[-entry + ((this.#bits >>> FAST_BITS) & 31)]!;
      const bits = entry & 15;
      if (bits !== 0 && bits <= have) {
        this.#bits >>>= bits;
        this.#bitCount -= bits;
        return entry >> 4;
      }
    }
    throw new InflateError("a bit pattern that is no code");
  }

  #copyStored(limit: number): boolean {
    while (this.#storedLeft > 0 && this.#bitCount >= 8 && this.outputEnd < limit) {
      this.output[this.outputEnd++] = this.#take(8);
      this.#storedLeft--;
      this.#produced++;
    }
    const count = Math.min(this.#storedLeft, this.#available(), limit - this.outputEnd);
    if (count > 0) {
      this.output.set(this.#input.subarray(this.position, this.position + count), this.outputEnd);
      this.position += count;
      this.outputEnd += count;
      this.#storedLeft -= count;
      this.#produced += count;
    }
    if (this.#storedLeft === 0) {
      this.#endOfBlock();
      return true;
    }
    if (this.outputEnd < limit && this.#last) throw new InflateError("the data ends inside a stored block (cut file?)");
    return false;
  }

  /**
   * The hot loop. The bit buffer is refilled bytewise up to 24 bits; one symbol with its extra bits takes at most 48
   * bits, hence the refill between them. Eight bytes before the end of a chunk it hands over and waits for the next one.
   */
  #decode(limit: number): InflateStop | undefined {
    const { output } = this;
    const input = this.#input;
    const literal = this.#literal.table;
    const distance = this.#distance.table;
    const fastMask = (1 << FAST_BITS) - 1;
    const last = this.#last;
    const safe = last ? input.length : input.length - 8;
    let { position, outputEnd } = this;
    let bits = this.#bits;
    let bitCount = this.#bitCount;
    const before = this.#produced - outputEnd;
    let stop: InflateStop | undefined;
    let failure = "";
    let symbolStart = outputEnd;
    for (;;) {
      if (outputEnd >= limit) {
        stop = "output";
        break;
      }
      if (position > safe) {
        if (!last) {
          stop = "input";
          break;
        }
        if (position - (bitCount >> 3) > input.length) break;
      }
      symbolStart = outputEnd;
      while (bitCount < 24) {
        bits |= (input[position++] ?? 0) << bitCount;
        bitCount += 8;
      }
      let entry = literal[bits & fastMask]!;
      if (entry < 0) entry = literal[-entry + ((bits >>> FAST_BITS) & 31)]!;
      let used = entry & 15;
      if (used === 0) {
        failure = "a bit pattern that is no literal code";
        break;
      }
      bits >>>= used;
      bitCount -= used;
      const symbol = entry >> 4;
      if (symbol < 256) {
        output[outputEnd++] = symbol;
        continue;
      }
      if (symbol === 256) {
        this.#endOfBlock();
        break;
      }
      if (symbol > 285) {
        failure = `length code ${symbol}, which does not exist`;
        break;
      }
      const lengthExtra = LENGTH_EXTRA[symbol - 257]!;
      const length = LENGTH_BASE[symbol - 257]! + (bits & ((1 << lengthExtra) - 1));
      bits >>>= lengthExtra;
      bitCount -= lengthExtra;
      while (bitCount < 24) {
        bits |= (input[position++] ?? 0) << bitCount;
        bitCount += 8;
      }
      entry = distance[bits & fastMask]!;
      if (entry < 0) entry = distance[-entry + ((bits >>> FAST_BITS) & 31)]!;
      used = entry & 15;
      if (used === 0) {
        failure = "a bit pattern that is no distance code";
        break;
      }
      bits >>>= used;
      bitCount -= used;
      const distanceSymbol = entry >> 4;
      if (distanceSymbol > 29) {
        failure = `distance code ${distanceSymbol}, which does not exist`;
        break;
      }
      const distanceExtra = DISTANCE_EXTRA[distanceSymbol]!;
      while (bitCount < distanceExtra) {
        bits |= (input[position++] ?? 0) << bitCount;
        bitCount += 8;
      }
      const back = DISTANCE_BASE[distanceSymbol]! + (bits & ((1 << distanceExtra) - 1));
      bits >>>= distanceExtra;
      bitCount -= distanceExtra;
      let from = outputEnd - back;
      if (back > before + outputEnd) {
        failure = `a match ${back} bytes back where only ${before + outputEnd} bytes exist`;
        break;
      }
      if (length > 48 && back >= length) {
        output.copyWithin(outputEnd, from, from + length);
        outputEnd += length;
      } else {
        for (const end = outputEnd + length; outputEnd < end; ) output[outputEnd++] = output[from++]!;
      }
    }
    if (position - (bitCount >> 3) > input.length) {
      // The last symbol was made of zero bits beyond the end: what it decoded to is not data.
      failure = "the data ends in the middle of a block (cut file?)";
      outputEnd = symbolStart;
    }
    this.#produced = before + outputEnd;
    this.position = position;
    this.outputEnd = outputEnd;
    this.#bits = bits;
    this.#bitCount = bitCount;
    if (failure !== "") throw new InflateError(failure);
    return stop;
  }
}
