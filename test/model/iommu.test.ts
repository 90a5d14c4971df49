// IOMMUs and device TLBs of the model (VT-d 3.6, 6.2, 6.5; rules.md 7): PASIDs, invalidations, supervisor leaves.
// Expected contents are worked out by hand.

import { describe, expect, it } from "vitest";
import {
  A,
  B,
  cache,
  contents,
  FAR,
  fourPages,
  G,
  held,
  KERNEL_READ,
  pdeOf,
  READ,
  tlb,
  type World,
  WRITE,
} from "./builder.js";
import { ACCESSED, DIRTY, PRESENT, USER, WRITABLE } from "./entry.js";
import type { Iommu } from "./iommu.js";

const EMPTY = { tlb: [], pde: [], pml4e: [] };

/** An IOMMU that translated A, B, FAR and G for PASIDs 5 (tag 0) and 6 (tag 1). */
function warmIommu(config: Parameters<World["iommu"]>[1] = {}) {
  const { it, root } = fourPages();
  const iommu = it.iommu(root, { l1: [tlb(16, 16)], psc: { 2: cache(8, 8), 4: cache(8, 8) }, ...config });
  for (const pasid of [5, 6]) for (const address of [A, B, FAR]) iommu.request(pasid, address, READ);
  return { it, root, iommu };
}

const IOMMU_FULL = {
  tlb: ["A0", "A1", "B0", "B1", "FAR0", "FAR1"],
  pde: [pdeOf(A, 0), pdeOf(A, 1), pdeOf(FAR, 0), pdeOf(FAR, 1)].sort(),
  pml4e: ["0 0", "0 1"],
};

describe("IOMMU invalidation (VT-d 6.5, rules.md 7)", () => {
  it("PASID-selective and global", () => {
    const { iommu } = warmIommu();
    expect(contents(iommu)).toEqual(IOMMU_FULL);
    iommu.invalidatePasid(5);
    expect(contents(iommu)).toEqual({
      tlb: ["A1", "B1", "FAR1"],
      pde: [pdeOf(A, 1), pdeOf(FAR, 1)].sort(),
      pml4e: ["0 1"],
    });
    iommu.invalidateAll();
    expect(contents(iommu)).toEqual(EMPTY);
  });

  it("page-selective: 2^AM pages with the address aligned down, IH spares the paging-structure caches", () => {
    const one = warmIommu().iommu;
    one.invalidatePages(5, B, 0, true);
    expect(contents(one)).toEqual({ ...IOMMU_FULL, tlb: IOMMU_FULL.tlb.filter((name) => name !== "B0") });
    const two = warmIommu().iommu;
    two.invalidatePages(5, B, 1, false);
    expect(contents(two)).toEqual({
      tlb: ["A1", "B1", "FAR0", "FAR1"],
      pde: IOMMU_FULL.pde.filter((it) => it !== pdeOf(A, 0)),
      pml4e: ["0 1"],
    });
    const everything = warmIommu().iommu;
    everything.invalidatePages(5, 0n, 36, false);
    expect(contents(everything)).toMatchObject({ tlb: ["A1", "B1", "FAR1"], pml4e: ["0 1"] });
  });

  it("page-selective drops a large page that overlaps the range", () => {
    const { it, root } = fourPages();
    const large = 0x30_0000_0000n;
    it.map(root, large, { frame: 0x40000, level: 3 });
    const iommu = it.iommu(root);
    iommu.request(5, large, READ);
    iommu.invalidatePages(5, large + 0x4000_0000n, 0, true);
    expect(iommu.agent.dump().l1[0]?.ways).toHaveLength(1);
    iommu.invalidatePages(5, large + 0x3fff_f000n, 0, true);
    expect(iommu.agent.dump().l1[0]?.ways).toHaveLength(0);
  });

  it("a fault drops nothing, and G makes nothing global", () => {
    const { iommu } = warmIommu();
    iommu.request(5, G, READ);
    expect(iommu.request(5, A + 0x9000n, READ)).toMatchObject({ reason: "not-present", errorCode: 4 });
    expect(contents(iommu)).toEqual({ ...IOMMU_FULL, tlb: [...IOMMU_FULL.tlb, "G0"].sort() });
  });

  it("requests are user-privileged whatever the access code says", () => {
    const { iommu, it, root } = warmIommu();
    it.map(root, FAR + 0x7000n, { frame: 0xc, leaf: PRESENT | WRITABLE });
    expect(iommu.request(5, FAR + 0x7000n, KERNEL_READ)).toMatchObject({ reason: "supervisor-page", errorCode: 5 });
    expect(iommu.probe(5, FAR + 0x7000n, KERNEL_READ)).toMatchObject({ reason: "supervisor-page" });
  });

  it("a new binding is seen only after a PASID-cache invalidation, and only past what is cached", () => {
    const { iommu, it } = warmIommu();
    const other = it.table();
    it.map(other, A, { frame: 0x77 });
    it.map(other, FAR + 0x7000n, { frame: 0x78 });
    iommu.bind({ pasid: 5, root: other });
    iommu.invalidatePasid(5);
    expect(iommu.request(5, A, READ)).toMatchObject({ physicalAddress: 0xa000n });
    iommu.invalidatePasidCache(5);
    expect(iommu.request(5, A, READ)).toMatchObject({ physicalAddress: 0xa000n });
    iommu.invalidatePasid(5);
    expect(iommu.request(5, A, READ)).toMatchObject({ physicalAddress: 0x77000n });
    expect(iommu.request(6, A, READ)).toMatchObject({ physicalAddress: 0xa000n });
  });
});

