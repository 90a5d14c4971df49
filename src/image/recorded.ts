// Cross-checks an image against what was recorded beside it: registers from the monitor, and the JSON record.

import { hex } from "../base/notation.js";
import { ImageError } from "./error.js";
import type { LoadedImage } from "./load.js";
import { type CheckPart, type NamedText, startPart } from "./part.js";
import { parseInfoRegisters } from "./registers.js";

/** Compares CR0, CR3, CR4 and CPL of every CPU note with the monitor's text, and NXE in use with EFER. */
export function compareRegisters(loaded: LoadedImage, registers: NamedText, limit: number): CheckPart {
  const { part, differ } = startPart("info registers", limit);
  const listed = parseInfoRegisters(registers.text, registers.file);
  const compare = (what: string, walker: string | undefined, listing: string | undefined) => {
    part.compared++;
    const named = (value: string | undefined) => (value === undefined ? undefined : `${what} ${value}`);
    if (walker !== listing) differ(() => ({ walker: named(walker), listing: named(listing) }));
  };
  const { cpus } = loaded.image;
  compare("number of CPUs", String(cpus.length), String(listed.length));
  for (const own of cpus) {
    const other = listed.find(({ cpu }) => cpu === own.index);
    compare(`CPU ${own.index} CR0`, hex(own.cr0), other && hex(other.cr0));
    compare(`CPU ${own.index} CR3`, hex(own.cr3), other && hex(other.cr3));
    compare(`CPU ${own.index} CR4`, hex(own.cr4), other && hex(other.cr4));
    compare(`CPU ${own.index} CPL`, String(own.cpl), other && String(other.cpl));
    if (own === loaded.context.cpu && other) {
      compare(
        `CPU ${own.index} EFER.NXE`,
        String(loaded.context.controls.nxe),
        String(((other.efer >> 11n) & 1n) === 1n),
      );
    }
  }
  return part;
}

/**
 * Compares the image with its JSON record, key by key, as far as the record has the key.
 *
 * @throws ImageError if the record is no JSON object
 */
export function compareRecord(
  loaded: LoadedImage,
  record: NamedText,
  registers: NamedText | undefined,
  limit: number,
): CheckPart {
  const { part, differ } = startPart("record", limit);
  const values = parseRecord(record);
  const { context, graph, image } = loaded;
  const { cpu } = context;
  const efer =
    registers && parseInfoRegisters(registers.text, registers.file).find((one) => one.cpu === cpu?.index)?.efer;
  const own: Record<string, unknown> = {
    cr0: cpu && hex(cpu.cr0),
    cr3: cpu && hex(cpu.cr3),
    cr4: cpu && hex(cpu.cr4),
    efer: efer === undefined ? undefined : hex(efer),
    cpl: cpu?.cpl,
    cpu_index: cpu?.index,
    levels: context.rules.levels,
    leaves: { "4K": graph.leaves[1], "2M": graph.leaves[2], "1G": graph.leaves[3] },
    table_pages_from_cr3: graph.tables.size,
    table_pages_in_core: image.frameCount,
    pt_load_segments: image.segments.length,
  };
  for (const [key, value] of Object.entries(own)) {
    if (value === undefined || !(key in values)) continue;
    part.compared++;
    const walker = JSON.stringify(value);
    const listing = JSON.stringify(values[key]);
    if (walker !== listing) differ(() => ({ walker: `${key} ${walker}`, listing: `${key} ${listing}` }));
  }
  return part;
}

function parseRecord(record: NamedText): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(record.text);
  } catch (error) {
    throw new ImageError(record.file, `not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ImageError(record.file, "expected a JSON object");
  }
  return value as Record<string, unknown>;
}
