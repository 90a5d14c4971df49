// Descriptors of VT-d's invalidation queue (VT-d 6.5.2; drivers/iommu/intel/iommu.h has the same bits): 128 bits, or 256 in
// scalable mode, where the upper half is 0 but for page-group responses.

import { InvalidOptionError } from "../base/errors.js";
import {
  DescriptorError,
  type DescriptorLayout,
  decodeFields,
  encodeFields,
  type FieldLayout,
  type Part,
} from "./fields.js";

/** A descriptor. Addresses are multiples of 4 KiB; `addressMask` m means 2^m pages; ids are those of PCIe. */
export type VtdDescriptor =
  | {
      /** Kind of descriptor. */
      type: "context-cache";
      /** What it drops. */
      granularity: "global" | "domain" | "device";
      /** Domain id, 16 bits. */
      domain: number;
      /** Bus, device and function, 16 bits. */
      sourceId: number;
      /** Function bits of the source id that do not count, 2 bits. */
      functionMask: number;
    }
  | {
      /** Kind of descriptor. */
      type: "iotlb";
      /** What it drops. */
      granularity: "global" | "domain" | "page";
      /** Writes under way are finished first. */
      drainWrites: boolean;
      /** Reads under way are finished first. */
      drainReads: boolean;
      /** Domain id, 16 bits. */
      domain: number;
      /** m: 2^m pages, aligned. */
      addressMask: number;
      /** IH: paging-structure entries stay. */
      leavesOnly: boolean;
      /** First byte of the pages, a multiple of 4 KiB. */
      address: bigint;
    }
  | {
      /** Kind of descriptor. */
      type: "device-tlb";
      /** Device that enforces the limit of outstanding invalidations (PFSID), 16 bits. */
      physicalFunction: number;
      /** Most invalidations that the device may have outstanding, 5 bits. */
      queueDepth: number;
      /** Bus, device and function, 16 bits. */
      sourceId: number;
      /** S: the size is in the address. */
      sized: boolean;
      /** First byte of the pages, a multiple of 4 KiB. */
      address: bigint;
    }
  | { type: "interrupt-entry"; granularity: "global" | "index"; indexMask: number; index: number }
  | {
      /** Kind of descriptor. */
      type: "wait";
      /** IF: an interrupt is raised when the wait is over. */
      interrupt: boolean;
      /** SW: the status data are written when the wait is over. */
      statusWrite: boolean;
      /** FN: later descriptors wait for this one. */
      fence: boolean;
      /** PD: page requests are drained first. */
      pageRequestDrain: boolean;
      /** The 32 bits that are written. */
      statusData: number;
      /** Physical address of the status, a multiple of 4 bytes. */
      statusAddress: bigint;
    }
  | {
      /** Kind of descriptor. */
      type: "pasid-iotlb";
      /** What it drops. */
      granularity: "pasid" | "page";
      /** Domain id, 16 bits. */
      domain: number;
      /** PASID, 20 bits. */
      pasid: number;
      /** m: 2^m pages, aligned. */
      addressMask: number;
      /** IH: paging-structure entries stay. */
      leavesOnly: boolean;
      /** First byte of the pages, a multiple of 4 KiB. */
      address: bigint;
    }
  | { type: "pasid-cache"; granularity: "domain" | "pasid" | "global"; domain: number; pasid: number }
  | {
      /** Kind of descriptor. */
      type: "pasid-device-tlb";
      /** Most invalidations that the device may have outstanding, 5 bits. */
      queueDepth: number;
      /** Device that enforces the limit of outstanding invalidations (PFSID), 16 bits. */
      physicalFunction: number;
      /** Bus, device and function, 16 bits. */
      sourceId: number;
      /** PASID, 20 bits. */
      pasid: number;
      /** G: entries of every PASID go. */
      global: boolean;
      /** S: the size is in the address. */
      sized: boolean;
      /** First byte of the pages, a multiple of 4 KiB. */
      address: bigint;
    }
  | {
      /** Kind of descriptor. */
      type: "page-group-response";
      /** PP: the PASID counts. */
      pasidPresent: boolean;
      /** PDP: the private data count. */
      privateDataPresent: boolean;
      /** Code: 0 success, 1 invalid request, 15 failure. */
      responseCode: number;
      /** Bus, device and function of the requester, 16 bits. */
      requesterId: number;
      /** PASID, 20 bits. */
      pasid: number;
      /** LPIG: the last page of its group. */
      lastPage: boolean;
      /** Page request group index, 9 bits. */
      groupIndex: number;
      /** Private data, lower 64 bits. */
      privateData0: bigint;
      /** Private data, upper 64 bits. */
      privateData1: bigint;
    }
  | {
      /** Kind of descriptor. */
      type: "hpt-cache";
      /** What is dropped: all, a domain's, or pages of a domain. */
      granularity: "global" | "domain" | "page";
      /** Host-permission-table domain (HPTDID), 16 bits. */
      domain: number;
      /** AM: 2^AM pages. */
      addressMask: number;
      /** IH: entries of the lowest level go, and of so many levels above it (0 to 3). */
      levelsAbove: number;
      /** First byte of the pages, a host physical address, a multiple of 4 KiB. */
      address: bigint;
    };

