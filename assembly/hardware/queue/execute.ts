// The effect of a queue's descriptors: what the IOMMU makes of the words that a driver has written (VT-d 6.5.2; AMD IOMMU 2.4).

import { agentOf, tagOf } from "../context";
import {
  invalidateAll,
  invalidateDeviceTlb,
  invalidateDeviceTlbPages,
  invalidatePages,
  invalidatePasid,
} from "../iommu";
import { invalidatePasidCache } from "../pasid";
import { deviceTlbOf } from "../requesters";
import * as amd from "./amd";
import {
  GLOBAL_INVALIDATIONS,
  PAGE_SELECTIVE_INVALIDATIONS,
  PAGES_INVALIDATED,
  PASID_CACHE_INVALIDATIONS,
  PASID_SELECTIVE_INVALIDATIONS,
  tallyQueue,
} from "./counters";
import * as vtd from "./vtd";

/** Address masks from here on name all pages. */
export const ALL_PAGES_MASK: u32 = 52;

/** The effect of a descriptor on the context that its PASID names; `deviceTlb` = requester + 1 of the device TLB it is sent to. */
export function executeVtd(context: usize, deviceTlb: u32, qw0: u64, qw1: u64): void {
  const agent = agentOf(context);
  const tag = tagOf(context);
  const type = vtd.typeOf(qw0);
  if (type == vtd.TYPE_PASID_IOTLB) {
    if (vtd.granularityOf(qw0) == vtd.IOTLB_ALL_OF_PASID) {
      tallyQueue(PASID_SELECTIVE_INVALIDATIONS);
      invalidatePasid(agent, tag);
    } else {
      const am = <u32>qw1 & 0x3f;
      tallyQueue(PAGE_SELECTIVE_INVALIDATIONS);
      tallyQueue(PAGES_INVALIDATED, am >= ALL_PAGES_MASK ? (<u64>1) << ALL_PAGES_MASK : (<u64>1) << am);
      invalidatePages(agent, tag, qw1 & ~0xfff, am, vtd.hasHint(qw1));
    }
  } else if (type == vtd.TYPE_PASID_CACHE) {
    tallyQueue(PASID_CACHE_INVALIDATIONS);
    invalidatePasidCache(context);
  } else if (type == vtd.TYPE_PASID_DEVICE_TLB && deviceTlb != 0) {
    dropDeviceTlb(deviceTlb - 1, tag, qw1, vtd.deviceTlbMask(qw1));
  }
}

/** The effect of an AMD command. Without PDE the cached table entries stay. */
export function executeAmd(context: usize, deviceTlb: u32, w0: u64, w1: u64): void {
  const agent = agentOf(context);
  const tag = tagOf(context);
  const am = amd.pagesMask(w1);
  const opcode = amd.opcodeOf(w0);
  if (opcode == amd.OP_INVALIDATE_IOMMU_PAGES) {
    if (am >= ALL_PAGES_MASK && amd.coversTables(w1)) {
      tallyQueue(PASID_SELECTIVE_INVALIDATIONS);
      invalidatePasid(agent, tag);
    } else {
      tallyQueue(PAGE_SELECTIVE_INVALIDATIONS);
      tallyQueue(PAGES_INVALIDATED, (<u64>1) << min<u32>(am, ALL_PAGES_MASK));
      invalidatePages(agent, tag, w1 & ~0xfff, am, !amd.coversTables(w1));
    }
  } else if (opcode == amd.OP_INVALIDATE_IOTLB_PAGES && deviceTlb != 0) {
    dropDeviceTlb(deviceTlb - 1, tag, w1, am);
  }
}

function dropDeviceTlb(requester: u32, tag: u32, va: u64, am: u32): void {
  if (am >= ALL_PAGES_MASK) invalidateDeviceTlb(deviceTlbOf(requester), tag);
  else invalidateDeviceTlbPages(deviceTlbOf(requester), tag, va & ~0xfff, am);
}

/** Everything of the IOMMU: VT-d's global granularity, AMD's INVALIDATE_IOMMU_ALL. */
export function executeGlobal(agent: usize): void {
  tallyQueue(GLOBAL_INVALIDATIONS);
  invalidateAll(agent);
}
