// Kernel operations of a program (codes 32 and up), and setting the kernel up.

import { requesterCount } from "../hardware/requesters";
import { setTime } from "../base/clock";
import {
  FLUSH_NOW,
  FREES_TABLES,
  KEEP_TABLES,
  OP_CPA_COLLAPSE,
  OP_CPA_SPLIT,
  OP_DONT_NEED,
  OP_ENTER_KERNEL,
  OP_ENTER_USER,
  OP_FLUSH_TLB_ALL,
  OP_FLUSH_TLB_KERNEL_RANGE,
  OP_FLUSH_TLB_MM_RANGE,
  OP_GIVE_BACK,
  OP_HOT_ADD,
  OP_HOT_REMOVE,
  OP_LOCAL_FLUSH_TLB_ALL,
  OP_MMAP,
  OP_MM_CREATE,
  OP_MM_DESTROY,
  OP_MPROTECT,
  OP_MUNMAP,
  OP_PURGE,
  OP_REUSE,
  OP_RUN_WORK,
  OP_SVA_BIND,
  OP_SVA_UNBIND,
  OP_SWITCH_MM,
  OP_TABLE_CLEAR,
  OP_TABLE_FREE,
  OP_TIME,
  OP_VFREE,
  OP_VMALLOC,
  STOP_CODE,
  UNLISTED,
} from "../base/operations";
import { addressIn, argumentIn, requesterIn, secondWordIn, typeIn } from "../base/record";
import { EMPTY_RANGE, refuse, refusedResult, resultOf } from "../base/refusals";
import { createHazards, detectHazards } from "../hardware/hazard";
import { cpaCollapse, cpaSplit } from "./attributes";
import { createBindings } from "./bindings";
import { hotAdd, hotRemove } from "./direct-map";
import { flushTlbAll, flushTlbKernelRange, flushTlbMmRange, localFlushTlbAll } from "./flush";
import { createDeferredList, runWork } from "./policy";
import { createPool } from "./pool";
import { dontNeed } from "./reclaim";
import { createRemembered } from "./remembered";
import { SITES } from "./sites";
import { createMm, createSpaces, enterKernel, enterUser, needMm, switchMm } from "./spaces";
import { tableClear, tableFree } from "./steps";
import { createTakenList, giveBack, reuse, svaBind, svaUnbind } from "./sva";
import { needKernelHalf } from "./tables";
import { destroyMm, mmap, mprotect, munmap } from "./user";
import { purge, setAutoPurge, vfree, vmalloc } from "./vmalloc";

// ---- set up once ----
export let hasKernel: bool = false;

/** A kernel with a pool of frames, room for mms, and the CPUs registered so far. False if something does not fit. */
export function createKernel(poolBase: u64, pool: u32, mms: u32, cpus: u32, records: u32): bool {
  assert(!hasKernel && cpus <= requesterCount, "the kernel is made once, after its CPUs");
  hasKernel =
    createPool(poolBase, pool) &&
    createBindings() &&
    createDeferredList(pool) &&
    createTakenList(pool) &&
    createRemembered() &&
    createHazards(records, SITES) &&
    createSpaces(mms, cpus);
  return hasKernel;
}

/** Whether lazily unmapped areas are purged by themselves, and whether hazards are detected. */
export function setKernelOptions(autoPurge: bool, detect: bool): void {
  setAutoPurge(autoPurge);
  detectHazards(detect);
}

export function playKernel(at: usize, operation: u8): u64 {
  const type = typeIn(at);
  const who = requesterIn(at);
  const argument = argumentIn(at);
  const address = addressIn(at);
  switch (operation) {
    case OP_VMALLOC:
      return resultOf(vmalloc(address, argument, type & (KEEP_TABLES - 1), (type & KEEP_TABLES) != 0));
    case OP_VFREE:
      return resultOf(vfree(address, argument, (type & FLUSH_NOW) != 0, (type & UNLISTED) != 0));
    case OP_PURGE:
      purge();
      return 1;
    case OP_HOT_ADD:
      return resultOf(hotAdd(address, argument, type));
    case OP_HOT_REMOVE:
      return resultOf(hotRemove(address, argument, type));
    case OP_CPA_SPLIT:
      return resultOf(cpaSplit(address));
    case OP_CPA_COLLAPSE:
      return resultOf(cpaCollapse(address));
    case OP_MM_CREATE:
      return resultOf(createMm(argument));
    case OP_MM_DESTROY:
      return resultOf(destroyMm(argument));
    case OP_SWITCH_MM:
      return resultOf(switchMm(who, argument));
    case OP_SVA_BIND:
      return resultOf(svaBind(who, argument));
    case OP_SVA_UNBIND:
      return resultOf(svaUnbind(who));
    case OP_MMAP:
      return resultOf(mmap(who, address, argument, type));
    case OP_MUNMAP:
      return resultOf(munmap(who, address, argument));
    case OP_DONT_NEED:
      return resultOf(dontNeed(who, address, argument));
    case OP_MPROTECT:
      return resultOf(mprotect(who, address, argument));
    case OP_FLUSH_TLB_KERNEL_RANGE:
      if (!needKernelHalf(address)) return refusedResult();
      if (secondWordIn(at) <= address) return resultOf(refuse(EMPTY_RANGE));
      flushTlbKernelRange(address, secondWordIn(at), (type & FREES_TABLES) != 0);
      return 1;
    case OP_FLUSH_TLB_ALL:
      flushTlbAll((type & FREES_TABLES) != 0);
      return 1;
    case OP_LOCAL_FLUSH_TLB_ALL:
      localFlushTlbAll(who);
      return 1;
    case OP_FLUSH_TLB_MM_RANGE:
      if (!needMm(who)) return refusedResult();
      flushTlbMmRange(who, address, secondWordIn(at), type);
      return 1;
    case OP_REUSE:
      return reuse(type, address);
    case OP_RUN_WORK:
      runWork();
      return 1;
    case OP_TABLE_CLEAR:
      return resultOf(tableClear(<u8>type, address, argument));
    case OP_TABLE_FREE:
      return resultOf(tableFree(<u8>type, address, argument));
    case OP_TIME:
      setTime(address);
      return 1;
    case OP_GIVE_BACK:
      return giveBack();
    case OP_ENTER_USER:
      return resultOf(enterUser(who));
    case OP_ENTER_KERNEL:
      enterKernel(who);
      return 1;
    default:
      assert(operation == STOP_CODE, "no operation of a kernel");
      return unreachable();
  }
}
