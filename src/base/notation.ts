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

/**
 * A row of CSV with its end (RFC 4180): a text with a comma or quote is quoted, nothing is an empty cell. A text that a spreadsheet would
 * take for a formula gets an apostrophe in front, which makes it text there.
 */
export function csvRow(cells: readonly (string | number | boolean | null | undefined)[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(value: string | number | boolean | null | undefined): string {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
