// The neutral vocabulary of compiled traces: what the kernel did, whatever probe or tracepoint told it. Arguments have a
// fixed order, so that a batch can hold them packed. Addresses are virtual unless the name says `phys`; ends are exclusive
// unless said otherwise.

/** `address`: 64 bits. `count`: a signed number that fits 53 bits. `text`: a symbol or name. */
export type ArgumentType = "address" | "count" | "text";

/** Operations and their arguments. `execution` in the comment: what a CPU did for a call counted elsewhere; do not add both. */
export const OPERATIONS = {
  // vmalloc areas (mm/vmalloc.c)
  /** An area was reserved: [start, start + size), between low and high. */
  "area-alloc": { start: "address", size: "address", align: "address", low: "address", high: "address" },
  /** An area was unmapped and queued for the lazy purge. */
  "area-free": { start: "address", end: "address" },
  /** The pages waiting for a lazy purge after an area was queued, and how many start one. */
  "area-free-account": { start: "address", lazyPages: "count", lazyPagesMax: "count" },
  /** A purge begins with this range handed in; start > end means none. */
  "purge-begin": { start: "address", end: "address" },
  /** A purge ended: the merged range it flushed, the number of areas. */
  purge: { start: "address", end: "address", areas: "count" },
  /** All lazily freed ranges are flushed at once (vm_unmap_aliases). */
  "purge-all": { caller: "text" },
  "area-remove": { address: "address" },
  "vmalloc-call": {
    size: "address",
    align: "address",
    low: "address",
    high: "address",
    flags: "address",
    caller: "text",
  },
  "vmalloc-return": { address: "address" },
  /** From interrupt context the area goes away later, from a worker. */
  vfree: { address: "address" },
  "vmap-call": { pages: "count", flags: "address" },
  "vmap-return": { address: "address" },
  vunmap: { address: "address" },
  "vm-map-ram": { pages: "count" },
  "vm-map-ram-return": { address: "address" },
  "vm-unmap-ram": { address: "address", pages: "count" },
  "ioremap-call": { phys: "address", size: "address", cacheMode: "count", caller: "text" },
  "ioremap-return": { address: "address" },
  iounmap: { address: "address" },
  // mappings in kernel tables
  /** Pages are mapped; pageShift 12 or more. With more than 12 the pieces follow as `map-physical`. */
  "map-pages": { start: "address", end: "address", prot: "address", pageShift: "count" },
  /** A physically contiguous range is mapped with pages of up to 2^maxShift bytes. */
  "map-physical": { start: "address", end: "address", phys: "address", prot: "address", maxShift: "count" },
  /** Leaf entries of a range are cleared; tables stay. */
  "unmap-range": { start: "address", end: "address" },
  // flushes of kernel addresses: calls
  "flush-kernel-range": { start: "address", end: "address", caller: "text" },
  "flush-all": { caller: "text" },
  // their execution on one CPU
  /** Execution of a ranged flush. */
  "cpu-flush-range": { start: "address", end: "address" },
  /** Execution of a full flush. */
  "cpu-flush-all": {},
  /** Execution of a full flush, or one that is meant for this CPU only (see the caller). */
  "local-flush-all": { caller: "text" },
  /** INVLPG of one page on this CPU, outside ranged flushes. */
  "cpu-flush-page": { address: "address", caller: "text" },
  // flushes of user addresses
  /** end 2^64 - 1: the whole address space. freedTables 1: table pages go away after it. */
  "flush-mm": {
    mm: "address",
    start: "address",
    end: "address",
    strideShift: "count",
    freedTables: "count",
    caller: "text",
  },
  /** Execution: the IPI for a flush-mm to the CPUs in mask (the first 64). */
  "flush-mm-remote": { mask: "address", mm: "address", start: "address", end: "address" },
  "flush-batch": {},
  /** tlb:tlb_flush: pages -1 is everything; reasons 0 task switch, 1 remote, 2 local, 3 local mm, 4 send IPI. */
  "tlb-flush": { pages: "count", reason: "count" },
  // kernel page tables
  /** A table page is taken out of the entry above it; the flush and `table-free` follow. entry: its old value. */
  "table-detach": { site: "text", level: "count", address: "address", parent: "address", entry: "address" },
  /** The end of a table-detach; result 1: the entry is free for a leaf. */
  "table-detach-return": { site: "text", result: "count" },
  /**
   * A table page is given away. address: of the page in the direct map, page: of its struct page, base: where the direct map or
   * struct pages begin, whichever of the two is told; 0 where the trace does not tell. deferred 1: it waits for the kernel's own deferred worker (`table-release`).
   */
  "table-free": { site: "text", address: "address", page: "address", base: "address", deferred: "count" },
  /** The deferred worker gives a page back that was given away before: one free has two lines. */
  "table-release": { address: "address", page: "address" },
  /** A table page is given back that no process's walk has ever reached: it was never linked, or was EFI's own. */
  "table-discard": { site: "text", address: "address", page: "address" },
  /** A table page is put into an empty entry (entry 0), or one was there already. */
  "table-alloc": { level: "count", parent: "address", entry: "address" },
  /** As table-alloc, with the address it is for. */
  "table-alloc-at": { level: "count", mm: "address", parent: "address", address: "address" },
  /** Freed kernel tables are invalidated and given back by the deferred worker. */
  "table-worker": {},
  /** A page (not a table) goes back to the allocator, from one of the watched callers. */
  "free-pages": { site: "text", address: "address", page: "address", order: "count" },
  "sync-top-level": { start: "address", end: "address" },
  // memory hotplug
  "memory-add": { node: "count", start: "address", size: "address" },
  "memory-remove": { start: "address", size: "address" },
  /** Tables of a range are removed; direct 1: direct map, 0: vmemmap. */
  "hot-remove": { start: "address", end: "address", direct: "count" },
  "vmemmap-remove": { start: "address", end: "address" },
  "vmemmap-add": { start: "address", end: "address", node: "count" },
  /** Direct-map tables are made for a physical range. */
  "direct-map-add": { physStart: "address", physEnd: "address", pageSizeMask: "address" },
  // user address spaces
  "mm-create": { mm: "address" },
  "mm-destroy": { mm: "address", pgd: "address" },
  /** The mappings of a process go away; the mm is not named. */
  "mm-exit": {},
  /** A user table of this level is queued for freeing; page: its struct page (level 1) or its address. */
  "user-table-free": { level: "count", page: "address" },
  // attribute changes (arch/x86/mm/pat/set_memory.c)
  "attribute-change": {
    address: "address",
    pages: "count",
    set: "address",
    clear: "address",
    forceSplit: "count",
    flags: "address",
  },
  "attribute-flush": { address: "address", pages: "count", cache: "count" },
  "attribute-collapse": {},
  "set-memory": { kind: "text", address: "address", pages: "count" },
  "direct-map-page": { kind: "text", page: "address" },
  // code
  "text-alloc": { type: "count", size: "address" },
  "text-alloc-return": { address: "address" },
  "text-free": { address: "address" },
  "bpf-alloc": { size: "count" },
  "bpf-alloc-return": { address: "address" },
  "bpf-free": { address: "address" },
  "text-poke": { address: "address", length: "count" },
  "module-load": { name: "text" },
  "module-unload": { name: "text" },
  // IOMMU
  "iommu-map": { iova: "address", phys: "address", size: "address" },
  "iommu-unmap": { iova: "address", size: "address", unmapped: "address" },
  /** The driver's call behind an iommu-map. */
  "iommu-map-call": { iova: "address", phys: "address", pageSize: "address", pages: "address" },
  /** The driver's call behind an iommu-unmap; frames, both inclusive. */
  "iommu-unmap-call": { firstFrame: "address", lastFrame: "address" },
  /** The driver flushes a range of a domain; end inclusive. */
  "iommu-flush-range": { domain: "address", start: "address", end: "address" },
  "iommu-flush-all": { domain: "address" },
  /**
   * One descriptor for the invalidation queue. The IOMMU is named (unit) or given by its address; count: descriptors
   * submitted in one go, of which this is the first. Quadwords that the event does not tell are 0.
   */
  "queue-descriptor": {
    unit: "text",
    unitAddress: "address",
    qw0: "address",
    qw1: "address",
    qw2: "address",
    qw3: "address",
    count: "count",
  },
  /** A cache (iotlb, devtlb) begins or ends to hold translations of (domain, pasid). */
  "cache-tag": {
    action: "text",
    unit: "text",
    device: "text",
    type: "text",
    domain: "count",
    pasid: "count",
    users: "count",
  },
  "cache-tag-flush-all": { unit: "text", device: "text", type: "text", domain: "count", pasid: "count" },
  /** [start, end] as asked for; address and 2^mask pages as sent. notPresent 1: a flush after a mapping was added. */
  "cache-tag-flush-range": {
    unit: "text",
    device: "text",
    type: "text",
    domain: "count",
    pasid: "count",
    start: "address",
    end: "address",
    address: "address",
    mask: "count",
    notPresent: "count",
  },
  /** An IOMMU invalidation of kernel addresses for every SVA address space (Linux 6.18.7 and later). */
  "sva-invalidate": { start: "address", end: "address" },
  /** The mmu notifier of SVA: a range of an address space. */
  "sva-notify": { mm: "address", start: "address", end: "address" },
  "sva-bind": { device: "address", mm: "address" },
  "sva-unbind": { handle: "address" },
  "iommu-fault": { driver: "text", device: "text", iova: "address", flags: "address" },
  "page-request": { unit: "text", device: "text", sequence: "count", request: "text" },
  "device-attach": { device: "text" },
} as const satisfies Record<string, Record<string, ArgumentType>>;