const number = (name: string, ...parts: Part[]): FieldLayout => ({ name, kind: "number", parts });
const flag = (name: string, word: number, bit: number): FieldLayout => ({
  name,
  kind: "flag",
  parts: [[word, bit, 1]],
});
const granularity = (bits: number, names: Record<string, number>): FieldLayout => ({
  name: "granularity",
  kind: "name",
  parts: [[0, 4, bits]],
  names,
});
const address: FieldLayout = { name: "address", kind: "address", parts: [[1, 12, 52]], shift: 12 };
const domain = number("domain", [0, 16, 16]);
const pasid = number("pasid", [0, 32, 20]);
const addressMask = number("addressMask", [1, 0, 6]);
const leavesOnly = flag("leavesOnly", 1, 6);
const physicalFunction = number("physicalFunction", [0, 12, 4], [0, 52, 12]);

const LAYOUTS: readonly DescriptorLayout[] = [
  {
    type: "context-cache",
    code: 1,
    fields: [
      granularity(2, { global: 1, domain: 2, device: 3 }),
      domain,
      number("sourceId", [0, 32, 16]),
      number("functionMask", [0, 48, 2]),
    ],
  },
  {
    type: "iotlb",
    code: 2,
    fields: [
      granularity(2, { global: 1, domain: 2, page: 3 }),
      flag("drainWrites", 0, 6),
      flag("drainReads", 0, 7),
      domain,
      addressMask,
      leavesOnly,
      address,
    ],
  },
  {
    type: "device-tlb",
    code: 3,
    fields: [
      physicalFunction,
      number("queueDepth", [0, 16, 5]),
      number("sourceId", [0, 32, 16]),
      flag("sized", 1, 0),
      address,
    ],
  },
  {
    type: "interrupt-entry",
    code: 4,
    fields: [granularity(1, { global: 0, index: 1 }), number("indexMask", [0, 27, 5]), number("index", [0, 32, 16])],
  },
  {
    type: "wait",
    code: 5,
    fields: [
      flag("interrupt", 0, 4),
      flag("statusWrite", 0, 5),
      flag("fence", 0, 6),
      flag("pageRequestDrain", 0, 7),
      number("statusData", [0, 32, 32]),
      { name: "statusAddress", kind: "address", parts: [[1, 2, 62]], shift: 2 },
    ],
  },
  {
    type: "pasid-iotlb",
    code: 6,
    fields: [granularity(2, { pasid: 2, page: 3 }), domain, pasid, addressMask, leavesOnly, address],
  },
  { type: "pasid-cache", code: 7, fields: [granularity(2, { domain: 0, pasid: 1, global: 3 }), domain, pasid] },
  {
    type: "pasid-device-tlb",
    code: 8,
    fields: [
      number("queueDepth", [0, 4, 5]),
      physicalFunction,
      number("sourceId", [0, 16, 16]),
      pasid,
      flag("global", 1, 0),
      flag("sized", 1, 11),
      address,
    ],
  },
  {
    type: "page-group-response",
    code: 9,
    fields: [
      flag("pasidPresent", 0, 4),
      flag("privateDataPresent", 0, 5),
      number("responseCode", [0, 12, 4]),
      number("requesterId", [0, 16, 16]),
      pasid,
      flag("lastPage", 1, 2),
      number("groupIndex", [1, 3, 9]),
      { name: "privateData0", kind: "word", parts: [[2, 0, 64]] },
      { name: "privateData1", kind: "word", parts: [[3, 0, 64]] },
    ],
  },
  {
    // VT-d 6.5.2.7. Before 4.0 type 10 was a page-stream response, of a mode that is gone.
    type: "hpt-cache",
    code: 10,
    fields: [
      granularity(2, { global: 1, domain: 2, page: 3 }),
      domain,
      addressMask,
      number("levelsAbove", [1, 6, 2]),
      address,
    ],
  },
];

