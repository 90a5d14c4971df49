// The errors of this folder. Each names the file, the place in it, the value found, and what was expected there.

import { StalewalkError } from "../base/errors.js";

/** What a {@link CoreFormatError} is about. */
export interface CoreFormatDetail {
  /** Name of the input as the caller gave it. */
  file: string;
  /** Byte offset of the value in the (inflated) file, if there is one place. */
  offset?: number;
  /** The value found, as text. */
  value: string;
  /** What was expected instead, as text. */
  expected: string;
}

/** Thrown when a file is not a usable ELF64 core: names the file, the byte offset, the value and what was expected. */
export class CoreFormatError extends StalewalkError {
  /** For telling errors apart without `instanceof`. */
  override readonly name = "CoreFormatError";
  /** Name of the input as the caller gave it. */
  readonly file: string;
  /** Byte offset in the (inflated) file; undefined if there is no one place. */
  readonly offset: number | undefined;
  /** The value found, as text. */
  declare readonly value: string;
  /** What was expected instead, as text. */
  readonly expected: string;

  constructor(what: string, detail: CoreFormatDetail) {
    const place = detail.offset === undefined ? "" : `offset 0x${detail.offset.toString(16)}: `;
    const message = `${detail.file}: ${place}${what} is ${detail.value}, expected ${detail.expected}`;
    super("core-format", message, what, detail.value);
    this.file = detail.file;
    this.offset = detail.offset;
    this.expected = detail.expected;
  }
}

/** Thrown when a line of a QEMU monitor listing can't be read: names the file, the line, its text and what was expected. */
export class ListingFormatError extends StalewalkError {
  /** For telling errors apart without `instanceof`. */
  override readonly name = "ListingFormatError";
  /** Name of the text as the caller gave it. */
  readonly file: string;
  /** Line number, from 1. */
  readonly line: number;
  /** The line as it stands. */
  declare readonly value: string;
  /** What was expected instead, as text. */
  readonly expected: string;

  constructor(file: string, line: number, value: string, expected: string) {
    const shown = value.length > 120 ? `${value.slice(0, 120)}…` : value;
    const message = `${file}: line ${line}: found ${JSON.stringify(shown)}, expected ${expected}`;
    super("listing-format", message, undefined, value);
    this.file = file;
    this.line = line;
    this.expected = expected;
  }
}

/** Thrown when an image is well formed but can't be walked as asked: no such CPU, no root table, too many mappings. */
export class ImageError extends StalewalkError {
  /** For telling errors apart without `instanceof`. */
  override readonly name = "ImageError";
  /** Name of the image as the caller gave it. */
  readonly file: string;

  constructor(file: string, message: string) {
    super("image", `${file}: ${message}`);
    this.file = file;
  }
}
