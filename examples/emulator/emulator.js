// A toy emulator of an x86-64 CPU in 64-bit mode, to show its load/store path: guest RAM is the machine's, every access is translated
// by the machine's CPU, a fault becomes the guest's page fault, INVLPG and MOV to CR3 are passed on. It knows the instructions of
// assembler.js. What it leaves out: segments (CS says the privilege, no more), the TSS (the stack of the kernel is an option), most
// flags.

import { Access, createMachineSync } from "stalewalk";

const RSP = 4;
const ZERO = 1n << 6n;
const KERNEL_CODE = 0x08n;
const PAGE_FAULT = 14;
const WORD = (1n << 64n) - 1n;
/** Reads and writes that the guest itself made, by privilege. */
const KINDS = {
  supervisor: { read: Access.supervisorRead, write: Access.supervisorWrite, fetch: Access.supervisorFetch },
  user: { read: Access.userRead, write: Access.userWrite, fetch: Access.userFetch },
};

/** Thrown by an access that the guest has to handle; the instruction is begun again afterwards. */
class PageFault extends Error {
  constructor(address, errorCode) {
    super(`page fault at ${address.toString(16)}, error code ${errorCode}`);
    this.address = address;
    this.errorCode = errorCode;
  }
}

export class Emulator {
  /**
   * @param {{ bytes: number, caches?: object, kernelStack: bigint, device?: (offset: number, value: bigint) => void,
   *   watch?: { access?: Function, store?: Function, invlpg?: Function, toCr3?: Function } }} options
   *   `device` gets what the guest writes behind its RAM; `watch` is told of everything that concerns translation.
   */
  constructor({ bytes, caches = {}, kernelStack, device, watch = {} }) {
    this.machine = createMachineSync({
      ram: { bytes },
      tables: 1,
      workloadPages: 1,
      // Supervisor code that fetches or touches user pages is none of this guest's.
      cpus: [{ ...caches, controls: { pcide: true, pke: false } }],
    });
    this.cpu = this.machine.cpus[0];
    this.ram = this.machine.ram;
    this.memory = new DataView(this.ram.buffer, this.ram.byteOffset, this.ram.byteLength);
    this.kernelStack = kernelStack;
    this.device = device;
    this.watch = watch;
    this.registers = new BigUint64Array(8);
    this.ip = 0n;
    this.flags = 2n;
    this.codeSegment = KERNEL_CODE;
    this.cr2 = 0n;
    this.cr3 = 0n;
    this.idt = 0n;
    this.halted = false;
    this.instructions = 0;
    this.faults = 0;
  }

  /** What firmware leaves behind: paging is on, the kernel's first instruction is next. */
  start(entry, cr3) {
    this.ip = BigInt(entry);
    this.registers[RSP] = this.kernelStack;
    this.#toCr3(cr3);
  }

  /** Runs until HLT. */
  run(most = 1_000_000) {
    while (!this.halted) {
      if (this.instructions++ === most) throw new Error(`no HLT within ${most} instructions`);
      const [ip, stack] = [this.ip, this.registers[RSP]];
      try {
        this.#step();
      } catch (error) {
        if (!(error instanceof PageFault)) throw error;
        this.ip = ip;
        this.registers[RSP] = stack;
        this.faults++;
        this.cr2 = error.address;
        this.#deliver(PAGE_FAULT, BigInt(error.errorCode));
      }
    }
  }

  // ---- memory ----

