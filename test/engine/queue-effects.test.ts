// What descriptors and commands drop, one by one, by hand (docs/rules.md sections 7 and 15). The random programs compare the
// same with the model; these are the cases that once went wrong, and one for each field.

import { describe, expect, it } from "vitest";
import { StalewalkError } from "../../src/base/errors.js";
import {
  Access,
  createMachineSync,
  type DeviceConfig,
  geometries,
  InvalidOptionError,
  type Iommu,
  type Machine,
} from "../../src/index.js";
import { type AmdCommand, DescriptorError, encodeAmd, encodeVtd, type VtdDescriptor } from "../../src/queue/index.js";
import { Tables } from "../support/tables.js";

const PASID = 9;
const OTHER = 0x12345;
const VA = 0x7f00_0000_0000n;
const PAGE = 0x1000n;
const READ = Access.userRead;

interface World {
  machine: Machine;
  iommu: Iommu;
  tables: Tables;
  /** What is cached now: entries of the IOTLB, of the paging-structure cache of level 2, of the first device's TLB. */
  cached: () => { iotlb: string[]; paths: string[]; device: string[] };
}

const DEVICES: readonly DeviceConfig[] = [{ deviceTlb: { entries: 16, ways: 4 } }, {}];

/** Eight pages under one root, two PASIDs bound to it, a device with a TLB and one without. */
function world({
  dialect = "vtd",
  levels = 4,
  devices = DEVICES,
}: {
  dialect?: "vtd" | "amd";
  levels?: 4 | 5;
  devices?: readonly DeviceConfig[];
} = {}): World {
  const machine = createMachineSync({
    levels,
    iommus: [{ ...geometries.vtd, dialect, pasids: [PASID, OTHER], devices }],
  });
  const iommu = machine.iommus[0]!;
  const tables = new Tables(machine.frames, levels);
  for (let page = 0n; page < 8n; page++) tables.map(VA + page * PAGE, 0x100 + Number(page));
  for (const pasid of iommu.pasids) iommu.bind(pasid, { root: tables.cr3 });
  const short = ({ tag, device, domain, pageNumber }: ReturnType<Iommu["l1"][0]["contents"]>[0]) =>
    [tag, device, domain, (pageNumber & 0xfn).toString(16)].filter((it) => it !== undefined).join(" ");
  return {
    machine,
    iommu,
    tables,
    cached: () => ({
      iotlb: iommu.l1.flatMap((cache) => cache.contents().map(short)).sort(),
      paths: iommu.psc.get(2)!.contents().map(short).sort(),
      device: iommu.devices[0]?.tlb?.contents().map(short).sort() ?? [],
    }),
  };
}

/** The same after both devices have read two pages with both PASIDs. */
function filled(options: Parameters<typeof world>[0] = {}): World {
  const made = world(options);
  for (const pasid of [PASID, OTHER]) {
    for (const device of made.iommu.devices.keys()) {
      for (const va of [VA, VA + PAGE]) made.iommu.request(pasid, va, READ, device);
    }
  }
  return made;
}

const whole = { addressMask: 0, leavesOnly: false, address: 0n };
const vtd = (iommu: Iommu, descriptor: VtdDescriptor, device?: number) => iommu.submit(encodeVtd(descriptor), device);
const amd = (iommu: Iommu, command: AmdCommand, device?: number) => iommu.submit(encodeAmd(command), device);

