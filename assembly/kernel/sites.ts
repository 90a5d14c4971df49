// Places in the kernel that free page tables (docs/rules.md section 11), and the points of its operations by name (section
// 13). The host has the same lists, with what each step is, in src/program/sites.ts; a test compares them.

import { NO_SITE } from "../paging/frames";

export const PMD_FREE_PTE_PAGE: u8 = 0;
export const PUD_FREE_PMD_PAGE: u8 = 1;
export const REMOVE_PAGETABLE: u8 = 2;
export const KASAN_REMOVE_ZERO_SHADOW: u8 = 3;
export const CPA_COLLAPSE_LARGE_PAGES: u8 = 4;
export const USER: u8 = 5;
export const ZAP_PTE_RANGE: u8 = 6;
/** How many there are. */
export const SITES: u8 = 7;

if (SITES != ZAP_PTE_RANGE + 1) ERROR("SITES is not how many sites there are");
if (SITES > 32 || SITES > NO_SITE) ERROR("a policy keeps one bit for each site, and a frame a byte in which NO_SITE is none of them");
/** Whether the tables that a site frees are a user's: mmu_gather frees them without a look at the mark. */
// @ts-ignore: decorator
@inline
export function isOfUser(site: u8): bool {
  return site == USER || site == ZAP_PTE_RANGE;
}

/** Level of the table that a site is about: what a single step of it means that names none. */
// @ts-ignore: decorator
@inline
export function levelOfSite(site: u8): u32 {
  return site == PUD_FREE_PMD_PAGE ? 2 : 1;
}

// What a point tells beside its name: of a free the frame, of everything else the address.

// ---- points of no site: up to 15 ----
/** An operation of the program is done. Tells nothing more. */
export const OPERATION_DONE: u32 = 0;
/** __purge_vmap_area_lazy() has flushed the range from this address on. */
export const PURGE_FLUSHED: u32 = 1;
/** __split_large_page() has put a table in the place of the large leaf for this address. */
export const SPLIT_INSTALLED: u32 = 2;
/** The flush of __split_large_page() is done. */
export const SPLIT_FLUSHED: u32 = 3;
/** A single step of a site has cleared the entry for this address. */
export const TABLE_CLEARED: u32 = 4;
/** A single step of a site has freed this frame. */
export const TABLE_FREED: u32 = 5;
/** Deferred work has carried out an invalidation that a flush asked for, from this address on (0: of everything). */
export const REQUEST_INVALIDATED: u32 = 6;
/** Deferred work has taken the list of tables. Tells how many. */
export const LIST_TAKEN: u32 = 7;
/** Deferred work has invalidated the kernel half, from this address on. */
export const HALF_INVALIDATED: u32 = 8;

// ---- points of the sites, in their order: from 16 on ----
/** pmd_free_pte_page(): the PD entry is cleared. */
export const PMD_CLEARED: u32 = 16;
/** Its flush of one page is done. */
export const PMD_FLUSHED: u32 = 17;
/** The PT is freed. */
export const PMD_PT_FREED: u32 = 18;
/** pud_free_pmd_page(): the PDPT entry is cleared (in older kernels all PD entries before it). */
export const PUD_CLEARED: u32 = 19;
/** Its flush of one page is done. */
export const PUD_FLUSHED: u32 = 20;
/** One of the PTs is freed. */
export const PUD_PT_FREED: u32 = 21;
/** The PD is freed. */
export const PUD_PD_FREED: u32 = 22;
/** remove_pagetable(): the PTEs are cleared, every CPU is flushed. */
export const UNPLUG_PTES_FLUSHED: u32 = 23;
/** The PT is freed, its PD entry still leads to it. */
export const UNPLUG_PT_FREED: u32 = 24;
/** The PD entry is cleared. */
export const UNPLUG_PT_CLEARED: u32 = 25;
/** The PD is freed, its PDPT entry still leads to it. */
export const UNPLUG_PD_FREED: u32 = 26;
/** The PDPT entry is cleared. */
export const UNPLUG_PD_CLEARED: u32 = 27;
/** With 5 levels: the PDPT is freed, its PML4 entry still leads to it. */
export const UNPLUG_PDPT_FREED: u32 = 28;
/** The PML4 entry is cleared. */
export const UNPLUG_PDPT_CLEARED: u32 = 29;
/** The flush at the end is done; its address is where the range begins. */
export const UNPLUG_FLUSHED: u32 = 30;
/** kasan_remove_zero_shadow(): the PT is freed, its PD entry still leads to it. */
export const KASAN_PT_FREED: u32 = 31;
/** The PD entry is cleared. */
export const KASAN_PT_CLEARED: u32 = 32;
/** The PD is freed, its PDPT entry still leads to it. */
export const KASAN_PD_FREED: u32 = 33;
/** The PDPT entry is cleared. */
export const KASAN_PD_CLEARED: u32 = 34;
/** The PDPT is freed, its PML4 entry still leads to it. */
export const KASAN_PDPT_FREED: u32 = 35;
/** The PML4 entry of init_mm is cleared. */
export const KASAN_PDPT_CLEARED: u32 = 36;
/** With 5 levels: the PML4 is freed, its PML5 entry still leads to it. */
export const KASAN_PML4_FREED: u32 = 37;
/** The PML5 entry of init_mm is cleared. */
export const KASAN_PML4_CLEARED: u32 = 38;
/** cpa_collapse_large_pages(): the 2 MiB leaf is in the place of the PT. */
export const COLLAPSE_INSTALLED: u32 = 39;
/** The 1 GiB leaf is in the place of the PD (collapse_pud_page). */
export const COLLAPSE_PD_INSTALLED: u32 = 40;
/** Its flush is done. */
export const COLLAPSE_FLUSHED: u32 = 41;
/** The PD is freed: last on the list, first off it. */
export const COLLAPSE_PD_FREED: u32 = 42;
/** The PT is freed. */
export const COLLAPSE_PT_FREED: u32 = 43;
/** munmap(): leaves are cleared, tables that are empty now are unlinked; the address is where the range begins. */
export const MUNMAP_UNLINKED: u32 = 44;
/** Its flush, with the notifier, is done. */
export const MUNMAP_FLUSHED: u32 = 45;
/** The end of an mm: the entries of its PASIDs are cleared and invalidated. Tells the mm's number. */
export const EXIT_UNBOUND: u32 = 46;
/** madvise(MADV_DONTNEED): leaves are cleared, tables that are empty now are unlinked; the address is where the range begins. */
export const RECLAIM_UNLINKED: u32 = 47;
/** Its flush, with the notifier, is done. */
export const RECLAIM_FLUSHED: u32 = 48;
