// Operations of a trace that the replay has no handler for, each with the reason. `told`: nothing is missing, another
// operation says it or it changes no table that a walk can reach. `lost`: it happened and is not played; the result names it.
import type { OperationName } from "../trace/index.js";

/** Why an operation is not played. */
export type Unplayed = { readonly told: string } | { readonly lost: string };

const MAPPINGS = { told: "the calls that map, unmap and flush say it" } as const;
const EXECUTION = { told: "the execution of a call that is played" } as const;
const TABLES = { told: "tables are made where mappings need them" } as const;
const CODE = { told: "its memory comes and goes with vmalloc's areas" } as const;
const DMA = { told: "DMA mappings are in tables of their own" } as const;
const POLICY = { told: "what to tell the IOMMU is the business of the policy that is played" } as const;
const USER = { told: "of user memory only what is flushed is played" } as const;
const HOTPLUG = { told: "memory is mapped when it is removed: nobody has walked its tables before" } as const;
const VMEMMAP = { lost: "mapping or unmapping of vmemmap" } as const;
const DEVICE = { lost: "SVA of a device of the traced machine: the model's own device is bound in its place" } as const;

/** The operations without a handler. */
export const UNPLAYED = {
  "area-free": MAPPINGS,
  "area-free-account": MAPPINGS,
  "purge-begin": MAPPINGS,
  purge: MAPPINGS,
  "purge-all": MAPPINGS,
  "area-remove": MAPPINGS,
  "vmalloc-call": MAPPINGS,
  vfree: MAPPINGS,
  "vmap-call": MAPPINGS,
  vunmap: MAPPINGS,
  "vm-map-ram": MAPPINGS,
  "vm-map-ram-return": MAPPINGS,
  "vm-unmap-ram": MAPPINGS,
  "ioremap-call": MAPPINGS,
  iounmap: MAPPINGS,
  "cpu-flush-range": EXECUTION,
  "cpu-flush-all": EXECUTION,
  "flush-mm-remote": EXECUTION,
  "tlb-flush": EXECUTION,
  "flush-batch": { lost: "flush of user pages that were unmapped in a batch" },
  "table-alloc": TABLES,
  "table-alloc-at": TABLES,
  "sync-top-level": TABLES,
  "free-pages": { told: "the page was no table" },
  "memory-add": HOTPLUG,
  "direct-map-add": HOTPLUG,
  "vmemmap-add": VMEMMAP,
  "vmemmap-remove": VMEMMAP,
  "mm-exit": USER,
  "user-table-free": USER,
  "attribute-change": { lost: "change of page attributes: tables that it splits or makes are not followed" },
  "attribute-collapse": { told: "the frees of its tables say it" },
  "set-memory": { told: "the change of page attributes says it" },
  "direct-map-page": { told: "the change of page attributes says it" },
  "text-alloc": CODE,
  "text-alloc-return": CODE,
  "text-free": CODE,
  "bpf-alloc": CODE,
  "bpf-alloc-return": CODE,
  "bpf-free": CODE,
  "text-poke": CODE,
  "module-load": CODE,
  "module-unload": CODE,
  "iommu-map": DMA,
  "iommu-unmap": DMA,
  "iommu-map-call": DMA,
  "iommu-unmap-call": DMA,
  "iommu-flush-range": DMA,
  "iommu-flush-all": DMA,
  "cache-tag": DMA,
  "cache-tag-flush-all": DMA,
  "cache-tag-flush-range": DMA,
  "device-attach": DMA,
  "sva-invalidate": POLICY,
  "sva-notify": POLICY,
  "sva-bind": DEVICE,
  "sva-unbind": DEVICE,
  "page-request": { lost: "page request of a device of the traced machine" },
  "iommu-fault": { lost: "fault of a device of the traced machine" },
} as const satisfies Partial<Record<OperationName, Unplayed>>;

/** Operations that have a handler. */
export type PlayedName = Exclude<OperationName, keyof typeof UNPLAYED>;