describe("source-ids (VT-d 6.2.1, table 17)", () => {
  it("I2: a device does not get what another device's request has left in the IOTLB", () => {
    const { machine, iommu, tables } = world({ devices: [{}, {}] });
    expect(iommu.request(PASID, VA, READ, 0).kind).toBe("ok");
    machine.frames.writeEntry(tables.slot(VA, 1), 0n);
    expect(iommu.request(PASID, VA, READ, 0).kind).toBe("ok");
    expect(iommu.request(PASID, VA, READ, 1)).toMatchObject({ kind: "fault", reason: "not-present" });
  });

  it("I2: the PASID cache knows devices apart too", () => {
    const { iommu } = world({ devices: [{}, {}] });
    expect(iommu.request(PASID, VA, READ, 0).kind).toBe("ok");
    iommu.unbind(PASID);
    expect(iommu.request(PASID, VA, READ, 0).kind).toBe("ok");
    expect(iommu.request(PASID, VA, READ, 1)).toMatchObject({ kind: "fault", reason: "no-pasid" });
  });

  it("I2: paging-structure caches are shared: the second device's walk reads the leaf alone", () => {
    const { iommu } = world({ devices: [{}, {}] });
    iommu.request(PASID, VA, READ, 0);
    const before = iommu.counters.entryReads;
    iommu.request(PASID, VA, READ, 1);
    expect(iommu.counters.entryReads - before).toBe(1);
  });

  it("a request without a device is the first one's, past its TLB", () => {
    const { iommu, cached } = world();
    iommu.request(PASID, VA, READ);
    expect(cached()).toEqual({ iotlb: ["0 0 1 0"], paths: ["0 1 0"], device: [] });
  });

  it("invalidations of a PASID reach what every device has left", () => {
    const { iommu, cached } = filled();
    expect(cached().iotlb.filter((entry) => entry.startsWith("0 "))).toEqual([
      "0 0 1 0",
      "0 0 1 1",
      "0 1 1 0",
      "0 1 1 1",
    ]);
    iommu.invalidatePages(PASID, VA);
    expect(cached().iotlb.filter((entry) => entry.startsWith("0 "))).toEqual(["0 0 1 1", "0 1 1 1"]);
    iommu.invalidatePasid(PASID);
    expect(cached().iotlb.filter((entry) => entry.startsWith("0 "))).toEqual([]);
    expect(cached().iotlb).toHaveLength(4);
  });

  it("there is a limit of devices times PASIDs, named with its value", () => {
    const machine = (devices: number, pasids: number) => () =>
      createMachineSync({
        cpus: [],
        iommus: [
          {
            pasids: Array.from({ length: pasids }, (_, i) => i),
            devices: Array.from({ length: devices }, () => ({})),
          },
        ],
      });
    expect(machine(2, 512)).not.toThrow();
    expect(machine(1, 1024)).not.toThrow();
    expect(machine(2, 513)).toThrow("at most 1024 CPUs and (device, PASID) pairs in a machine");
    expect(machine(2, 513)).toThrow(InvalidOptionError);
    expect(() => createMachineSync({ iommus: [{ devices: [{ sourceId: 3 }, { sourceId: 3 }] }] })).toThrow(
      "iommus[0].devices[1] is 3; expected each source-id once",
    );
  });
});

