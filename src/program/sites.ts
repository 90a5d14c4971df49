// Places in the kernel that free page tables, with the flush that each uses (docs/rules.md section 11; sources there).

/** A site, by the kernel function that frees. */
export type Site =
  | "pmd_free_pte_page"
  | "pud_free_pmd_page"
  | "remove_pagetable"
  | "kasan_remove_zero_shadow"
  | "cpa_collapse_large_pages"
  | "user";

/** Sites in the engine's order. */
export const sites: readonly Site[] = [
  "pmd_free_pte_page",
  "pud_free_pmd_page",
  "remove_pagetable",
  "kasan_remove_zero_shadow",
  "cpa_collapse_large_pages",
  "user",
];
