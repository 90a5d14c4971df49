// A WebAssembly module of two functions over the memory of another instance, so that the engine reads and marks entries there without
// JavaScript in between. It is put together here, as physical addresses of the ranges and their places are part of it.

import type { GuestMemory, MemoryRange } from "./host-memory.js";

/** A `WebAssembly.Memory`. */
export interface WasmMemory {
  /** What it holds, as long as it does not grow. */
  readonly buffer: ArrayBufferLike;
}

/** A range of guest memory, and where it stands. */
export interface PlacedRange extends MemoryRange {
  /** Where its first byte is in the source, a multiple of 8. */
  offset: number;
}

// ---- codes of WebAssembly that are needed ----
const I32 = 0x7f;
const I64 = 0x7e;
const FUNCTION = 0x60;
const NO_RESULT = 0x40;
const [SECTION_TYPES, SECTION_IMPORTS, SECTION_FUNCTIONS, SECTION_EXPORTS, SECTION_CODE] = [1, 2, 3, 7, 10];
const [KIND_FUNCTION, KIND_MEMORY] = [0, 2];
const [UNREACHABLE, IF, END, RETURN, CALL] = [0x00, 0x04, 0x0b, 0x0f, 0x10];
const [LOCAL_GET, LOCAL_TEE, I32_CONST, I64_CONST] = [0x20, 0x22, 0x41, 0x42];
const [I64_LOAD, I64_STORE, I64_EQ, I64_LT_U] = [0x29, 0x37, 0x51, 0x54];
const [I32_ADD, I64_SUB, I32_WRAP_I64] = [0x6a, 0x7d, 0xa7];
const ATOMIC = 0xfe;
const [ATOMIC_LOAD, ATOMIC_EXCHANGE] = [0x11, 0x49];
/** Words of 8 bytes, without a further offset. */
const ALIGNED = [3, 0];
/** Most pages of 64 KiB that a memory may have: any shared memory fits. */
const MOST_PAGES = 65536;

/** An unsigned number in LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return [...bytes, left];
}

/** A signed number in LEB128. */
function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let left = value; ; ) {
    const byte = Number(left & 0x7fn);
    left >>= 7n;
    if ((left === 0n && byte < 0x40) || (left === -1n && byte >= 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

const text = (value: string): number[] => [value.length, ...[...value].map((letter) => letter.charCodeAt(0))];
const section = (id: number, ...items: number[][]): number[] => {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
};
const type = (parameters: number[], result: number): number[] => [
  FUNCTION,
  parameters.length,
  ...parameters,
  1,
  result,
];
/** A function's body, with so many locals of 64 bits. */
const body = (locals: number, ...code: number[]): number[] => {
  const content = [...(locals > 0 ? [1, locals, I64] : [0]), ...code, END];
  return [...unsigned(content.length), ...content];
};

/** If the address (local 0) lies in a range, its place in memory is the result; local 1 is scratch. */
function placeIn({ base, bytes, offset }: PlacedRange): number[] {
  const inside = [
    LOCAL_GET,
    0,
    I64_CONST,
    ...signed(base),
    I64_SUB,
    LOCAL_TEE,
    1,
    I64_CONST,
    ...signed(BigInt(bytes)),
    I64_LT_U,
  ];
  const place = [LOCAL_GET, 1, I32_WRAP_I64, I32_CONST, ...signed(BigInt(offset | 0)), I32_ADD];
  return [...inside, IF, NO_RESULT, ...place, RETURN, END];
}

/** The bytes of the module. Of its functions 0 gives an address's place, 1 loads, 2 exchanges. */
function moduleOf(shared: boolean, ranges: readonly PlacedRange[]): Uint8Array<ArrayBuffer> {
  const place = [LOCAL_GET, 0, CALL, 0];
  const load = shared ? [ATOMIC, ATOMIC_LOAD, ...ALIGNED] : [I64_LOAD, ...ALIGNED];
  const exchange = shared
    ? body(0, ...place, LOCAL_GET, 1, LOCAL_GET, 2, ATOMIC, ATOMIC_EXCHANGE, ...ALIGNED)
    : body(
        1,
        ...[...place, I64_LOAD, ...ALIGNED, LOCAL_TEE, 3, LOCAL_GET, 1, I64_EQ],
        ...[IF, NO_RESULT, ...place, LOCAL_GET, 2, I64_STORE, ...ALIGNED, END, LOCAL_GET, 3],
      );
  const limits = shared ? [3, 0, ...unsigned(MOST_PAGES)] : [0, 0];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(SECTION_TYPES, type([I64], I32), type([I64], I64), type([I64, I64, I64], I64)),
    ...section(SECTION_IMPORTS, [...text("guest"), ...text("memory"), KIND_MEMORY, ...limits]),
    ...section(SECTION_FUNCTIONS, [0], [1], [2]),
    ...section(SECTION_EXPORTS, [...text("load"), KIND_FUNCTION, 1], [...text("compareExchange"), KIND_FUNCTION, 2]),
    ...section(SECTION_CODE, body(1, ...ranges.flatMap(placeIn), UNREACHABLE), body(0, ...place, ...load), exchange),
  ]);
}

/** The two functions over a memory; what lies in no range traps. */
export function accessorsOf(
  memory: WasmMemory,
  shared: boolean,
  ranges: readonly PlacedRange[],
): Pick<GuestMemory, "load" | "compareExchange"> {
  const module = new WebAssembly.Module(moduleOf(shared, ranges));
  const { exports } = new WebAssembly.Instance(module, { guest: { memory: memory as WebAssembly.Memory } });
  const { load, compareExchange } = exports as Record<string, unknown>;
  return { load, compareExchange } as Pick<GuestMemory, "load" | "compareExchange">;
}
