// What the IOMMU driver submits, seen by what is left in the caches: the scope that a policy names, and the TLBs of devices when a PASID
// is taken away. Random programs seldom have something cached for more than one PASID at the time.

import { describe, expect, it } from "vitest";
import { Access, createMachineSync, type Machine, type Policy } from "../../src/index.js";

const AREA = 0xffffc90000000000n;
const USER = 0x1000n;
const CACHE = { entries: 16, ways: 16 };
/** Of processes that are bound, and one whose entry is gone while caches still hold what it led to. */
const [FIRST, SECOND, BY_HAND] = [7, 42, 99];
const DEVICES = 3;
const DIALECTS = ["vtd", "amd"] as const;

/** Two processes with a page each, bound to a PASID each, and a PASID that was bound by hand, on an IOMMU whose devices have TLBs. */
function machineOf(dialect: (typeof DIALECTS)[number], policy: Partial<Policy>): Machine {
  const machine = createMachineSync({
    cpus: [{ controls: { pcide: true } }],
    iommus: [
      { dialect, l1: [CACHE], pasids: [FIRST, SECOND, BY_HAND], devices: Array(DEVICES).fill({ deviceTlb: CACHE }) },
    ],
    kernel: { pool: 64, mms: 4, policy },
  });
  const iommu = machine.iommus[0]!;
  const [first, second] = [iommu.requester(FIRST), iommu.requester(SECOND)];
  machine.kernel!.run((it) =>
    it.mmCreate(0).mmap(0, USER, 1).svaBind(first, 0).mmCreate(1).mmap(1, USER, 1).svaBind(second, 1).switchMm(0, 0),
  );
  iommu.bind(BY_HAND, { root: machine.cpus[0]!.root });
  for (const pasid of iommu.pasids) {
    for (const device of iommu.devices.keys()) iommu.request(pasid, USER, Access.userRead, device);
  }
  iommu.unbind(BY_HAND);
  return machine;
}

/** How many translations the IOTLB and each device's TLB hold. */
function held({ iommus }: Machine): number[] {
  const iommu = iommus[0]!;
  return [iommu.l1[0]!, ...iommu.devices.map(({ tlb }) => tlb!)].map((cache) => cache.contents().length);
}

describe.each(DIALECTS)("the driver of %s", (dialect) => {
  it.each([
    ["range", [9, 3, 3, 3], 0],
    ["pasid", [3, 1, 1, 1], 0],
    ["all", [0, 1, 1, 1], 1],
  ] as const)("drops what a policy's scope %s names, for every PASID that is bound", (scope, left, global) => {
    const machine = machineOf(dialect, { hooks: { kernelRange: true, flushAll: false }, scope });
    expect(held(machine)).toEqual([9, 3, 3, 3]);
    machine.kernel!.run((it) => it.vmalloc(AREA, 1).vfree(AREA, 1).purge());
    expect(held(machine)).toEqual(left);
    expect(machine.kernel!.counters.globalInvalidations > 0).toBe(global > 0);
  });

  it("drops a PASID from the IOTLB and from the TLBs of all its devices when it is taken away, and no other", () => {
    const machine = machineOf(dialect, {});
    machine.kernel!.run((it) => it.svaUnbind(machine.iommus[0]!.requester(FIRST)));
    expect(held(machine)).toEqual([6, 2, 2, 2]);
    const { pasids, devices } = machine.iommus[0]!;
    for (const { tlb } of devices) expect(tlb!.contents().map(({ tag }) => tag)).not.toContain(pasids.indexOf(FIRST));
  });
});
