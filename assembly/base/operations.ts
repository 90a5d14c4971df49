// The operations of a program, by code, and what each takes from its record (record.ts). Results not named
// are 1; those refused say why (refusals.ts).

// ---- bits of types ----
/** vmalloc: tables in the way of a large leaf stay; the bits below are log2 of the largest leaf. */
export const KEEP_TABLES: u32 = 1 << 6;
/** vfree: flush now (VM_FLUSH_RESET_PERMS); not for the lazy purge. */
export const FLUSH_NOW: u32 = 1;
export const UNLISTED: u32 = 1 << 1;
/** Hot-add, hot-remove: tables reserved at boot; 4 KiB leaves; KASAN's shadow; 1 GiB leaves; a split vmemmap's PTs (HVO). */
export const BOOT_TABLES: u32 = 1;
export const SMALL_PAGES: u32 = 1 << 1;
export const SHADOW: u32 = 1 << 2;
export const HUGE_PAGES: u32 = 1 << 3;
export const SPLIT_VMEMMAP: u32 = 1 << 4;
/** mmap: 2 MiB leaves; leaves without R/W. */
export const LARGE: u32 = 1;
export const READ_ONLY: u32 = 1 << 1;
/** flush_tlb_kernel_range(), flush_tlb_all(): the caller frees a table with this flush. */
export const FREES_TABLES: u32 = 1;

/** tableFree, beside the level in its argument: the table has the kernel's mark; it has none. Neither: as it was made. */
export const MARKED: u32 = 1 << 2;
export const UNMARKED: u32 = 1 << 3;

// ---- types that are no bits: what `reuse` fills a frame with ----
export const ZEROES: u32 = 0;
export const FORGE_USER_LEAF: u32 = 1;
export const FILL: u32 = 2;

// ---- operations of CPUs, IOMMUs and devices ----
export const OP_NOTHING: u8 = 0;
/** access = kind of access, address = virtual address; result: the outcome */
export const OP_ACCESS: u8 = 1;
/** address = virtual address */
export const OP_INVLPG: u8 = 2;
/** type 0..3, argument = PCID, address = virtual address; refused where the instruction is a #GP */
export const OP_INVPCID: u8 = 3;
/** type 1 = no flush, argument = PCID, address = physical address of the root */
export const OP_MOV_TO_CR3: u8 = 4;
/** argument = controls, address = PKRU */
export const OP_CONTROLS: u8 = 5;
/** argument = pages, address = first page; INVLPG of each */
export const OP_INVLPG_RANGE: u8 = 6;
/** everything, globals included */
export const OP_FLUSH_ALL: u8 = 7;
/** address = physical address of an entry; the next record's address = its new value */
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
/**
 * PASID-table entry of the requester: type 1 = present, argument = its fields (hardware/pasid-entry.ts) | domain id << 16,
 * address = physical address of the root
 */
export const OP_BIND: u8 = 15;

/**
 * Instructions of a CPU, nothing of a kernel: argument = pages, address = first page; INVLPG of each up to 33 pages
 * (tlb_single_page_flush_ceiling), above that everything.
 */
export const OP_INVLPG_RANGE_OR_ALL: u8 = 16;

// ---- walks under way, by number in the argument (below MAX_WALKS) ----
/**
 * access = kind of access, address = virtual address: an access whose walk stops before its first read of memory; result: the
 * outcome (*under way* if a walk has begun), 0 if a walk of that number is under way already
 */
export const OP_WALK_BEGIN: u8 = 17;
/** one read of memory, or one setting of A or D; result: the outcome, *under way* or of the access; 0 if there is no such walk */
export const OP_WALK_STEP: u8 = 18;
/** all steps that are left; result as of a step */
export const OP_WALK_FINISH: u8 = 19;

// ---- operations of a kernel ----
/** address, argument = pages, type = log2 of the largest leaf (| KEEP_TABLES: tables in the way stay) */
export const OP_VMALLOC: u8 = 32;
/** address, argument = pages, type: FLUSH_NOW, UNLISTED */
export const OP_VFREE: u8 = 33;
export const OP_PURGE: u8 = 34;
/** address, argument = blocks of 2 MiB, type: BOOT_TABLES, SMALL_PAGES, SHADOW, HUGE_PAGES, SPLIT_VMEMMAP */
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
/** requester = mm, address, argument = pages, type of mmap: LARGE, READ_ONLY */
export const OP_MMAP: u8 = 44;
export const OP_MUNMAP: u8 = 45;
export const OP_MPROTECT: u8 = 46;
/** flush_tlb_kernel_range(): address = start, type: FREES_TABLES; the next record's address = end (exclusive; all ones: TLB_FLUSH_ALL) */
export const OP_FLUSH_TLB_KERNEL_RANGE: u8 = 47;
/** type: FREES_TABLES */
export const OP_FLUSH_TLB_ALL: u8 = 48;
/** requester = CPU */
export const OP_LOCAL_FLUSH_TLB_ALL: u8 = 49;
/** requester = mm, type = shift, address = start; the next record's address = end (all ones: everything) */
export const OP_FLUSH_TLB_MM_RANGE: u8 = 50;
/** type ZEROES, FORGE_USER_LEAF: user leaves of the frame at address, FILL: address as it is; result: frame number */
export const OP_REUSE: u8 = 51;
export const OP_RUN_WORK: u8 = 52;
/** type = site, argument = level of the table (0: the site's own), address */
export const OP_TABLE_CLEAR: u8 = 53;
/** the same; argument | MARKED or UNMARKED */
export const OP_TABLE_FREE: u8 = 54;
/** address = time in ns */
export const OP_TIME: u8 = 55;
/** gives the frame back that `reuse` took longest ago; result: its frame number */
export const OP_GIVE_BACK: u8 = 56;
/** requester = mm, address, argument = pages; madvise(MADV_DONTNEED) */
export const OP_DONT_NEED: u8 = 57;
/** requester = CPU; with page-table isolation it goes on in user mode, or in kernel mode */
export const OP_ENTER_USER: u8 = 58;
export const OP_ENTER_KERNEL: u8 = 59;
export const LAST_KERNEL_OPERATION: u8 = OP_ENTER_KERNEL;

/** No operation of a program: it traps, so that memory stands as it was at the point where this was interleaved. */
export const STOP_CODE: u8 = 255;

if (OP_VMALLOC <= OP_WALK_FINISH) ERROR("operations of a kernel must come after all others");

/** Operations that take a second 64-bit word, from the record that follows. */
// @ts-ignore: decorator
@inline
export function hasSecondRecord(operation: u8): bool {
  return operation == OP_WRITE_ENTRY || operation == OP_FLUSH_TLB_KERNEL_RANGE || operation == OP_FLUSH_TLB_MM_RANGE;
}