describe("domains (VT-d 6.5.2.4)", () => {
  it("I3: types 6 and 7 for another domain drop nothing", () => {
    const { iommu, cached } = filled();
    const before = cached();
    vtd(iommu, { type: "pasid-iotlb", granularity: "pasid", domain: 77, pasid: PASID, ...whole });
    vtd(iommu, { type: "pasid-iotlb", granularity: "page", domain: 77, pasid: PASID, ...whole, address: VA });
    vtd(iommu, { type: "iotlb", granularity: "domain", drainReads: true, drainWrites: true, domain: 77, ...whole });
    expect(cached()).toEqual(before);
    iommu.unbind(PASID);
    vtd(iommu, { type: "pasid-cache", granularity: "pasid", domain: 77, pasid: PASID });
    vtd(iommu, { type: "pasid-cache", granularity: "domain", domain: 77, pasid: 0 });
    expect(iommu.request(PASID, VA, READ, 1).kind).toBe("ok");
  });

  it("I3: the domain of a binding is 1 unless it says otherwise, as the drivers have it", () => {
    const { iommu, cached } = filled();
    vtd(iommu, { type: "pasid-iotlb", granularity: "pasid", domain: 1, pasid: PASID, ...whole });
    expect(cached().iotlb.every((entry) => entry.startsWith("1 "))).toBe(true);
    expect(cached().paths).toEqual(["1 1 0"]);
  });

  it("I3: what was cached keeps the domain that its PASID had, and only that domain's requests find it", () => {
    const { iommu, tables, cached } = world({ devices: [{}] });
    iommu.request(PASID, VA, READ);
    iommu.bind(PASID, { root: tables.cr3, domain: 5 });
    iommu.request(PASID, VA + PAGE, READ);
    expect(cached().iotlb).toEqual(["0 0 1 0", "0 0 1 1"]);
    iommu.invalidatePasidCache(PASID);
    iommu.request(PASID, VA + PAGE, READ);
    expect(cached().iotlb).toEqual(["0 0 1 0", "0 0 1 1", "0 0 5 1"]);
    expect(cached().paths).toEqual(["0 1 0", "0 5 0"]);
    vtd(iommu, { type: "pasid-iotlb", granularity: "pasid", domain: 5, pasid: PASID, ...whole });
    expect(cached()).toMatchObject({ iotlb: ["0 0 1 0", "0 0 1 1"], paths: ["0 1 0"] });
  });

  it("there is a limit of domains that a PASID has entries of; one that nothing is cached under makes room", () => {
    const { iommu, tables } = world({ devices: [{}] });
    const enter = (domain: number) => {
      iommu.bind(PASID, { root: tables.cr3, domain });
      iommu.invalidatePasidCache(PASID);
      iommu.request(PASID, VA, READ);
    };
    for (const domain of [1, 2, 3, 4]) enter(domain);
    expect(() => iommu.bind(PASID, { root: tables.cr3, domain: 5 })).toThrow(
      "binding.domain is 5; expected one of at most 4",
    );
    iommu.bind(OTHER, { root: tables.cr3, domain: 5 });
    vtd(iommu, { type: "pasid-iotlb", granularity: "pasid", domain: 2, pasid: PASID, ...whole });
    enter(5);
    expect(iommu.l1.flatMap((cache) => cache.contents().map(({ domain }) => domain)).sort()).toEqual([1, 3, 4, 5]);
  });
});

/** Descriptors that hardware refuses. */
const REFUSED: readonly [name: string, words: [bigint, bigint, ...bigint[]], field: string][] = [
  ["type bits 11:9", [6n | (2n << 4n) | (1n << 9n) | (1n << 16n), 0n], "type"],
  ["type 0", [0n, 0n], "type"],
  ["type 11", [11n, 0n], "type"],
  ["a reserved bit of the first word", [7n | (1n << 4n) | (1n << 6n), 0n], "pasid-cache: reserved bits of qw0"],
  ["a reserved bit of the second word", [6n | (3n << 4n), 1n << 7n], "pasid-iotlb: reserved bits of qw1"],
  ["a reserved bit of the upper half", [7n | (1n << 4n), 0n, 1n, 0n], "pasid-cache: reserved bits of qw2"],
  ["PASID-cache granularity 10b", [7n | (2n << 4n), 0n], "pasid-cache.granularity"],
  ["PASID-based IOTLB granularity 00b", [6n, 0n], "pasid-iotlb.granularity"],
  ["PASID-based IOTLB granularity 01b", [6n | (1n << 4n), 0n], "pasid-iotlb.granularity"],
  ["IOTLB granularity 00b", [2n, 0n], "iotlb.granularity"],
  ["context-cache granularity 00b", [1n, 0n], "context-cache.granularity"],
];

