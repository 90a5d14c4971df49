// A page-table image as a machine: one CPU with the registers of the image, and an IOMMU whose PASID 1 has the same tables, as SVA
// has it; both with caches.

import { loadImage, openCore } from "../../src/image/index.js";
import { Access, createMachine, geometries, type Machine, type Walker } from "../../src/index.js";

/** The PASID that walks the image's tables. */
export const PASID = 1;

/** Whose walk is shown. */
export type Agent = "cpu" | "pasid";

/** An address worth a look. */
export interface Place {
  address: bigint;
  text: string;
}

/** An opened image. */
export interface Scene {
  name: string;
  machine: Machine;
  /** CPU whose registers are taken, and those whose tables the image holds. */
  cpu: number | undefined;
  cpus: readonly number[];
  /** Tables that the image holds. */
  tables: number;
  warnings: readonly string[];
  places: readonly Place[];
}

const WRITE = 2n;
const USER = 4n;
const XD = 1n << 63n;

/** Kinds of page, each with a leaf that is one. */
const kinds: readonly { text: string; is: (rights: bigint, level: number, address: bigint) => boolean }[] = [
  { text: "vsyscall", is: (_, level, address) => level === 1 && address === 0xffffffffff600000n },
  { text: "program text", is: (rights, level) => level === 1 && (rights & (USER | WRITE | XD)) === USER },
  { text: "program data", is: (rights, level) => level === 1 && (rights & (USER | WRITE)) === (USER | WRITE) },
  { text: "kernel, 2 MiB", is: (rights, level) => level === 2 && (rights & USER) === 0n },
  { text: "kernel, 4 KiB", is: (rights, level) => level === 1 && (rights & (USER | WRITE)) === WRITE },
];

/** Opens a core, plain or gzip, with the registers of a CPU; by default of the first whose root is there. */
export async function openScene(bytes: Uint8Array, name: string, cpu?: number): Promise<Scene> {
  const image = await openCore(bytes, { file: name });
  const { context, graph, walker } = await loadImage(image, { ...(cpu !== undefined && { cpu }) });
  const { levels, maxPhyAddr, pages1G } = context.rules;
  const machine = await createMachine({
    ...{ levels, maxPhyAddr, pages1G },
    tables: Math.max(graph.tables.size, 1),
    workloadPages: 1,
    cpus: [{ ...geometries.skylake, controls: context.controls, root: context.root }],
    iommus: [{ ...geometries.vtd, pasids: [PASID] }],
  });
  for (const [frame, level] of graph.tables) machine.frames.setTable(frame, image.frame(frame), lowest(level));
  machine.iommus[0]?.bind(PASID, { root: context.root });
  const places = placesOf(walker);
  walker.dispose();
  const cpus = image.cpus.filter(({ cr3 }) => image.has(Number((cr3 & 0xffffffffff000n) >> 12n)));
  return {
    name,
    machine,
    cpu: context.cpu?.index,
    cpus: cpus.map(({ index }) => index),
    tables: graph.tables.size,
    warnings: image.warnings,
    places,
  };
}

/** Of a set of levels, as bits, the lowest. */
function lowest(levels: number): number {
  return levels === 0 ? 0 : 31 - Math.clz32(levels & -levels);
}

function placesOf(walker: Walker): Place[] {
  const found = new Map<string, bigint>();
  for (const { count, virtualAddress, rights, level } of walker.mappings()) {
    for (let i = 0; i < count; i++) {
      const address = virtualAddress[i] as bigint;
      const kind = kinds.find((it) => !found.has(it.text) && it.is(rights[i] as bigint, level[i] as number, address));
      if (kind) found.set(kind.text, address);
    }
  }
  const places = kinds.flatMap(({ text }) => {
    const address = found.get(text);
    return address === undefined ? [] : [{ address, text }];
  });
  return [...places, { address: 0x123456789000n, text: "nothing mapped" }];
}

/** Accesses of a CPU; a device's are user reads and writes. */
export const accesses = {
  "user-read": Access.userRead,
  "user-write": Access.userWrite,
  "user-fetch": Access.userFetch,
  "supervisor-read": Access.supervisorRead,
  "supervisor-write": Access.supervisorWrite,
  "supervisor-fetch": Access.supervisorFetch,
} as const;

/** Name of such an access. */
export type AccessChoice = keyof typeof accesses;

/** Those that a device can make. */
export const deviceAccesses: readonly AccessChoice[] = ["user-read", "user-write"];
