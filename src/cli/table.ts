// Tables and lines that fit a width. Pure functions on text.

/** What a table is made of. */
export type Cell = string | number;

const GAP = "  ";
/** Narrower than this no column is wrapped: it could not be read. */
const LEAST = 16;

/** Columns that a text takes in a terminal, as far as can be told without a table of all characters. */
export function textWidth(text: string): number {
  let width = 0;
  for (const char of text) width += isWide(char) ? 2 : /\p{Mn}/u.test(char) ? 0 : 1;
  return width;
}

// East Asian scripts and pictures; what lies between is rare in names of policies and files.
function isWide(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  return (
    code >= 0x1100 &&
    (code <= 0x115f ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff01 && code <= 0xff60) ||
      (code >= 0x1f300 && code <= 0x1faff) ||
      (code >= 0x20000 && code <= 0x3fffd))
  );
}

/**
 * A table of columns padded with spaces; the first row is the heading. What is too wide first gets a heading of several
 * lines, then a last column of several lines; what is too wide still is cut into parts one below the other.
 *
 * @param right numbers of the columns that align right
 * @param keys how many columns at the left tell rows apart: each part has them
 */
export function formatTable(
  rows: readonly (readonly Cell[])[],
  right: readonly number[] = [],
  width = Number.POSITIVE_INFINITY,
  keys = 1,
): string {
  const texts = rows.map((row) => row.map(String));
  const columns = Math.max(0, ...texts.map((row) => row.length));
  const all = Array.from({ length: columns }, (_, i) => i);
  const plain = measure(texts, all, (cell) => [cell]);
  if (total(plain, all) <= width) return draw(texts, all, plain, right, (cell) => [cell]);
  const stacked = measure(texts, all, stack);
  if (total(stacked, all) <= width) return draw(texts, all, stacked, right, stack);
  const last = columns - 1;
  const room = width - total(stacked, all.slice(0, -1)) - GAP.length;
  if (room >= LEAST && !right.includes(last)) {
    const widths = stacked.with(last, room);
    return draw(texts, all, widths, right, stack);
  }
  return split(texts, stacked, right, width, keys);
}

/** Parts of columns, each as wide as there is room for. */
function split(
  texts: readonly string[][],
  natural: readonly number[],
  right: readonly number[],
  width: number,
  keys: number,
): string {
  // What tells rows apart goes on in lines below only if no other column had room beside it.
  const room = width - Math.min(Math.max(...natural.slice(keys), 0), Math.max(LEAST, width >> 1)) - GAP.length * keys;
  const fits = total(natural, [...natural.keys()].slice(0, keys)) <= room;
  const most = fits ? width : Math.max(LEAST, Math.floor(room / keys));
  const repeated = natural.slice(0, keys).map((column) => Math.min(column, most));
  const left = Math.max(LEAST, width - repeated.reduce((sum, column) => sum + column + GAP.length, 0));
  const widths = [...repeated, ...natural.slice(keys).map((column) => Math.min(column, left))];
  const first = repeated.map((_, i) => i);
  const parts: number[][] = [];
  let part = first;
  for (let column = keys; column < widths.length; column++) {
    if (part.length > keys && total(widths, [...part, column]) > width) {
      parts.push(part);
      part = first;
    }
    part = [...part, column];
  }
  return [...parts, part].map((columns) => draw(texts, columns, widths, right, stack)).join("\n\n");
}

/** How a cell of a row is laid out before widths are known. */
type Layout = (cell: string, row: number) => string[];

const stack: Layout = (cell, row) => (row === 0 ? cell.split(" ") : [cell]);

function measure(texts: readonly string[][], columns: readonly number[], layout: Layout): number[] {
  return columns.map((column) =>
    Math.max(0, ...texts.flatMap((row, i) => layout(row[column] ?? "", i).map((line) => textWidth(line)))),
  );
}

function total(widths: readonly number[], columns: readonly number[]): number {
  return columns.reduce((sum, column) => sum + (widths[column] ?? 0), 0) + GAP.length * (columns.length - 1);
}

function draw(
  texts: readonly string[][],
  columns: readonly number[],
  widths: readonly number[],
  right: readonly number[],
  layout: Layout,
): string {
  return texts.flatMap((row, i) => drawRow(row, i, columns, widths, right, layout)).join("\n");
}

function drawRow(
  row: readonly string[],
  number: number,
  columns: readonly number[],
  widths: readonly number[],
  right: readonly number[],
  layout: Layout,
): string[] {
  const cells = columns.map((column) => {
    const width = widths[column] ?? 0;
    const cell = row[column] ?? "";
    // A heading that fits in one line needs no more, even where others are stacked.
    return textWidth(cell) <= width ? [cell] : layout(cell, number).flatMap((line) => wrapWords(line, width));
  });
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, at) =>
    columns
      .map((column, i) => {
        const lines = cells[i] ?? [];
        // Words of a heading stand on the line above the figures, other cells begin with their row.
        const text = lines[number === 0 ? at - (height - lines.length) : at] ?? "";
        const padding = " ".repeat(Math.max(0, (widths[column] ?? 0) - textWidth(text)));
        return right.includes(column) ? padding + text : text + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Text in lines of at most `width`, broken at spaces where there are any. */
function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (textWidth(longer) <= width) line = longer;
    else {
      if (line !== "") lines.push(line);
      const pieces = chop(word, width);
      line = pieces.pop() ?? "";
      lines.push(...pieces);
    }
  }
  return [...lines, line];
}

function chop(word: string, width: number): string[] {
  const pieces = [""];
  for (const char of word) {
    const longer = pieces.at(-1) + char;
    if (textWidth(longer) > width && pieces.at(-1) !== "") pieces.push(char);
    else pieces[pieces.length - 1] = longer;
  }
  return pieces;
}

/** A line of prose as lines of at most `width` columns, broken at single spaces; later ones are indented two more. */
export function wrapLine(line: string, width: number): string[] {
  if (width === Number.POSITIVE_INFINITY || textWidth(line) <= width) return [line];
  const numbered = /^ *(?:\d+ {2}|- )?/.exec(line)?.[0] ?? "";
  const indent = " ".repeat(Math.min(numbered.trim() === "" ? numbered.length + 2 : numbered.length, width >> 1));
  const lines: string[] = [];
  let text = line;
  while (textWidth(text) > width) {
    const at = breakOf(text, width, lines.length === 0 ? numbered.length : indent.length);
    if (at === -1) break;
    lines.push(text.slice(0, at).trimEnd());
    text = indent + text.slice(at).trimStart();
  }
  return [...lines, text];
}

/** Where a line is broken: the last space that fits, else the first one; -1 if there is none. Words stay whole. */
function breakOf(text: string, width: number, from: number): number {
  let used = 0;
  let at = -1;
  let i = 0;
  for (const char of text) {
    if (char === " " && i > from) {
      if (used <= width) at = i;
      else if (at === -1) return i;
    }
    if (used > width && at !== -1) return at;
    used += textWidth(char);
    i += char.length;
  }
  return at;
}
