// Reader of ELF64 little-endian ET_CORE images of physical memory (System V gABI, chapters 4 and 5; core notes as in
// QEMU's target/i386/arch_dump.c). PT_LOAD gives physical memory by p_paddr; the notes give the CPUs' registers.
// Every offset and size is checked against the file before it is used.
import { checkFields, type FieldsOf } from "../base/known-fields.js";
import { hex } from "../base/notation.js";
import { CoreFormatError } from "./error.js";
import { FirstOf } from "./first-of.js";
import { type FrameRun, layOutFrames, type Segment } from "./frames.js";
import { type CoreCpu, readNotes } from "./notes.js";
import { RECOGNISED_BYTES, recogniseImage } from "./recognise.js";
import { type ByteSource, memorySource } from "./source.js";

/** Size of the ELF header, in bytes. */
export const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const SECTION_HEADER_SIZE = 64;
const ELF_MAGIC = 0x7f454c46;
const PN_XNUM = 0xffff;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PAGE = 4096;
/** p_paddr of memory whose physical address the writer did not know, as vmalloc's in /proc/kcore. */
const NO_ADDRESS = 0xffff_ffff_ffff_ffffn;

/** Options of {@link readCore} and `openCore`. */
export interface CoreOptions {
  /** Name of the input for error messages. Default: `"core"`. */
  file?: string;
  /** Largest inflated size of gzip input, in bytes. Default: 4 GiB. Only `openCore` inflates. */
  maxBytes?: number;
  /** What was odd before the core is read; comes first in the image's warnings. */
  warnings?: readonly string[];
}

/** Fields of {@link CoreOptions}. */
export const CORE_FIELDS: FieldsOf<CoreOptions> = { file: true, maxBytes: true, warnings: true };

/** A read core: which frames it holds, their bytes, and the state of the CPUs. */
export class CoreImage {
  /** Name of the input as the caller gave it. */
  readonly file: string;
  /** The PT_LOAD segments in program-header order, as the file states them. */
  readonly segments: readonly Segment[];
  /** CPUs in the order of their QEMU notes; empty if the core has none. */
  readonly cpus: readonly CoreCpu[];
  /**
   * Oddities that did not stop the reading: overlapping or unaligned segments, memory without a physical address, bytes left
   * out. One sentence each; of many alike the first are told and the rest counted.
   */
  readonly warnings: readonly string[];
  /** Number of whole frames (4 KiB) whose bytes are in the file. */
  readonly frameCount: number;
  readonly #source: ByteSource;
  readonly #runs: readonly FrameRun[];

  /** @internal Use {@link readCore}. */
  constructor(file: string, source: ByteSource, segments: Segment[], cpus: CoreCpu[], warnings: readonly string[]) {
    const layout = layOutFrames(segments);
    this.file = file;
    this.segments = segments;
    this.cpus = cpus;
    this.warnings = [...warnings, ...layout.warnings];
    this.#source = source;
    this.#runs = layout.runs;
    this.frameCount = layout.runs.reduce((sum, run) => sum + run.count, 0);
  }

  /**
   * Bytes of a frame.
   *
   * @param frame frame number (physical address / 4096)
   * @returns 4096 bytes, not to be written to, or undefined if the core does not hold the whole frame
   */
  frame(frame: number): Uint8Array | undefined {
    const offset = this.#offsetOf(frame);
    return offset === undefined ? undefined : this.#source.read(offset, PAGE);
  }

  /** True if the core holds the whole frame of this frame number. */
  has(frame: number): boolean {
    return this.#offsetOf(frame) !== undefined;
  }

  #offsetOf(frame: number): number | undefined {
    const runs = this.#runs;
    let low = 0;
    let high = runs.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const run = runs[middle]!;
      if (frame < run.first) high = middle - 1;
      else if (frame >= run.first + run.count) low = middle + 1;
      else return run.offset + (frame - run.first) * PAGE;
    }
    return undefined;
  }
}

