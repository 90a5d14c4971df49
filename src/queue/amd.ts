// Commands of the AMD IOMMU (AMD I/O Virtualization Technology specification, chapter 2.4; drivers/iommu/amd/iommu.c): 128
// bits, opcode in bits 60 to 63 of the first word.

import { InvalidOptionError } from "../base/errors.js";
import {
  DescriptorError,
  type DescriptorLayout,
  decodeFields,
  encodeFields,
  type FieldLayout,
  type Part,
} from "./fields.js";

/** A command. `sized` (S): the size is in the address; `tables` (PDE): cached table entries go too; `guest` (GN): the PASID counts. */
export type AmdCommand =
  | {
      /** Opcode of the command. */
      type: "completion-wait";
      /** S: the data are stored when the command is done. */
      store: boolean;
      /** I: an interrupt is raised when the command is done. */
      interrupt: boolean;
      /** F: later commands wait for this one. */
      flush: boolean;
      /** Physical address of the store, a multiple of 8 bytes. */
      storeAddress: bigint;
      /** The 64 bits that are stored. */
      storeData: bigint;
    }
  | { type: "invalidate-device-entry"; deviceId: number }
  | {
      /** Opcode of the command. */
      type: "invalidate-pages";
      /** PASID, 20 bits. */
      pasid: number;
      /** Domain id, 16 bits. */
      domain: number;
      /** S: the size is in the address. */
      sized: boolean;
      /** PDE: cached table entries go too. */
      tables: boolean;
      /** GN: the PASID counts. */
      guest: boolean;
      /** First byte of the pages, a multiple of 4 KiB. */
      address: bigint;
    }
  | {
      /** Opcode of the command. */
      type: "invalidate-device-tlb";
      /** Bus, device and function, 16 bits. */
      deviceId: number;
      /** PASID, 20 bits. */
      pasid: number;
      /** Most invalidations that the device may have outstanding, 8 bits. */
      queueDepth: number;
      /** Queue of the device, 16 bits. */
      queueId: number;
      /** S: the size is in the address. */
      sized: boolean;
      /** GN: the PASID counts. */
      guest: boolean;
      /** Type, 2 bits; 0 is left out. */
      requestType?: number;
      /** First byte of the pages, a multiple of 4 KiB. */
      address: bigint;
    }
  | { type: "invalidate-interrupt-table"; deviceId: number }
  | {
      /** Opcode of the command. */
      type: "prefetch-pages";
      /** Bus, device and function, 16 bits. */
      deviceId: number;
      /** Pages or ranges to fetch, 8 bits. */
      count: number;
      /** PASID, 20 bits. */
      pasid: number;
      /** S: the size is in the address. */
      sized: boolean;
      /** GN: the PASID counts. */
      guest: boolean;
      /** INVAL: what is cached of the pages goes first. */
      invalidateFirst: boolean;
      /** First byte of the pages, a multiple of 4 KiB. */
      address: bigint;
    }
  | { type: "complete-page-request"; deviceId: number; pasid: number; guest: boolean; tag: number; status: number }
  | { type: "invalidate-all" };

const number = (name: string, ...parts: Part[]) => ({ name, kind: "number", parts }) as const;
const flag = (name: string, word: number, bit: number): FieldLayout => ({
  name,
  kind: "flag",
  parts: [[word, bit, 1]],
});
const deviceId = number("deviceId", [0, 0, 16]);
const sized = flag("sized", 1, 0);
const guest = flag("guest", 1, 2);
const address: FieldLayout = { name: "address", kind: "address", parts: [[1, 12, 52]], shift: 12 };

const LAYOUTS: readonly DescriptorLayout[] = [
  {
    type: "completion-wait",
    code: 1,
    fields: [
      flag("store", 0, 0),
      flag("interrupt", 0, 1),
      flag("flush", 0, 2),
      { name: "storeAddress", kind: "address", parts: [[0, 3, 49]], shift: 3 },
      { name: "storeData", kind: "word", parts: [[1, 0, 64]] },
    ],
  },
  { type: "invalidate-device-entry", code: 2, fields: [deviceId] },
  {
    type: "invalidate-pages",
    code: 3,
    fields: [number("pasid", [0, 0, 20]), number("domain", [0, 32, 16]), sized, flag("tables", 1, 1), guest, address],
  },
  {
    // The PASID is in three pieces: bits 0 to 7 in the upper half, 8 to 15 in the lower, 16 to 19 above the first.
    type: "invalidate-device-tlb",
    code: 4,
    fields: [
      deviceId,
      number("pasid", [0, 48, 8], [0, 16, 8], [0, 56, 4]),
      number("queueDepth", [0, 24, 8]),
      number("queueId", [0, 32, 16]),
      sized,
      guest,
      { ...number("requestType", [1, 4, 2]), optional: true },
      address,
    ],
  },
  { type: "invalidate-interrupt-table", code: 5, fields: [deviceId] },
  {
    type: "prefetch-pages",
    code: 6,
    fields: [
      deviceId,
      number("count", [0, 24, 8]),
      number("pasid", [0, 32, 20]),
      sized,
      guest,
      flag("invalidateFirst", 1, 4),
      address,
    ],
  },
  {
    // The completion tag has 16 bits; Linux puts the status into the upper four.
    type: "complete-page-request",
    code: 7,
    fields: [deviceId, number("pasid", [0, 32, 20]), guest, number("tag", [1, 32, 12]), number("status", [1, 44, 4])],
  },
  { type: "invalidate-all", code: 8, fields: [] },
];

const OPCODE_SHIFT = 60n;

/** Names of the commands. */
export const amdTypes: readonly AmdCommand["type"][] = LAYOUTS.map((layout) => layout.type as AmdCommand["type"]);

/**
 * The two 64-bit words of a command.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { decodeAmd, encodeAmd } from "stalewalk/queue";
 *
 * const words = encodeAmd({ type: "invalidate-all" });
 * console.log(words.map((word) => word.toString(16)), decodeAmd(...words).type); // [ '8000000000000000', '0' ] invalidate-all
 * ```
 */
export function encodeAmd(command: AmdCommand): [w0: bigint, w1: bigint] {
  const layout = LAYOUTS.find((candidate) => candidate.type === command.type);
  if (!layout)
    throw new InvalidOptionError("type", (command as { type: unknown }).type, `one of ${amdTypes.join(", ")}`);
  const words: [bigint, bigint] = [BigInt(layout.code) << OPCODE_SHIFT, 0n];
  encodeFields(layout, command as unknown as Record<string, unknown>, words);
  return words;
}

/**
 * Reads a command.
 * @throws DescriptorError naming the field: an unknown opcode, or reserved bits that are set
 * @example
 * ```ts
 * import { decodeAmd } from "stalewalk/queue";
 *
 * console.log(decodeAmd(0x8n << 60n, 0n)); // { type: 'invalidate-all' }
 * ```
 */
export function decodeAmd(w0: bigint, w1: bigint): AmdCommand {
  const code = w0 >> OPCODE_SHIFT;
  const layout = LAYOUTS.find((candidate) => BigInt(candidate.code) === code);
  if (!layout)
    throw new DescriptorError(
      "opcode",
      code,
      LAYOUTS.map((l) => `${l.code} (${l.type})`).join(", "),
      "ILLEGAL_COMMAND_ERROR",
    );
  return decodeFields(layout, [w0, w1], [0xfn << OPCODE_SHIFT], "ILLEGAL_COMMAND_ERROR") as AmdCommand;
}