describe("supervisor leaves at an IOMMU (rules.md 7)", () => {
  const kernel = FAR + 0x7000n;
  function requested(leaf: bigint, cacheSupervisorLeaves: boolean) {
    const { it, root } = fourPages();
    it.map(root, kernel, { frame: 0xc, leaf });
    const iommu = it.iommu(root, { cacheSupervisorLeaves });
    const outcomes = [iommu.request(5, kernel, READ), iommu.request(5, kernel, READ)];
    return { outcomes, iommu, entry: it.entry(root, kernel, 1).value };
  }
  const numbered = { vtdReason: 0x81, recorded: true };
  const refused = { kind: "fault", reason: "supervisor-page", errorCode: 5, level: 1, ...numbered };
  const leaf = PRESENT | WRITABLE;

  it("are cached if A is 1, with D as it is; a hit refuses by the rights", () => {
    const { outcomes, iommu, entry } = requested(leaf | ACCESSED, true);
    expect(outcomes).toEqual([refused, refused]);
    expect(iommu.agent.dump().l1[0]?.ways.map((way) => way.data)).toEqual([leaf | ACCESSED | 0xc000n]);
    expect(iommu.agent.counters).toMatchObject({ translations: 2, faults: 2, walks: 1 });
    expect(entry).toBe(leaf | ACCESSED | 0xc000n);
  });

  it("are not cached if A is 0 or the option is off, and A stays", () => {
    for (const { outcomes, iommu, entry } of [requested(leaf, true), requested(leaf | ACCESSED, false)]) {
      expect(outcomes).toEqual([refused, refused]);
      expect(held(iommu.agent.dump().l1[0])).toEqual([]);
      expect(iommu.agent.counters.walks).toBe(2);
      expect([leaf | 0xc000n, leaf | ACCESSED | 0xc000n]).toContain(entry);
    }
  });

  it("I13: three readings of a non-leaf with U/S = 0: stop before A is set and anything cached, walk uncached, walk and cache", () => {
    const { it, root } = fourPages();
    const address = 0x7f00_0000_0000n;
    it.map(root, address, { frame: 0xc, upper: PRESENT | WRITABLE });
    const stops = it.iommu(root, { supervisorEntries: "stop" });
    expect(stops.request(5, address, WRITE)).toEqual({ ...refused, errorCode: 7, level: 4 });
    expect(it.entry(root, address, 4).value & ACCESSED).toBe(0n);
    expect(held(stops.agent.dump().psc[4])).toEqual([]);
    const passes = it.iommu(root, { supervisorEntries: "walk" });
    expect(passes.request(5, address, WRITE)).toEqual({ ...refused, errorCode: 7, level: 1 });
    expect(it.entry(root, address, 4).value & ACCESSED).toBe(ACCESSED);
    expect(held(passes.agent.dump().psc[4])).toEqual([]);
    const goesOn = it.iommu(root);
    expect(goesOn.request(5, address, WRITE)).toEqual({ ...refused, errorCode: 7, level: 1 });
    expect(held(goesOn.agent.dump().psc[4])).toEqual(["fe 0"]);
  });
});

