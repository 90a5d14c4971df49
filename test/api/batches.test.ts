// Many addresses in one call, and queue descriptors by hand: each equals the calls that it stands for.

import { describe, expect, it } from "vitest";
import {
  Access,
  createMachineSync,
  createWalkerSync,
  geometries,
  InvalidOptionError,
  isTranslated,
  unpackOutcome,
} from "../../src/index.js";
import { encodeAmd, encodeVtd } from "../../src/queue/index.js";

const AREA = 0xffffc90000000000n;
const USER = 0x7f0000000000n;
const PASID = 0x12345;

function machineWith(dialect: "vtd" | "amd") {
  const machine = createMachineSync({
    iommus: [
      { ...geometries.vtd, dialect, pasids: [7, PASID], devices: [{ deviceTlb: { entries: 16, ways: 4 } }, {}] },
    ],
    cpus: [geometries.skylake],
    kernel: { pool: 64 },
  });
  const iommu = machine.iommus[0]!;
  machine.kernel!.run((program) => program.mmCreate(0).mmap(0, USER, 64).switchMm(0, 0));
  for (const pasid of iommu.pasids) machine.kernel!.run((program) => program.svaBind(iommu.requester(pasid), 0));
  return { machine, iommu, cpu: machine.cpus[0]! };
}

const addresses = BigUint64Array.from({ length: 200 }, (_, i) => USER + BigInt((i * 7) % 80) * 0x1000n + BigInt(i));

describe("batches of addresses", () => {
  it("give what single calls give, on a CPU, a PASID and a walker", () => {
    const batch = machineWith("vtd");
    const single = machineWith("vtd");
    const unpacked = (outcomes: BigUint64Array) => [...outcomes].map(unpackOutcome);
    const expected = [...addresses].map((va) => single.cpu.translate(va, Access.userRead));
    const outcomes = batch.cpu.translateMany(addresses, Access.userRead);
    expect(unpacked(outcomes)).toEqual(expected);
    expect(outcomes.some(isTranslated) && !outcomes.every(isTranslated)).toBe(true);
    expect(batch.cpu.caches.map(({ counters }) => counters)).toEqual(single.cpu.caches.map(({ counters }) => counters));
    for (const device of [undefined, 0]) {
      const requests = [...addresses].map((va) => single.iommu.request(PASID, va, Access.userWrite, device));
      expect(unpacked(batch.iommu.requestMany(PASID, addresses, Access.userWrite, device))).toEqual(requests);
    }
    const walker = createWalkerSync();
    walker.setTable(1);
    walker.setRoot(0x1000n);
    expect(unpacked(walker.translateMany(addresses, Access.userRead))).toEqual(
      [...addresses].map((va) => walker.probe(va, Access.userRead)),
    );
  });

  it("fill the array that they are given, and refuse one that is too short", () => {
    const { cpu } = machineWith("vtd");
    const outcomes = new BigUint64Array(addresses.length);
    expect(cpu.translateMany(addresses, Access.userRead, outcomes)).toBe(outcomes);
    expect(() => cpu.translateMany(addresses, Access.userRead, new BigUint64Array(3))).toThrow(
      "outcomes.length is 3; expected at least that of the addresses (200)",
    );
  });
});

/** Fills the IOTLB, the paging-structure caches and the device TLB for two PASIDs. */
function filled(dialect: "vtd" | "amd") {
  const made = machineWith(dialect);
  const { iommu, machine } = made;
  machine.kernel!.run((program) => program.vmalloc(AREA, 8));
  for (const pasid of iommu.pasids) {
    for (const va of [USER, USER + 0x1000n, AREA]) iommu.request(pasid, va, Access.userRead, 0);
  }
  const contents = () => ({
    tlb: iommu.l1[0]!.contents().map(({ tag, pageNumber }) => `${tag}:${pageNumber.toString(16)}`),
    psc: iommu.psc
      .get(2)!
      .contents()
      .map(({ tag }) => tag),
    device: iommu.devices[0]!.tlb!.contents().map(({ tag, pageNumber }) => `${tag}:${pageNumber.toString(16)}`),
  });
  return { ...made, contents };
}

describe("descriptors submitted by hand", () => {
  it("VT-d: pages of a PASID, with and without the hint that spares tables", () => {
    const page = (leavesOnly: boolean) =>
      encodeVtd({
        type: "pasid-iotlb",
        granularity: "page",
        domain: 1,
        pasid: PASID,
        addressMask: 0,
        leavesOnly,
        address: USER,
      });
    const { iommu, contents } = filled("vtd");
    const before = contents();
    iommu.submit(page(true));
    expect(contents().tlb).toEqual(before.tlb.filter((entry) => entry !== "1:7f0000000"));
    expect(contents().psc).toEqual(before.psc);
    iommu.submit(page(false));
    expect(contents().psc.filter((tag) => tag === 1)).toHaveLength(before.psc.filter((tag) => tag === 1).length - 1);
  });

  it("VT-d: a whole PASID, its device TLB, the PASID cache, and a wait", () => {
    const { iommu, contents } = filled("vtd");
    const whole = {
      granularity: "pasid",
      domain: 1,
      pasid: PASID,
      addressMask: 0,
      leavesOnly: false,
      address: 0n,
    } as const;
    iommu.submit(encodeVtd({ type: "pasid-iotlb", ...whole }));
    expect(contents().tlb.every((entry) => entry.startsWith("0:"))).toBe(true);
    expect(contents().device.some((entry) => entry.startsWith("1:"))).toBe(true);
    iommu.submit([8n | (BigInt(PASID) << 32n), 0x7fff_ffff_ffff_f000n | (1n << 11n)], 0);
    expect(contents().device.every((entry) => entry.startsWith("0:"))).toBe(true);
    iommu.unbind(PASID);
    expect(iommu.request(PASID, USER, Access.userRead).kind).toBe("ok");
    iommu.submit([5n, 0n]);
    iommu.submit(encodeVtd({ type: "pasid-cache", granularity: "pasid", domain: 1, pasid: PASID }));
    expect(iommu.request(PASID, USER, Access.userRead)).toMatchObject({ kind: "fault", reason: "no-pasid" });
  });

  it("AMD: without PDE cached table entries stay, with it they go", () => {
    const pages = (tables: boolean) =>
      encodeAmd({
        type: "invalidate-pages",
        pasid: PASID,
        domain: 1,
        sized: false,
        tables,
        guest: true,
        address: USER,
      });
    const { iommu, contents } = filled("amd");
    const before = contents();
    iommu.submit(pages(false));
    expect(contents().tlb).toHaveLength(before.tlb.length - 1);
    expect(contents().psc).toEqual(before.psc);
    iommu.submit(pages(true));
    expect(contents().psc).toHaveLength(before.psc.length - 1);
    iommu.submit([8n << 60n, 0n]);
    expect(contents()).toMatchObject({ tlb: [], psc: [] });
  });

  it("refuses what cannot be: words and devices", () => {
    const { iommu } = filled("vtd");
    expect(() => iommu.submit([2n] as unknown as [bigint, bigint])).toThrow("words.length is 1; expected");
    expect(() => iommu.submit([5n, 0n, 0n, 0n, 0n])).toThrow("words.length is 5; expected an integer from 2 to 4");
    expect(() => iommu.submit([5n, 1n << 64n])).toThrow("words[1]");
    expect(() => iommu.submit([8n | (7n << 32n), 0n], 7)).toThrow(InvalidOptionError);
  });
});
