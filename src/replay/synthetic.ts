// A synthetic workload: what a profile says, drawn as operations in the order and with the arguments that a trace has them.
// mm/vmalloc.c, arch/x86/mm/pgtable.c, arch/x86/mm/pat/set_memory.c, arch/x86/mm/init_64.c.

import { InvalidOptionError } from "../base/errors.js";
import type { OperationName } from "../trace/index.js";
import { AreaSpace } from "./area-space.js";
import { Draw } from "./draw.js";
import { DueQueue } from "./due.js";
import { OperationWriter } from "./operation-writer.js";
import { ACTIVITIES, type Profile } from "./profile.js";

/** First pages of what the kernel has where (Documentation/arch/x86/x86_64/mm.rst), without randomization. */
const VMALLOC = { 4: 0xffff_c900_0000_0, 5: 0xffa0_0000_0000_0 } as const;
const DIRECT_MAP = { 4: 0xffff_8880_0000_0, 5: 0xff11_0000_0000_0 } as const;
const TEXT = 0xffff_ffff_c000_0;
/** Memory that is plugged in begins behind 4 GiB. */
const PLUGGED = 1 << 20;
const VMALLOC_PAGES = 2 ** 33;
const LEAF_PAGES = 512;
/** 2 MiB regions of module text, where large pages are split and put together again. */
const REGIONS = 256;
const USER = 0x7f00_0000_0;
/** An address space by its mm: a page of the direct map each. */
const MM = 1 << 18;
const END = 2 ** 52 - 1;
const SECOND = 1e9;
const MS = 1e6;
const US = 1e3;
/** Between two steps of one function, ns: the recordings have 5 to 10 µs, most of it the recorder's. */
const STEP = 5 * US;
/** Most operations of one activity: an area of 128 leaves over tables. */
const LONGEST = 700;

type Activity = (typeof ACTIVITIES)[number];

/** What is to be unmapped, guard page included. */
interface Area {
  readonly page: number;
  readonly pages: number;
}

/** Draws operations. */
export class SyntheticWorkload {
  readonly #profile: Profile;
  readonly #draw: Draw;
  readonly #cpus: number;
  readonly #directMap: number;
  readonly #areas: AreaSpace;
  readonly #due = new DueQueue<Activity | Area>();
  readonly #writer: OperationWriter;
  readonly #most: number;
  /** How many of each activity were drawn. */
  readonly #drawn: Record<Activity, number>;
  readonly #alive: number[] = [];
  /** By CPU, what was flushed there last. */
  readonly #running: number[] = [];
  #begun = false;
  #now = 0;
  #cpu = 0;
  #mms = 0;
  #region = 0;
  #frame = 1 << 18;
  /** Purges that are due, in part. */
  #owed = 0;

  /** @param most operations of a batch, before the last activity in it */
  constructor(profile: Profile, options: { seed: number; cpus: number; levels: 4 | 5; most: number }) {
    this.#profile = profile;
    this.#draw = new Draw(options.seed);
    this.#cpus = options.cpus;
    this.#most = options.most;
    this.#directMap = DIRECT_MAP[options.levels];
    this.#areas = new AreaSpace(VMALLOC[options.levels], VMALLOC[options.levels] + VMALLOC_PAGES);
    this.#writer = new OperationWriter(options.most + LONGEST);
    this.#drawn = Object.fromEntries(ACTIVITIES.map((name) => [name, 0])) as Record<Activity, number>;
    // Processes that are there from the start have been named by what they did before.
    this.#process();
    for (const name of ACTIVITIES) this.#drawTime(name);
  }

  /** Operations of each name so far. */
  get counts(): ReadonlyMap<OperationName, number> {
    return this.#writer.counts;
  }

  /** Operations so far. */
  get events(): number {
    return this.#writer.written;
  }

  /** Time of the latest operation, ns. */
  get now(): number {
    return this.#now;
  }

