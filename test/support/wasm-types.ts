// Types of the functions that a WebAssembly module exports, read from its bytes (WebAssembly core specification, 5.5).

const VALUE_TYPES: Readonly<Record<number, string>> = { 127: "i32", 126: "i64", 125: "f32", 124: "f64", 123: "v128" };

class Bytes {
  at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get more(): boolean {
    return this.at < this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error(`offset ${this.at - 1}: expected a byte, the section has ended`);
    return byte;
  }

  /** An unsigned LEB128 number of up to 32 bits. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  take(count: number): Bytes {
    this.at += count;
    return new Bytes(this.bytes.subarray(this.at - count, this.at));
  }

  text(): string {
    return new TextDecoder().decode(this.take(this.number()).bytes);
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.number() }, read);
  }
}

/** Exported functions by name, as `(i32, i64) -> i32`. The module imports nothing. */
export function moduleTypes(module: Uint8Array): Map<string, string> {
  const bytes = new Bytes(module);
  bytes.take(8);
  const sections = new Map<number, Bytes>();
  while (bytes.more) sections.set(bytes.byte(), bytes.take(bytes.number()));
  const section = (id: number): Bytes => {
    const found = sections.get(id);
    if (!found) throw new Error(`section ${id}: expected one`);
    return found;
  };
  const values = (from: Bytes): string => from.list(() => VALUE_TYPES[from.byte()] ?? "?").join(", ");
  const typeSection = section(1);
  const types = typeSection.list(() => {
    const form = typeSection.byte();
    if (form !== 0x60) throw new Error(`type of form ${form}: expected a function's, 96`);
    return `(${values(typeSection)}) -> ${values(typeSection)}`;
  });
  const functionSection = section(3);
  const functions = functionSection.list(() => types[functionSection.number()] as string);
  const exportSection = section(7);
  const exported = new Map<string, string>();
  exportSection.list(() => {
    const name = exportSection.text();
    const kind = exportSection.byte();
    const index = exportSection.number();
    if (kind === 0) exported.set(name, functions[index] as string);
  });
  return exported;
}
