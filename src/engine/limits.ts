// What a host may ask of the engine, and why no more. Limits that the engine has itself come from its sources (abi.ts).

import { entries, frameBits } from "./abi.js";

/** The largest frame number. */
export const MAX_FRAME = 2 ** frameBits - 1;

/** Frames of a store: 2 GiB of contents, half of what 32-bit addresses reach. */
export const MAX_TABLES = 2 ** 31 / (entries * 8);

/** MAXPHYADDR: at least what processors without PAE have, at most the architecture's (SDM 4.1.4). */
export const MIN_PHYSICAL_BITS = 32;
export const MAX_PHYSICAL_BITS = 52;

/** Entries of one cache: 64 MiB of sets, far above any hardware. */
export const MAX_ENTRIES = 1 << 22;

/** Ways of a set; a lookup goes through sixteen of them at a time. */
export const MAX_WAYS = 4096;

/** PASIDs have 20 bits (PCIe 6.20). */
export const MAX_PASID = 2 ** 20 - 1;

/** Frames of a kernel's pool: twice what a frame store may hold, so that it is the store that says no. */
export const MAX_POOL = 1 << 20;

/** Hazard records that are kept: 64 MiB. */
export const MAX_HAZARD_RECORDS = 1 << 20;

/** Pages of a workload: 384 MiB of lists. */
export const MAX_WORKLOAD_PAGES = 1 << 24;

/** Areas of a kernel workload, 2 MiB each: 8 GiB of vmalloc space. */
export const MAX_AREAS = 4096;

/** User pages of a kernel workload: 64 GiB. */
export const MAX_USER_PAGES = 1 << 24;

/** Devices of a kernel workload: the generator draws them from 8 bits. */
export const MAX_DEVICES = 255;

/** Operations that are generated at once: a packed program of 2 GiB. */
export const MAX_GENERATED = 2 ** 27;

// ---- buffers in the engine's memory ----

/** Records that are copied in and played at once; progress and cancellation come between such chunks. */
export const CHUNK = 65536;

/** Records that are interleaved with a program. */
export const MAX_INTERLEAVED = 4096;

/** Points of a program that are written down, 16 bytes each. */
export const MAX_TRAIL = 4096;

/** 64-bit words through which batches of addresses and dumps pass, on a machine and on a walker. */
export const SCRATCH_WORDS = 4 * CHUNK;
export const WALKER_SCRATCH_WORDS = 3 * 4096;