  /** Physical address for an access by the guest, or a page fault. Everything else hangs on this. */
  #translate(address, access) {
    const outcome = this.cpu.translate(address, access);
    this.watch.access?.(address, access, outcome);
    if (outcome.kind === "ok") return Number(outcome.physicalAddress);
    if (outcome.kind === "fault") throw new PageFault(address, outcome.errorCode);
    throw new Error(`${address.toString(16)}: ${outcome.kind}`);
  }

  #load(address, access = this.#kinds.read) {
    const at = this.#translate(whole(address), access);
    if (at + 8 > this.ram.length) throw new Error(`nothing to be read at ${at.toString(16)}`);
    return this.memory.getBigUint64(at, true);
  }

  #store(address, value) {
    const at = this.#translate(whole(address), this.#kinds.write);
    if (at + 8 > this.ram.length) {
      this.device?.(at - this.ram.length, value);
      return;
    }
    // No more than this: tables are RAM like any other, and the next walk reads what stands there.
    this.memory.setBigUint64(at, value, true);
    this.watch.store?.(at, value);
  }

  get #kinds() {
    return (this.codeSegment & 3n) === 3n ? KINDS.user : KINDS.supervisor;
  }

  // ---- instructions ----

  #step() {
    const code = new Code(this, (address) => this.#translate(address, this.#kinds.fetch));
    const first = code.byte();
    const wide = first === 0x48;
    const opcode = wide ? code.byte() : first;
    if (wide && opcode >= 0xb8 && opcode <= 0xbf) this.registers[opcode - 0xb8] = code.constant(8);
    else if (wide && opcode === 0xcf) return this.#returnFromInterrupt();
    else if (wide) this.#withOperands(opcode, code);
    else if (opcode >= 0x50 && opcode <= 0x57) this.#push(this.registers[opcode - 0x50]);
    else if (opcode >= 0x58 && opcode <= 0x5f) this.registers[opcode - 0x58] = this.#pop();
    else if (opcode === 0xe9) code.skip(code.constant(4));
    else if (opcode === 0xcd) return this.#interrupt(code);
    else if (opcode === 0xf4) this.halted = true;
    else if (opcode === 0x0f) this.#system(code);
    else throw new Error(`no instruction ${opcode.toString(16)} at ${this.ip.toString(16)}`);
    this.ip = code.next;
  }

  #withOperands(opcode, code) {
    const { mode, field, register } = code.operands();
    const { registers } = this;
    if (opcode === 0x8b && mode === 0) registers[field] = this.#load(registers[register]);
    else if (opcode === 0x89 && mode === 0) this.#store(registers[register], registers[field]);
    else if (mode !== 3) throw new Error(`no such operand of ${opcode.toString(16)}`);
    else if (opcode === 0x89) registers[register] = registers[field];
    else if (opcode === 0x01) registers[register] += registers[field];
    else if (opcode === 0x09) registers[register] |= registers[field];
    else if (opcode === 0x21) registers[register] &= registers[field];
    else if (opcode === 0x39) this.#setZero(registers[register] === registers[field]);
    else if (opcode === 0xc1 && field === 4) registers[register] <<= code.constant(1);
    else if (opcode === 0xc1 && field === 5) registers[register] >>= code.constant(1);
    else throw new Error(`no instruction 48 ${opcode.toString(16)} at ${this.ip.toString(16)}`);
  }

  #setZero(equal) {
    this.flags = equal ? this.flags | ZERO : this.flags & ~ZERO;
  }

  #system(code) {
    const opcode = code.byte();
    const isZero = (this.flags & ZERO) !== 0n;
    if (opcode === 0x84 || opcode === 0x85) {
      const distance = code.constant(4);
      if (isZero === (opcode === 0x84)) code.skip(distance);
      return;
    }
    if (this.#kinds === KINDS.user) throw new Error("a privileged instruction in user mode");
    const { mode, field, register } = code.operands();
    const value = this.registers[register];
    if (opcode === 0x22 && field === 3) this.#toCr3(value);
    else if (opcode === 0x20 && (field === 2 || field === 3))
      this.registers[register] = field === 2 ? this.cr2 : this.cr3;
    else if (opcode === 0x01 && mode === 0 && field === 7) this.#invlpg(value);
    else if (opcode === 0x01 && mode === 0 && field === 3) this.#loadIdt(value);
    else throw new Error(`no instruction 0f ${opcode.toString(16)} at ${this.ip.toString(16)}`);
  }

  /** The operand is a limit of 16 bits, then the address. */
  #loadIdt(operand) {
    this.idt = (this.#load(operand) >> 16n) | ((this.#load(operand + 8n) & 0xffffn) << 48n);
  }

  /** MOV to CR3 with CR4.PCIDE = 1: PCID in bits 0 to 11, bit 63 keeps what is cached for it. */
  #toCr3(value) {
    const [root, pcid, noFlush] = [value & 0x000f_ffff_ffff_f000n, Number(value & 0xfffn), value >> 63n === 1n];
    this.cr3 = value & ~(1n << 63n);
    this.cpu.movToCr3(root, pcid, noFlush);
    this.watch.toCr3?.(root, pcid, noFlush);
  }

  #invlpg(address) {
    this.cpu.invlpg(address);
    this.watch.invlpg?.(address);
  }

  // ---- interrupts ----

  #push(value) {
    this.#store(this.registers[RSP] - 8n, value);
    this.registers[RSP] -= 8n;
  }

  #pop() {
    const value = this.#load(this.registers[RSP]);
    this.registers[RSP] += 8n;
    return value;
  }

  #interrupt(code) {
    const vector = code.byte();
    this.ip = code.next;
    this.#deliver(vector);
  }

  /** Through the gate of a vector, an access that the CPU makes itself, onto the kernel's stack. A fault here is the toy's end. */
  #deliver(vector, errorCode) {
    const gate = this.idt + BigInt(vector * 16);
    const low = this.#load(gate, Access.implicitRead);
    const high = this.#load(gate + 8n, Access.implicitRead);
    const { ip, flags, codeSegment, registers } = this;
    const stack = registers[RSP];
    if ((codeSegment & 3n) === 3n) registers[RSP] = this.kernelStack;
    this.codeSegment = (low >> 16n) & 0xffffn;
    for (const value of [codeSegment + 8n, stack, flags, codeSegment, ip]) this.#push(value);
    if (errorCode !== undefined) this.#push(errorCode);
    this.ip = (low & 0xffffn) | ((low >> 32n) & 0xffff_0000n) | ((high & 0xffff_ffffn) << 32n);
  }

  #returnFromInterrupt() {
    const [ip, codeSegment, flags, stack] = [this.#pop(), this.#pop(), this.#pop(), this.#pop()];
    this.ip = ip;
    this.codeSegment = codeSegment;
    this.flags = flags;
    this.registers[RSP] = stack;
  }
}

/** The bytes of an instruction; a page is translated once for each. */
class Code {
  constructor(emulator, translate) {
    this.ram = emulator.ram;
    this.next = emulator.ip;
    this.translate = translate;
    this.page = -1n;
    this.at = 0;
  }

  byte() {
    if (this.next >> 12n !== this.page) {
      this.page = this.next >> 12n;
      this.at = this.translate(this.next);
    }
    this.next = (this.next + 1n) & WORD;
    return this.ram[this.at++];
  }

  /** A little-endian number. */
  constant(bytes) {
    let value = 0n;
    for (let i = 0; i < bytes; i++) value |= BigInt(this.byte()) << BigInt(8 * i);
    return value;
  }

  /** Goes on at a distance of 32 bits, with its sign. */
  skip(distance) {
    this.next = (this.next + BigInt.asIntN(32, distance)) & WORD;
  }

  operands() {
    const byte = this.byte();
    return { mode: byte >> 6, field: (byte >> 3) & 7, register: byte & 7 };
  }
}

/** What crosses pages would need two translations; this guest has no such access. */
function whole(address) {
  if ((address & 7n) !== 0n) throw new Error(`${address.toString(16)} is not aligned`);
  return address;
}
