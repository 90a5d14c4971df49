// The profiles that are built in. Every number is measured: scripts/measure-profile.mjs printed it of the recording that the
// group names. Lists are twenty equally likely values, or as many as there were.

import type { Profile } from "./profile.js";

/** Synthetic workloads by name. */
export const profiles = {
  "vmalloc-churn": {
    name: "vmalloc-churn",
    about:
      "vmalloc areas small and large, in turn at the same addresses: BPF maps, thread stacks, fd tables, semaphore sets; tables are freed",
    source: "linux612-hugevmap-reuse, 30.379 s, 2 CPUs",
    kernel: "6.12.117",
    cpus: 2,
    areas: {
      perSecond: 48.92,
      pages: [2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 79, 211, 364, 525, 703, 871, 1007, 1145, 1318, 1477],
      lifeMs: [
        16.47, 22.12, 29.98, 45.81, 94.52, 143.1, 174.8, 205.3, 225, 254.2, 312.8, 334.8, 354.5, 365, 377.3, 396, 429.6,
        460.2, 493.7, 609.1,
      ],
      source: "linux612-hugevmap-reuse: 1486 areas mapped in 30.379 s",
    },
    purges: {
      perUnmap: 0.02941,
      source: "linux612-hugevmap-reuse: 47 flushes of the purge, 1598 areas mapped",
    },
    hugeAreas: {
      perSecond: 3.687,
      leaves: [4],
      overTables: 0.6429,
      freeUs: [20, 24, 28, 37, 47, 65, 73, 77, 81, 85, 88, 92, 96, 101, 108, 117, 125, 141, 157, 227],
      lifeMs: [
        2.879, 2.999, 3.119, 3.175, 3.217, 3.266, 3.314, 3.356, 3.385, 3.429, 3.451, 3.507, 3.564, 3.606, 3.656, 3.696,
        3.764, 4.186, 4.528, 7.937,
      ],
      source: "linux612-hugevmap-reuse: 112 areas of 2 MiB leaves, which freed 288 tables in 30.379 s",
    },
    userFlushes: {
      perSecond: 92.4,
      pages: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
      switches: 0.2237,
      source:
        "linux612-hugevmap-reuse: 2807 calls of flush_tlb_mm_range(), 628 of another address space than the one before on that CPU, in 30.379 s",
    },
    processes: {
      perSecond: 12.97,
      alive: 3,
      source: "linux612-hugevmap-reuse: 394 processes begun in 30.379 s",
    },
  },
  "vmalloc-mix": {
    name: "vmalloc-mix",
    about:
      "vmalloc areas of many sizes: socket filters, packet rings, BPF maps, io_uring, fd tables, beside mounts and swapping",
    source: "linux612-vmalloc-mix, 12.071 s, 2 CPUs",
    kernel: "6.12.117",
    cpus: 2,
    areas: {
      perSecond: 159.1,
      pages: [1, 1, 1, 3, 4, 5, 6, 8, 9, 14, 18, 32, 52, 66, 78, 92, 106, 146, 194, 248],
      lifeMs: [
        0.127, 0.166, 0.205, 0.237, 0.274, 0.346, 0.713, 1.103, 1.321, 1.529, 1.876, 2.596, 5.187, 16.21, 19.47, 21.43,
        23.85, 26.86, 30.31, 60.77,
      ],
      source: "linux612-vmalloc-mix: 1921 areas mapped in 12.071 s",
    },
    purges: {
      perUnmap: 0.01458,
      source: "linux612-vmalloc-mix: 28 flushes of the purge, 1921 areas mapped",
    },
    fullFlushes: {
      perSecond: 2.071,
      source: "linux612-vmalloc-mix: 25 calls of flush_tlb_all() that free no table in 12.071 s",
    },
    userFlushes: {
      perSecond: 1289,
      pages: [0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2],
      switches: 0.05231,
      source:
        "linux612-vmalloc-mix: 15561 calls of flush_tlb_mm_range(), 814 of another address space than the one before on that CPU, in 12.071 s",
    },
    processes: {
      perSecond: 24.52,
      alive: 4,
      source: "linux612-vmalloc-mix: 296 processes begun in 12.071 s",
    },
  },
  "module-loading": {
    name: "module-loading",
    about: "modules loaded and unloaded without a pause: their areas, changes of page attributes, patches of code",
    source: "linux612-module-loop, 24.601 s, 2 CPUs",
    kernel: "6.12.117",
    cpus: 2,
    areas: {
      perSecond: 45.32,
      pages: [1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 7, 11, 15, 21, 31, 64, 192],
      lifeMs: [
        20.66, 27.14, 32.14, 37.16, 41.16, 48.8, 59.02, 74.74, 126.7, 878.5, 1733, 1795, 1916, 2037, 2174, 2253, 2757,
        3177, 3862, 4652,
      ],
      source: "linux612-module-loop: 1115 areas mapped in 24.601 s",
    },
    purges: {
      perUnmap: 0.8798,
      source: "linux612-module-loop: 981 flushes of the purge, 1115 areas mapped",
    },
    fullFlushes: {
      perSecond: 22.23,
      source: "linux612-module-loop: 547 calls of flush_tlb_all() that free no table in 24.601 s",
    },
    userFlushes: {
      perSecond: 1189,
      pages: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
      switches: 0.01973,
      source:
        "linux612-module-loop: 29240 calls of flush_tlb_mm_range(), 577 of another address space than the one before on that CPU, in 24.601 s",
    },
    processes: {
      perSecond: 10.49,
      alive: 3,
      source: "linux612-module-loop: 258 processes begun in 24.601 s",
    },
  },
  "memory-hotplug": {
    name: "memory-hotplug",
    about: "a 256 MiB memory module plugged and unplugged, beside processes that begin and end",
    source: "linux612-memory-hotplug, 22.748 s, 2 CPUs",
    kernel: "6.12.117",
    cpus: 2,
    areas: {
      perSecond: 630.4,
      pages: [4],
      lifeMs: [
        8.599, 10.72, 12.11, 13.41, 14.26, 14.92, 15.55, 16.57, 17.48, 18.34, 19.22, 20.35, 21.62, 22.84, 24.57, 26.9,
        31.18, 42.27, 62.35, 118.2,
      ],
      source: "linux612-memory-hotplug: 14340 areas mapped in 22.748 s",
    },
    purges: {
      perUnmap: 0.0002789,
      source: "linux612-memory-hotplug: 4 flushes of the purge, 14340 areas mapped",
    },
    removals: {
      perSecond: 0.2638,
      pages: [65536],
      vmemmapFlushes: 2,
      flushUs: [8, 8, 8, 8, 8, 40],
      source: "linux612-memory-hotplug: 6 removals of memory in 22.748 s",
    },
    userFlushes: {
      perSecond: 1876,
      pages: [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2],
      switches: 0.2302,
      source:
        "linux612-memory-hotplug: 42682 calls of flush_tlb_mm_range(), 9827 of another address space than the one before on that CPU, in 22.748 s",
    },
    processes: {
      perSecond: 227,
      alive: 6,
      source: "linux612-memory-hotplug: 5165 processes begun in 22.748 s",
    },
  },
  "process-churn": {
    name: "process-churn",
    about: "processes and threads that begin and end: their stacks and the flushes of their address spaces",
    source: "linux612-fork-thread-storm, 8.063 s, 2 CPUs",
    kernel: "6.12.117",
    cpus: 2,
    areas: {
      perSecond: 878.8,
      pages: [4],
      lifeMs: [
        10.75, 13.49, 15.48, 17.13, 18.57, 19.72, 21, 22.3, 23.57, 25.14, 27.24, 29.5, 31.63, 34.97, 39.26, 47.62,
        58.98, 74.57, 97.73, 148.4,
      ],
      source: "linux612-fork-thread-storm: 7086 areas mapped in 8.063 s",
    },
    purges: {
      perUnmap: 0.0004234,
      source: "linux612-fork-thread-storm: 3 flushes of the purge, 7086 areas mapped",
    },
    userFlushes: {
      perSecond: 2517,
      pages: [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2],
      switches: 0.2782,
      source:
        "linux612-fork-thread-storm: 20291 calls of flush_tlb_mm_range(), 5645 of another address space than the one before on that CPU, in 8.063 s",
    },
    processes: {
      perSecond: 322.3,
      alive: 17,
      source: "linux612-fork-thread-storm: 2599 processes begun in 8.063 s",
    },
  },
  "driver-dma": {
    name: "driver-dma",
    about: "an NVMe disk read and written through an IOMMU, drivers bound again and loaded",
    source: "linux612-iommu-dma, 2.664 s, 2 CPUs",
    kernel: "6.12.117",
    cpus: 2,
    areas: {
      perSecond: 11.64,
      pages: [1, 1, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 8, 18, 23, 39, 192],
      lifeMs: [
        2.108, 19.64, 23.81, 41.77, 42.03, 54.54, 86.96, 117.7, 129.4, 141.2, 141.5, 167.4, 179.6, 225.2, 229.1, 232.2,
        317.5, 1486, 1490, 1494,
      ],
      source: "linux612-iommu-dma: 31 areas mapped in 2.664 s",
    },
    purges: {
      perUnmap: 0.6452,
      source: "linux612-iommu-dma: 20 flushes of the purge, 31 areas mapped",
    },
    fullFlushes: {
      perSecond: 4.505,
      source: "linux612-iommu-dma: 12 calls of flush_tlb_all() that free no table in 2.664 s",
    },
    userFlushes: {
      perSecond: 107,
      pages: [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
      switches: 0.07719,
      source:
        "linux612-iommu-dma: 285 calls of flush_tlb_mm_range(), 22 of another address space than the one before on that CPU, in 2.664 s",
    },
    processes: {
      perSecond: 6.383,
      alive: 3,
      source: "linux612-iommu-dma: 17 processes begun in 2.664 s",
    },
    devices: {
      ratePerMs: 11.07,
      workingSet: 109,
      source: "linux612-iommu-dma: 29495 pages mapped for DMA in 2.664 s, one access each; at most 109 at a time",
    },
  },
  "table-frees": {
    name: "table-frees",
    about:
      "every way to free a kernel page table, on the newest kernel: large areas, module loads, a memory module unplugged",
    source: "linux73-frees, 12.006 s, 2 CPUs",
    kernel: "7.3.4",
    cpus: 2,
    areas: {
      perSecond: 80.29,
      pages: [1, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4],
      lifeMs: [
        51.56, 63.99, 74.67, 88.41, 97.47, 104.1, 115.6, 123.5, 129.6, 134.2, 139.2, 145.2, 155.2, 167.5, 183, 204.3,
        226.3, 244.9, 325.8, 601,
      ],
      source: "linux73-frees: 964 areas mapped in 12.006 s",
    },
    purges: {
      perUnmap: 0.061,
      source: "linux73-frees: 61 flushes of the purge, 1000 areas mapped",
    },
    hugeAreas: {
      perSecond: 2.999,
      leaves: [4],
      overTables: 0.02778,
      freeUs: [728, 3162, 3223, 7240],
      lifeMs: [
        9.248, 9.293, 9.38, 9.395, 9.471, 9.556, 12.43, 14.01, 16.68, 21.36, 23.02, 25.93, 28.16, 29.63, 31.35, 32.86,
        34.63, 35.08, 38.42, 60.67,
      ],
      source: "linux73-frees: 36 areas of 2 MiB leaves, which freed 4 tables in 12.006 s",
    },
    fullFlushes: {
      perSecond: 10.16,
      source: "linux73-frees: 122 calls of flush_tlb_all() that free no table in 12.006 s",
    },
    collapses: {
      perSecond: 1.749,
      tables: [1],
      freeUs: [34, 37, 44, 52, 54, 181, 201, 638, 868, 888, 941, 1086, 1103, 1274, 1325, 1333, 1400, 3914, 3922, 7856],
      source: "linux73-frees: 21 collapses, which freed 21 tables in 12.006 s",
    },
    removals: {
      perSecond: 0.2499,
      pages: [65536],
      vmemmapFlushes: 2,
      flushUs: [40, 40, 41],
      source: "linux73-frees: 3 removals of memory in 12.006 s",
    },
    userFlushes: {
      perSecond: 223.5,
      pages: [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
      switches: 0.2005,
      source:
        "linux73-frees: 2683 calls of flush_tlb_mm_range(), 538 of another address space than the one before on that CPU, in 12.006 s",
    },
    processes: {
      perSecond: 14.33,
      alive: 7,
      source: "linux73-frees: 172 processes begun in 12.006 s",
    },
  },
} as const satisfies Record<string, Profile>;

/** Name of a built-in profile. */
export type ProfileName = keyof typeof profiles;
