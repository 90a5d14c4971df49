// Requests at an IOMMU, case by case: what came out wrong once, with the right value (VT-d 5.10; docs/rules.md section 7).

import { describe, expect, it } from "vitest";
import { Access, createMachineSync, geometries, type Iommu, type IommuConfig, type Machine } from "../../src/index.js";

const PASID = 1;
const VA = 0xffff_c900_0000_0000n;
/** Frame numbers: PML4, PDPT, PD, PT. */
const TABLES = [0x100, 0x101, 0x102, 0x103] as const;

interface World {
  machine: Machine;
  iommu: Iommu;
  /** Writes the entry of VA at a level. */
  write: (level: number, entry: bigint) => void;
  /** The entry of VA at a level. */
  entry: (level: number) => bigint;
}

/** Address of the slot of VA in the table of a level. */
function slot(level: number): bigint {
  const index = (VA >> BigInt(12 + 9 * (level - 1))) & 0x1ffn;
  return (BigInt(TABLES[4 - level]!) << 12n) + index * 8n;
}

/** Four tables down to one page, 0x5000; `upper` are the bits of the entries above the leaf. */
function world(config: IommuConfig = {}, { leaf = 0x5000063n, upper = 0x67n } = {}): World {
  const machine = createMachineSync({ maxPhyAddr: 48, iommus: [{ ...geometries.vtd, pasids: [PASID], ...config }] });
  const iommu = machine.iommus[0]!;
  const write = (level: number, entry: bigint): void => machine.frames.writeEntry(slot(level), entry);
  for (const [i, frame] of TABLES.entries()) {
    machine.frames.setTable(frame);
    write(4 - i, i === 3 ? leaf : (BigInt(TABLES[i + 1]!) << 12n) | upper);
  }
  iommu.bind(PASID, { root: BigInt(TABLES[0]) << 12n });
  return { machine, iommu, write, entry: (level) => machine.frames.readEntry(slot(level))! };
}

