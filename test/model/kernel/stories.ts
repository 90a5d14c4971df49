// Short sequences in which a table goes away behind an agent's back, for the random kernel programs: met by chance alone they
// are rare. What surrounds and interleaves them is random, so that most of their endings are too.

import fc from "../../support/fast-check.js";
import type { KernelOperation } from "./operations.js";

/** What the stories are about. */
export interface Stage {
  cpus: number;
  iommus: number;
  pasids: readonly number[];
  mms: readonly number[];
  vmalloc: readonly bigint[];
  direct: readonly bigint[];
  user: readonly bigint[];
  /** Frames for someone's data. */
  reuse: fc.Arbitrary<KernelOperation>;
}

const PAGE = 0x1000n;
const LARGE_PAGES = 512;
const LARGE = PAGE * 512n;
const GIB_PAGES = 262_144;

/** Arbitraries of sequences, a few operations each. */
export function stories(stage: Stage): fc.Arbitrary<KernelOperation[]> {
  const read = (region: bigint): fc.Arbitrary<KernelOperation> =>
    fc.oneof(
      fc.record({
        kind: fc.constant("access" as const),
        cpu: fc.nat(stage.cpus - 1),
        address: fc.constantFrom(region, region + PAGE),
        access: fc.constantFrom(0, 0, 1, 4, 16),
      }),
      fc.record({
        kind: fc.constant("request" as const),
        iommu: fc.nat(stage.iommus - 1),
        device: fc.constantFrom(undefined, 0, 1),
        pasid: fc.constantFrom(...stage.pasids.slice(0, 2)),
        address: fc.constantFrom(region, region + PAGE),
        access: fc.constantFrom(4, 4, 5, 20),
      }),
    );
  const reads = (region: bigint): fc.Arbitrary<KernelOperation[]> => fc.array(read(region), { maxLength: 3 });
  const maybe = (operation: fc.Arbitrary<KernelOperation>): fc.Arbitrary<KernelOperation[]> =>
    fc.array(operation, { maxLength: 1 });
  const always = (...operations: KernelOperation[]): fc.Arbitrary<KernelOperation[]> => fc.constant(operations);
  const inOrder = (...parts: fc.Arbitrary<KernelOperation[]>[]): fc.Arbitrary<KernelOperation[]> =>
    fc.tuple(...parts).map((it) => it.flat());
  const work = fc.constant<KernelOperation>({ kind: "run-work" });

  const hugeMapping = fc
    .constantFrom(...stage.vmalloc)
    .chain((address) =>
      inOrder(
        always({ kind: "vmalloc", address, pages: 3, shift: 12 }),
        reads(address),
        maybe(fc.constant({ kind: "vfree", address, pages: 3, type: 1 })),
        always({ kind: "vmalloc", address, pages: LARGE_PAGES, shift: 21 }),
        maybe(stage.reuse),
        reads(address),
        maybe(work),
      ),
    );
  // A GiB whose tables all go for one leaf: reads reach another 2 MiB of it than the one page that is flushed.
  const gibibyte = fc
    .constantFrom(...stage.vmalloc.filter((address) => address % (1n << 30n) === 0n))
    .chain((address) =>
      inOrder(
        always(
          { kind: "vmalloc", address, pages: 2, shift: 12 },
          { kind: "vmalloc", address: address + LARGE, pages: 2, shift: 12 },
        ),
        reads(address),
        reads(address + LARGE),
        always({ kind: "vmalloc", address, pages: GIB_PAGES, shift: 30 }),
        fc.array(stage.reuse, { maxLength: 3 }),
        reads(address),
        reads(address + LARGE),
      ),
    );
  const staleRead = fc
    .constantFrom(...stage.vmalloc)
    .chain((address) =>
      inOrder(
        always({ kind: "vmalloc", address, pages: 3, shift: 12 }),
        reads(address),
        always({ kind: "vfree", address, pages: 2, type: 0 }),
        reads(address),
      ),
    );
  const attributes = fc
    .constantFrom(...stage.direct)
    .chain((address) =>
      inOrder(
        always({ kind: "hot-add", address, blocks: 1, type: 0 }, { kind: "cpa-split", address }),
        reads(address),
        always({ kind: "cpa-collapse", address }),
        maybe(stage.reuse),
        reads(address),
      ),
    );
  // Splits in vmalloc space, taken away by a large page; whole GiB split twice and collapsed.
  const splitTable = fc
    .constantFrom(...stage.vmalloc)
    .chain((address) =>
      inOrder(
        always({ kind: "vmalloc", address, pages: LARGE_PAGES, shift: 21 }, { kind: "cpa-split", address }),
        reads(address),
        maybe(fc.constant({ kind: "cpa-collapse", address })),
        always(
          { kind: "vfree", address, pages: LARGE_PAGES, type: 1 },
          { kind: "vmalloc", address, pages: LARGE_PAGES, shift: 21 },
        ),
        reads(address),
        maybe(work),
      ),
    );
  const hugeSplit = fc
    .constantFrom(...stage.direct.filter((address) => address % (1n << 30n) === 0n))
    .chain((address) =>
      inOrder(
        always(
          { kind: "hot-remove", address, blocks: 512, type: 0 },
          { kind: "hot-add", address, blocks: 512, type: 8 },
          { kind: "cpa-split", address },
          { kind: "cpa-split", address },
        ),
        reads(address),
        always({ kind: "cpa-collapse", address }),
        maybe(stage.reuse),
        reads(address),
        maybe(work),
      ),
    );
  const reclaim = fc
    .tuple(fc.constantFrom(...stage.user), fc.constantFrom(...stage.mms), fc.constantFrom(1, LARGE_PAGES - 1))
    .chain(([address, mm, pages]) =>
      inOrder(
        always({ kind: "mmap", mm, address, pages: 2, type: 0 }),
        reads(address),
        always({ kind: "dont-need", mm, address, pages }),
        reads(address),
        always({ kind: "dont-need", mm, address, pages: LARGE_PAGES }),
        maybe(stage.reuse),
        reads(address),
      ),
    );
  const exit = fc
    .tuple(fc.constantFrom(...stage.user), fc.constantFrom(...stage.mms), fc.constantFrom(...stage.pasids))
    .chain(([address, mm, pasid]) =>
      inOrder(
        always(
          { kind: "sva-bind", iommu: 0, pasid, mm },
          { kind: "sva-bind", iommu: 0, pasid, mm },
          { kind: "mmap", mm, address, pages: 2, type: 0 },
        ),
        reads(address),
        maybe(fc.constant({ kind: "sva-unbind", iommu: 0, pasid })),
        always({ kind: "mm-destroy", mm }),
        reads(address),
        maybe(fc.constant({ kind: "sva-unbind", iommu: 0, pasid })),
      ),
    );
  const unplug = fc
    .tuple(fc.constantFrom(...stage.direct), fc.constantFrom(2, 3, 6, 7, 16))
    .chain(([address, type]) =>
      inOrder(
        always({ kind: "hot-add", address, blocks: 1, type }),
        reads(address),
        always({ kind: "hot-remove", address, blocks: 1, type }),
        maybe(stage.reuse),
        reads(address),
      ),
    );
  const userTable = fc
    .tuple(fc.constantFrom(...stage.user), fc.constantFrom(...stage.mms))
    .chain(([address, mm]) =>
      inOrder(
        always({ kind: "mmap", mm, address, pages: 2, type: 0 }),
        reads(address),
        always({ kind: "munmap", mm, address, pages: LARGE_PAGES }),
        reads(address),
      ),
    );
  // The same translation before and after its leaf is cleared: on a CPU, and of a process that nobody notifies for.
  const staleHit = fc.tuple(fc.constantFrom(...stage.vmalloc), fc.nat(stage.cpus - 1)).chain(([address, cpu]) => {
    const look = { kind: "access", cpu, address, access: 0 } as const;
    return always(
      { kind: "vmalloc", address, pages: 2, shift: 12 },
      ...[look, { kind: "vfree", address, pages: 1, type: 0 } as const, look, look],
    );
  });
  const staleUser = fc
    .tuple(
      fc.constantFrom(...stage.user),
      fc.constantFrom(...stage.mms),
      fc.constantFrom(...stage.pasids),
      fc.constantFrom(undefined, 0, 1),
    )
    .chain(([address, mm, pasid, device]) => {
      const ask = { kind: "request", iommu: 0, device, pasid, address, access: 4 } as const;
      return always(
        { kind: "sva-bind", iommu: 0, pasid, mm },
        { kind: "mmap", mm, address, pages: 2, type: 0 },
        ...[ask, { kind: "munmap", mm, address, pages: 1 } as const, ask, { ...ask, address: address + PAGE }],
      );
    });
  const givenBack = inOrder(
    fc.array(stage.reuse, { minLength: 2, maxLength: 2 }),
    always({ kind: "give-back" }, { kind: "give-back" }),
  );
  // More address spaces on one CPU than it has ASIDs, and back to some of the first.
  const crowd = fc.tuple(fc.nat(stage.cpus - 1), fc.constantFrom(...stage.user)).chain(([cpu, address]) => {
    const mms = [...new Set(stage.mms)];
    const look = { kind: "access", cpu, address, access: 4 } as const;
    const back = fc.constantFrom(...mms).map((mm) => ({ kind: "switch-mm", cpu, mm }) as const);
    return inOrder(
      always(
        ...mms.flatMap((mm) => [{ kind: "mm-create", mm } as const, { kind: "switch-mm", cpu, mm } as const, look]),
      ),
      fc.array(back, { minLength: 3, maxLength: 6 }).map((it) => it.flatMap((one) => [one, look])),
    );
  });
  // A page that is written, made read-only, and written again through what is cached of it.
  const protectedPage = fc
    .tuple(fc.constantFrom(...stage.user), fc.constantFrom(...stage.mms), fc.constantFrom(...stage.pasids))
    .chain(([address, mm, pasid]) => {
      const device = fc.constantFrom(undefined, 0, 1);
      const write = device.map((device): KernelOperation[] => [
        { kind: "request", iommu: 0, device, pasid, address, access: 5 },
      ]);
      return inOrder(
        always({ kind: "sva-bind", iommu: 0, pasid, mm }, { kind: "mmap", mm, address, pages: 2, type: 0 }),
        write,
        reads(address),
        always({ kind: "mprotect", mm, address, pages: 1 }),
        write,
        reads(address),
      );
    });
  // More flushes than there is room for requests of asynchronous invalidation.
  const flood = fc.constant(Array.from({ length: 70 }, (): KernelOperation => ({ kind: "flush-all" })));
  return fc.oneof(
    { weight: 36, arbitrary: hugeMapping },
    { weight: 30, arbitrary: gibibyte },
    { weight: 20, arbitrary: staleRead },
    { weight: 30, arbitrary: attributes },
    { weight: 24, arbitrary: unplug },
    { weight: 12, arbitrary: splitTable },
    { weight: 12, arbitrary: hugeSplit },
    { weight: 16, arbitrary: reclaim },
    { weight: 8, arbitrary: exit },
    { weight: 30, arbitrary: userTable },
    { weight: 16, arbitrary: staleHit },
    { weight: 16, arbitrary: staleUser },
    { weight: 4, arbitrary: givenBack },
    { weight: 8, arbitrary: crowd },
    { weight: 2, arbitrary: flood },
    { weight: 16, arbitrary: protectedPage },
  );
}
