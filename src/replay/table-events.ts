// What a trace tells of kernel page tables that go away, handed to frees.ts: which thread, which addresses, which page.
import { type Site, siteRecords } from "../program/sites.js";
import type { OperationBatch } from "../trace/index.js";
import type { KernelAreas } from "./areas.js";
import type { FreedPage, TableFrees } from "./frees.js";
import { NO_TABLE } from "./look-ahead.js";
import { pageOf } from "./records.js";
import { AddressSpaces } from "./spaces.js";

/** Threads, and pages that wait for the deferred worker, that are remembered. */
const MAX_THREADS = 1 << 12;
const MAX_WAITING = 1 << 16;
const SLOT_PAGES = 512;
const GIB_PAGES = 1 << 18;
/** Sites that unlink a table, so that a leaf can take its place, before they flush its range and free it, by their names. */
const SITES: Readonly<Record<string, { site: Site; level: 1 | 2 }>> = Object.fromEntries(
  siteRecords.filter(({ flush }) => flush === "kernelRange").map(({ name, level }) => [name, { site: name, level }]),
);

/** What {@link TableEvents} needs of the lowering that it belongs to. */
export interface TableContext {
  readonly frees: TableFrees;
  readonly areas: KernelAreas;
  /** Nanoseconds from the first event. */
  now(): number;
  /** Writes the time, if it has changed. */
  tell(): void;
  /** Counts something that cannot be played as the trace has it. */
  skip(reason: string): void;
  scheduleWork(): void;
}

interface Range {
  readonly page: number;
  readonly pages: number;
}

/** Handlers of the operations that take tables away. */
export class TableEvents {
  /** Tables that the trace frees, each once. */
  count = 0;
  readonly #context: TableContext;
  /** Physical memory that a thread removes. */
  readonly #removing = new Map<number, Range>();
  /** Addresses whose attributes a thread has changed last. */
  readonly #changed = new Map<number, Range>();
  /** Pages that wait for the traced kernel's deferred worker. */
  readonly #waiting = new Set<number>();

  constructor(context: TableContext) {
    this.#context = context;
  }