type Vocabulary = typeof OPERATIONS;

/** Names of operations. */
export type OperationName = keyof Vocabulary;

type Values<A> = { -readonly [K in keyof A]: A[K] extends "address" ? bigint : A[K] extends "count" ? number : string };

/** One operation with its arguments, as `OperationBatch.at` returns it. */
export type Operation = {
  [N in OperationName]: {
    /** What the kernel did. */
    readonly name: N;
    /** Nanoseconds on the trace's clock (see `EventBatch.time`). */
    readonly time: number;
    /** CPU that the event is from. */
    readonly cpu: number;
    /** Thread id; 0 for the idle task. */
    readonly pid: number;
    /** Line number in the trace, from 1. */
    readonly line: number;
    /** Its arguments by name, as {@link OPERATIONS} lists them. */
    readonly args: Values<Vocabulary[N]>;
  };
}[OperationName];

/** All operations; the index of a name is its number in batches. */
export const OPERATION_NAMES: readonly OperationName[] = Object.keys(OPERATIONS) as OperationName[];

/** Number of an operation in batches. */
export function operationNumber(name: OperationName): number {
  return OPERATION_NAMES.indexOf(name);
}

/** Arguments of an operation in their packed order. */
export function operationArguments(name: OperationName): readonly (readonly [string, ArgumentType])[] {
  return Object.entries(OPERATIONS[name]);
}
