// Paging mode of a machine or walker, the same for everything in it.

import { boolean, integer, oneOf, optional } from "../base/schema.js";
import type { Engine } from "../engine/instance.js";
import { MAX_PHYSICAL_BITS, MAX_TABLES, MIN_PHYSICAL_BITS } from "../engine/limits.js";

/** How tables are read (SDM 4.5). */
export interface PagingMode {
  /** 4, or 5 (CR4.LA57). Default 4. */
  levels?: 4 | 5;
  /** MAXPHYADDR, 32 to 52 bits: frame bits above it are reserved. Default 46. */
  maxPhyAddr?: number;
  /** Whether 1 GiB pages exist; without them PS is reserved in a PDPTE. Default true. */
  pages1G?: boolean;
}

/** MAXPHYADDR unless another is asked for. @internal */
export const defaultPhysicalBits = 46;

/** Fields of a paging mode, and the capacity in tables that goes with it. @internal */
export const pagingFields = {
  levels: optional(oneOf([4, 5])),
  maxPhyAddr: optional(integer(MIN_PHYSICAL_BITS, MAX_PHYSICAL_BITS)),
  pages1G: optional(boolean()),
  tables: optional(integer(1, MAX_TABLES)),
};

/** Sets a paging mode that has been checked; how many levels it has. @internal */
export function setPagingMode({ exports }: Engine, mode: PagingMode): 4 | 5 {
  const { levels = 4, maxPhyAddr = defaultPhysicalBits, pages1G = true } = mode;
  exports.setPagingMode(levels, maxPhyAddr, pages1G);
  return levels;
}
