// Invalidations by hand in random kernel programs: what no policy decides on, on a CPU or in an IOMMU.

import fc from "../../support/fast-check.js";
import type { KernelOperation } from "./operations.js";
import { pageIn, regions } from "./places.js";
import { KERNEL_PASIDS, type Shape } from "./worlds.js";

/** Tags that the kernel gives to its ASIDs, that of init_mm, and one that nobody has. */
const PCIDS = [0, 1, 1, 2, 3, 4, 5, 6, 7];
/** log2 of pages: single pages, sizes around large pages, and everything. */
const MASKS = [0, 0, 1, 2, 8, 9, 10, 18, 27, 36, 45];

/** Any of them. */
export function byHand({ levels, cpus, iommus }: Shape): fc.Arbitrary<KernelOperation> {
  const { vmalloc, direct, user } = regions(levels);
  const cpu = fc.nat(cpus - 1);
  const place = { iommu: fc.nat(iommus - 1), pasid: fc.constantFrom(...KERNEL_PASIDS) };
  const page = pageIn([...vmalloc, ...direct, ...user]);
  // A few are not canonical.
  const address = fc
    .tuple(page, fc.noBias(fc.nat(19)))
    .map(([it, odd]) => (odd === 19 ? it ^ (1n << 60n) : it + 0x123n));
  const kind = <Kind extends KernelOperation["kind"]>(name: Kind) => fc.constant(name);
  return fc.oneof(
    fc.record({ kind: kind("invlpg"), cpu, address }),
    fc.record({ kind: kind("invlpg-range"), cpu, address: page, pages: fc.nat(40) }),
    fc.record({
      ...{ kind: kind("invpcid"), cpu, address: page },
      type: fc.constantFrom<(0 | 1 | 2 | 3)[]>(0, 0, 1, 1, 2, 3),
      pcid: fc.constantFrom(...PCIDS),
    }),
    fc.record({ kind: kind("cpu-flush-all"), cpu }),
    fc.record({ kind: kind("iommu-pasid"), ...place }),
    fc.record({ kind: kind("iommu-pages"), ...place, address: page, am: fc.constantFrom(...MASKS), ih: fc.boolean() }),
    fc.record({ kind: kind("iommu-all"), ...place }),
  );
}
