// Programs: operations of 16 bytes, played inside the engine in one call (layout: assembly/program.ts).

import type { Access } from "./access.js";
import { checkAddress, checkInteger, InvalidOptionError } from "./errors.js";

/** Bytes of an operation. */
export const operationBytes = 16;

/** In place of a CPU's requester number: every CPU, in order. */
export const everyCpu = 0xffff;

/** Operation codes. */
export const Operation = {
  nothing: 0,
  access: 1,
  invlpg: 2,
  invpcid: 3,
  movToCr3: 4,
  controls: 5,
  invlpgRange: 6,
  flushAll: 7,
  writeEntry: 8,
  invalidatePasid: 9,
  invalidatePages: 10,
  invalidateIommu: 11,
  invalidatePasidCache: 12,
  invalidateDeviceTlb: 13,
  invalidateDeviceTlbPages: 14,
  bind: 15,
  flushKernelRange: 16,
} as const;

const MOST_ARGUMENT = 0xffff_ffff;

/** Builds a program operation by operation. Requester numbers are those of `Cpu.requester` and `Iommu.requester()`. */
export class ProgramBuilder {
  private buffer = new ArrayBuffer(64 * operationBytes);
  private view = new DataView(this.buffer);
  private length = 0;

  /** Records so far. */
  get count(): number {
    return this.length;
  }

  private put(operation: number, type: number, requester: number, argument: number, address: bigint): this {
    if ((this.length + 1) * operationBytes > this.buffer.byteLength) {
      const larger = new ArrayBuffer(this.buffer.byteLength * 2);
      new Uint8Array(larger).set(new Uint8Array(this.buffer));
      this.buffer = larger;
      this.view = new DataView(larger);
    }
    const at = this.length++ * operationBytes;
    this.view.setUint8(at, operation);
    this.view.setUint8(at + 1, type);
    this.view.setUint16(at + 2, checkInteger("requester", requester, 0, everyCpu), true);
    this.view.setUint32(at + 4, checkInteger("argument", argument, 0, MOST_ARGUMENT), true);
    this.view.setBigUint64(at + 8, checkAddress("address", address), true);
    return this;
  }

  /** A translation. */
  access(requester: number, va: bigint, access: Access): this {
    return this.put(Operation.access, access, requester, 0, va);
  }

  /** INVLPG. */
  invlpg(cpu: number, va: bigint): this {
    return this.put(Operation.invlpg, 0, cpu, 0, va);
  }

  /** INVPCID of type 0 to 3. */
  invpcid(cpu: number, type: 0 | 1 | 2 | 3, pcid = 0, va = 0n): this {
    return this.put(Operation.invpcid, type, cpu, pcid, va);
  }

  /** MOV CR3. */
  movToCr3(cpu: number, root: bigint, pcid = 0, noFlush = false): this {
    return this.put(Operation.movToCr3, noFlush ? 1 : 0, cpu, pcid, root);
  }

  /** INVLPG of each of `pages` pages. */
  invlpgRange(cpu: number, start: bigint, pages: number): this {
    return this.put(Operation.invlpgRange, 0, cpu, pages, start);
  }

  /** flush_tlb_kernel_range(): page by page up to 33 pages, above that everything. */
  flushKernelRange(cpu: number, start: bigint, pages: number): this {
    return this.put(Operation.flushKernelRange, 0, cpu, pages, start);
  }

  /** Everything, globals included. */
  flushAll(cpu: number): this {
    return this.put(Operation.flushAll, 0, cpu, 0, 0n);
  }

  /** Writes an entry by its physical address; takes two records. */
  writeEntry(physicalAddress: bigint, entry: bigint): this {
    this.put(Operation.writeEntry, 0, 0, 0, physicalAddress);
    return this.put(Operation.nothing, 0, 0, 0, entry);
  }

  /** PASID-selective invalidation. */
  invalidatePasid(requester: number): this {
    return this.put(Operation.invalidatePasid, 0, requester, 0, 0n);
  }

  /** Page-selective invalidation of 2^`am` pages. */
  invalidatePages(requester: number, va: bigint, am = 0, leavesOnly = false): this {
    return this.put(Operation.invalidatePages, leavesOnly ? 1 : 0, requester, am, va);
  }

  /** Everything in the requester's IOMMU. */
  invalidateIommu(requester: number): this {
    return this.put(Operation.invalidateIommu, 0, requester, 0, 0n);
  }

  /** The program, packed. */
  build(): Uint8Array {
    return new Uint8Array(this.buffer.slice(0, this.length * operationBytes));
  }
}

/** Whole operations in a packed program. @internal @throws InvalidOptionError */
export function countOperations(program: Uint8Array): number {
  if (program.byteLength % operationBytes !== 0) {
    throw new InvalidOptionError("program.byteLength", program.byteLength, `a multiple of ${operationBytes}`);
  }
  return program.byteLength / operationBytes;
}
