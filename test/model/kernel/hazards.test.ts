// Detection of hazards in the model (rules.md section 12): each kind, what its record says, the counts and the ring.

import { describe, expect, it } from "vitest";
import { READ, WRITE } from "../builder.js";
import {
  boundKernel,
  cpuRead,
  DIRECT,
  deviceRead,
  HEAP,
  kernel,
  kindsOf,
  LARGE_PAGES,
  MIB2,
  PASID,
  run,
  tableOf,
  VMALLOC,
} from "./builder.js";
import type { Kernel } from "./kernel.js";
import { SITE } from "./sites.js";

/** A kernel whose device has the PD entry of VMALLOC in its PDE cache, while the PT is freed by a huge mapping. */
function afterFree(options: Parameters<typeof boundKernel>[0] = {}): { k: Kernel; pt: number } {
  const k = boundKernel(options);
  run(k, { kind: "vmalloc", address: VMALLOC, pages: 3, shift: 12 });
  deviceRead(k, VMALLOC);
  const pt = tableOf(k, VMALLOC, 2);
  k.hazards.operation = 41;
  run(k, { kind: "vmalloc", address: VMALLOC, pages: LARGE_PAGES, shift: 21 });
  k.hazards.operation = 42;
  return { k, pt };
}

describe("hazards of a walk", () => {
  it("walk-after-free: the freed table still holds supervisor leaves, so nothing is granted or written", () => {
    const { k, pt } = afterFree();
    expect(deviceRead(k, VMALLOC + 0x1000n)).toMatchObject({ reason: "supervisor-page" });
    expect(k.hazards.dump()).toEqual({
      records: [
        {
          operation: 42,
          time: 0n,
          agent: 1,
          tag: 0,
          address: VMALLOC + 0x1000n,
          level: 1,
          frame: pt,
          cachedGeneration: 1,
          generation: 2,
          state: "free",
          kinds: ["walk-after-free"],
          site: SITE.pmdFreePtePage,
          freedIn: 41,
          access: READ,
        },
      ],
      dropped: 0,
      counts: { "walk-after-free/0": 1 },
    });
  });

  it("walk of a reused frame, forged translation and write-after-free: the A bit goes into someone's data", () => {
    const { k, pt } = afterFree();
    expect(run(k, { kind: "reuse", type: 1, address: 0x12_3000n })).toBe(pt);
    expect(deviceRead(k, VMALLOC + 0x2000n)).toMatchObject({ kind: "ok", physicalAddress: 0x12_3000n });
    expect(k.memory.readEntry(pt, 2)).toBe(0x12_3027n);
    const [record] = k.hazards.dump().records;
    expect(record).toMatchObject({
      state: "data",
      generation: 3,
      kinds: ["write-after-free", "walk-of-reused-frame", "forged-translation"],
    });
    expect(k.hazards.dump().counts).toEqual({
      "forged-translation/0": 1,
      "walk-of-reused-frame/0": 1,
      "write-after-free/0": 1,
    });
    // Cached by now: a hit walks nothing. D is written by the first write.
    deviceRead(k, VMALLOC + 0x2000n);
    k.iommu(0).request(PASID, VMALLOC + 0x2000n, WRITE);
    expect(kindsOf(k)["write-after-free"]).toBe(2);
    expect(k.memory.readEntry(pt, 2)).toBe(0x12_3067n);
  });

  it("a frame that is a table again is told by its generation", () => {
    const { k, pt } = afterFree();
    run(k, { kind: "vmalloc", address: VMALLOC + MIB2, pages: 1, shift: 12 });
    expect(tableOf(k, VMALLOC + MIB2, 2)).toBe(pt);
    deviceRead(k, VMALLOC + 0x1000n);
    expect(k.hazards.dump().records).toMatchObject([
      { kinds: ["walk-of-reused-frame"], state: "table", cachedGeneration: 1, generation: 3, site: 0 },
    ]);
  });

  it("everything behind the bad table belongs to it: a write there is a write-after-free", () => {
    const k = boundKernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 });
    // An address whose PT is not there leaves only the PDPTE cached.
    deviceRead(k, VMALLOC + MIB2);
    const pd = tableOf(k, VMALLOC, 3);
    run(k, { kind: "table-clear", site: 1, address: VMALLOC }, { kind: "table-free", site: 1, address: VMALLOC });
    // The frame of the PD is used again, full of pointers to another data frame, full of user leaves.
    expect(run(k, { kind: "vmalloc", address: DIRECT, pages: 1, shift: 12 })).toBe("done");
    const innocent = tableOf(k, DIRECT, 2);
    expect(k.memory.isTable(pd)).toBe(true);
    k.memory.writeEntry(pd, 1, (BigInt(innocent) << 12n) | 7n);
    k.memory.writeEntry(innocent, 0, 0x5007n);
    expect(deviceRead(k, VMALLOC + MIB2)).toMatchObject({ kind: "ok", physicalAddress: 0x5000n });
    expect(k.hazards.dump().records).toMatchObject([
      { level: 2, frame: pd, kinds: ["write-after-free", "walk-of-reused-frame", "forged-translation"] },
    ]);
    expect(k.memory.readEntry(innocent, 0)).toBe(0x5027n);
  });

  it("a table that the tables themselves still name, between free and clear", () => {
    const k = boundKernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 });
    run(k, { kind: "table-free", site: 2, address: VMALLOC });
    expect(cpuRead(k, VMALLOC)).toMatchObject({ kind: "ok" });
    expect(k.hazards.dump().records).toMatchObject([
      {
        agent: 0,
        tag: 1,
        cachedGeneration: 2,
        generation: 2,
        state: "free",
        kinds: ["walk-after-free", "forged-translation"],
        site: 2,
      },
    ]);
  });

  it("speculative walks count; probes do not", () => {
    const { k } = afterFree();
    k.iommu(0).request(PASID, VMALLOC + 0x1000n, READ | 16);
    expect(kindsOf(k)).toEqual({ "walk-after-free": 1 });
    k.iommu(0).probe(PASID, VMALLOC + 0x2000n, READ);
    expect(kindsOf(k)).toEqual({ "walk-after-free": 1 });
    expect(k.hazards.dump().records[0]?.access).toBe(READ | 16);
  });

  it("nothing is found, or marked, with detection off", () => {
    const { k } = afterFree({ detect: false });
    deviceRead(k, VMALLOC);
    expect(k.hazards.dump()).toEqual({ records: [], dropped: 0, counts: {} });
  });
});

