// Descriptors of VT-d's invalidation queue (VT-d 6.5.2), 256 bits in scalable mode, of which the upper half is 0 for the types
// that do something here. Encoding as the Linux driver does it, and the fields that the effect depends on. What hardware
// refuses does not get here: `src/queue/` checks what a caller submits.
//
//   type 2  IOTLB:             qw0 = type | granularity << 4 | domain << 16   qw1 = as type 6
//   type 6  PASID-based IOTLB: qw0 = type | granularity << 4 | domain << 16 | PASID << 32
//                              qw1 = address mask (5:0) | invalidation hint << 6 | address (63:12)
//   type 7  PASID cache:       qw0 = type | granularity << 4 | domain << 16 | PASID << 32
//   type 8  PASID device TLB:  qw0 = type | source-id << 16 | PASID << 32 | PFSID…
//                              qw1 = global | size << 11 | address (63:12)
// All others (1 context cache, 3 device TLB without PASID, 4 interrupt entries, 5 wait, 9 responses to page requests, 10 cache of host
// permission tables) drop nothing that is cached here: rule 15.8.

const TYPE_IOTLB: u64 = 2;
const TYPE_PASID_IOTLB: u64 = 6;
const TYPE_PASID_CACHE: u64 = 7;
const TYPE_PASID_DEVICE_TLB: u64 = 8;

const IOTLB_ALL: u64 = 1;
const IOTLB_PAGES_OF_DOMAIN: u64 = 3;
const IOTLB_ALL_OF_PASID: u64 = 2;
const IOTLB_PAGES_OF_PASID: u64 = 3;
const PASID_CACHE_ONE: u64 = 1;
const PASID_CACHE_ALL: u64 = 3;

/** The domain of all SVA PASIDs (FLPT_DEFAULT_DID). */
export const SVA_DOMAIN: u32 = 1;
const HINT: u64 = 1 << 6;
const PAGE: u64 = ~0xfff;

// @ts-ignore: decorator
@inline
function head(type: u64, granularity: u64, pasid: u32): u64 {
  assert(pasid >> 20 == 0, "a PASID has 20 bits");
  return type | (granularity << 4) | (<u64>SVA_DOMAIN << 16) | (<u64>pasid << 32);
}

/** Everything of the IOMMU: the global granularity of type 2. */
// @ts-ignore: decorator
@inline
export function globalIotlb(): u64 {
  return TYPE_IOTLB | (IOTLB_ALL << 4);
}

// @ts-ignore: decorator
@inline
export function pasidIotlb(pasid: u32): u64 {
  return head(TYPE_PASID_IOTLB, IOTLB_ALL_OF_PASID, pasid);
}

// @ts-ignore: decorator
@inline
export function pageIotlb(pasid: u32): u64 {
  return head(TYPE_PASID_IOTLB, IOTLB_PAGES_OF_PASID, pasid);
}

// @ts-ignore: decorator
@inline
export function pageIotlbAddress(va: u64, am: u32, leavesOnly: bool): u64 {
  assert(am <= 0x3f, "an address mask has 6 bits");
  return (va & PAGE) | <u64>am | (leavesOnly ? HINT : 0);
}

// @ts-ignore: decorator
@inline
export function pasidCache(pasid: u32): u64 {
  return head(TYPE_PASID_CACHE, PASID_CACHE_ONE, pasid);
}

// @ts-ignore: decorator
@inline
export function deviceTlb(sourceId: u32, pasid: u32): u64 {
  assert(pasid >> 20 == 0 && sourceId >> 16 == 0, "a PASID has 20 bits, a source-id 16");
  return TYPE_PASID_DEVICE_TLB | (<u64>sourceId << 16) | (<u64>pasid << 32);
}

/** Size by the S bit: address bits below 2^am pages are 1 but the highest of them, which is 0. */
export function deviceTlbAddress(va: u64, am: u32): u64 {
  if (am == 0) return va & PAGE;
  const bits = am >= 52 ? ~(<u64>0) : ((<u64>1) << (12 + <u64>am)) - 1;
  return (va & ~bits) | (((bits >> 1) & PAGE)) | (1 << 11);
}

/** log2 of the pages that a device-TLB descriptor names. */
export function deviceTlbMask(qw1: u64): u32 {
  if (!(qw1 & (1 << 11))) return 0;
  return <u32>ctz(~(qw1 >> 12)) + 1;
}

// ---- which effect a descriptor has: rules 15.9 to 15.13 ----

// @ts-ignore: decorator
@inline
export function isIotlb(qw0: u64): bool {
  return typeOf(qw0) == TYPE_IOTLB;
}

// @ts-ignore: decorator
@inline
export function isPasidIotlb(qw0: u64): bool {
  return typeOf(qw0) == TYPE_PASID_IOTLB;
}

// @ts-ignore: decorator
@inline
export function isPasidCache(qw0: u64): bool {
  return typeOf(qw0) == TYPE_PASID_CACHE;
}

// @ts-ignore: decorator
@inline
export function isPasidDeviceTlb(qw0: u64): bool {
  return typeOf(qw0) == TYPE_PASID_DEVICE_TLB;
}

/** IOTLB: of every domain. */
// @ts-ignore: decorator
@inline
export function isGlobal(qw0: u64): bool {
  return granularityOf(qw0) == IOTLB_ALL;
}

/** IOTLB: pages of a domain's second stage. */
// @ts-ignore: decorator
@inline
export function isPagesOfDomain(qw0: u64): bool {
  return granularityOf(qw0) == IOTLB_PAGES_OF_DOMAIN;
}

/** PASID-based IOTLB: pages, not all of the PASID. */
// @ts-ignore: decorator
@inline
export function isPagesOfPasid(qw0: u64): bool {
  return granularityOf(qw0) == IOTLB_PAGES_OF_PASID;
}

/** PASID cache: one PASID. */
// @ts-ignore: decorator
@inline
export function isOnePasid(qw0: u64): bool {
  return granularityOf(qw0) == PASID_CACHE_ONE;
}

/** PASID cache: the PASIDs of every domain. */
// @ts-ignore: decorator
@inline
export function isEveryPasid(qw0: u64): bool {
  return granularityOf(qw0) == PASID_CACHE_ALL;
}

// @ts-ignore: decorator
@inline
function typeOf(qw0: u64): u64 {
  return qw0 & 0xf;
}

// @ts-ignore: decorator
@inline
function granularityOf(qw0: u64): u64 {
  return (qw0 >> 4) & 3;
}

// @ts-ignore: decorator
@inline
export function domainOf(qw0: u64): u32 {
  return <u32>(qw0 >> 16) & 0xffff;
}

// @ts-ignore: decorator
@inline
export function pasidOf(qw0: u64): u32 {
  return <u32>(qw0 >> 32) & 0xf_ffff;
}

/** PASID-based device TLB: the device that it is sent to. */
// @ts-ignore: decorator
@inline
export function sourceIdOf(qw0: u64): u32 {
  return <u32>(qw0 >> 16) & 0xffff;
}

/** PASID-based device TLB: entries of every PASID (G). */
// @ts-ignore: decorator
@inline
export function isOfEveryPasid(qw1: u64): bool {
  return (qw1 & 1) != 0;
}

/** log2 of the pages that an IOTLB descriptor names. */
// @ts-ignore: decorator
@inline
export function addressMaskOf(qw1: u64): u32 {
  return <u32>qw1 & 0x3f;
}

// @ts-ignore: decorator
@inline
export function hasHint(qw1: u64): bool {
  return (qw1 & HINT) != 0;
}