/**
 * Reads an uncompressed core.
 *
 * @param input the file's bytes, or a source of them
 * @throws CoreFormatError if the input is not an ELF64 little-endian core of x86-64, or a size or offset leaves the file
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { gunzipSync } from "node:zlib";
 * import { readCore } from "stalewalk/image";
 *
 * const image = readCore(gunzipSync(readFileSync("vm.core.gz")), { file: "vm.core" });
 * console.log(image.cpus[1].cr3.toString(16), image.has(0x407c)); // 407c000 true
 * try {
 *   readCore(new Uint8Array(100), { file: "empty.core" });
 * } catch (error) {
 *   console.log((error as Error).name); // CoreFormatError
 * }
 * ```
 */
export function readCore(input: Uint8Array | ByteSource, options: CoreOptions = {}): CoreImage {
  checkFields(options, CORE_FIELDS);
  const file = options.file ?? "core";
  const source = input instanceof Uint8Array ? memorySource(input) : input;
  const head = source.read(0, Math.min(source.size, RECOGNISED_BYTES));
  checkHeader(head, file);
  const { table, tableOffset, count } = programHeaders(source, file);
  const warnings = new FirstOf(options.warnings);
  const segments: Segment[] = [];
  const cpus: CoreCpu[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * PROGRAM_HEADER_SIZE;
    const type = table.getUint32(at, true);
    if (type !== PT_LOAD && type !== PT_NOTE) continue;
    const what = `program header ${index}`;
    if (type === PT_LOAD && table.getBigUint64(at + 24, true) === NO_ADDRESS) {
      const size = hex(table.getBigUint64(at + 32, true));
      warnings.add(`${what}: p_paddr is -1: memory without a physical address; its ${size} bytes are left out`);
      continue;
    }
    const offset = fileOffset(table.getBigUint64(at + 8, true), file, tableOffset + at + 8, `${what} p_offset`);
    const size = fileOffset(table.getBigUint64(at + 32, true), file, tableOffset + at + 32, `${what} p_filesz`);
    if (offset + size > source.size) {
      throw new CoreFormatError(`${what} p_offset + p_filesz`, {
        file,
        offset: tableOffset + at + 8,
        value: hex(offset + size),
        expected: `at most the file size ${hex(source.size)} (is the file cut short?)`,
      });
    }
    if (type === PT_NOTE) {
      cpus.push(...readNotes(source.read(offset, size), offset, cpus.length, file));
      continue;
    }
    segments.push(readLoad(table, at, { file, offset, size, tableOffset, what, index }));
  }
  return new CoreImage(file, source, segments, cpus, warnings.told());
}

/**
 * End of the last byte that a core's headers name, as far as it came: what lies behind it need not be kept.
 *
 * @returns undefined while the headers are not all there
 */
export function namedEnd(source: ByteSource, file: string): number | undefined {
  const header = new DataView(source.read(0, HEADER_SIZE).slice().buffer);
  const numbered = header.getUint16(56, true) !== PN_XNUM;
  const [phoff, shoff] = [32, 40].map((at) => Number(header.getBigUint64(at, true)));
  const headersEnd = numbered
    ? phoff! + header.getUint16(56, true) * PROGRAM_HEADER_SIZE
    : shoff! + SECTION_HEADER_SIZE;
  if (headersEnd > source.size) return undefined;
  if (!numbered && phoff! + programHeaderCount(header, source, file) * PROGRAM_HEADER_SIZE > source.size)
    return undefined;
  const { table, tableOffset, count } = programHeaders(source, file);
  let end = Math.max(headersEnd, tableOffset + table.byteLength);
  for (let at = 0; at < count * PROGRAM_HEADER_SIZE; at += PROGRAM_HEADER_SIZE) {
    const type = table.getUint32(at, true);
    const named = type === PT_NOTE || (type === PT_LOAD && table.getBigUint64(at + 24, true) !== NO_ADDRESS);
    if (named) end = Math.max(end, Number(table.getBigUint64(at + 8, true) + table.getBigUint64(at + 32, true)));
  }
  return end;
}

/**
 * Checks that a file begins as a core of x86-64 does.
 *
 * @param head its first bytes, {@link RECOGNISED_BYTES} or all there are
 * @throws CoreFormatError; of another known format it says which one, and what to do
 */
