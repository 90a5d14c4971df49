// Builds cores for tests: every field can be set, so that tests can break one thing at a time.

export interface BuildSegment {
  address: bigint;
  bytes: Uint8Array;
  memorySize?: bigint;
  /** Use the file bytes of an earlier segment instead of own ones. */
  sameBytesAs?: number;
}

export interface BuildNote {
  name: string;
  type: number;
  content: Uint8Array;
}

export interface BuildOptions {
  segments?: BuildSegment[];
  notes?: BuildNote[];
  /** Store the number of program headers in section header 0. */
  extendedCount?: boolean;
}

const encoder = new TextEncoder();
const align = (value: number, to: number) => Math.ceil(value / to) * to;

export function buildCore({ segments = [], notes = [], extendedCount = false }: BuildOptions): Uint8Array {
  const note = concat(notes.map(encodeNote));
  const count = segments.length + (notes.length > 0 ? 1 : 0);
  const sectionAt = extendedCount ? 64 + 56 * count : 0;
  const noteAt = 64 + 56 * count + (extendedCount ? 64 : 0);
  let end = align(noteAt + note.length, 4096);
  const places: number[] = [];
  for (const segment of segments) {
    if (segment.sameBytesAs !== undefined) places.push(places[segment.sameBytesAs]!);
    else {
      places.push(end);
      end += segment.bytes.length;
    }
  }
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 4, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(32, 64n, true);
  view.setBigUint64(40, BigInt(sectionAt), true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, extendedCount ? 0xffff : count, true);
  if (extendedCount) view.setUint32(sectionAt + 44, count, true);
  let header = 64;
  const program = (type: number, offset: number, address: bigint, fileSize: number, memorySize: bigint) => {
    view.setUint32(header, type, true);
    view.setBigUint64(header + 8, BigInt(offset), true);
    view.setBigUint64(header + 24, address, true);
    view.setBigUint64(header + 32, BigInt(fileSize), true);
    view.setBigUint64(header + 40, memorySize, true);
    header += 56;
  };
  if (notes.length > 0) {
    program(4, noteAt, 0n, note.length, BigInt(note.length));
    file.set(note, noteAt);
  }
  segments.forEach((segment, i) => {
    const { address, bytes, memorySize = BigInt(bytes.length) } = segment;
    program(1, places[i]!, address, bytes.length, memorySize);
    if (segment.sameBytesAs === undefined) file.set(bytes, places[i]!);
  });
  return file;
}

/** A QEMU note: version 1, 440 bytes unless told. CR0 with PG and WP, CR4 with PAE unless told. */
export function qemuNote(
  registers: { cr0?: bigint; cr3?: bigint; cr4?: bigint; rflags?: bigint; cs?: number },
  layout: { version?: number; size?: number; length?: number } = {},
): BuildNote {
  const { version = 1, size = 440 } = layout;
  const length = layout.length ?? size;
  const content = new Uint8Array(Math.max(length, 440));
  const view = new DataView(content.buffer);
  view.setUint32(0, version, true);
  view.setUint32(4, size, true);
  view.setBigUint64(8 + 17 * 8, registers.rflags ?? 2n, true);
  view.setUint32(152, registers.cs ?? 0x33, true);
  view.setBigUint64(392, registers.cr0 ?? 0x80010000n, true);
  view.setBigUint64(416, registers.cr3 ?? 0n, true);
  view.setBigUint64(424, registers.cr4 ?? 0x20n, true);
  view.setBigUint64(432, 0xffff888000000000n, true);
  return { name: "QEMU", type: 0, content: content.subarray(0, length) };
}

/** The bytes of a table with some entries set. */
export function table(entries: Record<number, bigint>): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  for (const [index, entry] of Object.entries(entries)) view.setBigUint64(Number(index) * 8, entry, true);
  return bytes;
}

export async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export function concat(parts: Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function encodeNote({ name, type, content }: BuildNote): Uint8Array {
  const nameBytes = encoder.encode(`${name}\0`);
  const bytes = new Uint8Array(12 + align(nameBytes.length, 4) + align(content.length, 4));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, nameBytes.length, true);
  view.setUint32(4, content.length, true);
  view.setUint32(8, type, true);
  bytes.set(nameBytes, 12);
  bytes.set(content, 12 + align(nameBytes.length, 4));
  return bytes;
}
