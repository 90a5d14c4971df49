// Commands of the AMD IOMMU (AMD I/O Virtualization Technology 2.4): 128 bits, opcode in bits 60..63 of the first word.
//
//   INVALIDATE_IOMMU_PAGES (3): w0 = PASID (19:0) | domain << 32 | opcode << 60
//                               w1 = S | PDE << 1 | GN << 2 | address (63:12)
//   INVALIDATE_IOTLB_PAGES (4): w0 = device (15:0) | device << 32 | opcode << 60, the PASID in three pieces: bits 8..15 at
//                               16, 0..7 at 48, 16..19 at 56; w1 as above without PDE. Device TLBs
//   INVALIDATE_IOMMU_ALL (8), COMPLETION_WAIT (1)
// With S the size is in the address: the lowest clear bit from 12 up is the highest bit that the range does not decide.

export const OP_COMPLETION_WAIT: u64 = 1;
export const OP_INVALIDATE_IOMMU_PAGES: u64 = 3;
export const OP_INVALIDATE_IOTLB_PAGES: u64 = 4;
export const OP_INVALIDATE_ALL: u64 = 8;

const S: u64 = 1;
export const PDE: u64 = 1 << 1;
const GN: u64 = 1 << 2;
const PAGE: u64 = ~0xfff;
/** The address that names every page. */
export const ALL_PAGES: u64 = 0x7fff_ffff_ffff_f000;

// @ts-ignore: decorator
@inline
export function invalidatePages(pasid: u32): u64 {
  assert(pasid >> 20 == 0, "a PASID has 20 bits");
  return <u64>pasid | (OP_INVALIDATE_IOMMU_PAGES << 60);
}

export function invalidateDevicePages(device: u32, pasid: u32): u64 {
  assert(pasid >> 20 == 0, "a PASID has 20 bits");
  const id = <u64>(device & 0xffff);
  const pieces = (<u64>((pasid >> 8) & 0xff) << 16) | (<u64>(pasid & 0xff) << 48) | (<u64>(pasid >> 16) << 56);
  return id | (id << 32) | pieces | (OP_INVALIDATE_IOTLB_PAGES << 60);
}

/** The driver's size encoding: the highest bit in which first and last page differ; above bit 51, all pages. */
export function pagesAddress(first: u64, last: u64, withTables: bool): u64 {
  assert(first <= last, "the range ends before it starts");
  const flags = GN | (withTables ? PDE : 0);
  if (first >> 12 == last >> 12) return (first & PAGE) | flags;
  const highest = 63 - clz(first ^ last);
  if (highest > 51) return ALL_PAGES | S | flags;
  const below = ((<u64>1) << highest) - 1;
  return (((first & ~below) | below) & PAGE & ~((<u64>1) << highest)) | S | flags;
}

/** Every page. */
export function allPages(withTables: bool): u64 {
  return ALL_PAGES | S | GN | (withTables ? PDE : 0);
}

/** log2 of the pages that a command's second word names; 52 = all. */
export function pagesMask(w1: u64): u32 {
  if (!(w1 & S)) return 0;
  if ((w1 & PAGE) == ALL_PAGES) return 52;
  return <u32>ctz(~(w1 >> 12)) + 1;
}

// @ts-ignore: decorator
@inline
export function coversTables(w1: u64): bool {
  return (w1 & PDE) != 0;
}

// @ts-ignore: decorator
@inline
export function opcodeOf(w0: u64): u64 {
  return w0 >> 60;
}

// @ts-ignore: decorator
@inline
export function pasidOf(w0: u64): u32 {
  return <u32>w0 & 0xf_ffff;
}