export function checkHeader(head: Uint8Array, file: string): void {
  const magic = head.length < 4 ? ELF_MAGIC : new DataView(head.buffer, head.byteOffset).getUint32(0, false);
  if (magic !== ELF_MAGIC) {
    const other = recogniseImage(head);
    throw new CoreFormatError("magic number", {
      file,
      offset: 0,
      value: other ? `${hex(magic)} (${other.what})` : hex(magic),
      expected: `${hex(ELF_MAGIC)} (an ELF file)${other ? `: ${other.way}` : ""}`,
    });
  }
  const header = view(memorySource(head), file, 0, HEADER_SIZE, "ELF header");
  const expect = (what: string, offset: number, value: number, wanted: number, meaning: string) => {
    if (value !== wanted) {
      throw new CoreFormatError(what, { file, offset, value: hex(value), expected: `${hex(wanted)} (${meaning})` });
    }
  };
  expect("EI_CLASS", 4, header.getUint8(4), 2, "ELF64");
  expect("EI_DATA", 5, header.getUint8(5), 1, "little endian");
  expect("e_type", 16, header.getUint16(16, true), 4, "ET_CORE");
  expect("e_machine", 18, header.getUint16(18, true), 62, "x86-64");
  expect("e_phentsize", 54, header.getUint16(54, true), PROGRAM_HEADER_SIZE, "the size of an ELF64 program header");
}

function programHeaders(source: ByteSource, file: string): { table: DataView; tableOffset: number; count: number } {
  const header = view(source, file, 0, HEADER_SIZE, "ELF header");
  const tableOffset = fileOffset(header.getBigUint64(32, true), file, 32, "e_phoff");
  const count = programHeaderCount(header, source, file);
  const table = view(source, file, tableOffset, count * PROGRAM_HEADER_SIZE, `table of ${count} program headers`);
  return { table, tableOffset, count };
}

// e_phnum has 16 bits; PN_XNUM sends the reader to sh_info of section header 0 (gABI, "ELF Header").
function programHeaderCount(header: DataView, source: ByteSource, file: string): number {
  const count = header.getUint16(56, true);
  if (count !== PN_XNUM) return count;
  const offset = fileOffset(header.getBigUint64(40, true), file, 40, "e_shoff");
  if (offset === 0) {
    throw new CoreFormatError("e_shoff", { file, offset: 40, value: "0", expected: "a section header for PN_XNUM" });
  }
  return view(source, file, offset, SECTION_HEADER_SIZE, "section header 0").getUint32(44, true);
}

interface LoadContext {
  file: string;
  offset: number;
  size: number;
  tableOffset: number;
  what: string;
  index: number;
}

function readLoad(table: DataView, at: number, context: LoadContext): Segment {
  const { file, offset, size, tableOffset, what, index } = context;
  const physicalAddress = table.getBigUint64(at + 24, true);
  const memorySize = table.getBigUint64(at + 40, true);
  if (memorySize < BigInt(size)) {
    throw new CoreFormatError(`${what} p_memsz`, {
      file,
      offset: tableOffset + at + 40,
      value: hex(memorySize),
      expected: `at least p_filesz ${hex(size)}`,
    });
  }
  // x86-64 has at most 52 bits of physical address; this also keeps every sum below 2^53.
  if (physicalAddress + memorySize > 1n << 52n) {
    throw new CoreFormatError(`${what} p_paddr + p_memsz`, {
      file,
      offset: tableOffset + at + 24,
      value: hex(physicalAddress + memorySize),
      expected: "at most 0x10000000000000 (52 bits of physical address)",
    });
  }
  return { index, physicalAddress, memorySize, fileOffset: offset, fileSize: size };
}

function fileOffset(value: bigint, file: string, offset: number, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new CoreFormatError(what, { file, offset, value: hex(value), expected: "an offset or size inside the file" });
  }
  return Number(value);
}

function view(source: ByteSource, file: string, offset: number, length: number, what: string): DataView {
  if (offset + length > source.size) {
    throw new CoreFormatError(`end of ${what}`, {
      file,
      offset,
      value: hex(offset + length),
      expected: `at most the file size ${hex(source.size)} (is the file cut short?)`,
    });
  }
  const bytes = source.read(offset, length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
