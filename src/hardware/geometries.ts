// Cache geometries of real processors, as far as they are public. Paging-structure caches are not documented by Intel;
// their sizes here are those that reverse engineering suggests (RevAnC, 2017; Barr, Cox and Rixner, ISCA 2010).

import type { AgentGeometry, CpuGeometry } from "./geometry.js";

const intelPsc: NonNullable<AgentGeometry["psc"]> = {
  2: { entries: 32, ways: 4 },
  3: { entries: 4, ways: 4 },
  4: { entries: 2, ways: 2 },
};

/** Presets. A five-level machine without an entry for level 5 reads PML5Es from memory. */
export const geometries = {
  /** Intel Skylake: L1 dTLB 64 4-way, 32 2 MiB, 4 1 GiB; STLB 1536 12-way (4 KiB, 2 MiB), 16 1 GiB. Intel optimization manual. */
  skylake: {
    l1: [
      { entries: 64, ways: 4, pageSizes: ["4K"] },
      { entries: 32, ways: 4, pageSizes: ["2M"] },
      { entries: 4, ways: 4, pageSizes: ["1G"] },
    ],
    l2: [
      { entries: 1536, ways: 12, pageSizes: ["4K", "2M"] },
      { entries: 16, ways: 4, pageSizes: ["1G"] },
    ],
    psc: intelPsc,
  },
  /** Intel Ice Lake server (Sunny Cove): loads only; STLB 2048 16-way. */
  iceLake: {
    l1: [
      { entries: 64, ways: 4, pageSizes: ["4K"] },
      { entries: 32, ways: 4, pageSizes: ["2M"] },
      { entries: 8, ways: 8, pageSizes: ["1G"] },
    ],
    l2: [{ entries: 2048, ways: 16 }],
    psc: intelPsc,
  },
  /** AMD Zen 2: L1 dTLB 64 fully associative, all sizes; L2 dTLB 2048 (WikiChip; 16-way assumed), PDE cache 64. */
  zen2: {
    vendor: "amd",
    l1: [{ entries: 64, ways: 64 }],
    l2: [{ entries: 2048, ways: 16, pageSizes: ["4K", "2M"] }],
    psc: { 2: { entries: 64, ways: 64 }, 3: { entries: 4, ways: 4 }, 4: { entries: 2, ways: 2 } },
  },
  /** An IOMMU: IOTLB of 64 entries (measured behind a Xeon, pcie-bench, SIGCOMM 2018); PSC sizes are not public. */
  vtd: {
    l1: [{ entries: 64, ways: 4 }],
    psc: { 2: { entries: 32, ways: 4 }, 3: { entries: 16, ways: 4 }, 4: { entries: 8, ways: 4 } },
  },
  /** No caches at all: every access walks from the root. */
  none: {},
} as const satisfies Record<string, CpuGeometry>;
