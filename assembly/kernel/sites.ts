// Places in the kernel that free page tables (docs/rules.md section 11).

export const PMD_FREE_PTE_PAGE: u8 = 0;
export const PUD_FREE_PMD_PAGE: u8 = 1;
export const REMOVE_PAGETABLE: u8 = 2;
export const KASAN_REMOVE: u8 = 3;
export const CPA_COLLAPSE: u8 = 4;
export const USER: u8 = 5;
/** How many there are. */
export const SITES: u8 = 6;
