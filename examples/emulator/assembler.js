// A tiny assembler: the few x86-64 instructions that the guest of this example is made of (encodings: SDM volume 2). Memory operands
// are [register] alone; registers are rax to rdi.

const REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
const REX_W = 0x48;

export class Assembler {
  /** @param {number} origin where the first byte will stand */
  constructor(origin) {
    this.origin = origin;
    /** @type {number[]} */
    this.bytes = [];
    /** @type {Map<string, number>} */
    this.labels = new Map();
    /** @type {{ at: number, size: 4 | 8, name: string }[]} */
    this.uses = [];
  }

  label(name) {
    this.labels.set(name, this.origin + this.bytes.length);
  }

  /** A 64-bit constant, or the address of a label. */
  set(register, value) {
    this.#emit(REX_W, 0xb8 + numberOf(register));
    if (typeof value === "string") this.#use(value, 8);
    else for (let i = 0n; i < 8n; i++) this.#emit(Number((BigInt(value) >> (8n * i)) & 0xffn));
  }

  load(to, from) {
    this.#emit(REX_W, 0x8b, memory(numberOf(to), from));
  }

  store(to, from) {
    this.#emit(REX_W, 0x89, memory(numberOf(from), to));
  }

  move(to, from) {
    this.#emit(REX_W, 0x89, both(numberOf(from), to));
  }

  add(to, from) {
    this.#emit(REX_W, 0x01, both(numberOf(from), to));
  }

  or(to, from) {
    this.#emit(REX_W, 0x09, both(numberOf(from), to));
  }

  and(to, from) {
    this.#emit(REX_W, 0x21, both(numberOf(from), to));
  }

  compare(one, other) {
    this.#emit(REX_W, 0x39, both(numberOf(other), one));
  }

  shiftLeft(register, bits) {
    this.#emit(REX_W, 0xc1, both(4, register), bits);
  }

  shiftRight(register, bits) {
    this.#emit(REX_W, 0xc1, both(5, register), bits);
  }

  push(register) {
    this.#emit(0x50 + numberOf(register));
  }

  pop(register) {
    this.#emit(0x58 + numberOf(register));
  }

  jump(name) {
    this.#emit(0xe9);
    this.#use(name, 4);
  }

  jumpIfEqual(name) {
    this.#emit(0x0f, 0x84);
    this.#use(name, 4);
  }

  jumpUnlessEqual(name) {
    this.#emit(0x0f, 0x85);
    this.#use(name, 4);
  }

  invlpg(address) {
    this.#emit(0x0f, 0x01, memory(7, address));
  }

  loadIdt(operand) {
    this.#emit(0x0f, 0x01, memory(3, operand));
  }

  toControl(number, from) {
    this.#emit(0x0f, 0x22, both(number, from));
  }

  fromControl(to, number) {
    this.#emit(0x0f, 0x20, both(number, to));
  }

  interrupt(vector) {
    this.#emit(0xcd, vector);
  }

  returnFromInterrupt() {
    this.#emit(REX_W, 0xcf);
  }

  halt() {
    this.#emit(0xf4);
  }

  /** The bytes, with every label where it is used. */
  finish() {
    const bytes = Uint8Array.from(this.bytes);
    const view = new DataView(bytes.buffer);
    for (const { at, size, name } of this.uses) {
      const target = this.labels.get(name);
      if (target === undefined) throw new Error(`no label ${name}`);
      if (size === 8) view.setBigUint64(at, BigInt(target), true);
      else view.setInt32(at, target - (this.origin + at + 4), true);
    }
    return bytes;
  }

  #emit(...bytes) {
    this.bytes.push(...bytes);
  }

  #use(name, size) {
    this.uses.push({ at: this.bytes.length, size, name });
    for (let i = 0; i < size; i++) this.bytes.push(0);
  }
}

function numberOf(register) {
  const number = REGISTERS.indexOf(register);
  if (number < 0) throw new Error(`no register ${register}`);
  return number;
}

/** A ModRM byte with a register operand. */
function both(field, register) {
  return 0xc0 | (field << 3) | numberOf(register);
}

/** A ModRM byte with [register]. */
function memory(field, register) {
  const base = numberOf(register);
  if (base === 4 || base === 5) throw new Error(`[${register}] has another encoding`);
  return (field << 3) | base;
}
