// The walk vectors of the recorded data: one JSON object per line, gunzipped and checked line by line.
// Fields as in the data's README; where the emulator deviates from the SDM, `expected` is the SDM's result.

import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";

/** What the access did. `physicalAddress` and `pageSize` in bytes. */
export type VectorResult =
  | { kind: "ok"; physicalAddress: bigint; pageSize: 4096 | 0x200000 | 0x40000000 }
  | { kind: "fault"; errorCode: number }
  | { kind: "non-canonical" };

/** One entry of the chain. */
export interface VectorEntry {
  /** Frame number of the table. */
  frame: number;
  index: number;
  before: bigint;
  /** As the emulator left it; exact only if the emulator completed the access. */
  after: bigint;
}

/** One access, the tables it met, and what came of it. */
export interface WalkVector {
  id: number;
  levels: 4 | 5;
  maxPhyAddr: number;
  controls: {
    wp: boolean;
    smep: boolean;
    smap: boolean;
    pke: boolean;
    pge: boolean;
    nxe: boolean;
    ac: boolean;
    pkru: number;
  };
  access: { type: "read" | "write" | "fetch"; user: boolean; implicit: boolean };
  virtualAddress: bigint;
  /** Frame number of the top-level table. */
  root: number;
  /** From the top level down to the level of the intended leaf. */
  tables: VectorEntry[];
  /** What the emulator did. */
  observed: VectorResult;
  /** What the SDM says: the observed result, corrected on the lines marked as deviations. */
  expected: VectorResult;
  /** Why the emulator's result is not the SDM's, or undefined. */
  deviation: "rsvd-without-p" | "implicit-smap-ac" | undefined;
}

/**
 * All vectors of a gzipped file, in order.
 * @throws Error naming the file, the line, the value and what was expected
 */
export async function* readWalkVectors(path: string): AsyncGenerator<WalkVector> {
  let number = 0;
  for await (const line of gunzippedLines(path)) {
    number += 1;
    yield parseWalkVector(line, `${path}:${number}`);
  }
}

async function* gunzippedLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const gunzip = createGunzip();
  file.on("error", (error) => gunzip.destroy(error));
  let number = 0;
  let rest = "";
  try {
    for await (const chunk of file.pipe(gunzip).setEncoding("utf8")) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        number += 1;
        yield line;
      }
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${path}: after line ${number}: ${why}; expected a whole gzip file`, { cause: error });
  } finally {
    file.destroy();
  }
  if (rest !== "") yield rest;
}

/**
 * One vector.
 * @param where names the line in errors, e.g. "file:12"
 * @throws Error naming `where`, the field, the value and what was expected
 */
export function parseWalkVector(line: string, where: string): WalkVector {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new Error(`${where}: ${JSON.stringify(line.slice(0, 60))}: expected a JSON object`, { cause: error });
  }
  const it = new Fields(value, where);
  const tables = it.list("tables").map((entry) => ({
    frame: toFrame(entry, "pa", entry.hex("pa")),
    index: entry.integer("index", 0, 511),
    before: entry.hex("before"),
    after: entry.hex("after"),
  }));
  const observed = parseResult(it.object("result"));
  const deviation = it.has("deviation") ? it.oneOf("deviation", ["rsvd-without-p", "implicit-smap-ac"]) : undefined;
  const implicit = it.flag("implicit");
  return {
    id: it.integer("id", 0, Number.MAX_SAFE_INTEGER),
    levels: it.oneOf("levels", [4, 5]),
    maxPhyAddr: it.integer("maxphyaddr", 32, 52),
    controls: {
      wp: it.flag("cr0wp"),
      smep: it.flag("smep"),
      smap: it.flag("smap"),
      pke: it.flag("pke"),
      pge: it.flag("pge"),
      nxe: it.flag("nxe"),
      ac: it.flag("ac"),
      pkru: it.integer("pkru", 0, 0xffff_ffff),
    },
    access: {
      type: { r: "read" as const, w: "write" as const, x: "fetch" as const }[it.oneOf("access", ["r", "w", "x"])],
      user: it.oneOf("cpl", [0, 3]) === 3 && !implicit,
      implicit,
    },
    virtualAddress: it.hex("va"),
    root: Number(it.hex("cr3") >> 12n),
    tables,
    observed,
    expected: deviation === undefined ? observed : parseResult(it.object("sdm")),
    deviation,
  };
}

function parseResult(it: Fields): VectorResult {
  if (it.boolean("ok")) {
    const pageSize = it.oneOf("pageSize", [4096, 0x200000, 0x40000000]);
    return { kind: "ok", physicalAddress: it.hex("pa"), pageSize };
  }
  if (it.oneOf("vector", [13, 14]) === 14) return { kind: "fault", errorCode: it.integer("errorCode", 0, 0xffff) };
  if (!it.boolean("noncanonical")) throw it.wrong("noncanonical", "true with vector 13");
  return { kind: "non-canonical" };
}

function toFrame(it: Fields, field: string, address: bigint): number {
  if (address % 4096n !== 0n || address >> 52n !== 0n) throw it.wrong(field, "a page-aligned address below 2^52");
  return Number(address >> 12n);
}

/** A JSON object with checked fields. */
class Fields {
  readonly #values: Record<string, unknown>;

  constructor(
    value: unknown,
    readonly where: string,
  ) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new Error(`${where}: ${JSON.stringify(value)}: expected an object`);
    }
    this.#values = value as Record<string, unknown>;
  }

  has(field: string): boolean {
    return field in this.#values;
  }

  wrong(field: string, expected: string): Error {
    return new Error(`${this.where}: ${field} = ${JSON.stringify(this.#values[field])}: expected ${expected}`);
  }

  integer(field: string, least: number, most: number): number {
    const value = this.#values[field];
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
      throw this.wrong(field, `an integer from ${least} to ${most}`);
    }
    return value;
  }

  flag(field: string): boolean {
    return this.oneOf(field, [0, 1]) === 1;
  }

  boolean(field: string): boolean {
    return this.oneOf(field, [true, false]);
  }

  oneOf<const T>(field: string, choices: readonly T[]): T {
    const choice = choices.find((it) => it === this.#values[field]);
    if (choice === undefined) throw this.wrong(field, choices.join(" or "));
    return choice;
  }

  hex(field: string): bigint {
    const value = this.#values[field];
    if (typeof value !== "string" || !/^0x[0-9a-f]{1,16}$/.test(value)) {
      throw this.wrong(field, "0x and 1 to 16 lower-case hex digits");
    }
    return BigInt(value);
  }

  object(field: string): Fields {
    return new Fields(this.#values[field], `${this.where}: ${field}`);
  }

  list(field: string): Fields[] {
    const value = this.#values[field];
    if (!Array.isArray(value) || value.length === 0) throw this.wrong(field, "a list that is not empty");
    return value.map((it, index) => new Fields(it, `${this.where}: ${field}[${index}]`));
  }
}
