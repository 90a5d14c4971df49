// Paging mode of a machine or walker, the same for everything in it.

import { checkInteger, checkOneOf } from "../base/errors.js";
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

/** Checks a paging mode and sets it. @internal @throws InvalidOptionError */
export function checkPagingMode(
  { exports }: Engine,
  mode: PagingMode,
  tableCount: number,
): { levels: 4 | 5; tables: number } {
  const levels = checkOneOf("levels", mode.levels ?? 4, [4, 5] as const);
  const maxPhyAddr = checkInteger("maxPhyAddr", mode.maxPhyAddr ?? 46, MIN_PHYSICAL_BITS, MAX_PHYSICAL_BITS);
  const tables = checkInteger("tables", tableCount, 1, MAX_TABLES);
  exports.setPagingMode(levels, maxPhyAddr, mode.pages1G !== false);
  return { levels, tables };
}
