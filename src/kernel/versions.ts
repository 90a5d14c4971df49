// Kernels as data: what Linux does to page tables, by version, each fact with its source. A policy says what an IOMMU hears; a
// version says what the kernel does. The engine knows no versions: it gets the traits of one, as bits (assembly/kernel/traits.ts).

import { type NearestVersion, nearestVersion } from "../base/kernel-version.js";
import { traitBit } from "../engine/abi.js";
import type { PolicyName } from "./policies.js";

/** Something that not every kernel does; what the others do is the rule without it (docs/rules.md section 11). */
export interface KernelFact {
  /** What a kernel with it does. */
  readonly about: string;
  /** Where that was read: commits, kernels whose source or image was read, advisories. */
  readonly source: string;
}

/** What kernels differ in. */
export const kernelFacts = {
  collapses: {
    about: "set_memory_rox() puts split pages together again: cpa_collapse_large_pages() frees their tables",
    source: "41d88484c71c (Linux 6.15), arch/x86/mm/pat/set_memory.c; 6.12.117 has no such function",
  },
  splitsMarked: {
    about: "tables made by split_large_page() carry the kernel's mark, so that their free is deferred",
    source:
      "9e4a3ec3411b (Linux 7.3): pte_alloc_one_kernel(), pagetable_dtor_free(); stable queues of 7.2.7 and 6.18.53",
  },
  pudFreeKeepsPd: {
    about: "pud_free_pmd_page() leaves the PD as it is and frees what it still names; before, it emptied the PD first",
    source: "read in 7.3.4; 6.18.15 still has the scratch copy. Not found: which 7.x changed it; told of all of them",
  },
  reclaims: {
    about: "madvise(MADV_DONTNEED) of whole 2 MiB frees user page tables that are empty then (CONFIG_PT_RECLAIM)",
    source: "mm/memory.c zap_pte_range(), Linux 6.14",
  },
  reclaimFlushesPastTable: {
    about: "that free hands mmu_gather the address behind the table: the flush misses the entry that led to it",
    source: "CVE-2026-74674: 4c640eb4181c (Linux 7.0), fixed by 478a1c3abebf (7.2, stable 7.1.9)",
  },
  usesInvlpgb: {
    about:
      "on AMD CPUs with INVLPGB, flushes of kernel addresses are broadcast; without an address, so that they drop everything",
    source:
      "b7aa05cbdc52 and its series (Linux 6.15), broadcast_kernel_range_flush(); 7.3.4 still sets no INVLPGB_FLAG_VA",
  },
} as const satisfies Record<string, KernelFact>;

/** Name of a fact. */
export type KernelTrait = keyof typeof kernelFacts;

/** A version that has a record. */
export type KernelVersion = "6.1" | "6.6" | "6.12" | "6.18.7" | "6.18.53" | "7.0" | "7.1.9" | "7.2.7" | "7.3";

/** What is known of a version. */
export interface KernelRecord {
  /** The first release that it is known of. */
  readonly version: KernelVersion;
  /** The policy that this kernel itself has. */
  readonly ships: PolicyName;
  /** What it does that not every kernel does. */
  readonly traits: readonly KernelTrait[];
  /** What was read. */
  readonly source: string;
}

const before615: readonly KernelTrait[] = [];
const from615: readonly KernelTrait[] = ["collapses", "reclaims", "usesInvlpgb"];
const from70: readonly KernelTrait[] = [...from615, "pudFreeKeepsPd"];

/** Every record, oldest first. */
export const kernelRecords: readonly KernelRecord[] = [
  {
    version: "6.1",
    ships: "sva-off",
    traits: before615,
    source: "6.1.0-53 (Debian) run; SVA disabled on x86 by 72f98ef9a4be in February 2026, with no policy before",
  },
  { version: "6.6", ships: "sva-off", traits: before615, source: "between 6.1 and 6.12, which agree; 72f98ef9a4be" },
  { version: "6.12", ships: "sva-off", traits: before615, source: "6.12.117 read and run; 72f98ef9a4be" },
  {
    version: "6.18.7",
    ships: "deferred-free",
    traits: from615,
    source: "9f0a7ab700f8 (the merged fix, CVE-2025-71202); 6.18.15 run",
  },
  {
    version: "6.18.53",
    ships: "deferred-free",
    traits: [...from615, "splitsMarked"],
    source: "stable queue of 6.18.53",
  },
  {
    version: "7.0",
    ships: "deferred-free",
    traits: [...from70, "reclaimFlushesPastTable"],
    source: "e37d5a2d60a3; CVE-2026-74674",
  },
  { version: "7.1.9", ships: "deferred-free", traits: from70, source: "478a1c3abebf in 7.1.9" },
  { version: "7.2.7", ships: "deferred-free", traits: [...from70, "splitsMarked"], source: "stable queue of 7.2.7" },
  { version: "7.3", ships: "deferred-free", traits: [...from70, "splitsMarked"], source: "7.3.4 read and run" },
];

/** Versions that have a record, oldest first. */
export const kernelVersions: readonly KernelVersion[] = kernelRecords.map(({ version }) => version);

/** The version that is meant where none is named: the newest. */
export const defaultKernel: KernelVersion = kernelVersions.at(-1) as KernelVersion;

/** A version as it was asked for, and the record that stands for it. */
export interface ResolvedKernel extends NearestVersion<KernelVersion> {
  /** What is known of it. */
  readonly record: KernelRecord;
}

/**
 * The record that stands for a version of Linux, as people write it (`6.12`, `6.12.117`) or as `uname -r` prints it. That is the
 * nearest not above it inside its stable series; for a series without one, that of the nearest series below.
 *
 * @throws InvalidOptionError if it is no version, or older than every record
 * @example
 * ```ts
 * import { resolveKernel } from "stalewalk";
 *
 * const { record } = resolveKernel("6.12.117+deb12-amd64");
 * console.log(record.version, record.ships); // 6.12 sva-off
 * ```
 */
export function resolveKernel(version: string = defaultKernel, field = "version"): ResolvedKernel {
  const nearest = nearestVersion(kernelVersions, version, field);
  return Object.freeze({ ...nearest, record: kernelRecord(nearest.version) });
}

function kernelRecord(version: KernelVersion): KernelRecord {
  return kernelRecords.find((record) => record.version === version) as KernelRecord;
}

/** A version for a sentence: `Linux 7.3`, `Linux 6.18.15 (taken for 6.18.7)`. */
export function kernelText({ asked, note }: Pick<ResolvedKernel, "asked" | "note">): string {
  return `Linux ${asked}${note === "" ? "" : ` (${note})`}`;
}

/** The traits of a kernel as the engine takes them, on CPUs that may have INVLPGB. @internal */
export function traitBits({ traits }: KernelRecord, invlpgb = true): number {
  return traits.reduce((bits, trait) => bits | (trait === "usesInvlpgb" && !invlpgb ? 0 : traitBit[trait]), 0);
}
