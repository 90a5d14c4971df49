// Notes of a core: CORE/NT_PRSTATUS and others are stepped over; "QEMU" notes hold the CPU state
// (QEMUCPUState in QEMU's target/i386/arch_dump.c, version 1).
import { hex } from "../base/notation.js";
import { CoreFormatError } from "./error.js";

const NOTE_HEADER_SIZE = 12;
const STATE_VERSION = 1;
// Version 1 up to cr4; kernel_gs_base was appended later without a new version number.
const STATE_SIZE_WITHOUT_GS = 432;
const STATE_SIZE = 440;
const REGISTERS = "rax rbx rcx rdx rsi rdi rsp rbp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags".split(" ");
const SEGMENTS_AT = 8 + 18 * 8;
const SEGMENT_SIZE = 24;
const CONTROL_AT = SEGMENTS_AT + 10 * SEGMENT_SIZE;

/** Registers of one CPU from its QEMU note. */
export interface CoreCpu {
  /** Position of the CPU among the QEMU notes, from 0. */
  index: number;
  /** File offset of the note's descriptor, in bytes. */
  offset: number;
  /** General registers, `rip` and `rflags` by lower-case name. */
  registers: Readonly<Record<string, bigint>>;
  /** Current privilege level: the low two bits of CS. */
  cpl: number;
  /** Register CR0. */
  cr0: bigint;
  /** Register CR2: the address of the last page fault. */
  cr2: bigint;
  /** Register CR3. */
  cr3: bigint;
  /** Register CR4. */
  cr4: bigint;
  /** MSR KERNEL_GS_BASE; undefined in notes of QEMU versions that did not save it. */
  kernelGsBase: bigint | undefined;
}

/**
 * Reads the notes of one PT_NOTE segment.
 *
 * @param bytes the segment's bytes
 * @param base file offset of the segment, in bytes, for messages
 * @param firstCpu index that the first CPU found gets
 * @throws CoreFormatError if a note leaves the segment or a QEMU note has an unknown layout
 */
export function readNotes(bytes: Uint8Array, base: number, firstCpu: number, file: string): CoreCpu[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cpus: CoreCpu[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + NOTE_HEADER_SIZE > bytes.length) {
      throw new CoreFormatError("size left for a note header", {
        file,
        offset: base + at,
        value: `${bytes.length - at} byte(s)`,
        expected: `${NOTE_HEADER_SIZE}`,
      });
    }
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    const nameAt = at + NOTE_HEADER_SIZE;
    const stateAt = nameAt + align4(nameSize);
    if (stateAt + size > bytes.length) {
      throw new CoreFormatError("end of note", {
        file,
        offset: base + at,
        value: hex(base + stateAt + size),
        expected: `at most the end of the note segment ${hex(base + bytes.length)}`,
      });
    }
    if (type === 0 && isQemu(bytes.subarray(nameAt, nameAt + nameSize))) {
      const index = firstCpu + cpus.length;
      const state = new DataView(bytes.buffer, bytes.byteOffset + stateAt, size);
      cpus.push(readCpuState(state, base + stateAt, index, file));
    }
    at = stateAt + align4(size);
  }
  return cpus;
}

function readCpuState(state: DataView, offset: number, index: number, file: string): CoreCpu {
  const check = (what: string, value: number, ok: boolean, expected: string, at = 0) => {
    if (!ok) {
      throw new CoreFormatError(`${what} of the QEMU note of CPU ${index}`, {
        file,
        offset: offset + at,
        value: String(value),
        expected,
      });
    }
  };
  const length = state.byteLength;
  check("size", length, length >= STATE_SIZE_WITHOUT_GS, `at least ${STATE_SIZE_WITHOUT_GS} bytes`);
  const version = state.getUint32(0, true);
  check("version", version, version === STATE_VERSION, String(STATE_VERSION));
  const stated = state.getUint32(4, true);
  check("stated size", stated, stated >= STATE_SIZE_WITHOUT_GS && stated <= length, `at most ${length}`, 4);
  const u64 = (at: number) => state.getBigUint64(at, true);
  return {
    index,
    offset,
    registers: Object.fromEntries(REGISTERS.map((name, i) => [name, u64(8 + 8 * i)])),
    cpl: state.getUint32(SEGMENTS_AT, true) & 3,
    cr0: u64(CONTROL_AT),
    cr2: u64(CONTROL_AT + 16),
    cr3: u64(CONTROL_AT + 24),
    cr4: u64(CONTROL_AT + 32),
    kernelGsBase: stated >= STATE_SIZE ? u64(CONTROL_AT + 40) : undefined,
  };
}

// The name counts its terminating zero byte.
function isQemu(name: Uint8Array): boolean {
  return name.length === 5 && String.fromCharCode(...name) === "QEMU\0";
}

function align4(size: number): number {
  return Math.ceil(size / 4) * 4;
}
