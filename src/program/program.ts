// Programs: operations of 16 bytes, played inside the engine in one call (layout: assembly/base/record.ts).

import { checkAddress, checkInteger, checkOneOf, rootFrame } from "../base/errors.js";
import { boolean, parse } from "../base/schema.js";
import { operationTypes as types } from "../engine/abi.js";
import { checkAccess } from "../hardware/context.js";
import type { Access } from "../paging/access.js";
import { Operation } from "./operations.js";
import {
  type HotAddOptions,
  hotAddType,
  type MmapOptions,
  mmapType,
  type ReuseContents,
  reuseTypeAndWord,
} from "./options.js";
import { LEAST_SHIFT, MOST_SHIFT } from "./parameters.js";
import { RecordBuffer } from "./record-buffer.js";
import { type Site, sites } from "./sites.js";

const INVPCID_TYPES = [0, 1, 2, 3] as const;
const LEAVES = [12, 21, 30] as const;

/** TLB_FLUSH_ALL. */
const FLUSH_ALL = 0xffff_ffff_ffff_ffffn;

/**
 * Builds a program operation by operation. Requester numbers are those of `Cpu.requester` and `Iommu.requester()`. What no
 * machine could play is refused at once, with an InvalidOptionError that names the argument.
 * @example
 * ```ts
 * import { Access, createMachine, ProgramBuilder, unpackOutcome } from "stalewalk";
 *
 * const machine = await createMachine({ tables: 1, cpus: [{ root: 0x1000n }] });
 * machine.frames.setTable(1);
 * const [{ requester }] = machine.cpus;
 * const program = new ProgramBuilder().access(requester, 0x7000n, Access.userRead).invlpg(requester, 0x7000n);
 * const results = machine.play(program.build());
 * console.log(program.count, unpackOutcome(results[0])); // 2 { kind: 'fault', reason: 'not-present', errorCode: 4, level: 4 }
 * ```
 */
export class ProgramBuilder extends RecordBuffer {
  /**
   * A translation.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  access(requester: number, va: bigint, access: Access): this {
    return this.put(Operation.access, checkAccess(access, "access.access"), requester, 0, va);
  }

  /**
   * Begins a walk, number 0 or 1: all that an access does before its first read of memory. Result: see `unpackWalk`. An agent
   * whose `walks` are not `stepwise` makes the whole access.
   */
  beginWalk(walk: number, requester: number, va: bigint, access: Access): this {
    return this.put(Operation.walkBegin, access, requester, walk, va);
  }

  /** One step of a walk that has begun: a read of memory, or a setting of A or D. */
  stepWalk(walk: number): this {
    return this.put(Operation.walkStep, 0, 0, walk, 0n);
  }

  /** The steps of a walk that are left. */
  finishWalk(walk: number): this {
    return this.put(Operation.walkFinish, 0, 0, walk, 0n);
  }

  /** INVLPG; of an address that is not canonical it is a NOP. */
  invlpg(cpu: number, va: bigint): this {
    return this.put(Operation.invlpg, 0, cpu, 0, va);
  }

  /**
   * INVPCID of type 0 to 3; refused where it is a #GP (see `Cpu.invpcid`).
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  invpcid(cpu: number, type: 0 | 1 | 2 | 3, pcid = 0, va = 0n): this {
    checkOneOf("invpcid.type", type, INVPCID_TYPES);
    return this.put(Operation.invpcid, type, cpu, pcid, va);
  }

  /** MOV CR3. */
  movToCr3(cpu: number, root: bigint, pcid = 0, noFlush = false): this {
    rootFrame("movToCr3.root", root);
    parse(boolean(), noFlush, "movToCr3.noFlush");
    return this.put(Operation.movToCr3, noFlush ? 1 : 0, cpu, pcid, root);
  }

  /** INVLPG of each of `pages` pages, none beyond 2^64. */
  invlpgRange(cpu: number, start: bigint, pages: number): this {
    return this.put(Operation.invlpgRange, 0, cpu, pages, start);
  }

  /**
   * Instructions of a CPU: INVLPG of each of `pages` pages if they are 33 or fewer, else everything. The kernel's function, which
   * also asks the policy, is {@link flushTlbKernelRange}.
   */
  invlpgRangeOrAll(cpu: number, start: bigint, pages: number): this {
    return this.put(Operation.invlpgRangeOrAll, 0, cpu, pages, start);
  }

  /** Everything, globals included. */
  flushAll(cpu: number): this {
    return this.put(Operation.flushAll, 0, cpu, 0, 0n);
  }

