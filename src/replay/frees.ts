// Table frees of a trace, step by step, as the kernel took the steps: clear, flush, free; or free, clear, flush. Between the
// steps the device model acts. mm/vmalloc.c, arch/x86/mm/pgtable.c, arch/x86/mm/init_64.c.

import { operationTypes, entries as SLOT_PAGES } from "../engine/abi.js";
import type { KernelRecord } from "../kernel/versions.js";
import { Operation } from "../program/operations.js";
import { type Site, sites } from "../program/sites.js";
import type { DeviceAccesses } from "./accesses.js";
import type { DeviceModel } from "./device-model.js";
import { addressOfPage, pageOf, type RecordWriter } from "./records.js";
import type { TableFree } from "./trace-result.js";
import { hasMark } from "./traced-kernel.js";

/** Threads with an unfinished free that are remembered: a damaged trace may begin any number. */
const MAX_THREADS = 1 << 12;
/** Frees of one removal that are followed; 512 PDs would be a whole PDPT. */
const MAX_FREES = 512;
/** `vmalloc`: tables in the way of a large leaf stay. */
const { keepTables: KEEP_TABLES, unlisted: UNLISTED, fill: FILL, marked: MARKED, unmarked: UNMARKED } = operationTypes;
/** What somebody writes into the frames they get: P, R/W, U/S, PS and 8 GiB, a leaf at level 2 as at level 1. A and D are clear. */
const FORGED_LOW = 0x87;
const FORGED_HIGH = 2;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A free under way in one thread. */
interface Steps {
  readonly site: Site;
  /** First page and pages that the table serves, and its level. */
  readonly page: number;
  readonly pages: number;
  readonly level: 1 | 2;
  /** Frame of the traced machine from the old entry, if told. */
  readonly frame: number | undefined;
  /** First page of the traced kernel's direct map, if known: pages that it frees are named by their address there. */
  readonly directMap: number | undefined;
  /** Tables that go one after the other: each serves the `pages` behind the one before. */
  readonly tables: number;
  /** Frees so far in this thread's work. */
  freed: Mutable<TableFree>[];
  flushTimeNs: number | undefined;
  flushCaller: string | undefined;
}

/** Where and when a step happened. */
export interface Place {
  readonly line: number;
  readonly cpu: number;
  readonly pid: number;
  readonly timeNs: number;
}

/** What the trace tells of a page that is freed: words of 64-bit values, 0 where it does not. */
export interface FreedPage {
  /** Its address in the direct map. */
  readonly address: readonly [low: number, high: number];
  /** The address of its struct page. */
  readonly page: readonly [low: number, high: number];
  /** Where struct pages begin, or the direct map if {@link address} is told. */
  readonly base: readonly [low: number, high: number];
  /** Whether the traced kernel handed it to its deferred worker. */
  readonly deferred: boolean;
}

const STRUCT_PAGE = 64n;
const PAGE_SHIFT = 12n;

/** Writes the steps and lists the frees. */
export class TableFrees {
  readonly #writer: RecordWriter;
  readonly #devices: DeviceAccesses;
  readonly #model: DeviceModel;
  readonly #kernel: KernelRecord;
  readonly #most: number;
  readonly #open = new Map<number, Steps>();
  readonly #listed: Mutable<TableFree>[] = [];
  readonly #bySite = new Map<string, number>();
  /** Record number of a free to its index, for hazards. */
  readonly byOperation = new Map<number, number>();
  #reused = 0;
  total = 0;
  beforeFlush = 0;
  /** Tables that the traced kernel handed to its deferred worker. */
  deferred = 0;

  constructor(
    writer: RecordWriter,
    devices: DeviceAccesses,
    options: { readonly devices: DeviceModel; readonly kernel: KernelRecord; readonly maxFrees: number },
  ) {
    this.#writer = writer;
    this.#devices = devices;
    this.#model = options.devices;
    this.#kernel = options.kernel;
    this.#most = options.maxFrees;
  }

  /** The frees so far, at most as many as asked for. */
  get list(): readonly TableFree[] {
    return this.#listed;
  }