describe("device TLBs (rules.md 7)", () => {
  const deviceHeld = (iommu: Iommu): string[] => held(iommu.devices[0]?.dump());
  const page = (address: bigint, tag: number): string => `${(address >> 12n).toString(16)} ${tag}`;

  it("are in front: filled by completed translations, a hit does not reach the IOMMU", () => {
    const { it, root } = fourPages();
    const iommu = it.iommu(root);
    iommu.request(5, A, READ, 0);
    iommu.request(5, A + 0x9000n, READ, 0);
    expect(deviceHeld(iommu)).toEqual([page(A, 0)]);
    expect(iommu.request(5, A + 7n, READ, 0)).toEqual({ kind: "ok", level: 1, physicalAddress: 0xa007n });
    expect(iommu.agent.counters.translations).toBe(2);
    expect(iommu.devices[0]?.counters).toEqual({ lookups: 3, hits: 1, fills: 1, evictions: 0, invalidated: 0 });
  });

  it("I12: a translation request counts as a write where the page may be written; a read-only page answers R, and is kept", () => {
    const { it, root } = fourPages();
    it.map(root, FAR + 0x7000n, { frame: 0xc, leaf: PRESENT | USER });
    const iommu = it.iommu(root);
    iommu.request(5, FAR + 0x7000n, READ, 0);
    iommu.request(5, A, READ, 0);
    expect(it.entry(root, A, 1).value & DIRTY).toBe(DIRTY);
    expect(it.entry(root, FAR + 0x7000n, 1).value & DIRTY).toBe(0n);
    const refused = { reason: "write", vtdReason: 0x85, recorded: false };
    expect(iommu.request(5, FAR + 0x7000n, WRITE, 0)).toMatchObject(refused);
    it.change(root, FAR + 0x7000n, 1, (entry) => entry | WRITABLE);
    expect(iommu.request(5, FAR + 0x7000n, WRITE, 0)).toMatchObject(refused);
    iommu.invalidatePasid(5);
    expect(iommu.request(5, FAR + 0x7000n, WRITE, 0).kind).toBe("ok");
    expect(iommu.request(5, A, WRITE, 0).kind).toBe("ok");
    expect(iommu.devices[0]?.counters).toEqual({ lookups: 6, hits: 4, fills: 5, evictions: 0, invalidated: 0 });
    expect(iommu.agent.counters.translations).toBe(5);
  });

  it("I12: No-Write on hardware that knows it leaves D alone, and a write asks again", () => {
    const { it, root } = fourPages();
    const deviceOptions = [{ noWrite: true, pageRequests: false }];
    for (const noWriteRequests of [true, false]) {
      const iommu = it.iommu(root, { deviceOptions, noWriteRequests });
      const address = noWriteRequests ? A : B;
      iommu.request(5, address, READ, 0);
      expect(it.entry(root, address, 1).value & DIRTY).toBe(noWriteRequests ? 0n : DIRTY);
      expect(iommu.request(5, address, WRITE, 0).kind).toBe("ok");
      expect(it.entry(root, address, 1).value & DIRTY).toBe(DIRTY);
    }
  });

  it("I11, I15: a page request lets go of the refused page, at every level, and of nothing else", () => {
    const { it, root } = fourPages();
    it.map(root, FAR + 0x7000n, { frame: 0xc, leaf: PRESENT | USER });
    for (const pageRequests of [false, true]) {
      const iommu = it.iommu(root, { deviceOptions: [{ noWrite: false, pageRequests }] });
      iommu.request(5, A, READ, 0);
      iommu.request(5, FAR + 0x7000n, READ, 0);
      iommu.request(5, FAR + 0x7000n, WRITE, 0);
      it.change(root, FAR + 0x7000n, 1, (entry) => entry | WRITABLE);
      expect(iommu.request(5, FAR + 0x7000n, WRITE, 0).kind).toBe(pageRequests ? "ok" : "fault");
      expect(iommu.pageRequests).toBe(pageRequests ? 1 : 0);
      expect(held(iommu.agent.dump().l1[0])).toContain(page(A, 0));
      it.change(root, FAR + 0x7000n, 1, (entry) => entry & ~WRITABLE);
    }
  });

  it("keep their entries through IOMMU invalidations and drop them by their own", () => {
    const { it, root } = fourPages();
    const iommu = it.iommu(root);
    for (const pasid of [5, 6]) for (const address of [A, B]) iommu.request(pasid, address, READ, 0);
    iommu.invalidateAll();
    expect(deviceHeld(iommu)).toHaveLength(4);
    iommu.invalidateDevicePages(0, 5, B, 0);
    expect(deviceHeld(iommu)).toEqual([page(A, 0), page(A, 1), page(B, 1)]);
    iommu.invalidateDevicePasid(0, 6);
    expect(deviceHeld(iommu)).toEqual([page(A, 0)]);
    expect(() => iommu.invalidateDevicePasid(3, 6)).toThrow("device 3: expected 0..0");
  });

  it("I7: are not touched by an address that is not canonical; the PASID-table entry is looked at first, and cached", () => {
    const { it, root } = fourPages();
    const other = it.table();
    const iommu = it.iommu(root);
    const nonCanonical = { kind: "non-canonical", vtdReason: 0x80, recorded: false };
    expect(iommu.request(5, A ^ (1n << 60n), READ, 0)).toEqual(nonCanonical);
    expect(iommu.devices[0]?.counters.lookups).toBe(0);
    expect(iommu.agent.counters).toEqual({ translations: 1, faults: 1, walks: 0, entryReads: 0, adWrites: 0 });
    iommu.bind({ pasid: 5, root: other });
    expect(iommu.request(5, A, READ, 0)).toMatchObject({ kind: "ok" });
    iommu.unbind(6);
    expect(iommu.request(6, A ^ (1n << 60n), READ, 0)).toMatchObject({ reason: "no-pasid", vtdReason: 0x59 });
  });
});
