// What an operation was shows only later in a few cases: a flush of all CPUs belongs to a collapse of tables if tables are
// freed behind it, and of the pages that pud_free_pmd_page() frees the last but one is no table. So batches in which
// something is open are held back until it is decided, up to a bound; their order stays.
import { OPERATION_NAMES, type OperationBatch, type OperationName, operationNumber } from "../trace/index.js";

/** Batches held back at most: some MiB. A flush and its frees that lie further apart are not brought together. */
const MAX_HELD = 16;
/** Threads with something open. */
const MAX_THREADS = 1 << 12;
/** The functions that collapse tables: the first where the compiler has put the second into it. */
const COLLAPSE = /^(cpa_flush|cpa_collapse_large_pages)\b/;
/** What is noted of a page that was no table. */
export const NO_TABLE = -1;

/** A batch, and what was found out about some of its operations: tables that a flush collapses, or {@link NO_TABLE}. */
export interface Decided {
  readonly batch: OperationBatch;
  readonly notes: ReadonlyMap<number, number>;
}

interface Held {
  batch: OperationBatch;
  readonly notes: Map<number, number>;
  /** Threads for which something in this batch is open. */
  open: number;
}

/** An operation whose meaning is open. */
interface Open {
  readonly held: Held;
  readonly index: number;
}

const number = (name: OperationName): number => operationNumber(name);
const FLUSH_ALL = number("flush-all");
const FREE = number("table-free");
const DETACH = number("table-detach");
const DETACH_END = number("table-detach-return");
/** With these a thread has left the function that collapses. */
const LEAVES = new Set(
  (["attribute-change", "attribute-flush", "vmalloc-call", "mm-exit", "mm-create"] as const).map(number),
);
const WATCHED = OPERATION_NAMES.map((_, i) => [FLUSH_ALL, FREE, DETACH, DETACH_END].includes(i) || LEAVES.has(i));

/** Holds batches back until the open operations in them are decided. */
export class LookAhead {
  readonly #held: Held[] = [];
  /** By thread: the latest flush that may be one of a collapse. */
  readonly #flushes = new Map<number, Open>();
  /** By thread: pages that pud_free_pmd_page() freed by their address, and whether any was freed otherwise. */
  readonly #frees = new Map<number, { pages: Open[]; others: boolean; holder: Held }>();

  /** Takes a batch, which is valid during the call only; returns those that are decided, to be used before the next call. */
  push(batch: OperationBatch): Decided[] {
    const held: Held = { batch, notes: new Map(), open: 0 };
    this.#held.push(held);
    for (let i = 0; i < batch.count; i++) if (WATCHED[batch.kind[i]!]) this.#look(held, i);
    const ready = this.#ready(this.#held.length > MAX_HELD);
    if (this.#held.at(-1) === held) held.batch = batch.copy();
    return ready;
  }

  /** The end of the trace: what is open stays so. */
  end(): Decided[] {
    return this.#held.splice(0);
  }

  #ready(full: boolean): Decided[] {
    if (full) this.#giveUp(this.#held[0]!);
    const first = this.#held.findIndex((held) => held.open > 0);
    return this.#held.splice(0, first < 0 ? this.#held.length : first);
  }

  /** Nothing more is found out about a batch. */
  #giveUp(held: Held): void {
    for (const [pid, open] of this.#flushes) if (open.held === held) this.#closeFlush(pid);
    for (const [pid, open] of this.#frees) if (open.holder === held) this.#closeFrees(pid);
  }

  #look(held: Held, index: number): void {
    const { batch } = held;
    const kind = batch.kind[index]!;
    const pid = batch.pid[index]!;
    const at = batch.offset[index]!;
    const text = () => batch.strings.get(batch.words[at]!);
    if (kind === FLUSH_ALL) {
      if (!COLLAPSE.test(text())) return;
      this.#closeFlush(pid);
      if (this.#flushes.size >= MAX_THREADS) this.#closeFlush(this.#flushes.keys().next().value!);
      held.open++;
      this.#flushes.set(pid, { held, index });
    } else if (kind === FREE) {
      const site = text();
      if (site === "cpa_collapse_large_pages") this.#collapsed(pid);
      else if (site === "pud_free_pmd_page") this.#freed(held, index, pid);
    } else if (kind === DETACH) {
      this.#closeFrees(pid);
      if (text() !== "pud_free_pmd_page") return;
      if (this.#frees.size >= MAX_THREADS) this.#closeFrees(this.#frees.keys().next().value!);
      held.open++;
      this.#frees.set(pid, { pages: [], others: false, holder: held });
    } else if (kind === DETACH_END) this.#closeFrees(pid);
    else this.#closeFlush(pid);
  }

  #collapsed(pid: number): void {
    const open = this.#flushes.get(pid);
    if (open) open.held.notes.set(open.index, (open.held.notes.get(open.index) ?? 0) + 1);
  }

  #closeFlush(pid: number): void {
    const open = this.#flushes.get(pid);
    if (!open) return;
    open.held.open--;
    this.#flushes.delete(pid);
  }

  #freed(held: Held, index: number, pid: number): void {
    const { batch } = held;
    const at = batch.offset[index]!;
    const byAddress = batch.words[at + 2]! !== 0 || batch.words[at + 3]! !== 0;
    const open = this.#frees.get(pid);
    if (!open) return;
    if (byAddress) open.pages.push({ held, index });
    else open.others = true;
  }

  /** Up to Linux 6.12 the scratch page goes just before the PD; later only the scratch page goes by its address. */
  #closeFrees(pid: number): void {
    const open = this.#frees.get(pid);
    if (!open) return;
    const { pages, others, holder } = open;
    const scratch = others ? pages : pages.slice(-2, -1);
    for (const { held, index } of scratch) held.notes.set(index, NO_TABLE);
    holder.open--;
    this.#frees.delete(pid);
  }
}