describe("stale translations", () => {
  it("of vfree: until the purge, and only if allowed", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 2, shift: 12 });
    cpuRead(k, VMALLOC);
    cpuRead(k, VMALLOC + 0x1000n);
    run(k, { kind: "vfree", address: VMALLOC, pages: 1, type: 0 });
    const data = k.dump().cpus[0]?.l1[0]?.ways.map((way) => (way.data >> 52n) & 1n);
    expect(data?.toSorted()).toEqual([0n, 1n]);
    expect(cpuRead(k, VMALLOC)).toMatchObject({ kind: "ok" });
    cpuRead(k, VMALLOC + 0x1000n);
    k.cpu(0).access(VMALLOC, READ);
    expect(k.hazards.dump()).toMatchObject({
      records: [{ kinds: ["stale-translation"], level: 1, frame: 0x10_0000, generation: 0, site: undefined, agent: 0 }],
      counts: { "stale-translation/none": 1 },
    });
    run(k, { kind: "purge" });
    expect(cpuRead(k, VMALLOC)).toMatchObject({ reason: "not-present" });
  });

  it("are fresh again after a fill", () => {
    const k = kernel();
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 });
    cpuRead(k, VMALLOC);
    run(k, { kind: "vfree", address: VMALLOC, pages: 1, type: 0 });
    // A refused access drops the entry (#PF), the next one walks.
    k.cpu(0).access(VMALLOC, READ);
    run(k, { kind: "vmalloc", address: VMALLOC, pages: 1, shift: 12 });
    expect(cpuRead(k, VMALLOC)).toMatchObject({ kind: "ok" });
    cpuRead(k, VMALLOC);
    expect(k.hazards.dump().records).toEqual([]);
  });

  it("of munmap without the notifier: in the IOTLB and the device TLB", () => {
    const k = boundKernel({ policy: { notifyUser: false } });
    run(k, { kind: "mmap", mm: 1, address: HEAP, pages: 1, type: 0 });
    k.iommu(0).request(PASID, HEAP, READ, 0);
    run(k, { kind: "munmap", mm: 1, address: HEAP, pages: 1 });
    expect(k.iommu(0).request(PASID, HEAP, READ, 0)).toMatchObject({ kind: "ok" });
    expect(deviceRead(k, HEAP)).toMatchObject({ kind: "ok" });
    expect(kindsOf(k)).toEqual({ "stale-translation": 2 });
    expect(k.hazards.dump().records[0]).toMatchObject({ agent: 1, tag: 0 });
  });
});

describe("the ring", () => {
  it("keeps the latest records and says how many it dropped; the counts keep all", () => {
    const { k } = afterFree({ ring: 2 });
    for (const page of [0n, 1n, 2n, 1n, 2n]) deviceRead(k, VMALLOC + page * 0x1000n + 8n);
    const { records, dropped, counts } = k.hazards.dump();
    // Supervisor leaves are cached by a refused walk, so that only three walks are made.
    expect(records.map(({ address }) => address)).toEqual([VMALLOC + 0x1008n, VMALLOC + 0x2008n]);
    expect([dropped, counts]).toEqual([0, { "walk-after-free/0": 2 }]);
    run(k, { kind: "reuse", type: 0, address: 0n });
    deviceRead(k, VMALLOC + 0x3000n);
    expect(k.hazards.dump()).toMatchObject({
      dropped: 1,
      records: [{ address: VMALLOC + 0x2008n }, { state: "data" }],
    });
  });
});
