// Controls of a context: CR0.WP, CR4.{SMEP, SMAP, PKE, PGE, PCIDE}, EFER.NXE, EFLAGS.AC (docs/rules.md section 2).

export const WP: u32 = 1;
export const SMEP: u32 = 1 << 1;
export const SMAP: u32 = 1 << 2;
export const PKE: u32 = 1 << 3;
export const PGE: u32 = 1 << 4;
export const PCIDE: u32 = 1 << 5;
export const NXE: u32 = 1 << 6;
export const AC: u32 = 1 << 7;
