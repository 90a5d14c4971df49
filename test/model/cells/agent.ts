// The agent of a cell, an IOMMU with one device or a CPU: how its walks begin and go on, what they leave in caches, and what
// invalidations drop (rules.md sections 3 to 7, 14 and 16). Caches never evict.

import type { CpuOptions, IommuOptions } from "../../../src/verdicts/index.js";
import {
  type Cache,
  dirtied,
  type Entry,
  isDirty,
  isLeaf,
  isUser,
  type Layout,
  type Level,
  page,
  type State,
  spanOf,
  tableOf,
  type Walk,
} from "./world.js";

/** What does not change. */
export interface Hardware {
  iommu: IommuOptions | undefined;
  cpu: CpuOptions | undefined;
  layout: Layout;
  addresses: readonly bigint[];
  /** Of each mm; of the PASID the first. */
  roots: readonly [number, number];
  /** Walks of users: of a device always. */
  user: boolean;
  /** Which walks an invalidation waits for. */
  drain: "all" | "page" | "none";
}

const GLOBAL = "g";

function put(cache: Cache, key: string, value: Entry): Cache {
  const others = cache.filter(([it]) => it !== key);
  return [...others, [key, value] as const].sort(([a], [b]) => (a < b ? -1 : 1));
}

const get = (cache: Cache, key: string): Entry | undefined => cache.find(([it]) => it === key)?.[1];
const key = (level: Level, address: bigint, tag: number | string): string => `${level}|${page(address, level)}|${tag}`;

function parsed(it: string): { level: Level; page: bigint; tag: string } {
  const [level = "", at = "", tag = ""] = it.split("|");
  return { level: Number(level) as Level, page: BigInt(at), tag };
}

/** Drop what a predicate names. */
function without(cache: Cache, drops: (it: { level: Level; page: bigint; tag: string }) => boolean): Cache {
  return cache.some(([it]) => drops(parsed(it))) ? cache.filter(([it]) => !drops(parsed(it))) : cache;
}

