// A case as bytes: built once, read by whatever plays it. A line of JSON, then tables and programs. Nothing here needs Node.
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

/** Packs a case, in parts; the list of its pages, which only a case under construction needs, is left out. */
export function packCase({ name, world, prepare, program, tunedPart, naivePart }: BenchCase): Uint8Array[] {
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
  return [new TextEncoder().encode(`${JSON.stringify(head)}\n`), ...contents, prepare, program];
}

/** A case of its bytes. */
export function unpackCase(bytes: Uint8Array): BenchCase {
  const end = bytes.indexOf(NEWLINE);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as Head;
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
