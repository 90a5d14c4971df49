// What terms mean, once for the whole page: shown where one is pointed at or focused, and as a list.

/** A term as it is written, and what it means. */
export const glossary = {
  IOMMU:
    "What translates the addresses of devices, as the MMU does for the CPU. With SVA it walks the same page tables.",
  SVA: "Shared virtual addressing: a device works with the page tables of a process, the kernel's half included.",
  PASID: "The number by which a device says whose addresses it means.",
  walk: "The way from the root table down to the page: one entry is read in each table.",
  entry: "One 64-bit slot of a table. It names the next table, or, as a leaf, the page.",
  frame: "A 4 KiB page of physical memory, by its number: a table, someone's data, or free.",
  generation: "Counts the uses of a frame. A pointer of an older generation means something that is gone.",
  "paging-structure cache": "Remembers entries above the leaf, so that a later walk can begin further down.",
  TLB: "Remembers finished translations. An IOMMU's is the IOTLB; a device may have one of its own.",
  flush: "What the kernel calls so that CPUs forget. Whether an IOMMU hears of it is the policy.",
  invalidation: "What an IOMMU or CPU receives so that it forgets.",
  policy: "Which flushes and frees tell the IOMMU, and when a freed table may be used again.",
  site: "A place in the kernel that frees page tables.",
  "deferred work":
    "Work that the kernel leaves to a worker: it takes the list of freed tables, tells the IOMMU, then frees.",
  hazard: "A walk through a frame that is no longer the table that the pointer meant.",
  witness: "The shortest program that shows a hazard, told as a story.",
  proof:
    "Every state that any program can come to was gone through, of any length, within bounds and assumptions that it names.",
  race: "A hazard only if the deferred work runs inside the operation that frees.",
} as const satisfies Record<string, string>;

/** A term that is explained. */
export type TermName = keyof typeof glossary;