/** The leaf that is cached for an address. */
function cachedLeaf(cache: Cache, address: bigint, tag: number): Entry | undefined {
  for (const level of [1, 2, 3] as const) {
    const found = get(cache, key(level, address, tag)) ?? get(cache, key(level, address, GLOBAL));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A walk begins, unless a cache answers. False if nothing has begun. */
export function begin(s: State, h: Hardware, address: number, write: boolean): boolean {
  const va = h.addresses[address] as bigint;
  const tag = h.iommu ? 0 : s.cpu.asid + (s.cpu.userMode ? 2048 : 0);
  if (h.iommu && !enterPasid(s, va, write)) return false;
  const found = cachedLeaf(s.pages, va, tag);
  if (found !== undefined && answers(h, found, write)) {
    if (h.user && !isUser(found)) requestPage(s, h, va);
    else if (hasDeviceTlb(h)) s.device = put(s.device, keyOfHit(s.pages, va, tag), found);
    return false;
  }
  let start = { level: 4 as Level, table: h.roots[h.iommu ? 0 : s.cpu.mm], user: true };
  for (const level of [4, 3, 2] as const) {
    const cached = get(s.paths, key(level, va, tag));
    if (cached !== undefined) start = { level: (level - 1) as Level, table: tableOf(cached), user: isUser(cached) };
  }
  s.walk = { address, write, ...start, marking: undefined, going: true, tag };
  return true;
}

/** PASID cache and device TLB; false if they answer. */
function enterPasid(s: State, va: bigint, write: boolean): boolean {
  const own = cachedLeaf(s.device, va, 0);
  if (own !== undefined && (!write || isDirty(own))) return false;
  if (!s.pasidCached && !s.bound) return false;
  s.pasidCached = true;
  return true;
}

function keyOfHit(cache: Cache, va: bigint, tag: number): string {
  const level = ([1, 2, 3] as const).find((it) => get(cache, key(it, va, tag)) !== undefined) ?? 1;
  return key(level, va, tag);
}

/** Whether a cached leaf answers, with a refusal or without: what has to set D does not. */
function answers(h: Hardware, found: Entry, write: boolean): boolean {
  if (h.user && !isUser(found)) return true;
  return !marks(h, write) || isDirty(found);
}

const hasDeviceTlb = ({ iommu }: Hardware): boolean => iommu !== undefined && (iommu.deviceTlb || iommu.pageRequests);

/** A translation request of a device with a TLB is one for a write too. */
const marks = (h: Hardware, write: boolean): boolean => write || hasDeviceTlb(h);

/** One read of memory, or the setting of D. */
export function step(s: State, h: Hardware): void {
  const { walk } = s;
  if (!walk) throw new Error("no walk is under way");
  if (s.freed[walk.table]) s.hazard = true;
  const va = h.addresses[walk.address] as bigint;
  const slot = h.layout.find(walk.table, va, walk.level);
  const entry = slot === undefined ? 0 : (s.memory[slot] as Entry);
  if (walk.marking !== undefined) {
    if (entry !== walk.marking) {
      walk.marking = undefined;
      return;
    }
    s.memory = s.memory.with(slot as number, dirtied(entry));
    complete(s, h, va, dirtied(entry));
    return;
  }
  if (entry === 0) refuse(s, h, va);
  else if (isLeaf(entry)) meetLeaf(s, h, va, entry);
  else descend(s, h, va, entry);
}

function meetLeaf(s: State, h: Hardware, va: bigint, entry: Entry): void {
  const walk = s.walk as NonNullable<State["walk"]>;
  if (h.user && !(walk.user && isUser(entry))) {
    if (h.iommu?.cacheSupervisorLeaves) s.pages = put(s.pages, key(walk.level, va, walk.tag), entry & ~2);
    refuse(s, h, va);
  } else if (marks(h, walk.write) && !isDirty(entry)) walk.marking = entry;
  else complete(s, h, va, entry);
}

function complete(s: State, h: Hardware, va: bigint, entry: Entry): void {
  const walk = s.walk as NonNullable<State["walk"]>;
  // The kernel's leaves are global, but for those that it makes with page-table isolation.
  const global = h.cpu && !h.user && !h.cpu.pti;
  s.pages = put(s.pages, key(walk.level, va, global ? GLOBAL : walk.tag), entry);
  if (hasDeviceTlb(h)) s.device = put(s.device, key(walk.level, va, walk.tag), entry);
  s.walk = undefined;
}

function descend(s: State, h: Hardware, va: bigint, entry: Entry): void {
  const walk = s.walk as NonNullable<State["walk"]>;
  const user = walk.user && isUser(entry);
  const refuses = h.iommu !== undefined && !user;
  if (refuses && h.iommu?.supervisorEntries === "stop") {
    refuse(s, h, va);
    return;
  }
  const caches = h.cpu !== undefined || h.iommu?.pagingStructureCaches;
  if (caches && !(refuses && h.iommu?.supervisorEntries === "walk")) {
    s.paths = put(s.paths, key(walk.level, va, walk.tag), user ? entry : entry & ~2);
  }
  walk.level = (walk.level - 1) as Level;
  walk.table = tableOf(entry);
  walk.user = user;
}

/** The walk ends, and the device may ask for the page. */
function refuse(s: State, h: Hardware, va: bigint): void {
  s.walk = undefined;
  requestPage(s, h, va);
}

/** A page request drops what is cached of the page; it waits for no walk. */
function requestPage(s: State, h: Hardware, va: bigint): void {
  if (!h.iommu?.pageRequests) return;
  const drops = overlapping(pageOf(va));
  s.pages = without(s.pages, drops);
  s.paths = without(s.paths, drops);
}

const pageOf = (va: bigint): readonly [bigint, bigint] => [(va / 4096n) * 4096n, (va / 4096n + 1n) * 4096n];

/** An invalidation is complete when the walk that has begun before it has ended; or those to the pages that it names. */
export function drain(s: State, h: Hardware, pages?: readonly [bigint, bigint]): void {
  if (h.drain === "none") return;
  const waiting: Walk[] = [];
  for (const walk of [s.walk, s.other]) {
    if (!walk) continue;
    const va = h.addresses[walk.address] as bigint;
    if (h.drain === "page" && pages && (va < pages[0] || va >= pages[1])) {
      waiting.push(walk);
      continue;
    }
    s.walk = walk;
    while (s.walk) step(s, h);
  }
  [s.walk, s.other] = waiting;
}

/** Bytes [start, end) of an IOMMU, aligned to a power of two of pages that covers them; or everything of the PASID. */
export function invalidateIommu(s: State, h: Hardware, range: readonly [bigint, bigint] | "everything"): void {
  const pages = range === "everything" ? undefined : aligned(range);
  drain(s, h, pages);
  const drops = pages ? overlapping(pages) : () => true;
  s.pages = without(s.pages, drops);
  s.paths = without(s.paths, drops);
  s.device = without(s.device, drops);
}

function aligned([start, end]: readonly [bigint, bigint]): readonly [bigint, bigint] {
  for (let size = 4096n; ; size *= 2n) {
    const base = (start / size) * size;
    if (base + size >= end) return [base, base + size];
  }
}

function overlapping([start, end]: readonly [bigint, bigint]): (it: { level: Level; page: bigint }) => boolean {
  const first = BigInt.asUintN(48, start);
  const last = first + (end - start);
  return (it) => it.page * spanOf(it.level) < last && first < (it.page + 1n) * spanOf(it.level);
}

const covers = (va: bigint) => (it: { level: Level; page: bigint }) => page(va, it.level) === it.page;

/** INVLPG in a CPU's kernel mode. */
export function invlpg(s: State, h: Hardware, va: bigint): void {
  drain(s, h, pageOf(va));
  const tag = String(s.cpu.asid);
  s.pages = without(s.pages, (it) => covers(va)(it) && (it.tag === tag || it.tag === GLOBAL));
  const scope = h.cpu?.invlpgScope;
  s.paths = without(s.paths, (it) => scope === "all" || (it.tag === tag && (scope === "pcid" || covers(va)(it))));
}

/** INVPCID of a page of the user PCID. */
export function invpcidOfUser(s: State, h: Hardware, va: bigint): void {
  drain(s, h, pageOf(va));
  const tag = String(s.cpu.asid + 2048);
  const drops = (it: { level: Level; page: bigint; tag: string }) => it.tag === tag && covers(va)(it);
  s.pages = without(s.pages, drops);
  s.paths = without(s.paths, drops);
}

/** Everything of the CPU. */
export function dropAll(s: State, h: Hardware): void {
  drain(s, h);
  s.pages = [];
  s.paths = [];
}

/** MOV CR3. */
export function loadRoot(s: State, h: Hardware, pcid: number, flush: boolean): void {
  drain(s, h);
  if (!flush) return;
  s.pages = without(s.pages, ({ tag }) => tag === String(pcid));
  s.paths = without(s.paths, ({ tag }) => tag === String(pcid));
}
