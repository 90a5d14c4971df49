// Names of the engine in the spelling of whoever reads them.

const words = (name) => name.toLowerCase().split("_");

/** IOMMU_ROUNDS -> iommuRounds */
export const camel = (name) =>
  words(name)
    .map((word, i) => (i === 0 ? word : word[0].toUpperCase() + word.slice(1)))
    .join("");

/** WALK_AFTER_FREE -> walk-after-free */
export const kebab = (name) => words(name).join("-");

/** PMD_FREE_PTE_PAGE -> pmd_free_pte_page */
export const snake = (name) => name.toLowerCase();
