// Commands of the AMD IOMMU (AMD I/O Virtualization Technology specification 2.4): 128 bits, opcode in bits 60..63 of the
// first word. Encoding as the Linux driver does it, and the fields that the effect depends on. What hardware refuses does
// not get here: `src/queue/` checks what a caller submits.
//
//   INVALIDATE_DEVTAB_ENTRY (2): w0 = device (15:0)
//   INVALIDATE_IOMMU_PAGES (3):  w0 = PASID (19:0) | domain << 32
//                                w1 = S | PDE << 1 | GN << 2 | address (63:12)
//   INVALIDATE_IOTLB_PAGES (4):  w0 = device (15:0) | queue << 32, the PASID in three pieces: bits 8..15 at 16, 0..7 at 48,
//                                16..19 at 56; w1 as above without PDE. Device TLBs
//   PREFETCH_IOMMU_PAGES (6):    w0 = device (15:0) | count << 24 | PASID << 32   w1 = S | GN << 2 | INVAL << 4 | address
//   INVALIDATE_IOMMU_ALL (8)
// All others (1 COMPLETION_WAIT, 5 INVALIDATE_INTERRUPT_TABLE, 7 COMPLETE_PPR_REQUEST) drop nothing that is cached here.
// With S the size is in the address: the lowest clear bit from 12 up is the highest bit that the range does not decide.

const OP_INVALIDATE_DEVICE: u64 = 2;
const OP_INVALIDATE_PAGES: u64 = 3;
const OP_INVALIDATE_DEVICE_PAGES: u64 = 4;
const OP_PREFETCH_PAGES: u64 = 6;
const OP_INVALIDATE_ALL: u64 = 8;

const S: u64 = 1;
export const PDE: u64 = 1 << 1;
const GN: u64 = 1 << 2;
const INVAL: u64 = 1 << 4;
const PAGE: u64 = ~0xfff;
/** The driver's address that names every page. */
const ALL_PAGES: u64 = 0x7fff_ffff_ffff_f000;
/** A range whose undecided bits reach this one is the whole cache. */
const ALL_PAGES_BIT: u32 = 51;
/** log2 of pages that stands for all of them. */
export const ALL_PAGES_MASK: u32 = 52;

// @ts-ignore: decorator
@inline
export function invalidatePages(domain: u32, pasid: u32): u64 {
  assert(pasid >> 20 == 0 && domain >> 16 == 0, "a PASID has 20 bits, a domain id 16");
  return <u64>pasid | (<u64>domain << 32) | (OP_INVALIDATE_PAGES << 60);
}

export function invalidateDevicePages(device: u32, pasid: u32): u64 {
  assert(pasid >> 20 == 0 && device >> 16 == 0, "a PASID has 20 bits, a device id 16");
  const pieces = (<u64>((pasid >> 8) & 0xff) << 16) | (<u64>(pasid & 0xff) << 48) | (<u64>(pasid >> 16) << 56);
  return <u64>device | (<u64>device << 32) | pieces | (OP_INVALIDATE_DEVICE_PAGES << 60);
}

// @ts-ignore: decorator
@inline
export function invalidateAll(): u64 {
  return OP_INVALIDATE_ALL << 60;
}

/** The driver's size encoding: the highest bit in which first and last page differ; above bit 51, all pages. */
export function pagesAddress(first: u64, last: u64, withTables: bool): u64 {
  assert(first <= last, "the range ends before it starts");
  const flags = GN | (withTables ? PDE : 0);
  if (first >> 12 == last >> 12) return (first & PAGE) | flags;
  const highest = 63 - clz(first ^ last);
  if (highest > ALL_PAGES_BIT) return ALL_PAGES | S | flags;
  const below = ((<u64>1) << highest) - 1;
  return (((first & ~below) | below) & PAGE & ~((<u64>1) << highest)) | S | flags;
}

/** Every page, tables too. */
export function allPages(): u64 {
  return ALL_PAGES | S | GN | PDE;
}

/** log2 of the pages that a command's second word names; ALL_PAGES_MASK = all. */
export function pagesMask(w1: u64): u32 {
  if (!(w1 & S)) return 0;
  const clear = <u32>ctz(~(w1 | ~PAGE));
  return clear >= ALL_PAGES_BIT ? ALL_PAGES_MASK : clear - 11;
}

// @ts-ignore: decorator
@inline
export function coversTables(w1: u64): bool {
  return (w1 & PDE) != 0;
}

/** Whether the address is a guest's, of a PASID; else it is one of the second stage. */
// @ts-ignore: decorator
@inline
export function isOfPasid(w1: u64): bool {
  return (w1 & GN) != 0;
}

/** PREFETCH_IOMMU_PAGES: what is cached of the pages goes first. */
// @ts-ignore: decorator
@inline
export function invalidatesFirst(w1: u64): bool {
  return (w1 & INVAL) != 0;
}

// ---- which effect a command has: rules 15.15 to 15.22 ----

// @ts-ignore: decorator
@inline
export function isDevice(w0: u64): bool {
  return w0 >> 60 == OP_INVALIDATE_DEVICE;
}

// @ts-ignore: decorator
@inline
export function isPages(w0: u64): bool {
  return w0 >> 60 == OP_INVALIDATE_PAGES;
}

// @ts-ignore: decorator
@inline
export function isDevicePages(w0: u64): bool {
  return w0 >> 60 == OP_INVALIDATE_DEVICE_PAGES;
}

// @ts-ignore: decorator
@inline
export function isPrefetch(w0: u64): bool {
  return w0 >> 60 == OP_PREFETCH_PAGES;
}

// @ts-ignore: decorator
@inline
export function isAll(w0: u64): bool {
  return w0 >> 60 == OP_INVALIDATE_ALL;
}

// @ts-ignore: decorator
@inline
export function domainOf(w0: u64): u32 {
  return <u32>(w0 >> 32) & 0xffff;
}

// @ts-ignore: decorator
@inline
export function deviceOf(w0: u64): u32 {
  return <u32>w0 & 0xffff;
}

/** The PASID, which each command has elsewhere. */
export function pasidOf(w0: u64): u32 {
  if (isPages(w0)) return <u32>w0 & 0xf_ffff;
  if (isPrefetch(w0)) return <u32>(w0 >> 32) & 0xf_ffff;
  return (<u32>(w0 >> 48) & 0xff) | ((<u32>w0 >> 8) & 0xff00) | ((<u32>(w0 >> 56) & 0xf) << 16);
}
