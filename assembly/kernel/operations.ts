// Kernel operations of a program (codes 32 and up), and setting the kernel up.

import { setTime } from "../base/clock";
import { createRing, detectHazards } from "../hardware/hazard";
import { NO_LIMIT } from "../hardware/queue/submit";
import { cpaCollapse, cpaSplit, hotAdd, hotRemove } from "./direct-map";
import { flushTlbAll, flushTlbKernelRange, flushTlbMmRange, localFlushTlbAll } from "./flush";
import { createDeferredList, runWork } from "./policy";
import { createPool } from "./pool";
import { createMm, createSpaces, exists, switchMm } from "./spaces";
import { tableClear, tableFree } from "./steps";
import { createTakenList, giveBack, reuse, svaBind, svaUnbind } from "./sva";
import { inKernelHalf } from "./tables";
import { destroyMm, mmap, mprotect, munmap } from "./user";
import { purge, setAutoPurge, vfree, vmalloc } from "./vmalloc";

/** address, argument = pages, type = log2 of the largest leaf (| KEEP_TABLES: tables in the way stay) */
export const OP_VMALLOC: u8 = 32;
const KEEP_TABLES: u32 = 1 << 6;
/** address, argument = pages, type bit 0: flush now (VM_FLUSH_RESET_PERMS), bit 1: not for the lazy purge */
export const OP_VFREE: u8 = 33;
const UNLISTED: u32 = 1 << 1;
export const OP_PURGE: u8 = 34;
/** address, argument = blocks of 2 MiB, type: 1 boot tables, 2 small pages, 4 KASAN shadow */
export const OP_HOT_ADD: u8 = 35;
export const OP_HOT_REMOVE: u8 = 36;
/** address */
export const OP_CPA_SPLIT: u8 = 37;
export const OP_CPA_COLLAPSE: u8 = 38;
/** argument = mm */
export const OP_MM_CREATE: u8 = 39;
export const OP_MM_DESTROY: u8 = 40;
/** requester = CPU, argument = mm */
export const OP_SWITCH_MM: u8 = 41;
/** requester = that of the PASID, argument = mm */
export const OP_SVA_BIND: u8 = 42;
export const OP_SVA_UNBIND: u8 = 43;
/** requester = mm, address, argument = pages, type of mmap: 1 large, 2 read-only */
export const OP_MMAP: u8 = 44;
export const OP_MUNMAP: u8 = 45;
export const OP_MPROTECT: u8 = 46;
/** address = start; the next record's address = end (exclusive) */
export const OP_FLUSH_TLB_KERNEL_RANGE: u8 = 47;
export const OP_FLUSH_TLB_ALL: u8 = 48;
/** requester = CPU */
export const OP_LOCAL_FLUSH_TLB_ALL: u8 = 49;
/** requester = mm, type = shift, address = start; the next record's address = end (all ones: everything) */
export const OP_FLUSH_TLB_MM_RANGE: u8 = 50;
/** type 0 zeroes, 1 user leaves of the frame at address, 2 address as it is; result: frame number */
export const OP_REUSE: u8 = 51;
export const OP_RUN_WORK: u8 = 52;
/** type = site, argument = level of the table (0: the site's own), address */
export const OP_TABLE_CLEAR: u8 = 53;
export const OP_TABLE_FREE: u8 = 54;
/** address = time in ns */
export const OP_TIME: u8 = 55;
/** gives the frame back that `reuse` took longest ago; result: its frame number, 0 if there is none */
export const OP_GIVE_BACK: u8 = 56;
export const LAST_KERNEL_OPERATION: u8 = OP_GIVE_BACK;

/** Operations that take a second record. */
export function hasSecondRecord(operation: u8): bool {
  return operation == OP_FLUSH_TLB_KERNEL_RANGE || operation == OP_FLUSH_TLB_MM_RANGE;
}

export let hasKernel: bool = false;

/** A kernel with a pool of frames, room for mms, and the CPUs registered so far. False if something does not fit. */
export function createKernel(poolBase: u64, pool: u32, mms: u32, cpus: u32, records: u32): bool {
  hasKernel =
    createPool(poolBase, pool) && createDeferredList(pool) && createTakenList(pool) && createRing(records) && createSpaces(mms, cpus);
  return hasKernel;
}

export function setKernelOptions(autoPurge: bool, detect: bool): void {
  setAutoPurge(autoPurge);
  detectHazards(detect);
}

export function playKernel(at: usize, operation: u8): u64 {
  const type = <u32>load<u8>(at, 1);
  const who = <u32>load<u16>(at, 2);
  const argument = load<u32>(at, 4);
  const address = load<u64>(at, 8);
  switch (operation) {
    case OP_VMALLOC:
      return vmalloc(address, argument, type & 0x3f, (type & KEEP_TABLES) != 0) ? 1 : 0;
    case OP_VFREE:
      return vfree(address, argument, (type & 1) != 0, (type & UNLISTED) != 0) ? 1 : 0;
    case OP_PURGE:
      purge();
      return 1;
    case OP_HOT_ADD:
      return hotAdd(address, argument, type) ? 1 : 0;
    case OP_HOT_REMOVE:
      return hotRemove(address, argument, type) ? 1 : 0;
    case OP_CPA_SPLIT:
      return cpaSplit(address) ? 1 : 0;
    case OP_CPA_COLLAPSE:
      return cpaCollapse(address) ? 1 : 0;
    case OP_MM_CREATE:
      return createMm(argument) ? 1 : 0;
    case OP_MM_DESTROY:
      return destroyMm(argument) ? 1 : 0;
    case OP_SWITCH_MM:
      return switchMm(who, argument) ? 1 : 0;
    case OP_SVA_BIND:
      return svaBind(who, argument) ? 1 : 0;
    case OP_SVA_UNBIND:
      return svaUnbind(who) ? 1 : 0;
    case OP_MMAP:
      return mmap(who, address, argument, type) ? 1 : 0;
    case OP_MUNMAP:
      return munmap(who, address, argument) ? 1 : 0;
    case OP_MPROTECT:
      return mprotect(who, address, argument) ? 1 : 0;
    case OP_FLUSH_TLB_KERNEL_RANGE:
      if (!inKernelHalf(address, 1) || load<u64>(at, 24) <= address) return 0;
      flushTlbKernelRange(address, load<u64>(at, 24), (type & 1) != 0);
      return 1;
    case OP_FLUSH_TLB_ALL:
      flushTlbAll((type & 1) != 0);
      return 1;
    case OP_LOCAL_FLUSH_TLB_ALL:
      localFlushTlbAll(who);
      return 1;
    case OP_FLUSH_TLB_MM_RANGE: {
      if (!exists(who)) return 0;
      const end = load<u64>(at, 24);
      flushTlbMmRange(who, address, end == 0 ? NO_LIMIT : end, type);
      return 1;
    }
    case OP_REUSE:
      return reuse(type, address);
    case OP_RUN_WORK:
      runWork();
      return 1;
    case OP_TABLE_CLEAR:
      return tableClear(<u8>type, address, argument) ? 1 : 0;
    case OP_TABLE_FREE:
      return tableFree(<u8>type, address, argument) ? 1 : 0;
    case OP_TIME:
      setTime(address);
      return 1;
    case OP_GIVE_BACK:
      return giveBack();
    default:
      return 0;
  }
}
