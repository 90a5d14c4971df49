// How numbers and names are shown and written: hexadecimal with 0x, in messages and in JSON alike.

/** A number or bigint in the notation used in messages, `0x1a2b`. @internal */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** A name of several words as the command line has it: `userRead` is `user-read`. @internal */
export function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Indented JSON of any result: bigints, which JSON has not, become strings like `"0x1a2b"`, which `BigInt()` reads back. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, item) => (typeof item === "bigint" ? hex(item) : item), 2);
}

/** The same in one line, without spaces. @internal */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, (_, item) => (typeof item === "bigint" ? hex(item) : item));
}