describe("what hardware refuses (VT-d 6.5.2.11; AMD IOMMU 2.5.6)", () => {
  it.each(REFUSED)("I4: %s", (_, words, field) => {
    const { iommu, cached } = filled();
    const before = cached();
    const attempt = () => iommu.submit(words);
    expect(attempt).toThrow(DescriptorError);
    expect(attempt).toThrow(StalewalkError);
    expect(attempt).toThrowError(expect.objectContaining({ code: "descriptor", field, status: "IQE" }));
    expect(cached()).toEqual(before);
  });

  it("I4: the queue stops there: what stands behind is not executed", () => {
    const { iommu, cached } = filled();
    const drop = (pasid: number) =>
      encodeVtd({ type: "pasid-iotlb", granularity: "pasid", domain: 1, pasid, ...whole });
    const result = iommu.submitAll([drop(PASID), [7n | (2n << 4n), 0n], drop(OTHER)]);
    expect(result).toMatchObject({ done: 1, error: { field: "pasid-cache.granularity", value: 2n, status: "IQE" } });
    expect(cached().iotlb.every((entry) => entry.startsWith("1 "))).toBe(true);
    expect(cached().iotlb).toHaveLength(4);
    expect(iommu.submitAll([drop(OTHER)])).toEqual({ done: 1 });
    expect(cached().iotlb).toEqual([]);
    expect(() => iommu.submitAll([drop(PASID)], 9)).toThrow(InvalidOptionError);
  });

  it.each([
    ["opcode 0", [0n, 0n], "opcode"],
    ["opcode 9 (vIOMMU)", [9n << 60n, 0n], "opcode"],
    ["a reserved bit", [(3n << 60n) | (1n << 20n), 0n], "invalidate-pages: reserved bits of qw0"],
    ["a reserved bit beside GN", [3n << 60n, 1n << 3n], "invalidate-pages: reserved bits of qw1"],
    ["a second word of INVALIDATE_IOMMU_ALL", [8n << 60n, 1n], "invalidate-all: reserved bits of qw1"],
  ] as const)("I16: AMD, %s", (_, words, field) => {
    const { iommu, cached } = filled({ dialect: "amd" });
    const before = cached();
    const attempt = () => iommu.submit([...words]);
    expect(attempt).toThrowError(
      expect.objectContaining({ code: "descriptor", field, status: "ILLEGAL_COMMAND_ERROR" }),
    );
    expect(cached()).toEqual(before);
    expect(iommu.submitAll([encodeAmd({ type: "invalidate-all" }), [...words]])).toMatchObject({ done: 1 });
  });
});

