// Descriptors of VT-d's invalidation queue (VT-d 6.5.2): 128 bits in legacy mode, 256 in scalable mode, whose upper half is 0
// for the types used here. Encoding as the Linux driver does it; decoding into the effect that the specification gives.
//
//   type 6  PASID-based IOTLB: qw0 = type | granularity << 4 | domain << 16 | PASID << 32
//                              qw1 = address mask (5:0) | invalidation hint << 6 | address (63:12)
//   type 7  PASID cache:       qw0 = type | granularity << 4 | domain << 16 | PASID << 32
//   type 8  PASID device TLB:  qw0 = type | PASID << 32 | PFSID…   qw1 = global | size << 11 | address (63:12)
//   type 5  wait:              qw0 = type | status write << 5 | fence << 6 | status data << 32

export const TYPE_WAIT: u64 = 5;
export const TYPE_PASID_IOTLB: u64 = 6;
export const TYPE_PASID_CACHE: u64 = 7;
export const TYPE_PASID_DEVICE_TLB: u64 = 8;

export const IOTLB_ALL_OF_PASID: u64 = 2;
export const IOTLB_PAGES_OF_PASID: u64 = 3;
export const PASID_CACHE_ALL: u64 = 0;
export const PASID_CACHE_ONE: u64 = 1;

/** All SVA PASIDs share one domain (FLPT_DEFAULT_DID). */
const SVA_DOMAIN: u64 = 1;
const HINT: u64 = 1 << 6;
const PAGE: u64 = ~0xfff;

// @ts-ignore: decorator
@inline
function head(type: u64, granularity: u64, pasid: u32): u64 {
  assert(pasid >> 20 == 0, "a PASID has 20 bits");
  return type | (granularity << 4) | (SVA_DOMAIN << 16) | (<u64>pasid << 32);
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
export function deviceTlb(pasid: u32): u64 {
  assert(pasid >> 20 == 0, "a PASID has 20 bits");
  return TYPE_PASID_DEVICE_TLB | (<u64>pasid << 32);
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

// @ts-ignore: decorator
@inline
export function typeOf(qw0: u64): u64 {
  return qw0 & 0xf;
}

// @ts-ignore: decorator
@inline
export function granularityOf(qw0: u64): u64 {
  return (qw0 >> 4) & 3;
}

// @ts-ignore: decorator
@inline
export function pasidOf(qw0: u64): u32 {
  return <u32>(qw0 >> 32) & 0xf_ffff;
}

// @ts-ignore: decorator
@inline
export function hasHint(qw1: u64): bool {
  return (qw1 & HINT) != 0;
}
