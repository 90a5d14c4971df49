// The guest: a kernel of two address spaces with PCIDs, and a program that both run. The program touches pages that are not there yet;
// the kernel gives it frames, takes writing away from a page at each switch, now with INVLPG and now without, and gives it back when
// the program faults. All of its tables are stores of its own, but the first address space, which firmware has made.

import { Assembler } from "./assembler.js";

export const RAM_BYTES = 0x20_0000;
/** Pages that the program writes; it reads one more. */
export const PAGES = 12;
/** Each address space runs half as often. */
export const SWITCHES = 12;
export const KERNEL_STACK = 0xc000n;
/** Root, PDPT, PD and PT of each address space; PCIDs 1 and 2. */
export const SPACES = [
  { root: 0x1000, pdpt: 0x2000, pd: 0x3000, pt: 0x4000 },
  { root: 0x5000, pdpt: 0x6000, pd: 0x7000, pt: 0x8000 },
];
export const DATA = 0x50_0000;
/** Where the entries of the program's pages begin in a PT. */
export const DATA_ENTRIES = ((DATA >> 12) & 511) * 8;

const IDT = 0x9000;
const IDT_OPERAND = 0xa000;
// The kernel's variables.
const NEXT_FRAME = 0xa100;
const [TABLE, OTHER_TABLE, SPACE, OTHER_SPACE] = [0xa108, 0xa110, 0xa118, 0xa120];
const [FAULTS, SWITCHED] = [0xa128, 0xa130];
const KERNEL = 0x2_0000;
const PROGRAM = 0x3_0000;
const FRAMES = 0x10_0000;
const CODE = 0x40_0000;
const DEVICE = RAM_BYTES;

const [PRESENT, WRITABLE, USER, ACCESSED, DIRTY, LARGE, GLOBAL] = [1, 2, 4, 0x20, 0x40, 0x80, 0x100];
const TABLE_BITS = PRESENT | WRITABLE | USER;
const cr3Of = (space) => BigInt(SPACES[space].root) | BigInt(space + 1);
const KEEP = 1n << 63n;
const [USER_CODE_SEGMENT, USER_STACK_SEGMENT] = [0x33, 0x2b];

/** Loads the guest into an emulator, and begins it. */
export function boot(emulator) {
  const { memory, ram } = emulator;
  const put = (at, value) => memory.setBigUint64(at, BigInt(value), true);
  const [first] = SPACES;
  put(first.root, first.pdpt | TABLE_BITS);
  put(first.pdpt, first.pd | TABLE_BITS);
  put(first.pd, PRESENT | WRITABLE | LARGE | GLOBAL);
  put(first.pd + 8, DEVICE | PRESENT | WRITABLE | LARGE);
  put(first.pd + 16, first.pt | TABLE_BITS);
  put(first.pt, PROGRAM | PRESENT | USER);
  const { bytes, labels } = kernel();
  ram.set(bytes, KERNEL);
  ram.set(program(), PROGRAM);
  for (const [vector, name] of [
    [14, "page fault"],
    [0x80, "yield"],
  ]) {
    const handler = BigInt(labels.get(name));
    // An interrupt gate for CS 8, with DPL 3.
    put(IDT + vector * 16, (handler & 0xffffn) | (8n << 16n) | (0xeen << 40n) | ((handler >> 16n) << 48n));
    put(IDT + vector * 16 + 8, handler >> 32n);
  }
  emulator.start(KERNEL, cr3Of(0));
}

/** Adds one to every page of its data, looks at one page more, and yields; for ever. */
function program() {
  const a = new Assembler(CODE);
  a.label("start");
  a.set("rbx", DATA);
  a.label("next");
  a.load("rax", "rbx");
  a.set("rcx", 1);
  a.add("rax", "rcx");
  a.store("rbx", "rax");
  a.set("rcx", 0x1000);
  a.add("rbx", "rcx");
  a.set("rcx", DATA + PAGES * 0x1000);
  a.compare("rbx", "rcx");
  a.jumpUnlessEqual("next");
  a.load("rax", "rbx");
  a.interrupt(0x80);
  a.jump("start");
  return a.finish();
}

function kernel() {
  const a = new Assembler(KERNEL);
  begin(a);
  pageFault(a);
  yieldNow(a);
  finish(a);
  return { bytes: a.finish(), labels: a.labels };
}

/** A store of a constant; rax and rcx are lost. */
function put(a, at, value) {
  a.set("rax", at);
  a.set("rcx", value);
  a.store("rax", "rcx");
}

/** A constant into a register, and an operation with it. */
function withConstant(a, operation, register, constant, scratch = "rcx") {
  a.set(scratch, constant);
  a[operation](register, scratch);
}

