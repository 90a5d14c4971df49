// Which constants of the engine its host is given, and under which names. A constant added inside a list, a set of values or
// a structure needs no line here.
import { list, single, structure, values } from "./groups.mjs";
import { kebab, snake } from "./names.mjs";

export const GROUPS = [
  // ---- geometry and limits ----
  single("paging/x86-64/entry", ["PAGE_SHIFT", "INDEX_BITS", "ENTRIES", "MAX_LEVELS", "MAX_LEAF_LEVEL"]),
  single("paging/x86-64/entry", ["FRAME_BITS"], { number: true }),
  single("base/limits", ["MAX_REQUESTERS", "DOMAINS_OF_PASID", "PCIDS", "MAX_MMS", "MAX_WALKS", "MAX_NESTED"], {
    number: true,
  }),
  single("hardware/context", ["DEFAULT_DOMAIN"], { number: true }),
  single("hardware/pasid", ["ANY"], { number: true }),
  single("hardware/agent", ["MAX_CACHES"], { number: true }),
  single("hardware/iommu", ["ALL_PAGES_MASK"]),

  // ---- accesses, controls, outcomes, frames ----
  values("accesses", "paging/access", "SUPERVISOR_READ", "SPECULATIVE_USER_FETCH", { about: "Accesses by name" }),
  single("paging/access", ["TYPE", "FETCH"], { prefix: "access" }),
  single("paging/access", ["ACCESS_CODES"]),
  values("controlBit", "paging/x86-64/controls", "WP", "AC", { about: "Bits of a context's controls" }),
  list("reasons", "paging/outcome", "TRANSLATED", "REASONS", {
    about: "Reasons of outcomes",
    suffix: "_REFUSED",
    spelling: kebab,
  }),
  values("outcomeBits", "paging/outcome", "OK_LEVEL_SHIFT", "FAULT_DETAIL", { about: "Fields of a packed outcome" }),
  single("paging/frames", ["STANDING_SIZE", "META_SIZE"], { number: true }),
  values("faultNumber", "hardware/physical", "NUMBER_LEVEL_SHIFT", "NUMBER_REASON_SHIFT", {
    about: "Fields of a fault as a number",
    prefix: "NUMBER_",
  }),
  list("frameStates", "paging/frames", "FREE", "FRAME_STATES", { about: "States of frames", spelling: kebab }),

  values("sparse", "base/sparse", "SPARSE_NEXT", "SPARSE_HEAD", {
    about: "The head of a sparse array",
    prefix: "SPARSE_",
  }),

  // ---- caches ----
  list("replacements", "cache/fill", "LRU", "REPLACEMENTS", { about: "Replacement", spelling: kebab }),
  single("cache/layout", ["PATHS", "KEY_LEVEL", "KEY_GLOBAL", "KEY_TAG_SHIFT", "KEY_TAG", "KEY_PAGE_SHIFT"], {
    prefix: "cache",
  }),
  list("cacheCounters", "cache/layout", "CACHE_HITS", "CACHE_SIZE", {
    about: "Counters of a cache",
    prefix: "CACHE_",
    step: 8,
    interface: "CacheCounterValues",
  }),
  values("cacheField", "cache/layout", "CACHE_SETS", "CACHE_LINKS", {
    about: "Where the shape of a cache stands in it",
    prefix: "CACHE_",
  }),
  structure("cacheDump", "cache/inspect", "DUMP_KEY", "DUMP_END", {
    about: "A dumped entry of a cache",
    prefix: "DUMP_",
    size: "DUMP_SIZE",
  }),

  // ---- where state stands, for whoever compares states ----
  values("cacheShapeAt", "cache/layout", "CACHE_SETS", "CACHE_LEVELS", {
    about: "Offsets in a cache: its shape",
    prefix: "CACHE_",
    number: true,
  }),
  values("cacheStateAt", "cache/layout", "CACHE_SPAN", "CACHE_SIZE", {
    about: "Offsets in a cache: what changes, and its counters",
    prefix: "CACHE_",
    number: true,
  }),
  values("setAt", "cache/layout", "SET_SWEPT", "SET_PARTIALS", {
    about: "Offsets in a set",
    prefix: "SET_",
    number: true,
  }),
  values("groupAt", "cache/group", "GROUP_CLOCK", "GROUP_SIZE", {
    about: "Offsets in a group of caches",
    prefix: "GROUP_",
    number: true,
  }),
  single("cache/group", ["TAG_SINCE", "TAG_SHIFT"], { number: true }),
  single("hardware/agent", ["AGENT_PAGE_REQUESTS", "AGENT_SIZE"], { number: true }),
  single("hardware/context", ["CONTEXT_FORMAT", "CONTEXT_CACHED"], { number: true }),
  values("walkStateAt", "hardware/walks", "WALK_REQUESTER", "WALK_SIZE", {
    about: "Offsets in a walk under way, all of it",
    prefix: "WALK_",
    number: true,
  }),
  values("cpuSpacesAt", "kernel/spaces", "CPU_MM", "CPU_SIZE", {
    about: "Offsets in what a CPU runs: which mm, and its ASIDs",
    prefix: "CPU_",
    number: true,
  }),
  single("kernel/spaces", ["INIT_MM", "ASIDS"], { number: true }),
  single("paging/frames", ["STANDING_GENERATION", "STANDING_STATE", "META_FRAME", "META_FREED_AT"], { number: true }),

  // ---- agents, walks, hazards ----
  values("agentFlag", "hardware/agent", "IS_CPU", "DRAIN_NONE", { about: "Flags of an agent" }),
  list("agentCounters", "hardware/agent", "AGENT_TRANSLATIONS", "AGENT_SIZE", {
    about: "Counters of an agent",
    prefix: "AGENT_",
    step: 8,
    interface: "AgentCounterValues",
  }),
  structure("walk", "hardware/walks", "WALK_REQUESTER", "WALK_SHOWN_END", {
    about: "A walk under way, as far as the host looks",
    prefix: "WALK_",
  }),
  structure("link", "hardware/explain", "LINK_ENTRY", "LINK_SIZE", { about: "A link of a chain", prefix: "LINK_" }),
  structure("mapping", "hardware/mappings", "MAPPING_PLACE", "MAPPING_SIZE", {
    about: "A listed mapping",
    prefix: "MAPPING_",
  }),
  list("hazardKinds", "hardware/hazard", "WALK_AFTER_FREE", "HAZARD_KINDS", {
    about: "Kinds of hazard, in rising harm",
    spelling: kebab,
  }),
  structure("hazardRecord", "hardware/hazard", "RECORD_OPERATION", "RECORD_END", {
    about: "A hazard's record",
    prefix: "RECORD_",
    size: "RECORD_SIZE",
  }),
  single("paging/frames", ["NO_SITE"]),

  // ---- devices, PASID-table entries ----
  values("deviceFlag", "hardware/answer", "PAGE_REQUESTS", "NO_WRITE", { about: "What a device does" }),
  values("pasidField", "hardware/pasid-entry", "PGTT", "AW", { about: "Fields of a PASID-table entry" }),

  // ---- queues ----
  list("queueCounters", "hardware/queue/counters", "PAGE_SELECTIVE_INVALIDATIONS", "QUEUE_COUNTERS", {
    about: "What invalidation queues were given",
    interface: "QueueCounterValues",
  }),

  // ---- kernel ----
  list("sites", "kernel/sites", "PMD_FREE_PTE_PAGE", "SITES", { about: "Sites", spelling: snake }),
  values("policyBit", "kernel/policy", "HOOK_KERNEL_RANGE", "NOTIFY_USER", { about: "Bits of a policy" }),
  values("traitBit", "kernel/traits", "COLLAPSES", "USES_INVLPGB", {
    about: "Bits of what kernels differ in",
  }),
  single("kernel/traits", ["PTI"]),
  list("scopes", "kernel/driver", "SCOPE_RANGE", "SCOPES", {
    about: "Scopes of a hooked flush's invalidation",
    prefix: "SCOPE_",
    spelling: kebab,
  }),
  list("kernelCounters", "kernel/counters", "PURGES", "KERNEL_COUNTERS", {
    about: "What the kernel did and what it cost",
    interface: "KernelCounterValues",
  }),

  // ---- programs ----
  structure("operation", "base/record", "OPERATION_CODE", "OPERATION_SIZE", {
    about: "A record of a program",
    prefix: "OPERATION_",
  }),
  single("base/record", ["EVERY_CPU"]),
  values("operationCodes", "base/operations", "OP_NOTHING", "OP_ENTER_KERNEL", {
    about: "Operation codes",
    prefix: "OP_",
  }),
  single("base/operations", ["STOP_CODE"]),
  values("operationTypes", "base/operations", "KEEP_TABLES", "FILL", { about: "Types of operations" }),
  list("refusals", "base/refusals", "DONE", "REFUSALS", {
    about: "Why an operation was refused",
    spelling: kebab,
  }),
  list("programFaults", "program/check", "FINE", "PROGRAM_FAULTS", { about: "What is wrong with an operation" }),

  // ---- workloads ----
  list("streams", "program/workload", "SEQUENTIAL", "STREAMS", { about: "Streams of accesses", spelling: kebab }),
  list("flushKinds", "program/workload", "FLUSH_PAGE", "FLUSH_KINDS", {
    about: "Kinds of flush of a workload",
    prefix: "FLUSH_",
  }),
  single("program/workload", ["MAY_WRITE", "FLUSH_SCALE", "WRITE_SCALE"]),
  list("kernelWorkloadKinds", "program/kernel-workload", "CPU_ACCESS", "KINDS", {
    about: "Kinds of operation of a kernel workload",
  }),

  list("kernelPatterns", "program/kernel-workload", "UNIFORM", "PATTERNS", {
    about: "How accesses of a synthetic kernel workload choose their pages",
    spelling: kebab,
  }),
  single("program/kernel-workload", ["KIND_SCALE", "SHARE_SCALE"]),
];

/** Constants of the module that reads traces. */
export const TRACE_GROUPS = [
  single("trace/memory", ["BATCH_EVENTS", "MAX_FIELDS", "BATCH_WORDS", "TEXT_BYTES"]),
  values("place", "trace/memory", "TIME_AT", "TEXT_AT", { about: "Places in the shared block", suffix: "_AT" }),
  values("clockNumber", "trace/memory", "ORIGIN", "LAST", { about: "Indices of the clock's numbers" }),
  values("stateWord", "trace/memory", "COUNT", "WHY", { about: "Indices of the state's words" }),
  values("why", "trace/memory", "DONE", "ODD", { about: "Why reading stopped" }),
  values("kind", "trace/forms", "HEX", "PLACE", { about: "What follows the fixed bytes of a piece" }),
];

/** Predicates of the engine, each written down as the numbers below `below` for which it holds. */
export const CALLS = [
  { target: "operationsOfTwoRecords", file: "base/operations", name: "hasSecondRecord", below: 256 },
];
