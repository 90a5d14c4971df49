// Controls of a context: sstatus.{SUM, MXR}, menvcfg.{ADUE, PBMTE}, and whether the hart has Svnapot. The bits lie above those of
// x86-64 (../x86-64/controls.ts), which the x86 instructions of hardware/cpu.ts look at.

/** Supervisor accesses (never fetches) may use user pages. */
export const SUM: u32 = 1 << 8;
/** Reads may use pages that are executable only. */
export const MXR: u32 = 1 << 9;
/** Svadu: the hardware sets A and D. Without it (Svade) a page whose A or D is missing faults. */
export const ADUE: u32 = 1 << 10;
/** Svpbmt: bits 62..61 of a leaf are a memory type. Without it they are reserved. */
export const PBMTE: u32 = 1 << 11;
/** Svnapot: bit 63 of a leaf at level 1. Without it that bit is reserved. */
export const SVNAPOT: u32 = 1 << 12;