  /** The next operations, about `count` of them; the batch is valid until the next call. */
  next(count: number): OperationWriter["batch"] {
    const { batch } = this.#writer;
    // What the constructor has written belongs to the first batch.
    if (this.#begun) this.#writer.clear();
    this.#begun = true;
    const most = Math.min(count, this.#most);
    while (batch.count < most) {
      // What began before is over by then, or what is due waits for it.
      this.#now = Math.max(this.#now, this.#due.next);
      this.#cpu = this.#draw.below(this.#cpus);
      const due = this.#due.take();
      if (typeof due === "object") this.#unmap(due);
      else {
        this.#drawTime(due);
        this.#do[due]();
      }
    }
    return batch;
  }

  /**
   * When the next of a kind comes: one in each stretch of 1/rate, anywhere in it. So what is rare comes as often as the profile has
   * it in short runs too, whatever the seed.
   */
  #drawTime(name: Activity): void {
    const perSecond = this.#profile[name]?.perSecond ?? 0;
    if (perSecond > 0) this.#due.put(((this.#drawn[name]++ + this.#draw.share()) * SECOND) / perSecond, name);
  }

  #put(name: OperationName, ...values: readonly (number | string)[]): void {
    this.#writer.put(name, this.#now, this.#cpu, values);
  }