function begin(a) {
  const [first, second] = SPACES;
  put(a, IDT_OPERAND, (BigInt(IDT) << 16n) | 0xfffn);
  a.set("rax", IDT_OPERAND);
  a.loadIdt("rax");
  put(a, second.root, second.pdpt | TABLE_BITS);
  put(a, second.pdpt, second.pd | TABLE_BITS);
  for (const at of [0, 8]) {
    a.set("rax", first.pd + at);
    a.load("rcx", "rax");
    a.set("rax", second.pd + at);
    a.store("rax", "rcx");
  }
  put(a, second.pd + 16, second.pt | TABLE_BITS);
  put(a, second.pt, PROGRAM | PRESENT | USER);
  put(a, NEXT_FRAME, FRAMES);
  put(a, TABLE, first.pt);
  put(a, OTHER_TABLE, second.pt);
  put(a, SPACE, cr3Of(0) | KEEP);
  put(a, OTHER_SPACE, cr3Of(1) | KEEP);
  for (const value of [USER_STACK_SEGMENT, 0, 2, USER_CODE_SEGMENT, CODE]) {
    a.set("rax", value);
    a.push("rax");
  }
  a.returnFromInterrupt();
}

const SAVED = ["rax", "rcx", "rdx", "rbx"];

function save(a) {
  for (const register of SAVED) a.push(register);
}

function restore(a) {
  for (const register of [...SAVED].reverse()) a.pop(register);
}

/** The program has no use for rsi and rdi. */
function pageFault(a) {
  a.label("page fault");
  a.pop("rdi");
  save(a);
  // The entry: the table of this address space, and 8 bytes for each page.
  a.fromControl("rax", 2);
  a.shiftRight("rax", 12);
  withConstant(a, "and", "rax", 511);
  a.shiftLeft("rax", 3);
  a.set("rcx", TABLE);
  a.load("rcx", "rcx");
  a.add("rax", "rcx");
  withConstant(a, "and", "rdi", 1);
  a.compare("rdi", "rcx");
  a.jumpIfEqual("protection");
  a.set("rcx", NEXT_FRAME);
  a.load("rdx", "rcx");
  a.move("rsi", "rdx");
  withConstant(a, "add", "rsi", 0x1000, "rbx");
  a.store("rcx", "rsi");
  withConstant(a, "or", "rdx", PRESENT | WRITABLE | USER);
  a.store("rax", "rdx");
  a.jump("handled");
  // The page is there, so writing was taken away. No INVLPG: the fault has dropped what was cached.
  a.label("protection");
  a.load("rdx", "rax");
  withConstant(a, "or", "rdx", WRITABLE);
  a.store("rax", "rdx");
  a.label("handled");
  increment(a, FAULTS);
  restore(a);
  a.returnFromInterrupt();
}

/** Adds 1 to a variable; rdx is its value then. */
function increment(a, variable) {
  a.set("rax", variable);
  a.load("rdx", "rax");
  withConstant(a, "add", "rdx", 1);
  a.store("rax", "rdx");
}

function yieldNow(a) {
  a.label("yield");
  save(a);
  increment(a, SWITCHED);
  a.set("rcx", SWITCHES);
  a.compare("rdx", "rcx");
  a.jumpIfEqual("finish");
  // One page of the program becomes read-only, another one each time.
  a.move("rsi", "rdx");
  withConstant(a, "and", "rsi", 7);
  a.move("rbx", "rsi");
  a.shiftLeft("rbx", 3);
  withConstant(a, "add", "rbx", DATA_ENTRIES);
  a.set("rcx", TABLE);
  a.load("rcx", "rcx");
  a.add("rbx", "rcx");
  a.load("rax", "rbx");
  withConstant(a, "and", "rax", ~BigInt(WRITABLE) & ((1n << 64n) - 1n));
  a.store("rbx", "rax");
  // Twice in four times the TLB is told; otherwise what it holds may still be written through.
  withConstant(a, "and", "rdx", 2);
  a.compare("rdx", "rcx");
  a.jumpIfEqual("untold");
  a.shiftLeft("rsi", 12);
  withConstant(a, "add", "rsi", DATA);
  a.invlpg("rsi");
  a.label("untold");
  exchange(a, TABLE, OTHER_TABLE);
  exchange(a, SPACE, OTHER_SPACE);
  a.toControl(3, "rdx");
  restore(a);
  a.returnFromInterrupt();
}

/** Two variables; rdx is the first one's value then. */
function exchange(a, one, other) {
  a.set("rax", one);
  a.load("rcx", "rax");
  a.set("rbx", other);
  a.load("rdx", "rbx");
  a.store("rax", "rdx");
  a.store("rbx", "rcx");
}

/** Tells the device how many pages of this address space have A, how many D, and how many faults there were. */
function finish(a) {
  a.label("finish");
  for (const mark of [ACCESSED, DIRTY]) {
    a.set("rbx", TABLE);
    a.load("rbx", "rbx");
    withConstant(a, "add", "rbx", DATA_ENTRIES);
    a.move("rsi", "rbx");
    withConstant(a, "add", "rsi", (PAGES + 1) * 8);
    a.set("rdi", 0);
    a.label(`look for ${mark}`);
    a.load("rdx", "rbx");
    withConstant(a, "and", "rdx", mark);
    a.compare("rdx", "rcx");
    a.jumpUnlessEqual(`without ${mark}`);
    withConstant(a, "add", "rdi", 1);
    a.label(`without ${mark}`);
    withConstant(a, "add", "rbx", 8);
    a.compare("rbx", "rsi");
    a.jumpUnlessEqual(`look for ${mark}`);
    a.set("rax", DEVICE);
    a.store("rax", "rdi");
  }
  a.set("rbx", FAULTS);
  a.load("rdi", "rbx");
  a.store("rax", "rdi");
  a.halt();
}