  /**
   * Writes an entry by its physical address; takes two records.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  writeEntry(physicalAddress: bigint, entry: bigint): this {
    checkAddress("writeEntry.entry", entry);
    return this.put(Operation.writeEntry, 0, 0, 0, physicalAddress).second("writeEntry", entry);
  }

  /** PASID-selective invalidation. */
  invalidatePasid(requester: number): this {
    return this.put(Operation.invalidatePasid, 0, requester, 0, 0n);
  }

  /** Page-selective invalidation of 2^`am` pages. */
  invalidatePages(requester: number, va: bigint, am = 0, leavesOnly = false): this {
    parse(boolean(), leavesOnly, "invalidatePages.leavesOnly");
    return this.put(Operation.invalidatePages, leavesOnly ? 1 : 0, requester, am, va);
  }

  // ---- kernel: a machine with a kernel plays these (docs/rules.md section 10) ----

  /**
   * Maps `pages` pages of the kernel half with leaves of up to 2^`shift` bytes. A table in the way of a large leaf is
   * freed (with the site's flush), or with `keepTables` used.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  vmalloc(va: bigint, pages: number, shift: 12 | 21 | 30 = 12, keepTables = false): this {
    checkOneOf("vmalloc.shift", shift, LEAVES);
    parse(boolean(), keepTables, "vmalloc.keepTables");
    return this.put(Operation.vmalloc, shift | (keepTables ? types.keepTables : 0), 0, pages, va);
  }

  /**
   * Unmaps lazily: `lazy` waits for the purge, `flush` (VM_FLUSH_RESET_PERMS) purges at once, `unlisted` is left out of it.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  vfree(va: bigint, pages: number, how: "lazy" | "flush" | "unlisted" = "lazy"): this {
    checkOneOf("vfree.how", how, ["lazy", "flush", "unlisted"]);
    return this.put(Operation.vfree, { lazy: 0, flush: types.flushNow, unlisted: types.unlisted }[how], 0, pages, va);
  }

  /** __purge_vmap_area_lazy(). */
  purge(): this {
    return this.put(Operation.purge, 0, 0, 0, 0n);
  }

  /** Adds `blocks` blocks of 2 MiB to the direct map, to vmemmap or to KASAN's shadow; tables without a mark unless it says so. */
  hotAdd(va: bigint, blocks: number, options: HotAddOptions = {}): this {
    return this.put(Operation.hotAdd, hotAddType(options, "hotAdd.options"), 0, blocks, va);
  }

  /** Removes blocks (remove_pagetable): free, clear, then flush. */
  hotRemove(va: bigint, blocks: number, options: Pick<HotAddOptions, "shadow"> = {}): this {
    return this.put(Operation.hotRemove, hotAddType(options, "hotRemove.options"), 0, blocks, va);
  }

  /** __split_large_page(): a leaf of 2 MiB or 1 GiB becomes a table. */
  cpaSplit(va: bigint): this {
    return this.put(Operation.cpaSplit, 0, 0, 0, va);
  }

  /** cpa_collapse_large_pages(): a table of 512 like leaves in a row becomes a leaf. */
  cpaCollapse(va: bigint): this {
    return this.put(Operation.cpaCollapse, 0, 0, 0, va);
  }

  /** A new address space. */
  mmCreate(mm: number): this {
    return this.put(Operation.mmCreate, 0, 0, mm, 0n);
  }

  /** The end of an address space that no CPU runs; PASIDs bound to it are let go of. */
  mmDestroy(mm: number): this {
    return this.put(Operation.mmDestroy, 0, 0, mm, 0n);
  }

  /** switch_mm_irqs_off(): a CPU runs an address space. */
  switchMm(cpu: number, mm: number): this {
    return this.put(Operation.switchMm, 0, cpu, mm, 0n);
  }

  /** A CPU goes on in user mode: with page-table isolation (`kernel.pti`) under another root and PCID, else that is no change. */
  enterUser(cpu: number): this {
    return this.put(Operation.enterUser, 0, cpu, 0, 0n);
  }

  /** A CPU leaves user mode, as by a system call or an interrupt. */
  enterKernel(cpu: number): this {
    return this.put(Operation.enterKernel, 0, cpu, 0, 0n);
  }

  /** iommu_sva_bind_device(): the PASID of a requester gets an address space; once more for a share in it, another is refused. */
  svaBind(requester: number, mm: number): this {
    return this.put(Operation.svaBind, 0, requester, mm, 0n);
  }

  /** iommu_sva_unbind_device(), once for every bind. */
  svaUnbind(requester: number): this {
    return this.put(Operation.svaUnbind, 0, requester, 0, 0n);
  }

