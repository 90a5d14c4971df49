// Places in the kernel that free page tables, with the flush that each uses (docs/rules.md section 11; sources there).

import { sites as names } from "../engine/abi.js";

/** A site, by the kernel function that frees. */
export type Site = (typeof names)[number];

/** Sites in the engine's order. */
export const sites: readonly Site[] = names;
