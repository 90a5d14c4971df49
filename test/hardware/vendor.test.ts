// Whose hardware reads a table (case C5; docs/rules.md rules 3.3, 6.2). AMD64 APM vol. 2, 5.3.3: bits 8:7 of a PML4E and a PML5E must be
// zero; bit 8 of other non-leaf entries is ignored by both vendors (KVM, 5ecad245de2a).

import { describe, expect, it } from "vitest";
import {
  Access,
  createMachineSync,
  createWalkerSync,
  geometries,
  type Machine,
  type Outcome,
} from "../../src/index.js";
import { checkHardware } from "../../src/replay/machines.js";
import { G, pageAt, Tables } from "../support/tables.js";

const PAGE = pageAt(3);
const RESERVED = { kind: "fault", reason: "reserved" };
/** P, U and RSVD of a user read. */
const ERROR_CODE = 0b1101;

/** Tables with one page, of which the entry of a level has bit 8. */
function tablesWith(levels: 4 | 5, level: number, machine: Pick<Machine, "frames">): Tables {
  const tables = new Tables(machine.frames, levels);
  tables.map(PAGE, 0x123);
  const at = tables.slot(PAGE, level);
  machine.frames.writeEntry(at, (machine.frames.readEntry(at) as bigint) | G);
  return tables;
}

function cpuRead(cpu: object, levels: 4 | 5, level: number): Outcome {
  const machine = createMachineSync({ levels, tables: 8, workloadPages: 1, cpus: [cpu] });
  machine.cpus[0]!.movToCr3(tablesWith(levels, level, machine).cr3);
  return machine.cpus[0]!.translate(PAGE, Access.userRead);
}

describe("C5: bit 8 of an entry that names a table", () => {
  it.each([
    [4, 4],
    [5, 5],
    [5, 4],
  ] as const)("with %i levels: must be zero at level %i on AMD, is ignored on Intel", (levels, level) => {
    for (const cpu of [geometries.zen2, { vendor: "amd" }]) {
      expect(cpuRead(cpu, levels, level)).toMatchObject({ ...RESERVED, level, errorCode: ERROR_CODE });
    }
    for (const cpu of [geometries.skylake, geometries.iceLake, { vendor: "intel" }, {}]) {
      expect(cpuRead(cpu, levels, level).kind).toBe("ok");
    }
  });

  it.each([3, 2])("is ignored at level %i by both", (level) => {
    expect([geometries.zen2, geometries.skylake].map((cpu) => cpuRead(cpu, 4, level).kind)).toEqual(["ok", "ok"]);
  });

  it("stays reserved when controls change", () => {
    const machine = createMachineSync({ tables: 8, workloadPages: 1, cpus: [geometries.zen2] });
    const [cpu] = machine.cpus;
    cpu!.movToCr3(tablesWith(4, 4, machine).cr3);
    cpu!.setControls({ smap: false });
    expect(cpu!.translate(PAGE, Access.userRead)).toMatchObject(RESERVED);
    expect(cpu!.explain(PAGE, Access.userRead).outcome).toMatchObject(RESERVED);
  });

  it("is read by the bare walker as its vendor says", () => {
    const read = (vendor?: "intel" | "amd"): Outcome => {
      const walker = createWalkerSync({ tables: 8, ...(vendor && { vendor }) });
      walker.setRoot(tablesWith(4, 4, walker).cr3);
      return walker.translate(PAGE, Access.userRead);
    };
    expect(read("amd")).toMatchObject({ ...RESERVED, level: 4 });
    expect([read("intel").kind, read().kind]).toEqual(["ok", "ok"]);
    expect(() => createWalkerSync({ vendor: "via" as "amd" })).toThrow('vendor is "via"; expected one of intel, amd');
  });

  it.each(["amd", "vtd"] as const)("is read by an IOMMU as its dialect says: %s", (dialect) => {
    const machine = createMachineSync({ tables: 8, workloadPages: 1, iommus: [{ dialect, pasids: [1] }] });
    machine.iommus[0]!.bind(1, { root: tablesWith(4, 4, machine).cr3 });
    expect(machine.iommus[0]!.request(1, PAGE, Access.userRead).kind).toBe(dialect === "amd" ? "fault" : "ok");
  });
});

describe("C5: the vendor of a preset", () => {
  it("is AMD for zen2, whose INVLPG then drops what AMD's drops", () => {
    const left = (cpu: object): number => {
      const machine = createMachineSync({ tables: 8, workloadPages: 1, cpus: [cpu] });
      const tables = new Tables(machine.frames);
      tables.map(PAGE, 0x123);
      for (const pcid of [1, 2]) {
        machine.cpus[0]!.movToCr3(tables.cr3, pcid);
        machine.cpus[0]!.translate(PAGE, Access.userRead);
      }
      machine.cpus[0]!.invlpg(PAGE);
      return machine.cpus[0]!.psc.get(2)!.contents().length;
    };
    expect(left(geometries.zen2)).toBe(0);
    expect(left({ ...geometries.zen2, vendor: "intel" })).toBe(1);
    expect(left({ ...geometries.zen2, invlpgScope: "pcid" })).toBe(1);
    expect(left(geometries.skylake)).toBe(1);
  });

  it("goes with replay hardware: a CPU's preset brings it, an IOMMU's dialect is its own", () => {
    expect(checkHardware("zen2").cpu.vendor).toBe("amd");
    expect(checkHardware({ cpu: { vendor: "amd", l1: [] } }).cpu.vendor).toBe("amd");
    expect(checkHardware({ iommu: "zen2" }).iommu).not.toHaveProperty("vendor");
    expect(checkHardware({ iommu: { vendor: "amd" } }).iommu).not.toHaveProperty("vendor");
  });
});
