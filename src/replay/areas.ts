// Kernel areas of a trace: mapped and unmapped in the model's tables. A large leaf is written only when it is clear what
// became of the table that may be in its way: the trace tells of its free between the call and the end of the mapping.

import { entries as LARGE_PAGES, operationTypes } from "../engine/abi.js";
import { Access } from "../paging/access.js";
import { Operation } from "../program/operations.js";
import type { DeviceAccesses } from "./accesses.js";
import type { RecordWriter } from "./records.js";

const { keepTables: KEEP_TABLES, unlisted: UNLISTED } = operationTypes;
/** Longest range that is mapped at once, 1 GiB: a damaged length must not fill the pool. */
const MAX_MAPPED = 1 << 18;
/** Longest range that is unmapped at once, 4 TiB (entries that are not there cost nothing). */
const MAX_UNMAPPED = 2 ** 30;
/** Threads with a mapping under way that are remembered. */
const MAX_THREADS = 1 << 12;
/** First page of the kernel half, by levels. */
const KERNEL_HALF = { 4: 0xf_fff8_0000_0000, 5: 0xf_f000_0000_0000 } as const;
const END = 2 ** 52;

/** Writes what a trace says about kernel mappings. Page numbers are those of `pageOf`; ends are exclusive. */
export class KernelAreas {
  readonly #writer: RecordWriter;
  readonly #devices: DeviceAccesses;
  readonly #touched: number;
  readonly #first: number;
  /** Large pieces that a thread is about to map: page numbers. */
  readonly #pending = new Map<number, number[]>();

  constructor(writer: RecordWriter, devices: DeviceAccesses, touched: number, levels: 4 | 5) {
    this.#writer = writer;
    this.#devices = devices;
    this.#touched = touched;
    this.#first = KERNEL_HALF[levels];
  }

  /** Whether [page, end) is a range of the kernel half. */
  holds(page: number, end: number): boolean {
    return page >= this.#first && end > page && end <= END;
  }

  /** Maps 4 KiB pages. @returns false if the range is too long to be true */
  map(page: number, end: number, cpu: number): boolean {
    const pages = end - page;
    if (pages > MAX_MAPPED) return false;
    this.#writer.putPage(Operation.vmalloc, 12, 0, pages, page);
    this.#used(page, pages, cpu);
    return true;
  }

  /** Maps a physically contiguous range: the pieces that may be large wait until {@link settle}. */
  mapPhysical(page: number, end: number, frame: number, maxShift: number, pid: number, cpu: number): boolean {
    if (end - page > MAX_MAPPED) return false;
    for (let at = page; at < end; ) {
      const next = Math.min(end, at - (at % LARGE_PAGES) + LARGE_PAGES);
      const large = maxShift >= 21 && next - at === LARGE_PAGES && (frame + at - page) % LARGE_PAGES === 0;
      if (large) this.#wait(pid, at);
      else this.map(at, next, cpu);
      at = next;
    }
    return true;
  }

  #wait(pid: number, page: number): void {
    const list = this.#pending.get(pid);
    if (list) list.push(page);
    else {
      if (this.#pending.size >= MAX_THREADS) this.settle(this.#pending.keys().next().value!, 0);
      this.#pending.set(pid, [page]);
    }
  }

  /** A thread goes on: what it was mapping is mapped. Where a table is still in the way, the kernel took small pages. */
  settle(pid: number, cpu: number): void {
    const list = this.#pending.get(pid);
    if (!list) return;
    this.#pending.delete(pid);
    for (const page of list) {
      this.#writer.putPage(Operation.vmalloc, 21 | KEEP_TABLES, 0, LARGE_PAGES, page);
      this.#used(page, LARGE_PAGES, cpu);
    }
  }

  /** The end of the trace: everything that was waiting. */
  settleAll(): void {
    for (const pid of [...this.#pending.keys()]) this.settle(pid, 0);
  }

  /** The CPU that mapped an area touches it; devices may probe it. */
  #used(page: number, pages: number, cpu: number): void {
    for (let i = 0; i < Math.min(this.#touched, pages); i++) {
      this.#writer.putPage(Operation.access, Access.supervisorWrite, cpu, 0, page + i);
    }
    this.#devices.mapped(page, pages);
  }

  /** Clears the leaves of a range. */
  unmap(page: number, end: number): boolean {
    if (end - page > MAX_UNMAPPED) return false;
    this.#writer.putPage(Operation.vfree, UNLISTED, 0, end - page, page);
    return true;
  }
}