  get bySite(): Record<string, number> {
    return Object.fromEntries(this.#bySite);
  }

  /** Whether a thread is between the steps of a free. */
  isOpen(pid: number): boolean {
    return this.#open.has(pid);
  }

  #start(pid: number, steps: Steps): void {
    if (this.#open.size >= MAX_THREADS) this.#open.delete(this.#open.keys().next().value!);
    this.#open.set(pid, steps);
  }

  /** A table is unlinked because a leaf takes its place: level 1 for pmd_free_pte_page, 2 for pud_free_pmd_page. */
  detach(site: Site, level: 1 | 2, page: number, frame: number | undefined, pid: number): void {
    const pages = level === 1 ? SLOT_PAGES : SLOT_PAGES * SLOT_PAGES;
    const first = page - (page % pages);
    this.#make(first, level);
    this.#devices.step(first, pages);
    this.#writer.putPage(Operation.tableClear, sites.indexOf(site), 0, level, first);
    this.#devices.step(first, pages);
    const unknown = { directMap: undefined, flushTimeNs: undefined, flushCaller: undefined };
    this.#start(pid, { site, page: first, pages, level, frame, tables: 1, freed: [], ...unknown });
  }

  /**
   * Large leaves take the place of tables whose leaves are alike: the flush of all CPUs and the frees follow.
   * @param page first page of the first table's span; the others follow it
   */
  collapse(page: number, tables: number, pid: number): void {
    const site = sites.indexOf("cpa_collapse_large_pages");
    for (let i = 0; i < tables; i++) {
      const first = page + i * SLOT_PAGES;
      this.#make(first, 1);
      this.#devices.step(first, SLOT_PAGES);
      this.#writer.putPage(Operation.tableClear, site, 0, 1, first);
      this.#writer.putPage(Operation.vmalloc, 21 | KEEP_TABLES, 0, SLOT_PAGES, first);
      this.#devices.step(first, SLOT_PAGES);
    }
    this.#start(pid, {
      site: "cpa_collapse_large_pages",
      page,
      pages: SLOT_PAGES,
      level: 1,
      frame: undefined,
      directMap: undefined,
      tables,
      freed: [],
      flushTimeNs: undefined,
      flushCaller: undefined,
    });
  }

  /** A table may be older than the trace: it is made before it goes, by mapping and unmapping one page. */
  #make(page: number, level: 1 | 2): void {
    const writer = this.#writer;
    writer.putPage(Operation.vfree, UNLISTED, 0, level === 1 ? SLOT_PAGES : SLOT_PAGES * SLOT_PAGES, page);
    writer.putPage(Operation.vmalloc, 12, 0, 1, page);
    writer.putPage(Operation.vfree, UNLISTED, 0, 1, page);
  }

  /**
   * Memory is removed: the direct map of `pages` pages from `page`. What is freed until the thread flushes is its tables.
   * @param directMap first page of the direct map (PAGE_OFFSET), if known
   */
  hotRemove(page: number, pages: number, directMap: number | undefined, pid: number): void {
    const span = SLOT_PAGES * SLOT_PAGES;
    const first = page - (page % span);
    // The leaves of a DIMM are 2 MiB each (2 MiB blocks are the least that can be plugged), so its table is a PD.
    const steps: Steps = {
      site: "remove_pagetable",
      page: first,
      pages: span,
      level: 2,
      frame: undefined,
      directMap,
      tables: MAX_FREES,
      freed: [],
      flushTimeNs: undefined,
      flushCaller: undefined,
    };
    const writer = this.#writer;
    writer.putPage(Operation.vmalloc, 21 | KEEP_TABLES, 0, Math.min(pages, span), page);
    this.#devices.mapped(page, Math.min(pages, span));
    this.#devices.step(page, Math.min(pages, span));
    writer.putPage(Operation.vfree, UNLISTED, 0, Math.min(pages, span), page);
    this.#start(pid, steps);
  }

  /**
   * A table page goes back to the allocator.
   * @returns why it could not be played, if so
   */
  free(siteName: string, freed: FreedPage, place: Place): string | undefined {
    this.#bySite.set(siteName, (this.#bySite.get(siteName) ?? 0) + 1);
    const index = this.total++;
    if (freed.deferred) this.deferred++;
    const steps = this.#open.get(place.pid);
    // No unlinking and no removal by this thread: the address is unknown.
    if (!steps) return "table freed by a thread that had unlinked none";
    const number = steps.freed.length;
    if (number === MAX_FREES) return "table freed beyond the 512th of one removal";
    const followed = number < steps.tables;
    // Several tables of one removal or collapse lie one after the other; of pud_free_pmd_page only the PD is followed.
    const page = steps.page + (followed ? number * steps.pages : 0);
    const early = steps.flushTimeNs === undefined;
    if (early) this.beforeFlush++;
    const operation = followed ? this.#writer.next : steps.freed[0]!.operation;
    if (followed) {
      if (this.byOperation.size < this.#most) this.byOperation.set(operation, index);
      // What the traced kernel deferred had the mark; of the rest its version tells.
      const mark = freed.deferred || hasMark(steps.site, this.#kernel) ? MARKED : UNMARKED;
      this.#writer.putPage(Operation.tableFree, sites.indexOf(steps.site), 0, steps.level | mark, page);
      this.#devices.step(page, steps.pages);
      if (this.#model.reuse) this.#takeFrame(page, steps.pages);
    }
    const free: Mutable<TableFree> = {
      index,
      line: place.line,
      timeNs: place.timeNs,
      site: siteName,
      modelSite: steps.site,
      address: addressOfPage(page),
      level: steps.level,
      frame: frameOf(freed, steps),
      page: value(freed.address),
      structPage: value(freed.page),
      deferred: freed.deferred,
      cpu: place.cpu,
      pid: place.pid,
      beforeFlush: early,
      flushTimeNs: steps.flushTimeNs,
      flushCaller: steps.flushCaller,
      operation,
    };
    steps.freed.push(free);
    if (this.#listed.length < this.#most) this.#listed.push(free);
    if (followed) return undefined;
    return steps.site === "pud_free_pmd_page"
      ? "table below a freed PD: only the PD is followed"
      : `table freed by ${steps.site} beyond those that it had unlinked`;
  }

  /** Somebody takes the frame that was freed last and forges leaves in it; of those they hold, the oldest goes back. */
  #takeFrame(page: number, pages: number): void {
    const writer = this.#writer;
    writer.put(Operation.reuse, FILL, 0, 0, FORGED_LOW, FORGED_HIGH);
    if (++this.#reused > this.#model.reusedFrames) writer.put(Operation.giveBack, 0, 0, 0, 0, 0);
    this.#devices.step(page, pages);
  }

  /**
   * A thread is about to flush kernel addresses. If tables were freed before it, their entries are cleared now.
   * @returns whether the flush belongs to the free of a table
   */
  beforeFlushOf(pid: number): boolean {
    const steps = this.#open.get(pid);
    if (!steps) return false;
    if (steps.site === "remove_pagetable") {
      if (steps.freed.length === 0) {
        this.#open.delete(pid);
        return false;
      }
      const site = sites.indexOf(steps.site);
      steps.freed.forEach((_, i) => {
        this.#writer.putPage(Operation.tableClear, site, 0, steps.level, steps.page + i * steps.pages);
      });
    }
    return true;
  }

  /** The flush has been written. */
  afterFlush(pid: number, timeNs: number, caller: string): void {
    const steps = this.#open.get(pid);
    if (!steps) return;
    steps.flushTimeNs = timeNs;
    steps.flushCaller = caller;
    this.#devices.step(steps.page, steps.pages);
    for (const free of steps.freed) {
      if (free.flushTimeNs !== undefined) continue;
      free.flushTimeNs = timeNs;
      free.flushCaller = caller;
    }
    if (steps.site === "remove_pagetable") this.#open.delete(pid);
  }

  /** The unlinking has ended. */
  end(pid: number): void {
    this.#open.delete(pid);
  }
}

function value([low, high]: readonly [number, number]): bigint | undefined {
  return low === 0 && high === 0 ? undefined : (BigInt(high) << 32n) | BigInt(low);
}

/** Frame of a freed page: by its struct page, by its address in the direct map, or by the entry that was cleared. */
function frameOf(freed: FreedPage, steps: Steps): number | undefined {
  const page = value(freed.page);
  const base = value(freed.base);
  const address = value(freed.address);
  if (page !== undefined && base !== undefined && page >= base) return Number((page - base) / STRUCT_PAGE);
  if (address !== undefined && base !== undefined && address >= base) return Number((address - base) >> PAGE_SHIFT);
  if (steps.directMap === undefined) return steps.frame;
  return freed.address[1] === 0 ? undefined : pageOf(freed.address[0], freed.address[1]) - steps.directMap;
}