  /** memory-remove: physical memory goes away. */
  removing({ words, pid }: OperationBatch, index: number, at: number): void {
    keep(this.#removing, pid[index]!, range(words, at));
  }

  /** attribute-flush: the addresses that a collapse behind it is about. */
  changed({ words, pid }: OperationBatch, index: number, at: number): void {
    const page = pageOf(words[at]!, words[at + 1]!);
    keep(this.#changed, pid[index]!, { page, pages: Math.max(1, words[at + 2]!) });
  }

  /** A flush of all CPUs is about to be written, to which the frees of `tables` collapsed tables belong. */
  collapse(pid: number, tables: number): void {
    const { areas, frees, skip } = this.#context;
    const changed = this.#changed.get(pid);
    if (!changed) {
      skip("tables collapsed at an address that the trace does not name");
      return;
    }
    const first = changed.page - (changed.page % SLOT_PAGES);
    const regions = Math.ceil((changed.page + changed.pages - first) / SLOT_PAGES);
    const known = Math.min(tables, regions);
    if (areas.holds(first, first + known * SLOT_PAGES)) frees.collapse(first, known, pid);
    else skip("tables collapsed outside the kernel half");
  }

  detach(batch: OperationBatch, index: number, at: number): void {
    const { areas, frees, skip, tell } = this.#context;
    const { words } = batch;
    const known = SITES[batch.strings.get(words[at]!)];
    const page = pageOf(words[at + 4]!, words[at + 5]!);
    if (!known) skip("table unlinked at a site that the model does not have");
    else if (!areas.holds(page, page + 1)) skip("table unlinked outside the kernel half");
    else {
      // Bits 12 to 51 of the entry; 0 if the trace does not tell it.
      const frame = (words[at + 9]! & 0xf_ffff) * 0x10_0000 + (words[at + 8]! >>> 12);
      tell();
      frees.detach(known.site, known.level, page, frame === 0 ? undefined : frame, batch.pid[index]!);
    }
  }

  /** @param note what was found out about the page by what followed */
  free(batch: OperationBatch, index: number, at: number, note: number): void {
    if (note === NO_TABLE) return;
    const { frees, now, skip, tell, scheduleWork } = this.#context;
    const { words } = batch;
    const pid = batch.pid[index]!;
    const place = { line: batch.line[index]!, cpu: batch.cpu[index]!, pid, timeNs: now() };
    const pair = (i: number) => [words[at + i]!, words[at + i + 1]!] as const;
    const freed = { address: pair(2), page: pair(4), base: pair(6), deferred: words[at + 8]! === 1 };
    // Without the offset in the caller, where the site is one.
    const site = batch.strings.get(words[at]!).replace(/[+ .].*$/, "");
    tell();
    this.count++;
    if (freed.deferred) this.#wait(freed.page);
    if (site === "remove_pagetable" && !frees.isOpen(pid)) this.#removeUnseen(pid, freed);
    const reason = frees.free(site, freed, place);
    if (reason) skip(reason);
    scheduleWork();
  }

  /** table-discard: a walk has never reached it, but the worker may give it back. */
  discard({ words }: OperationBatch, at: number): void {
    this.#wait([words[at + 4]!, words[at + 5]!]);
  }

  /** table-release: the second line of a free that was counted when the page was given away. */
  release({ words }: OperationBatch, at: number): void {
    const page = AddressSpaces.key(words[at + 2]!, words[at + 3]!);
    if (!this.#waiting.delete(page)) {
      this.#context.skip("page freed by the deferred worker, whose hand-over the trace does not have");
    }
  }

  hotRemove(batch: OperationBatch, index: number, at: number): void {
    const { areas, frees, skip, tell } = this.#context;
    const { words } = batch;
    const pid = batch.pid[index]!;
    // What is removed of vmemmap are blocks of 2 MiB, no tables.
    if (words[at + 4]! !== 1) return;
    const page = pageOf(words[at]!, words[at + 1]!);
    const end = pageOf(words[at + 2]!, words[at + 3]!);
    if (!areas.holds(page, end)) {
      skip("memory removed outside the kernel half");
      return;
    }
    const physical = this.#removing.get(pid);
    tell();
    frees.hotRemove(page, end - page, physical && page - physical.page, pid);
  }

  /**
   * Kernels that do not let remove_pagetable() be probed (6.1) tell only which physical memory goes and where the table
   * page was in the direct map. Where that begins, the recording may say; if not, it begins at a multiple of 1 GiB, so the
   * page's address says it, to the GiBs below the page.
   */
  #removeUnseen(pid: number, { address, base }: FreedPage): void {
    const { areas, frees, skip } = this.#context;
    const physical = this.#removing.get(pid);
    if (!physical || address[1] === 0) return;
    const freed = pageOf(address[0], address[1]);
    const start = base[1] === 0 ? undefined : pageOf(base[0], base[1]);
    const page = (start ?? freed - (freed % GIB_PAGES)) + physical.page;
    if (!areas.holds(page, page + physical.pages)) return;
    if (start === undefined) {
      skip("memory removed at an address that no event names: taken from the page of its table, to some GiB");
    }
    frees.hotRemove(page, physical.pages, start, pid);
  }

  #wait([low, high]: readonly [number, number]): void {
    if (low === 0 && high === 0) return;
    if (this.#waiting.size >= MAX_WAITING) this.#waiting.delete(this.#waiting.values().next().value!);
    this.#waiting.add(AddressSpaces.key(low, high));
  }
}

/** Start and size in bytes, as pages. */
function range(words: Uint32Array, at: number): Range {
  return { page: pageOf(words[at]!, words[at + 1]!), pages: pageOf(words[at + 2]!, words[at + 3]!) };
}

function keep(map: Map<number, Range>, pid: number, range: Range): void {
  if (map.size >= MAX_THREADS && !map.has(pid)) map.delete(map.keys().next().value!);
  map.set(pid, range);
}