  #pass(ns: number): void {
    this.#now += ns;
  }

  readonly #do: Readonly<Record<Activity, () => void>> = {
    areas: () => this.#area(),
    hugeAreas: () => this.#hugeArea(),
    fullFlushes: () => this.#put("flush-all", "change_page_attr_set_clr"),
    collapses: () => this.#collapse(),
    removals: () => this.#remove(),
    userFlushes: () => this.#flushUser(),
    processes: () => this.#process(),
  };

  #area(): void {
    const { pages: sizes, lifeMs } = this.#profile.areas!;
    const pages = this.#draw.of(sizes);
    const page = this.#take(pages, 1, this.#draw.of(lifeMs));
    this.#put("vmalloc-call", pages, 0, 0, 0, 0, "vmalloc");
    this.#pass(STEP);
    this.#put("map-pages", page, page + pages, 0, 12);
  }

  /** Leaf by leaf; where a table is in the way it is unlinked, flushed and freed first: vmap_try_huge_pmd(). */
  #hugeArea(): void {
    const { leaves: sizes, overTables, freeUs, lifeMs } = this.#profile.hugeAreas!;
    const leaves = this.#draw.of(sizes);
    const page = this.#take(leaves * LEAF_PAGES, LEAF_PAGES, this.#draw.of(lifeMs));
    this.#put("vmalloc-call", leaves * LEAF_PAGES, 0, 0, 0, 0, "vmalloc_huge");
    this.#pass(STEP);
    this.#put("map-pages", page, page + leaves * LEAF_PAGES, 0, 21);
    for (let leaf = page; leaf < page + leaves * LEAF_PAGES; leaf += LEAF_PAGES) {
      this.#pass(STEP);
      if (this.#draw.share() < overTables) {
        this.#put("table-detach", "pmd_free_pte_page", 1, leaf);
        this.#pass(STEP);
        this.#put("flush-kernel-range", leaf, leaf + 1, "pmd_free_pte_page");
        this.#pass(this.#draw.of(freeUs) * US);
        this.#put("table-free", "pmd_free_pte_page");
        this.#pass(STEP);
        this.#put("table-detach-return", "pmd_free_pte_page", 1);
      }
      this.#put("map-physical", leaf, leaf + LEAF_PAGES, this.#frame, 0, 21);
      this.#frame = (this.#frame + LEAF_PAGES) % 2 ** 30;
    }
    this.#pass(STEP);
    this.#put("vmalloc-return", page);
  }

  /**
   * Addresses for an area and its guard page; it is unmapped when its time is over. A kernel that has no more addresses does nothing
   * but fail from then on: no profile means that.
   */
  #take(pages: number, align: number, lifeMs: number): number {
    const page = this.#areas.take(pages + 1, align);
    if (page === undefined) {
      const full = `after ${(this.#now / SECOND).toFixed(1)} s vmalloc space has no room for ${pages} pages more`;
      throw new InvalidOptionError(
        "profile",
        this.#profile.name,
        `more purges, or fewer or smaller areas at a time: ${full}`,
      );
    }
    this.#due.put(this.#now + lifeMs * MS, { page, pages: pages + 1 });
    return page;
  }

  #unmap({ page, pages }: Area): void {
    this.#put("unmap-range", page, page + pages);
    const perUnmap = this.#profile.purges?.perUnmap ?? 0;
    // Without purges nothing is ever given out again.
    if (perUnmap === 0) return;
    this.#areas.unmap(page, pages);
    this.#owed += perUnmap;
    if (this.#owed < 1) return;
    this.#owed -= 1;
    const purged = this.#areas.purge()!;
    this.#pass(STEP);
    this.#put("flush-kernel-range", purged.page, purged.end, "__purge_vmap_area_lazy");
  }

  #collapse(): void {
    const { tables: sizes, freeUs } = this.#profile.collapses!;
    const tables = this.#draw.of(sizes);
    if (this.#region + tables > REGIONS) this.#region = 0;
    const page = TEXT + this.#region * LEAF_PAGES;
    this.#region += tables;
    this.#put("attribute-flush", page, tables * LEAF_PAGES, 0);
    this.#pass(STEP);
    this.#put("flush-all", "cpa_collapse_large_pages");
    this.#pass(this.#draw.of(freeUs) * US);
    for (let i = 0; i < tables; i++) this.#put("table-free", "cpa_collapse_large_pages");
  }

  /** Memory goes: what serves vmemmap are blocks, no tables; then the direct map's PD, freed before the flush. */
  #remove(): void {
    const { pages: sizes, vmemmapFlushes, flushUs } = this.#profile.removals!;
    const pages = this.#draw.of(sizes);
    this.#put("memory-remove", PLUGGED, pages);
    for (let i = 0; i < vmemmapFlushes; i++) {
      this.#pass(STEP);
      this.#put("flush-all", "section_deactivate");
    }
    this.#pass(STEP);
    const page = this.#directMap + PLUGGED;
    this.#put("hot-remove", page, page + pages, 1);
    this.#pass(STEP);
    this.#put("table-free", "remove_pagetable");
    this.#pass(this.#draw.of(flushUs) * US);
    this.#put("flush-all", "try_remove_memory");
  }

  #flushUser(): void {
    const { pages: sizes, switches } = this.#profile.userFlushes!;
    const pages = this.#draw.of(sizes);
    const mm = this.#space(switches ?? 1);
    if (pages === 0) this.#put("flush-mm", mm, 0, END, 12, 0, "tlb_finish_mmu");
    else {
      const page = USER + this.#draw.below(1 << 20);
      this.#put("flush-mm", mm, page, page + pages, 12, 0, "tlb_finish_mmu");
    }
  }

  /** The address space that a flush is of: that which runs here, or any. */
  #space(switches: number): number {
    const here = this.#running[this.#cpu];
    if (here !== undefined && this.#draw.share() >= switches && this.#alive.includes(here)) return here;
    const mm = this.#alive[this.#draw.below(this.#alive.length)]!;
    this.#running[this.#cpu] = mm;
    return mm;
  }

  /** A process begins; if there are too many, any of the others ends. */
  #process(): void {
    const most = this.#profile.processes?.alive ?? 1;
    const mm = this.#directMap + MM + this.#mms++;
    this.#put("mm-create", mm);
    this.#alive.push(mm);
    if (this.#alive.length <= most) return;
    const at = this.#draw.below(this.#alive.length - 1);
    this.#pass(STEP);
    this.#put("mm-destroy", this.#alive[at]!, 0);
    this.#alive[at] = this.#alive.pop()!;
  }
}
