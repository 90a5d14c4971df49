// The operations of a program, by code, and what each takes from its record (record.ts). Results not named are 1: done, 0: refused.

// ---- operations of CPUs, IOMMUs and devices ----
export const OP_NOTHING: u8 = 0;
/** access = kind of access, address = virtual address; result: the outcome */
export const OP_ACCESS: u8 = 1;
/** address = virtual address */
export const OP_INVLPG: u8 = 2;
/** type 0..3, argument = PCID, address = virtual address */
export const OP_INVPCID: u8 = 3;
/** type 1 = no flush, argument = PCID, address = physical address of the root */
export const OP_MOV_CR3: u8 = 4;
/** argument = controls, address = PKRU */
export const OP_CONTROLS: u8 = 5;
/** argument = pages, address = first page; INVLPG of each */
export const OP_INVLPG_RANGE: u8 = 6;
/** everything, globals included */
export const OP_FLUSH_ALL: u8 = 7;
/** address = physical address of an entry; the next record's address = its new value; result: 1, 0 if no such table */
export const OP_WRITE_ENTRY: u8 = 8;
/** IOMMU of the requester, its PASID */
export const OP_INVALIDATE_PASID: u8 = 9;
/** the same; type 1 = leaves only (IH), argument = AM, address = virtual address */
export const OP_INVALIDATE_PAGES: u8 = 10;
/** IOMMU of the requester, every PASID */
export const OP_INVALIDATE_IOMMU: u8 = 11;
export const OP_INVALIDATE_PASID_CACHE: u8 = 12;
/** the requester's own TLB: all of its PASID */
export const OP_INVALIDATE_DEVICE_TLB: u8 = 13;
/** the requester's own TLB; argument = AM, address = virtual address */
export const OP_INVALIDATE_DEVICE_TLB_PAGES: u8 = 14;
/** PASID-table entry of the requester: type 1 = present, argument = controls, address = physical address of the root */
export const OP_BIND: u8 = 15;

/**
 * flush_tlb_kernel_range(): argument = pages, address = first page. Page by page up to tlb_single_page_flush_ceiling
 * (33), above it everything.
 */
export const OP_FLUSH_KERNEL_RANGE: u8 = 16;

// ---- operations of a kernel ----
/** address, argument = pages, type = log2 of the largest leaf (| KEEP_TABLES: tables in the way stay) */
export const OP_VMALLOC: u8 = 32;
export const KEEP_TABLES: u32 = 1 << 6;
/** address, argument = pages, type bit 0: flush now (VM_FLUSH_RESET_PERMS), bit 1: not for the lazy purge */
export const OP_VFREE: u8 = 33;
export const UNLISTED: u32 = 1 << 1;
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

/** Operations that take a second 64-bit word, from the record that follows. */
export function hasSecondRecord(operation: u8): bool {
  return operation == OP_WRITE_ENTRY || operation == OP_FLUSH_TLB_KERNEL_RANGE || operation == OP_FLUSH_TLB_MM_RANGE;
}
