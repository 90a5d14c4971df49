// A device with a TLB of its own (PCIe ATS) in front of an IOMMU: its look-up, and the translation request that it sends for what it
// misses or refuses (docs/rules.md sections 7 and 16; VT-d 4.2.3.1).

import { count } from "../base/memory";
import { CACHE_MISSES, dataAt, levelAt } from "../cache/layout";
import { touch } from "../cache/lookup";
import { isWrite, READ_OR_WRITE, TYPE, withoutSpeculativeWrite } from "../paging/access";
import { addressMask, isCanonical } from "../paging/mode";
import { NXE } from "../paging/x86-64/controls";
import { AMD_COMMANDS, hasFlag, NO_WRITE_REQUESTS } from "./agent";
import { NO_WRITE, takeAnswer } from "./answer";
import { agentOf, checkOf, createContext, nameOf, setControls } from "./context";
import { reportStaleHit } from "./hazard";
import { judge, lookUp, MISS, REFUSED, STALE_HIT } from "./hit";
import { ask, asRequest } from "./iommu";
import { translated } from "./walk";

// ---- set up once ----
/** What a device checks by itself: user rights. Made with the first device TLB. */
let deviceRules: usize = 0;

export function createDeviceRules(): bool {
  if (deviceRules == 0) deviceRules = createContext(0, 0);
  if (deviceRules != 0) setControls(deviceRules, NXE, 0);
  return deviceRules != 0;
}

/** An access of a device with a TLB: what that refuses or misses asks the IOMMU, and only completed translations get into it. */
export function requestThrough(deviceTlb: usize, device: u32, context: usize, va: u64, access: u32): u64 {
  assert(deviceTlb > 1 && deviceRules != 0, "the device has no TLB");
  const own = asRequest(withoutSpeculativeWrite(access));
  let absent = false;
  if (isCanonical(va)) {
    const tag = nameOf(context);
    const key = lookUp(deviceTlb, va & addressMask, tag);
    absent = key == 0;
    const leaf = key == 0 ? 0 : load<u64>(dataAt(deviceTlb, key));
    const verdict = key == 0 ? MISS : judge(checkOf(deviceRules, own), leaf);
    // A refusal is a hit all the same; an entry that is not dirty yet does not answer a write.
    if (verdict != MISS) touch(deviceTlb, key);
    else count(deviceTlb, CACHE_MISSES);
    if (verdict == STALE_HIT) reportStaleHit(agentOf(context), tag, va, own, leaf, levelAt(key));
    if (verdict != MISS && verdict != REFUSED) return translated(leaf, levelAt(key), va);
  }
  return takeAnswer(deviceTlb, device, context, va, own, ask(context, va, asTranslationRequest(agentOf(context), device, own)), absent);
}

/** What a device says in its translation request for an access of its own. */
function asTranslationRequest(agent: usize, device: u32, own: u32): u32 {
  const saysNoWrite = (device & NO_WRITE) != 0 && hasFlag(agent, NO_WRITE_REQUESTS) && !isWrite(own);
  return saysNoWrite || hasFlag(agent, AMD_COMMANDS) ? own : (own & ~TYPE) | READ_OR_WRITE;
}