describe("VT-d's descriptors", () => {
  const toDevice = { queueDepth: 0, physicalFunction: 0, sourceId: 0, sized: false, address: VA };

  it("I5: type 8 with G drops the pages of every PASID, whatever PASID it names", () => {
    for (const pasid of [PASID, 0]) {
      const { iommu, cached } = filled();
      expect(cached().device).toEqual(["0 0", "0 1", "1 0", "1 1"]);
      vtd(iommu, { type: "pasid-device-tlb", pasid, global: true, ...toDevice }, 0);
      expect(cached().device).toEqual(["0 1", "1 1"]);
      vtd(iommu, {
        type: "pasid-device-tlb",
        pasid,
        global: true,
        ...toDevice,
        sized: true,
        address: 0x7ffffffffffff000n,
      });
      expect(cached().device).toEqual([]);
    }
  });

  it("I5: without G it drops those of its PASID, in the device that its source-id names", () => {
    const { iommu, cached } = filled();
    vtd(iommu, { type: "pasid-device-tlb", pasid: PASID, global: false, ...toDevice, sourceId: 1 });
    vtd(iommu, { type: "pasid-device-tlb", pasid: PASID, global: false, ...toDevice, sourceId: 0x8100 });
    vtd(iommu, { type: "pasid-device-tlb", pasid: 4, global: false, ...toDevice });
    expect(cached().device).toHaveLength(4);
    vtd(iommu, {
      type: "pasid-device-tlb",
      pasid: PASID,
      global: false,
      ...toDevice,
      queueDepth: 31,
      physicalFunction: 5,
    });
    expect(cached().device).toEqual(["0 1", "1 0", "1 1"]);
    vtd(iommu, { type: "pasid-device-tlb", pasid: OTHER, global: false, ...toDevice, sourceId: 77 }, 0);
    expect(cached().device).toEqual(["0 1", "1 1"]);
    expect(cached().iotlb).toHaveLength(8);
  });

  it("I6: types that name nothing cached here are valid, and have no effect", () => {
    const { iommu, cached } = filled();
    const before = cached();
    for (const type of [1n | (1n << 4n), 3n, 4n, 5n, 9n, 10n | (1n << 4n)]) iommu.submit([type, 0n]);
    vtd(iommu, { type: "context-cache", granularity: "device", domain: 1, sourceId: 0, functionMask: 3 });
    vtd(iommu, { type: "device-tlb", physicalFunction: 0, queueDepth: 0, sourceId: 0, sized: true, address: 0n });
    vtd(iommu, { type: "pasid-iotlb", granularity: "pasid", domain: 1, pasid: 99, ...whole });
    vtd(iommu, { type: "pasid-iotlb", granularity: "page", domain: 1, pasid: 99, ...whole, address: VA });
    vtd(iommu, { type: "pasid-cache", granularity: "pasid", domain: 1, pasid: 99 });
    expect(cached()).toEqual(before);
  });

  it("I6: type 2 drops everything, or all of a domain; its pages are the second stage's, and the first stage's all go", () => {
    const drain = { drainReads: false, drainWrites: false };
    const both = filled();
    both.iommu.bind(OTHER, { root: both.tables.cr3, domain: 2 });
    both.iommu.invalidatePasidCache();
    both.iommu.invalidateAll();
    for (const pasid of [PASID, OTHER]) both.iommu.request(pasid, VA, READ);
    const { iommu, cached } = both;
    vtd(iommu, { type: "iotlb", granularity: "domain", ...drain, domain: 2, ...whole });
    expect(cached()).toMatchObject({ iotlb: ["0 0 1 0"], paths: ["0 1 0"] });
    iommu.request(OTHER, VA, READ);
    vtd(iommu, {
      type: "iotlb",
      granularity: "page",
      ...drain,
      domain: 2,
      ...whole,
      leavesOnly: true,
      address: 0x5000n,
    });
    expect(cached()).toMatchObject({ iotlb: ["0 0 1 0"], paths: ["0 1 0", "1 2 0"] });
    vtd(iommu, { type: "iotlb", granularity: "page", ...drain, domain: 2, ...whole, address: 0x5000n });
    expect(cached().paths).toEqual(["0 1 0"]);
    vtd(iommu, { type: "iotlb", granularity: "global", ...drain, domain: 99, ...whole });
    expect(cached()).toMatchObject({ iotlb: [], paths: [] });
  });

  it("I6: type 6: any address mask, the address aligned down, and the hint", () => {
    const page = { type: "pasid-iotlb", granularity: "page", domain: 1, pasid: PASID } as const;
    const { iommu, cached } = filled({ devices: [{}] });
    const own = () => cached().iotlb.filter((entry) => entry.startsWith("0 "));
    vtd(iommu, { ...page, addressMask: 0, leavesOnly: true, address: VA + PAGE });
    expect([own(), cached().paths]).toEqual([["0 0 1 0"], ["0 1 0", "1 1 0"]]);
    vtd(iommu, { ...page, addressMask: 1, leavesOnly: false, address: VA + PAGE });
    expect([own(), cached().paths]).toEqual([[], ["1 1 0"]]);
    for (const addressMask of [36, 45, 52, 63]) {
      iommu.request(PASID, VA, READ);
      vtd(iommu, { ...page, addressMask, leavesOnly: false, address: 0n });
      expect([own(), cached().paths]).toEqual([[], ["1 1 0"]]);
    }
  });

  it("I6: type 7: a PASID of a domain, a domain, all", () => {
    const gone = (descriptor: VtdDescriptor) => {
      const { iommu, tables } = filled();
      iommu.bind(OTHER, { root: tables.cr3, domain: 2 });
      iommu.invalidatePasidCache(OTHER);
      for (const device of [0, 1]) iommu.request(OTHER, VA + 3n * PAGE, READ, device);
      for (const pasid of iommu.pasids) iommu.unbind(pasid);
      vtd(iommu, descriptor);
      return [PASID, OTHER].map((pasid) =>
        [0, 1].map((device) => iommu.request(pasid, VA + 4n * PAGE, READ, device).kind === "fault"),
      );
    };
    const one = { type: "pasid-cache", pasid: PASID } as const;
    expect(gone({ ...one, granularity: "pasid", domain: 1 })).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(gone({ ...one, granularity: "domain", domain: 2 })).toEqual([
      [false, false],
      [true, true],
    ]);
    expect(gone({ ...one, granularity: "global", domain: 77 })).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  it("type 7 leaves translations, type 6 leaves the PASID cache and device TLBs", () => {
    const { iommu, cached } = filled();
    const before = cached();
    vtd(iommu, { type: "pasid-cache", granularity: "global", domain: 1, pasid: 0 });
    expect(cached()).toEqual(before);
    vtd(iommu, { type: "pasid-iotlb", granularity: "pasid", domain: 1, pasid: PASID, ...whole });
    expect(cached().device).toEqual(before.device);
  });
});

describe("AMD's commands", () => {
  const pages = {
    type: "invalidate-pages",
    pasid: PASID,
    domain: 1,
    sized: false,
    tables: false,
    guest: true,
    address: VA,
  } as const;
  const all = { sized: true, tables: true, address: 0x7ffffffffffff000n } as const;
  const own = ({ cached }: World) => cached().iotlb.filter((entry) => entry.startsWith("0 "));
  const ownPaths = ({ cached }: World) => cached().paths.filter((entry) => entry.startsWith("0 "));

  it("I16: INVALIDATE_IOMMU_PAGES drops a page of the PASID for every device; tables with PDE", () => {
    const made = filled({ dialect: "amd" });
    amd(made.iommu, pages);
    expect([own(made), ownPaths(made)]).toEqual([["0 0 1 1", "0 1 1 1"], ["0 1 0"]]);
    amd(made.iommu, { ...pages, tables: true });
    expect([own(made), ownPaths(made)]).toEqual([["0 0 1 1", "0 1 1 1"], []]);
    expect(made.cached().iotlb).toHaveLength(6);
  });

  it("I16: with GN = 0 the address is one of the second stage: no PASID's translations are named", () => {
    const { iommu, cached } = filled({ dialect: "amd" });
    const before = cached();
    amd(iommu, { ...pages, tables: true, guest: false });
    amd(iommu, { ...pages, ...all, guest: false });
    iommu.unbind(PASID);
    expect(cached()).toEqual(before);
    expect(iommu.request(PASID, VA + 2n * PAGE, READ).kind).toBe("ok");
  });

  it("I16: another domain's, or an unknown PASID's, names nothing", () => {
    const { iommu, cached } = filled({ dialect: "amd" });
    const before = cached();
    amd(iommu, { ...pages, ...all, domain: 0 });
    amd(iommu, { ...pages, ...all, pasid: 99 });
    expect(cached()).toEqual(before);
  });

  it.each([4, 5] as const)("I16: S has the size in the address, %i levels", (levels) => {
    const made = filled({ dialect: "amd", levels });
    // Two pages: the lowest clear bit is bit 12.
    amd(made.iommu, { ...pages, sized: true, address: VA });
    expect(own(made)).toEqual([]);
    // 2^47 bytes from 0: the lower half with four levels, not all of it with five.
    made.iommu.request(PASID, VA, READ);
    amd(made.iommu, { ...pages, sized: true, address: (1n << 46n) - PAGE });
    expect(own(made)).toEqual([]);
    made.iommu.request(PASID, VA, READ);
    amd(made.iommu, { ...pages, sized: true, address: (1n << 63n) | ((1n << 46n) - PAGE) });
    // The translated bits of that address: bit 63 counts neither with four levels nor with five.
    expect(own(made)).toEqual([]);
    made.iommu.request(PASID, VA, READ);
    amd(made.iommu, { ...pages, sized: true, address: (1n << 55n) | ((1n << 46n) - PAGE) });
    expect(own(made)).toHaveLength(levels === 4 ? 0 : 1);
    // The lowest clear bit at 51 or above: everything.
    for (const address of [(1n << 51n) - PAGE, (1n << 63n) - PAGE, (1n << 64n) - PAGE]) {
      made.iommu.request(PASID, VA, READ);
      amd(made.iommu, { ...pages, sized: true, address });
      expect(own(made)).toEqual([]);
    }
  });

  it("I16: all pages with PDE take the cached GCR3 entry with them, as the driver needs it", () => {
    const kept = filled({ dialect: "amd" });
    kept.iommu.unbind(PASID);
    amd(kept.iommu, { ...pages, ...all, tables: false });
    expect(kept.iommu.request(PASID, VA, READ).kind).toBe("ok");
    amd(kept.iommu, { ...pages, ...all });
    expect(kept.iommu.request(PASID, VA, READ)).toMatchObject({ reason: "no-pasid" });
  });

  it("I16: INVALIDATE_IOTLB_PAGES drops in the TLB of the device that it names", () => {
    const front = {
      type: "invalidate-device-tlb",
      deviceId: 0,
      pasid: OTHER,
      queueDepth: 0,
      queueId: 0,
      sized: false,
      guest: true,
      address: VA,
    } as const;
    const { iommu, cached } = filled({ dialect: "amd" });
    amd(iommu, { ...front, deviceId: 1 });
    amd(iommu, { ...front, guest: false });
    amd(iommu, { ...front, pasid: 0x345 });
    expect(cached().device).toEqual(["0 0", "0 1", "1 0", "1 1"]);
    amd(iommu, { ...front, queueDepth: 9, queueId: 5, requestType: 1 });
    expect(cached().device).toEqual(["0 0", "0 1", "1 1"]);
    amd(iommu, { ...front, deviceId: 5, sized: true, address: (1n << 63n) - PAGE }, 0);
    expect(cached().device).toEqual(["0 0", "0 1"]);
    expect(cached().iotlb).toHaveLength(8);
  });

  it("I16: INVALIDATE_DEVTAB_ENTRY drops what is known of one device's PASIDs, and no translation", () => {
    const { iommu, cached } = filled({ dialect: "amd" });
    const before = cached();
    for (const pasid of iommu.pasids) iommu.unbind(pasid);
    amd(iommu, { type: "invalidate-device-entry", deviceId: 1 });
    expect(cached()).toEqual(before);
    const faults = [0, 1].map((device) =>
      [PASID, OTHER].map((pasid) => iommu.request(pasid, VA + 4n * PAGE, READ, device).kind),
    );
    expect(faults).toEqual([
      ["ok", "ok"],
      ["fault", "fault"],
    ]);
  });

  it("I16: INVALIDATE_IOMMU_ALL drops everything but device TLBs", () => {
    const { iommu, cached } = filled({ dialect: "amd" });
    const { device } = cached();
    iommu.unbind(PASID);
    amd(iommu, { type: "invalidate-all" });
    expect(cached()).toEqual({ iotlb: [], paths: [], device });
    expect(iommu.request(PASID, VA, READ)).toMatchObject({ reason: "no-pasid" });
  });

  it("I16: PREFETCH_IOMMU_PAGES fetches nothing; with INVAL the device's pages go first", () => {
    const fetch = {
      type: "prefetch-pages",
      deviceId: 1,
      count: 3,
      pasid: PASID,
      sized: false,
      guest: true,
      invalidateFirst: true,
      address: VA,
    } as const;
    const made = filled({ dialect: "amd" });
    const before = made.cached();
    amd(made.iommu, { ...fetch, invalidateFirst: false });
    amd(made.iommu, { ...fetch, guest: false });
    amd(made.iommu, { ...fetch, deviceId: 9 });
    amd(made.iommu, { ...fetch, pasid: 1 });
    expect(made.cached()).toEqual(before);
    // Told thrice to invalidate, whatever it found (rule 7.20).
    expect(made.iommu.counters.invalidations).toBe(3);
    amd(made.iommu, fetch);
    expect(made.iommu.counters.invalidations).toBe(4);
    expect([own(made), ownPaths(made)]).toEqual([["0 0 1 0", "0 0 1 1", "0 1 1 1"], ["0 1 0"]]);
  });

  it("I16: COMPLETION_WAIT, INVALIDATE_INTERRUPT_TABLE and COMPLETE_PPR_REQUEST drop nothing", () => {
    const { iommu, cached } = filled({ dialect: "amd" });
    const before = cached();
    const wait = { type: "completion-wait", storeAddress: 0x1000n, storeData: 7n } as const;
    amd(iommu, { ...wait, store: true, interrupt: true, flush: true });
    amd(iommu, { type: "invalidate-interrupt-table", deviceId: 0 });
    amd(iommu, { type: "complete-page-request", deviceId: 0, pasid: PASID, guest: true, tag: 1, status: 0 });
    expect(cached()).toEqual(before);
  });
});
