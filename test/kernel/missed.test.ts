// What no test once noticed: an AMD driver whose command to a device TLB is never executed, and frames that giveBack keeps.

import { describe, expect, it } from "vitest";
import { createMachineSync, type Machine } from "../../src/index.js";

const HEAP = 0x5500_0000_0000n;
const USER_READ = 4;

/** A machine with one IOMMU and a device that has a TLB; its PASID 7 is bound to mm 1, which has four pages. */
function bound(dialect: "vtd" | "amd"): { machine: Machine; read(page: number): string } {
  const tlb = { entries: 16, ways: 16, replacement: "lru" as const };
  const machine = createMachineSync({
    cpus: [{}],
    iommus: [{ pasids: [7], dialect, devices: [{ deviceTlb: tlb }] }],
    kernel: { pool: 32 },
  });
  const iommu = machine.iommus[0]!;
  machine.kernel!.run((p) => p.mmCreate(1).mmap(1, HEAP, 4).svaBind(iommu.requester(7), 1));
  return { machine, read: (page) => iommu.request(7, HEAP + BigInt(page) * 0x1000n, USER_READ, 0).kind };
}

describe.each(["vtd", "amd"] as const)("M: the driver's command to a device TLB, dialect %s", (dialect) => {
  it("of a range is executed: the pages that munmap takes are gone from it, the others are not", () => {
    const { machine, read } = bound(dialect);
    expect([0, 1, 2, 3].map(read)).toEqual(["ok", "ok", "ok", "ok"]);
    const tlb = machine.iommus[0]!.devices[0]!.tlb!;
    expect(tlb.contents()).toHaveLength(4);
    machine.kernel!.run((p) => p.munmap(1, HEAP, 2));
    expect(tlb.contents().map(({ pageNumber }) => pageNumber & 3n)).toEqual([2n, 3n]);
    expect([0, 1, 2, 3].map(read)).toEqual(["fault", "fault", "ok", "ok"]);
  });

  it("of everything is executed", () => {
    const { machine, read } = bound(dialect);
    expect(read(0)).toBe("ok");
    machine.kernel!.run((p) => p.flushTlbMmRange(1, 0n));
    const tlb = machine.iommus[0]!.devices[0]!.tlb!;
    expect([tlb.contents().length, tlb.counters.invalidated]).toEqual([0, 1]);
  });
});

describe("M: giveBack", () => {
  it("gives back what reuse took, the oldest first, and is refused when nothing is left", () => {
    const kernel = createMachineSync({ cpus: [{}], kernel: { pool: 8 } }).kernel!;
    const before = kernel.freeFrames();
    const [first, second] = kernel.run((p) => p.reuse({ word: 1n }).reuse()).map(({ frame }) => frame);
    expect([first, second]).toEqual([before.at(-1), before.at(-2)]);
    expect(kernel.freeFrames()).toEqual(before.slice(0, -2));
    expect(kernel.run((p) => p.giveBack())[0]).toMatchObject({ done: true, frame: first });
    expect(kernel.freeFrames()).toEqual([...before.slice(0, -2), first]);
    expect(kernel.run((p) => p.giveBack())[0]).toMatchObject({ done: true, frame: second });
    expect(kernel.freeFrames()).toEqual([...before.slice(0, -2), first, second]);
    expect(kernel.run((p) => p.giveBack())[0]).toMatchObject({ done: false, refusal: "nothing-taken" });
    // The next one to need a frame gets what was given back last.
    expect(kernel.run((p) => p.reuse())[0]).toMatchObject({ frame: second });
  });
});
