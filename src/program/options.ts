// What some operations of a program take besides numbers, and the types of records that it becomes (assembly/base/operations.ts).

import { InvalidOptionError } from "../base/errors.js";
import { boolean, isObject, object, optional, parse } from "../base/schema.js";
import { operationTypes as types } from "../engine/abi.js";

/** How memory is added to the direct map, or a KASAN shadow made. */
export interface HotAddOptions {
  /** Tables reserved at boot: their free is never deferred. */
  bootTables?: boolean;
  /** 4 KiB leaves instead of 2 MiB ones. */
  smallPages?: boolean;
  /** 1 GiB leaves: whole GiB only. */
  hugePages?: boolean;
  /** KASAN shadow: tables with the kernel's mark, removed without a flush. */
  shadow?: boolean;
  /** vmemmap whose leaves HVO has split: 4 KiB leaves, and PTs with the kernel's mark. */
  splitVmemmap?: boolean;
}

/** How user pages are mapped. */
export interface MmapOptions {
  /** 2 MiB leaves instead of 4 KiB ones. */
  large?: boolean;
  /** Without R/W. */
  readOnly?: boolean;
}

/** What an attacker writes into a frame that was freed. */
export type ReuseContents =
  | "zeroes"
  /** Every slot a user leaf (P, R/W, U/S; A and D clear) of this physical address. */
  | { userLeaf: bigint }
  /** Every slot this word. */
  | { word: bigint };

const flag = optional(boolean());
const hotAddSchema = object({
  bootTables: flag,
  smallPages: flag,
  shadow: flag,
  hugePages: flag,
  splitVmemmap: flag,
});
const mmapSchema = object({ large: flag, readOnly: flag });

/** The bits of the options that are set. */
function bitsOf(options: { readonly [Name in keyof typeof types]?: boolean | undefined }): number {
  return (Object.keys(options) as (keyof typeof types)[]).reduce(
    (bits, name) => bits | (options[name] ? types[name] : 0),
    0,
  );
}

/** Type of a hot-add or hot-remove. @internal @throws InvalidOptionError */
export function hotAddType(options: HotAddOptions, field: string): number {
  return bitsOf(parse(hotAddSchema, options, field));
}

/** Type of an mmap. @internal @throws InvalidOptionError */
export function mmapType(options: MmapOptions, field: string): number {
  return bitsOf(parse(mmapSchema, options, field));
}

/** Type and word of a reuse. @internal @throws InvalidOptionError */
export function reuseTypeAndWord(contents: ReuseContents, field: string): readonly [type: number, word: bigint] {
  if (contents === "zeroes") return [types.zeroes, 0n];
  if (!isObject(contents) || "userLeaf" in contents === "word" in contents) {
    throw new InvalidOptionError(field, contents, '"zeroes", { userLeaf: an address } or { word: an entry }');
  }
  return "userLeaf" in contents ? [types.forgeUserLeaf, contents.userLeaf] : [types.fill, contents.word];
}
