// Operations that the kernel refuses for where they are, in random kernel programs.

import type { KernelOperation } from "./operations.js";
import { PAGE, regions } from "./places.js";

/** Operations on ranges that are empty, of the other half, or not aligned. */
export function misplacedOnes(levels: 4 | 5, mm: number): KernelOperation[] {
  const { vmalloc, direct, user } = regions(levels);
  const [kernel, own] = [vmalloc[0] ?? 0n, user[0] ?? 0n];
  return [
    { kind: "vmalloc", address: own, pages: 1, shift: 12 },
    { kind: "vfree", address: kernel, pages: 0, type: 0 },
    { kind: "hot-remove", address: direct[0] ?? 0n, blocks: 0, type: 0 },
    { kind: "mmap", mm, address: kernel, pages: 1, type: 0 },
    { kind: "munmap", mm, address: own, pages: 0 },
    { kind: "mmap", mm, address: own + PAGE, pages: 512, type: 1 },
    { kind: "vmalloc", address: kernel + 1n, pages: 1, shift: 12 },
    { kind: "munmap", mm, address: own + 0x800n, pages: 1 },
    { kind: "hot-add", address: (direct[0] ?? 0n) + PAGE, blocks: 1, type: 0 },
    { kind: "flush-kernel-range", start: kernel, end: kernel },
  ];
}