  /** Maps user pages (4 KiB, or with `large` 2 MiB leaves). */
  mmap(mm: number, va: bigint, pages: number, options: MmapOptions = {}): this {
    return this.put(Operation.mmap, mmapType(options, "mmap.options"), mm, pages, va);
  }

  /** Unmaps user pages: unlink, flush with the notifier, free. */
  munmap(mm: number, va: bigint, pages: number): this {
    return this.put(Operation.munmap, 0, mm, pages, va);
  }

  /** madvise(MADV_DONTNEED): user pages are given up, and by some kernels the page tables that are empty then. */
  dontNeed(mm: number, va: bigint, pages: number): this {
    return this.put(Operation.dontNeed, 0, mm, pages, va);
  }

  /** Makes user pages read-only. */
  mprotect(mm: number, va: bigint, pages: number): this {
    return this.put(Operation.mprotect, 0, mm, pages, va);
  }

  /**
   * flush_tlb_kernel_range(start, end), with the policy's hook; takes two records. An end of 2^64 - 1 is TLB_FLUSH_ALL:
   * everything.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  flushTlbKernelRange(start: bigint, end: bigint, freesTables = false): this {
    checkAddress("flushTlbKernelRange.end", end);
    parse(boolean(), freesTables, "flushTlbKernelRange.freesTables");
    this.put(Operation.flushTlbKernelRange, freesTables ? types.freesTables : 0, 0, 0, start);
    return this.second("flushTlbKernelRange", end);
  }

  /** flush_tlb_all(), with the policy's hook. */
  flushTlbAll(freesTables = false): this {
    parse(boolean(), freesTables, "flushTlbAll.freesTables");
    return this.put(Operation.flushTlbAll, freesTables ? types.freesTables : 0, 0, 0, 0n);
  }

  /** __flush_tlb_all() on one CPU. */
  localFlushTlbAll(cpu: number): this {
    return this.put(Operation.localFlushTlbAll, 0, cpu, 0, 0n);
  }

  /**
   * flush_tlb_mm_range(); without `end`, or with 2^64 - 1, everything. A range that ends before it starts is everything too, an
   * empty one no page. Takes two records.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  flushTlbMmRange(mm: number, start: bigint, end?: bigint, shift = 12): this {
    checkInteger("flushTlbMmRange.shift", shift, LEAST_SHIFT, MOST_SHIFT);
    checkAddress("flushTlbMmRange.end", end ?? FLUSH_ALL);
    return this.put(Operation.flushTlbMmRange, shift, mm, 0, start).second("flushTlbMmRange", end ?? FLUSH_ALL);
  }

  /** Somebody takes the frame that was freed last; result: the frame. */
  reuse(contents: ReuseContents = "zeroes"): this {
    const [type, word] = reuseTypeAndWord(contents, "reuse.contents");
    return this.put(Operation.reuse, type, 0, 0, word);
  }

  /** The frame that `reuse` took longest ago is free again; result: the frame. */
  giveBack(): this {
    return this.put(Operation.giveBack, 0, 0, 0, 0n);
  }

  /** Deferred work runs: asynchronous invalidations, the list of deferred frees. */
  runWork(): this {
    return this.put(Operation.runWork, 0, 0, 0, 0n);
  }

  /**
   * Unlinks the table of a level (0: the site's own, PT or PD), one step of a site; no flush, no free.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  tableClear(site: Site, va: bigint, level: 0 | 1 | 2 | 3 = 0): this {
    checkOneOf("tableClear.site", site, sites);
    return this.put(Operation.tableClear, sites.indexOf(site), 0, level, va);
  }

  /**
   * Frees the table that `tableClear` unlinked, or the one that is still linked.
   * @param mark `kernel`: it has the mark by which a policy defers; `none`: it has not. Default: as it was made
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  tableFree(site: Site, va: bigint, level: 0 | 1 | 2 | 3 = 0, mark?: "kernel" | "none"): this {
    checkOneOf("tableFree.site", site, sites);
    checkInteger("tableFree.level", level, 0, 3);
    if (mark !== undefined) checkOneOf("tableFree.mark", mark, ["kernel", "none"]);
    const marks = { kernel: types.marked, none: types.unmarked };
    return this.put(Operation.tableFree, sites.indexOf(site), 0, level | (mark ? marks[mark] : 0), va);
  }

  /** What time it is now, ns. */
  time(ns: bigint): this {
    return this.put(Operation.time, 0, 0, 0, ns);
  }

  /** Everything in the requester's IOMMU. */
  invalidateIommu(requester: number): this {
    return this.put(Operation.invalidateIommu, 0, requester, 0, 0n);
  }
}