/** Type: bits 0 to 3, and 9 to 11 above them (VT-d 6.5.2; all types so far fit the lower ones). */
const TYPE_BITS = 0xe0fn;

/** Names of the descriptor types. */
export const vtdTypes: readonly VtdDescriptor["type"][] = LAYOUTS.map((layout) => layout.type as VtdDescriptor["type"]);

/**
 * The four 64-bit words of a descriptor (a queue of 128-bit descriptors uses the first two).
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { decodeVtd, encodeVtd } from "stalewalk/queue";
 *
 * const words = encodeVtd({ type: "pasid-iotlb", granularity: "pasid", domain: 1, pasid: 42, addressMask: 0, leavesOnly: false, address: 0n });
 * console.log(words.map((word) => word.toString(16)), decodeVtd(...words).type); // [ '2a00010026', '0', '0', '0' ] pasid-iotlb
 * ```
 */
export function encodeVtd(descriptor: VtdDescriptor): [qw0: bigint, qw1: bigint, qw2: bigint, qw3: bigint] {
  const layout = LAYOUTS.find((candidate) => candidate.type === descriptor.type);
  if (!layout) throw new InvalidOptionError("type", descriptor.type, `one of ${vtdTypes.join(", ")}`);
  const words: [bigint, bigint, bigint, bigint] = [BigInt(layout.code), 0n, 0n, 0n];
  encodeFields(layout, descriptor as unknown as Record<string, unknown>, words);
  return words;
}

/**
 * Reads a descriptor.
 * @throws DescriptorError naming the field: an unknown type or granularity, or reserved bits that are set
 * @example
 * ```ts
 * import { decodeVtd } from "stalewalk/queue";
 *
 * console.log(decodeVtd(0x12n, 0n).type); // iotlb
 * try {
 *   decodeVtd(0xfn, 0n);
 * } catch (error) {
 *   console.log((error as Error).name); // DescriptorError
 * }
 * ```
 */
export function decodeVtd(qw0: bigint, qw1: bigint, qw2 = 0n, qw3 = 0n): VtdDescriptor {
  const code = qw0 & TYPE_BITS;
  const layout = LAYOUTS.find((candidate) => BigInt(candidate.code) === code);
  if (!layout) throw new DescriptorError("type", code, LAYOUTS.map((l) => `${l.code} (${l.type})`).join(", "), "IQE");
  return decodeFields(layout, [qw0, qw1, qw2, qw3], [TYPE_BITS], "IQE") as VtdDescriptor;
}

/**
 * Pages of 4 KiB that a page-selective descriptor names, as log2; 52 for one that names all. Undefined for others.
 * For device TLBs the size is in the address: the lowest clear bit from bit 12 up says where the range ends.
 */
export function vtdAddressMask(descriptor: VtdDescriptor): number | undefined {
  switch (descriptor.type) {
    case "iotlb":
    case "pasid-iotlb":
      return descriptor.granularity === "page" ? descriptor.addressMask : undefined;
    case "device-tlb":
    case "pasid-device-tlb": {
      if (!descriptor.sized) return 0;
      let mask = 1;
      for (let bits = descriptor.address >> 12n; bits & 1n; bits >>= 1n) mask++;
      return Math.min(mask, 52);
    }
    default:
      return undefined;
  }
}
