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
});
