// A case as a file: built once, read by every process that plays it. A line of JSON, then tables and programs.
import { readFileSync, writeFileSync } from "node:fs";
import type { AgentGeometry, Controls } from "stalewalk";
import type { BenchCase } from "./cases.js";

interface Head {
  name: string;
  set: { name: string; levels: 4 | 5; maxPhyAddr: number; root: string; controls: Controls };
  geometry: AgentGeometry;
  cpus: number;
  frames: number[];
  prepareBytes: number;
  tunedPart?: number;
  naivePart?: number;
}

const TABLE_BYTES = 4096;
const NEWLINE = 10;

/** Writes a case; the list of its pages, which only a case under construction needs, is left out. */
export function writeCase(path: string, { name, world, prepare, program, tunedPart, naivePart }: BenchCase): void {
  const { set, geometry, cpus } = world;
  const { levels, maxPhyAddr, controls, tables } = set;
  const head: Head = {
    name,
    set: { name: set.name, levels, maxPhyAddr, root: set.root.toString(), controls },
    geometry,
    cpus,
    frames: tables.map(({ frame }) => frame),
    prepareBytes: prepare.length,
    ...(tunedPart !== undefined && { tunedPart }),
    ...(naivePart !== undefined && { naivePart }),
  };
  const contents = tables.map(({ entries }) => new Uint8Array(entries.buffer, entries.byteOffset, TABLE_BYTES));
  writeFileSync(path, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...contents, prepare, program]));
}

/** Reads a case. */
export function readCase(path: string): BenchCase {
  const bytes = readFileSync(path);
  const end = bytes.indexOf(NEWLINE);
  const head = JSON.parse(bytes.toString("utf8", 0, end)) as Head;
  // Words of 64 bits must lie at multiples of 8.
  const rest = new Uint8Array(bytes.subarray(end + 1));
  const tables = head.frames.map((frame, i) => ({
    frame,
    entries: new BigUint64Array(rest.buffer, i * TABLE_BYTES, TABLE_BYTES / 8),
  }));
  const programs = rest.subarray(head.frames.length * TABLE_BYTES);
  const { name, geometry, cpus, tunedPart, naivePart, prepareBytes } = head;
  const set = { ...head.set, root: BigInt(head.set.root), tables, pages: [] };
  return {
    name,
    world: { set, geometry, cpus },
    prepare: programs.subarray(0, prepareBytes),
    program: programs.subarray(prepareBytes),
    ...(tunedPart !== undefined && { tunedPart }),
    ...(naivePart !== undefined && { naivePart }),
  };
}
