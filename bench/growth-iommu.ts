// Growth curves of an IOMMU's invalidations: by the size of its IOTLB, by the devices and by the PASIDs that share it. The IOTLB is full of
// single pages of as many PASIDs and devices as there are, dealt out in turn, and filled again before every sample.
import { geometries, ProgramBuilder } from "stalewalk";
import type { BenchCase } from "./cases.js";
import { CACHES, type Curve, curve, FLUSHES, WAYS } from "./growth-curve.js";
import { seeded, shuffled } from "./random.js";
import { flatTables } from "./tables/flat.js";
import { type Page, requesterOf, type TableSet } from "./world.js";

/** Pairs of a PASID and a device that a machine has room for. */
const PAIRS = 1024;
/** PASIDs of an IOTLB of any size, at most. */
const SOME_PASIDS = 256;
/** Devices where one PASID is dropped for all of them. */
const SOME_DEVICES = 4;

const DEVICES = [1, 4, 16, 64, 256];
const PASIDS = [16, 64, 256, 1024];

/** VT-d's iotlb_inv_dsc, domain-selective, of the domain that shared virtual addressing has: 1. */
const DOMAIN: readonly [bigint, bigint] = [0x2n | (2n << 4n) | (1n << 16n), 0n];

/** Who shares an IOTLB of how many entries. */
interface Shared {
  entries: number;
  pasids: number;
  devices: number;
}

type Write = (builder: ProgramBuilder, pages: readonly Page[], shared: Shared) => void;

/** Whose the page with this number is: PASIDs in turn, then devices. */
function ownerOf(page: number, { pasids, devices }: Shared): number {
  const pair = page % (pasids * devices);
  return requesterOf({ pasids }, pair % pasids, Math.floor(pair / pasids));
}

function touch(builder: ProgramBuilder, pages: readonly Page[], shared: Shared): void {
  for (const [i, { va, access }] of pages.entries()) builder.access(ownerOf(i, shared), va, access);
}

function caseOf(name: string, shared: Shared, write: Write, descriptor?: BenchCase["descriptor"]): BenchCase {
  // Neighbouring pages fill all sets evenly.
  const set: TableSet = flatTables(shared.entries);
  const [prepare, program] = [new ProgramBuilder(), new ProgramBuilder()];
  touch(prepare, set.pages, shared);
  write(program, set.pages, shared);
  const { entries, pasids, devices } = shared;
  const geometry = { l1: [{ entries, ways: WAYS, pageSizes: ["4K"] as const }], psc: geometries.vtd.psc };
  const world = { set, geometry, cpus: 0, iommu: { pasids, devices } };
  return { name, world, prepare: prepare.build(), program: program.build(), ...(descriptor && { descriptor }) };
}

/** Single pages, each once. */
const pageSelective: Write = (builder, pages, shared) => {
  const numbers = shuffled(
    pages.map((_, i) => i),
    seeded(2),
  ).slice(0, FLUSHES);
  for (const i of numbers) builder.invalidatePages(ownerOf(i, shared), (pages[i] as Page).va);
};

/** Each PASID once, of all devices. */
const pasidSelective: Write = (builder, _, { pasids }) => {
  const all = Array.from({ length: pasids }, (__, pasid) => pasid);
  for (const pasid of shuffled(all, seeded(2))) builder.invalidatePasid(requesterOf({ pasids }, pasid, 0));
};

const everythingAndFill: Write = (builder, pages, shared) => {
  builder.invalidateIommu(0);
  touch(builder, pages, shared);
};

const nothing: Write = () => {};

/** As many PASIDs as have a page each, and another. */
const bySize = (entries: number, devices = 1): Shared => ({
  entries,
  pasids: Math.min(SOME_PASIDS, entries / (devices === 1 ? 2 : devices)),
  devices,
});
const byDevices = (devices: number): Shared => ({ entries: PAIRS, pasids: PAIRS / devices, devices });
const byPasids = (pasids: number): Shared => ({ entries: PAIRS, pasids, devices: 1 });

/** The curves, in the order of the report. */
export const iommuCurves: readonly Curve[] = [
  curve("IOTLB, page-selective invalidation, by entries of a full IOTLB", "entries", CACHES, (name, entries) =>
    caseOf(name, bySize(entries), pageSelective),
  ),
  curve("IOTLB, PASID-selective invalidation, by entries of a full IOTLB", "entries", CACHES, (name, entries) =>
    caseOf(name, bySize(entries), pasidSelective),
  ),
  curve("IOTLB, one PASID of four devices, by entries of a full IOTLB", "entries", CACHES, (name, entries) =>
    caseOf(name, bySize(entries, SOME_DEVICES), pasidSelective),
  ),
  // Smaller ones have not an entry for each PASID.
  curve("IOTLB, one domain of 256 PASIDs, by entries of a full IOTLB", "entries", CACHES.slice(1), (name, entries) =>
    caseOf(name, { entries, pasids: SOME_PASIDS, devices: 1 }, nothing, DOMAIN),
  ),
  curve("IOTLB, everything and filling it again, by entries", "entries", CACHES, (name, entries) =>
    caseOf(name, bySize(entries), everythingAndFill),
  ),
  curve("IOTLB, page-selective invalidation, by devices", "devices", DEVICES, (name, devices) =>
    caseOf(name, byDevices(devices), pageSelective),
  ),
  curve("IOTLB, one PASID of all devices, by devices", "devices", DEVICES, (name, devices) =>
    caseOf(name, byDevices(devices), pasidSelective),
  ),
  curve("IOTLB, PASID-selective invalidation, by PASIDs", "PASIDs", PASIDS, (name, pasids) =>
    caseOf(name, byPasids(pasids), pasidSelective),
  ),
  curve("IOTLB, one domain, by PASIDs", "PASIDs", PASIDS, (name, pasids) =>
    caseOf(name, byPasids(pasids), nothing, DOMAIN),
  ),
  curve("IOTLB, everything and filling it again, by PASIDs", "PASIDs", PASIDS, (name, pasids) =>
    caseOf(name, byPasids(pasids), everythingAndFill),
  ),
];
