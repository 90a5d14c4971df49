// The effect of a queue's descriptors: what the IOMMU makes of the words that a driver has written (docs/rules.md section 15;
// VT-d 6.5.2; AMD IOMMU 2.4).

import { count } from "../../base/memory";
import { AGENT_INVALIDATIONS } from "../agent";
import { agentOf, CONTEXT_DEVICE_TLBS, CONTEXT_SOURCE_ID, nameOf } from "../context";
import { ALL_PAGES_MASK, drop, invalidateAll, invalidateDeviceTlb } from "../iommu";
import { ANY, dropPasidCache, firstEntry, nextEntry } from "../pasid";
import { contextOf, deviceTlbOf, nextDeviceTlb } from "../requesters";
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

// The codecs import nothing, so that a test can compile them alone.
if (amd.ALL_PAGES_MASK != ALL_PAGES_MASK) ERROR("AMD's commands and the IOMMU have other numbers for all pages");

/**
 * The effect of a VT-d descriptor on the IOMMU of a context; the context is where the search for the PASID begins. `device`:
 * source-id of the device that gets it if it is for a device TLB, whatever the descriptor says, or ANY: as it says.
 */
export function executeVtd(near: usize, device: u32, qw0: u64, qw1: u64): void {
  const domain = vtd.domainOf(qw0);
  const pasid = vtd.pasidOf(qw0);
  if (vtd.isPasidIotlb(qw0)) {
    if (vtd.isPagesOfPasid(qw0)) dropPages(near, pasid, domain, qw1, vtd.addressMaskOf(qw1), vtd.hasHint(qw1));
    else dropAll(near, pasid, domain);
  } else if (vtd.isPasidCache(qw0)) {
    tallyQueue(PASID_CACHE_INVALIDATIONS);
    count(agentOf(near), AGENT_INVALIDATIONS);
    dropPasidCache(near, vtd.isOnePasid(qw0) ? pasid : ANY, vtd.isEveryPasid(qw0) ? ANY : domain, ANY);
  } else if (vtd.isPasidDeviceTlb(qw0)) {
    const to = device == ANY ? vtd.sourceIdOf(qw0) : device;
    dropInDevice(near, vtd.isOfEveryPasid(qw1) ? ANY : pasid, to, qw1, vtd.deviceTlbMask(qw1));
  } else if (vtd.isIotlb(qw0)) {
    tallyQueue(GLOBAL_INVALIDATIONS);
    if (vtd.isGlobal(qw0)) invalidateAll(agentOf(near));
    else {
      count(agentOf(near), AGENT_INVALIDATIONS);
      drop(near, ANY, domain, ANY, 0, ALL_PAGES_MASK, vtd.isPagesOfDomain(qw0) && vtd.hasHint(qw1));
    }
  }
}

/** The effect of an AMD command, likewise. */
export function executeAmd(near: usize, device: u32, w0: u64, w1: u64): void {
  const am = amd.pagesMask(w1);
  const pasid = amd.pasidOf(w0);
  const named = amd.deviceOf(w0);
  const ofPasid = amd.isOfPasid(w1);
  if (amd.isPages(w0)) {
    const domain = amd.domainOf(w0);
    const tables = amd.coversTables(w1);
    if (!ofPasid) count(agentOf(near), AGENT_INVALIDATIONS);
    else if (am < ALL_PAGES_MASK || !tables) dropPages(near, pasid, domain, w1, am, !tables);
    else {
      dropAll(near, pasid, domain);
      dropPasidCache(near, pasid, domain, ANY);
    }
  } else if (amd.isDevicePages(w0)) {
    if (ofPasid) dropInDevice(near, pasid, device == ANY ? named : device, w1, am);
  } else if (amd.isDevice(w0)) {
    count(agentOf(near), AGENT_INVALIDATIONS);
    dropPasidCache(near, ANY, ANY, named);
  } else if (amd.isPrefetch(w0)) {
    if (!amd.invalidatesFirst(w1)) return;
    count(agentOf(near), AGENT_INVALIDATIONS);
    if (ofPasid) drop(near, pasid, ANY, named, w1 & ~0xfff, am, true);
  } else if (amd.isAll(w0)) {
    tallyQueue(GLOBAL_INVALIDATIONS);
    invalidateAll(agentOf(near));
    dropPasidCache(near, ANY, ANY, ANY);
  }
}

function dropPages(near: usize, pasid: u32, domain: u32, address: u64, am: u32, leavesOnly: bool): void {
  tallyQueue(PAGE_SELECTIVE_INVALIDATIONS);
  tallyQueue(PAGES_INVALIDATED, (<u64>1) << min<u32>(am, ALL_PAGES_MASK));
  count(agentOf(near), AGENT_INVALIDATIONS);
  drop(near, pasid, domain, ANY, address & ~0xfff, am, leavesOnly);
}

function dropAll(near: usize, pasid: u32, domain: u32): void {
  tallyQueue(PASID_SELECTIVE_INVALIDATIONS);
  count(agentOf(near), AGENT_INVALIDATIONS);
  drop(near, pasid, domain, ANY, 0, ALL_PAGES_MASK, false);
}

/** Pages of a PASID, or of ANY, in the TLB of a device; nothing if the IOMMU has no such PASID, or no such device with a TLB. */
function dropInDevice(near: usize, pasid: u32, device: u32, address: u64, am: u32): void {
  for (let entry = firstEntry(near, pasid); entry != 0; entry = nextEntry(entry, pasid)) {
    for (let front = load<u32>(entry, CONTEXT_DEVICE_TLBS); front != 0; front = nextDeviceTlb(front - 1)) {
      if (load<u32>(contextOf(front - 1), CONTEXT_SOURCE_ID) != device) continue;
      invalidateDeviceTlb(deviceTlbOf(front - 1), nameOf(entry), address & ~0xfff, min<u32>(am, ALL_PAGES_MASK));
    }
  }
}
