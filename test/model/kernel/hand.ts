// Invalidations by hand in a kernel: what no policy decides on, on a CPU or in an IOMMU (rules.md 6 and 7.6).

import { PAGE } from "./geometry.js";
import type { Kernel } from "./kernel.js";
import type { Answer } from "./refusals.js";

/** `cpu` and `iommu` are places in the configuration. */
export type HandOperation =
  | { kind: "invlpg"; cpu: number; address: bigint }
  | { kind: "invlpg-range"; cpu: number; address: bigint; pages: number }
  | { kind: "invpcid"; cpu: number; type: 0 | 1 | 2 | 3; pcid: number; address: bigint }
  | { kind: "cpu-flush-all"; cpu: number }
  | { kind: "iommu-pasid"; iommu: number; pasid: number }
  | { kind: "iommu-pages"; iommu: number; pasid: number; address: bigint; am: number; ih: boolean }
  /** Of every PASID; `pasid` is only whoever asks. */
  | { kind: "iommu-all"; iommu: number; pasid: number };

/** Run one. */
export function invalidateByHand(k: Kernel, operation: HandOperation): Answer {
  switch (operation.kind) {
    case "invlpg":
      k.cpu(operation.cpu).invlpg(operation.address);
      return "done";
    case "invlpg-range":
      for (let page = 0; page < operation.pages; page++)
        k.cpu(operation.cpu).invlpg(operation.address + BigInt(page) * PAGE);
      return "done";
    case "invpcid": {
      const { type, address, pcid } = operation;
      return k.cpu(operation.cpu).invpcid(type, address, pcid) ? "done" : "general-protection";
    }
    case "cpu-flush-all":
      k.cpu(operation.cpu).invpcid(2, 0n, 0);
      return "done";
    case "iommu-pasid":
      k.iommu(operation.iommu).invalidatePasid(operation.pasid);
      return "done";
    case "iommu-pages":
      k.iommu(operation.iommu).invalidatePages(operation.pasid, operation.address, operation.am, operation.ih);
      return "done";
    case "iommu-all":
      k.iommu(operation.iommu).invalidateAll();
      return "done";
  }
}