describe("requests at an IOMMU", () => {
  it("I1: a walk that meets a fault is not cached in the IOTLB: a page that becomes a user page translates at once", () => {
    const { iommu, write } = world();
    expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject({ kind: "fault", reason: "supervisor-page" });
    expect(iommu.l1[0]!.contents()).toEqual([]);
    write(1, 0x5000067n);
    expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject({ kind: "ok", physicalAddress: 0x5000000n });
  });

  it("I1: hardware that does more than the text allows can be chosen: it refuses until an invalidation", () => {
    const { iommu, write } = world({ cacheSupervisorLeaves: true });
    iommu.request(PASID, VA, Access.userRead);
    write(1, 0x5000067n);
    expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject({ kind: "fault", reason: "supervisor-page" });
    iommu.invalidatePages(PASID, VA);
    expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject({ kind: "ok" });
  });

  it.each([
    ["cache", 1, 0x20n, [2, 3, 4]],
    ["walk", 1, 0x20n, []],
    ["stop", 4, 0n, []],
  ] as const)("I13: a non-leaf with U/S = 0, reading `%s`", (supervisorEntries, level, accessed, cached) => {
    const { iommu, entry } = world({ supervisorEntries }, { upper: 0x3n });
    expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject({ reason: "supervisor-page", level });
    expect(entry(4) & 0x20n).toBe(accessed);
    const held = [...iommu.psc].filter(([, cache]) => cache.contents().length > 0).map(([at]) => at);
    expect(held).toEqual(cached);
  });

  it("I7: an unbound PASID is 0x59 before an address that is not canonical is 0x80", () => {
    const { iommu } = world();
    const nonCanonical = 1n << 50n;
    expect(iommu.request(PASID, nonCanonical, Access.userRead)).toEqual({
      ...{ kind: "non-canonical", vtdReason: 0x80, recorded: true },
    });
    iommu.unbind(PASID);
    iommu.invalidatePasidCache(PASID);
    const unbound = { kind: "fault", reason: "no-pasid", vtdReason: 0x59, recorded: true };
    for (const va of [nonCanonical, VA]) {
      expect(iommu.probe(PASID, va, Access.userRead)).toMatchObject(unbound);
      expect(iommu.explain(PASID, va, Access.userRead).outcome).toMatchObject(unbound);
      expect(iommu.request(PASID, va, Access.userRead)).toMatchObject(unbound);
    }
  });

  it("I8: an output address in FEEx_xxxx is 0x87, and leaves nothing in the IOTLB and no D", () => {
    for (const [leaf, refused] of [
      [0xfee0_0007n, true],
      [0xfeef_f007n, true],
      [0xfedf_f007n, false],
      [0xfef0_0007n, false],
      [0x1_fee0_0007n, false],
    ] as const) {
      const { iommu, entry } = world({}, { leaf });
      const outcome = iommu.request(PASID, VA, Access.userWrite);
      expect(outcome, leaf.toString(16)).toMatchObject(
        refused ? { kind: "fault", reason: "interrupt-range", vtdReason: 0x87, level: 1 } : { kind: "ok" },
      );
      expect(iommu.l1[0]!.contents()).toHaveLength(refused ? 0 : 1);
      expect(entry(1) & 0x40n).toBe(refused ? 0n : 0x40n);
    }
  });

  it("I8: a page of 2 MiB over the range is refused at its addresses only to untranslated requests, cached or not", () => {
    const { iommu, write } = world({ devices: [{ deviceTlb: { entries: 4, ways: 4 } }] });
    write(2, 0xfee0_0087n);
    const inside = { reason: "interrupt-range", vtdReason: 0x87, level: 2 };
    const outside = { kind: "ok", pageSize: 0x20_0000 };
    expect(iommu.request(PASID, VA + 0x10_0000n, Access.userRead)).toMatchObject(outside);
    const before = iommu.counters.faults;
    expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject(inside);
    expect(iommu.request(PASID, VA + 0xf_ffffn, Access.userRead, 0)).toMatchObject(inside);
    expect(iommu.probe(PASID, VA, Access.userRead)).toMatchObject(inside);
    expect(iommu.explain(PASID, VA, Access.userRead).outcome).toMatchObject(inside);
    expect(iommu.counters.faults).toBe(before + 2);
    const amd = world({ dialect: "amd" }, { leaf: 0xfee0_0007n });
    expect(amd.iommu.request(PASID, VA, Access.userRead)).toMatchObject({ kind: "ok" });
  });

  it.each([
    ["P = 0", { p: false }, 0x59, "no-pasid"],
    ["SRE", { sre: true }, 0x5a, "pasid-reserved"],
    ["EAFE", { eafe: true }, 0x5a, "pasid-reserved"],
    ["a root above the width of addresses", { root: 1n << 48n }, 0x5a, "pasid-reserved"],
    ["PGTT = 0", { pgtt: 0 }, 0x5b, "pasid-invalid"],
    ["PGTT = 3", { pgtt: 3 }, 0x5b, "pasid-invalid"],
    ["FSPM = 1 on 4 levels", { fspm: 1 }, 0x5b, "pasid-invalid"],
    ["FSPM = 2", { fspm: 2 }, 0x5b, "pasid-invalid"],
    ["SRE before PGTT", { sre: true, pgtt: 0 }, 0x5a, "pasid-reserved"],
    ["P before all", { p: false, sre: true, pgtt: 0 }, 0x59, "no-pasid"],
  ] as const)("I9: the fault of a PASID-table entry: %s", (_, fields, vtdReason, reason) => {
    const { iommu } = world({}, { leaf: 0x5000067n });
    iommu.bind(PASID, { root: BigInt(TABLES[0]) << 12n, ...fields });
    const refused = { kind: "fault", reason, vtdReason, recorded: true, level: 0 };
    expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject(refused);
    expect(iommu.request(PASID, 1n << 50n, Access.userRead)).toMatchObject(refused);
    iommu.bind(PASID, { root: BigInt(TABLES[0]) << 12n, wpe: true, aw: 1 });
    expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject({ kind: "ok" });
  });

  it("I9: fields that an entry cannot have are refused by name", () => {
    const { iommu } = world();
    const root = BigInt(TABLES[0]) << 12n;
    expect(() => iommu.bind(PASID, { root, pgtt: 8 })).toThrow(/binding\.pgtt is 8/);
    expect(() => iommu.bind(PASID, { root, fspm: 4 })).toThrow(/binding\.fspm is 4/);
    const five = createMachineSync({ levels: 5, iommus: [{ pasids: [PASID] }] }).iommus[0]!;
    expect(() => five.bind(PASID, { root, fspm: 0 })).toThrow(/binding\.fspm is 0/);
  });

  it("I10: outcomes have VT-d's reason number beside the name; FPD hides the record; AMD's have none", () => {
    const root = BigInt(TABLES[0]) << 12n;
    for (const [leaf, access, vtdReason, reason] of [
      [0x5000066n, Access.userRead, 0x71, "not-present"],
      [0x8_0000_0500_0067n, Access.userRead, 0x72, "reserved"],
      [0x5000063n, Access.userRead, 0x81, "supervisor-page"],
      [0x5000065n, Access.userWrite, 0x85, "write"],
    ] as const) {
      const { iommu } = world({}, { leaf });
      expect(iommu.request(PASID, VA, access)).toMatchObject({ kind: "fault", reason, vtdReason, recorded: true });
      iommu.bind(PASID, { root, fpd: true });
      expect(iommu.request(PASID, VA, access)).toMatchObject({ vtdReason, recorded: true });
      iommu.invalidatePasidCache(PASID);
      expect(iommu.request(PASID, VA, access)).toMatchObject({ reason, vtdReason, recorded: false });
      const amd = world({ dialect: "amd" }, { leaf }).iommu.request(PASID, VA, access);
      expect(amd).toMatchObject({ kind: "fault", reason });
      expect(amd).not.toHaveProperty("vtdReason");
    }
  });

  it("I11: a page request drops what the refused walk has left of the page, and is counted", () => {
    const deviceTlb = { entries: 4, ways: 4 };
    for (const pageRequests of [false, true]) {
      const { iommu } = world({ devices: [{ deviceTlb, pageRequests }] });
      expect(iommu.request(PASID, VA, Access.userRead, 0)).toMatchObject({
        reason: "supervisor-page",
        recorded: false,
      });
      const held = [...iommu.psc].filter(([, cache]) => cache.contents().length > 0).map(([at]) => at);
      expect(held).toEqual(pageRequests ? [] : [2, 3, 4]);
      expect(iommu.pageRequests).toBe(pageRequests ? 1 : 0);
      // A prefetch, an untranslated request and what no page request could mend send none.
      iommu.request(PASID, VA, Access.speculativeUserRead, 0);
      iommu.request(PASID, VA, Access.userRead);
      iommu.request(PASID, 1n << 50n, Access.userRead, 0);
      expect(iommu.pageRequests).toBe(pageRequests ? 1 : 0);
    }
    expect(() => world({ devices: [{ pageRequests: true }] })).toThrow(/devices\[0\]\.pageRequests is true/);
    expect(() => world({ dialect: "amd", devices: [{ deviceTlb, pageRequests: true }] })).toThrow(
      /pageRequests is true/,
    );
  });

  it("what a translation request meets is answered without rights, or aborted and recorded (VT-d 7.1.3, table 30)", () => {
    const devices = [{ deviceTlb: { entries: 4, ways: 4 } }];
    const { iommu } = world({ devices });
    iommu.unbind(PASID);
    iommu.invalidatePasidCache();
    expect(iommu.request(PASID, VA, Access.userRead, 0)).toMatchObject({ vtdReason: 0x59, recorded: false });
    expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject({ vtdReason: 0x59, recorded: true });
    const answered = (leaf: bigint, address = VA, fields = {}): unknown => {
      const { iommu: one } = world({ devices }, { leaf });
      one.bind(PASID, { root: BigInt(TABLES[0]) << 12n, ...fields });
      const outcome = one.request(PASID, address, Access.userRead, 0);
      return "vtdReason" in outcome ? [outcome.vtdReason, outcome.recorded] : outcome.kind;
    };
    expect(answered(0n)).toEqual([0x71, false]);
    expect(answered(0x8_0000_0500_0067n)).toEqual([0x72, false]);
    expect(answered(0x5000067n, 1n << 50n)).toEqual([0x80, false]);
    expect(answered(0x5000063n)).toEqual([0x81, false]);
    expect(answered(0x5000067n, VA, { sre: true })).toEqual([0x5a, true]);
    expect(answered(0x5000067n, VA, { pgtt: 2 })).toEqual([0x5b, true]);
    expect(answered(0xfee0_0067n)).toEqual([0x87, true]);
  });

  it("a translation request to a large page that overlaps FEEx_xxxx is 0x87 wherever it lies (VT-d SGN.8.2)", () => {
    const { iommu, write, entry } = world({ devices: [{ deviceTlb: { entries: 4, ways: 4, pageSizes: ["2M"] } }] });
    write(2, 0xfee0_0087n);
    const outside = VA + 0x10_0000n;
    expect(iommu.request(PASID, outside, Access.userRead)).toMatchObject({ kind: "ok", physicalAddress: 0xfef0_0000n });
    const faults = iommu.counters.faults;
    const refused = { reason: "interrupt-range", level: 2, errorCode: 0, vtdReason: 0x87, recorded: true };
    expect(iommu.request(PASID, outside, Access.userRead, 0)).toMatchObject(refused);
    expect(iommu.counters.faults).toBe(faults + 1);
    expect(iommu.devices[0]!.tlb!.contents()).toEqual([]);
    expect(entry(2) & 0x60n).toBe(0x60n);
  });

  it("a page request drops what belongs to the domain of the PASID-table entry, of every device", () => {
    const deviceTlb = { entries: 4, ways: 4 };
    const { iommu } = world({ devices: [{ deviceTlb, pageRequests: true }, {}] }, { leaf: 0x5000065n });
    const root = BigInt(TABLES[0]) << 12n;
    for (const domain of [7, 1]) {
      iommu.bind(PASID, { root, domain });
      iommu.invalidatePasidCache();
      iommu.invalidateDeviceTlb(0, PASID);
      for (const device of [0, 1]) iommu.request(PASID, VA, Access.userRead, device);
    }
    expect(iommu.l1[0]!.contents()).toHaveLength(4);
    iommu.request(PASID, VA, Access.userWrite, 0);
    expect(iommu.pageRequests).toBe(1);
    expect(iommu.l1[0]!.contents().map(({ domain }) => domain)).toEqual([7, 7]);
    expect([...iommu.psc.values()].map((cache) => cache.contents().map(({ domain }) => domain))).toEqual([
      [7],
      [7],
      [7],
    ]);
  });

  it("a page request names the domain that the device's requests used last, whatever the walk before it began with", () => {
    const deviceTlb = { entries: 4, ways: 4 };
    const devices = [{ deviceTlb, pageRequests: true }];
    const { machine, iommu } = world({ devices, walks: "stepwise", drain: "none" }, { leaf: 0n });
    const domains = (): unknown => [...iommu.psc.values()].map((psc) => psc.contents().map(({ domain }) => domain));
    machine.walks.begin(0, iommu.requester(PASID, 0), VA, Access.userRead);
    iommu.bind(PASID, { root: BigInt(TABLES[0]) << 12n, domain: 7 });
    iommu.invalidatePasidCache();
    iommu.request(PASID, VA, Access.userRead);
    expect(domains()).toEqual([[7], [7], [7]]);
    expect(machine.walks.finish(0)).toMatchObject({ kind: "fault", reason: "not-present" });
    expect(iommu.pageRequests).toBe(1);
    expect(domains()).toEqual([[1], [1], [1]]);
  });

  it("I11: the README's example with page requests has no hazard", () => {
    const area = 0xffff_c900_0000_0000n;
    for (const pageRequests of [false, true]) {
      const machine = createMachineSync({
        iommus: [{ ...geometries.vtd, pasids: [42], devices: [{ deviceTlb: { entries: 4, ways: 4 }, pageRequests }] }],
        kernel: { policy: "none" },
      });
      const iommu = machine.iommus[0]!;
      const kernel = machine.kernel!;
      kernel.run((p) => p.mmCreate(0).svaBind(iommu.requester(42), 0));
      kernel.run((p) => p.vmalloc(area, 512));
      iommu.request(42, area, Access.userRead, 0);
      kernel.run((p) => p.vfree(area, 512).purge());
      kernel.run((p) => p.vmalloc(area, 512, 21));
      kernel.run((p) => p.reuse({ userLeaf: 0x123_4000n }));
      const { kind } = iommu.request(42, area + 0x1000n, Access.userWrite, 0);
      expect([kind, kernel.hazards().length]).toEqual(pageRequests ? ["fault", 0] : ["ok", 1]);
    }
  });

  it("I12: a translation request sets D unless it says No-Write and the hardware knows that", () => {
    const deviceTlb = { entries: 4, ways: 4 };
    for (const [noWrite, noWriteRequests] of [
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ] as const) {
      const { iommu, entry } = world({ devices: [{ deviceTlb, noWrite }], noWriteRequests }, { leaf: 0x5000007n });
      expect(iommu.request(PASID, VA, Access.userRead, 0)).toMatchObject({ kind: "ok" });
      expect(entry(1)).toBe(noWrite && noWriteRequests ? 0x5000027n : 0x5000067n);
    }
    const readOnly = world({ devices: [{ deviceTlb }] }, { leaf: 0x5000005n });
    expect(readOnly.iommu.request(PASID, VA, Access.userRead, 0)).toMatchObject({ kind: "ok" });
    expect(readOnly.entry(1)).toBe(0x5000025n);
    expect(readOnly.iommu.devices[0]!.tlb!.contents()).toHaveLength(1);
    expect(readOnly.iommu.request(PASID, VA, Access.userWrite, 0)).toMatchObject({ reason: "write", recorded: false });
    expect(readOnly.iommu.counters.faults).toBe(0);
    expect(() => world({ devices: [{ noWrite: true }] })).toThrow(/devices\[0\]\.noWrite is true/);
  });

  it("I14: bits 63:52 of an entry are ignored, and there are no execute requests", () => {
    const { iommu, entry } = world({}, { leaf: 0xfff0_0000_0500_0067n, upper: 0xfff0_0000_0000_0067n });
    expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject({ kind: "ok", physicalAddress: 0x5000000n });
    expect(entry(1)).toBe(0xfff0_0000_0500_0067n);
    const binding = { root: BigInt(TABLES[0]) << 12n, nxe: false };
    expect(() => iommu.bind(PASID, binding)).toThrow(/nxe/);
    for (const fetch of [Access.userFetch, Access.supervisorFetch, Access.speculativeUserFetch]) {
      expect(() => iommu.request(PASID, VA, fetch)).toThrow(/no execute requests/);
      expect(() => iommu.probe(PASID, VA, fetch)).toThrow(/no execute requests/);
      expect(() => iommu.explain(PASID, VA, fetch)).toThrow(/no execute requests/);
      expect(() => iommu.requestMany(PASID, new BigUint64Array(1), fetch)).toThrow(/no execute requests/);
    }
  });

  it("I15: a read-only translation refuses writes until an invalidation or a page request lets go of it", () => {
    const deviceTlb = { entries: 4, ways: 4 };
    const { iommu, write } = world({ devices: [{ deviceTlb, pageRequests: true }] }, { leaf: 0x5000065n });
    const refusedWrite = (): void => {
      write(1, 0x5000065n);
      iommu.invalidatePages(PASID, VA);
      expect(iommu.request(PASID, VA, Access.userRead)).toMatchObject({ kind: "ok" });
      write(1, 0x5000067n);
      for (let i = 0; i < 3; i++) expect(iommu.request(PASID, VA, Access.userWrite)).toMatchObject({ reason: "write" });
    };
    refusedWrite();
    iommu.invalidatePages(PASID, VA, 0, true);
    expect(iommu.request(PASID, VA, Access.userWrite)).toMatchObject({ kind: "ok" });
    refusedWrite();
    expect(iommu.request(PASID, VA, Access.userWrite, 0)).toMatchObject({ reason: "write" });
    expect(iommu.pageRequests).toBe(1);
    expect(iommu.request(PASID, VA, Access.userWrite, 0)).toMatchObject({ kind: "ok" });
    expect(iommu.request(PASID, VA, Access.userWrite)).toMatchObject({ kind: "ok" });
  });
});
