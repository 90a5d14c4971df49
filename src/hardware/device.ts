// A device in front of an IOMMU, with or without a TLB of its own (docs/rules.md sections 7 and 16).

import { InvalidOptionError } from "../base/errors.js";
import { deviceFlag } from "../engine/abi.js";
import type { Cache } from "./cache.js";
import type { DeviceConfig, IommuConfig } from "./iommu-config.js";

/** A device: requests with a PASID go through its own TLB, if it has one. */
export class Device {
  /** @internal */
  constructor(
    /** Name as configured, or `device` and its number. */
    readonly name: string,
    /** Number in its IOMMU. */
    readonly index: number,
    /** TLB on the device, if it has one. */
    readonly tlb: Cache | undefined,
    /** Bus, device and function, as descriptors name it. */
    readonly sourceId: number,
    private readonly requesters: readonly number[],
  ) {}

  /** @internal */
  requester(tag: number): number {
    return this.requesters[tag] as number;
  }
}

/** What a device does, as bits for the engine. @internal @throws InvalidOptionError for what needs a TLB, or VT-d */
export function deviceFlags(
  { pageRequests, noWrite }: DeviceConfig,
  hasTlb: boolean,
  dialect: IommuConfig["dialect"],
  field: string,
): number {
  for (const [name, value] of Object.entries({ pageRequests, noWrite })) {
    if (value && !hasTlb) {
      throw new InvalidOptionError(
        `${field}.${name}`,
        value,
        "a device with a deviceTlb: without ATS there is none of it",
      );
    }
  }
  if (pageRequests && dialect !== "vtd") {
    throw new InvalidOptionError(`${field}.pageRequests`, true, 'an IOMMU with `dialect: "vtd"`');
  }
  return (pageRequests ? deviceFlag.pageRequests : 0) | (noWrite ? deviceFlag.noWrite : 0);
}
