// Options that cannot be: each error names the field, the value and what is allowed. And what may be left out.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  Access,
  createMachine,
  createMachineSync,
  createWalker,
  createWalkerSync,
  geometries,
  InvalidOptionError,
  linuxControls,
  type MachineConfig,
  type WalkerOptions,
} from "../../src/index.js";
import { ROOT } from "../support/pack-package.js";

const cache = { entries: 8, ways: 2 };
const small = { tables: 8, workloadPages: 8 };

/** The engine with so many pages of memory at most, of 65,536: both numbers take three bytes. */
function withMemoryOf(pages: number, engine: Uint8Array): Uint8Array<ArrayBuffer> {
  const most = Buffer.from([0x80, 0x80, 0x04]);
  // The memory section: 6 bytes, one memory, with a limit, at first one page.
  const head = Buffer.from([5, 6, 1, 1, 1, ...most]);
  const bytes = Uint8Array.from(engine);
  const at = Buffer.from(bytes.buffer).indexOf(head);
  expect(at).toBeGreaterThan(0);
  bytes.set([(pages & 0x7f) | 0x80, ((pages >> 7) & 0x7f) | 0x80, pages >> 14], at + head.length - most.length);
  return bytes;
}

/** A configuration that the types refuse. */
const bad = (config: unknown): MachineConfig => config as MachineConfig;

describe("createMachine", () => {
  it.each([
    ["levels", bad({ levels: 3 }), "levels is 3; expected one of 4, 5"],
    ["maxPhyAddr", { maxPhyAddr: 53 }, "maxPhyAddr is 53; expected an integer from 32 to 52"],
    ["maxPhyAddr", { maxPhyAddr: 31 }, "maxPhyAddr is 31; expected an integer from 32 to 52"],
    ["tables", { tables: 0 }, "tables is 0; expected an integer from 1 to 524288"],
    ["tables", { tables: 1.5 }, "tables is 1.5; expected an integer from 1 to 524288"],
    ["workloadPages", { workloadPages: 0 }, "workloadPages is 0; expected an integer from 1 to 16777216"],
    ["cpus[0].l1[0].entries", { cpus: [{ l1: [{ entries: 0, ways: 1 }] }] }, "is 0; expected an integer from 1 to"],
    ["cpus[0].l1[0].entries", bad({ cpus: [{ l1: [{ ways: 1 }] }] }), "is undefined; expected an integer from 1"],
    ["cpus[0].l1[0].ways", { cpus: [{ l1: [{ entries: 8, ways: 9 }] }] }, "is 9; expected an integer from 1 to 8"],
    ["cpus[0].l1[0].ways", bad({ cpus: [{ l1: [{ entries: 8, ways: "2" }] }] }), 'is "2"; expected an integer from 1'],
    ["cpus[1].l2[0].entries", { cpus: [{}, { l2: [{ entries: 9, ways: 2 }] }] }, "is 9; expected a multiple of"],
    ["cpus[0].l1[0].pageSizes", { cpus: [{ l1: [{ ...cache, pageSizes: [] }] }] }, "at least one of 4K, 2M, 1G"],
    [
      "cpus[0].l1[0].pageSizes[1]",
      bad({ cpus: [{ l1: [{ ...cache, pageSizes: ["4K", "4M"] }] }] }),
      'is "4M"; expected one of 4K, 2M, 1G',
    ],
    [
      "cpus[0].l1[1].pageSizes",
      { cpus: [{ l1: [{ ...cache, pageSizes: ["4K"] }, cache] }] },
      "expected sizes that no other cache of the list holds",
    ],
    [
      "cpus[0].l1[0].replacement",
      bad({ cpus: [{ l1: [{ ...cache, replacement: "mru" }] }] }),
      'is "mru"; expected one of lru, fifo, random',
    ],
    [
      "cpus[0].l2",
      bad({ cpus: [{ l2: [cache, cache, cache, cache] }] }),
      "a list of 4; expected a list of at most 3 geometries",
    ],
    ["cpus[0].psc[1]", bad({ cpus: [{ psc: { 1: cache } }] }), "expected one of 2, 3, 4, 5"],
    ["cpus[0].psc[3].ways", { cpus: [{ psc: { 3: { entries: 4, ways: 0 } } }] }, "is 0; expected an integer from 1"],
    ["cpus[0].pcid", { cpus: [{ pcid: 4096 }] }, "is 4096; expected an integer from 0 to 4095"],
    ["cpus[0].root", bad({ cpus: [{ root: 0x1000 }] }), "is 4096; expected a 64-bit address as bigint"],
    ["cpus[0].invlpgScope", bad({ cpus: [{ invlpgScope: "path " }] }), "expected one of pcid, all, path"],
    ["cpus[0].controls.smap", bad({ cpus: [{ controls: { smap: 1 } }] }), "is 1; expected true or false"],
    [
      "cpus[0].controls.pkru",
      { cpus: [{ controls: { pkru: -1 } }] },
      "is -1; expected an integer from 0 to 0xffffffff",
    ],
    ["cpus[0].controls.smip", bad({ cpus: [{ controls: { smip: true } }] }), "expected one of wp, smep, smap"],
    ["iommus[0].pasids", { iommus: [{ pasids: [] }] }, "an empty list; expected 1 to 65535 PASIDs"],
    [
      "iommus[0].pasids[1]",
      { iommus: [{ pasids: [1, 2 ** 20] }] },
      "is 1048576; expected an integer from 0 to 1048575",
    ],
    ["iommus[0].pasids[1]", { iommus: [{ pasids: [7, 7] }] }, "is 7; expected each PASID once"],
    [
      "iommus[0].devices[0].deviceTlb.ways",
      { iommus: [{ devices: [{ deviceTlb: { entries: 4, ways: 5 } }] }] },
      "is 5; expected an integer from 1 to 4",
    ],
    [
      "iommus[0]",
      { iommus: [{ pasids: Array.from({ length: 1024 }, (_, pasid) => pasid) }] },
      "at most 1024 CPUs and (device, PASID) pairs",
    ],
  ] satisfies [string, MachineConfig, string][])("names %s", async (field, config, message) => {
    const make = () => createMachineSync({ ...small, ...config });
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ field }));
    await expect(createMachine({ ...small, ...config })).rejects.toThrow(message);
  });

  it("says what does not fit into memory", () => {
    // One cache of 117 MiB in an engine that may have 64: each growth of 4 GiB would be a collection of garbage.
    const module = new WebAssembly.Module(withMemoryOf(1024, readFileSync(join(ROOT, "dist/stalewalk.wasm"))));
    const cpus = [{ l1: [cache] }, { l1: [{ entries: 2 ** 22, ways: 16 }] }];
    expect(() => createMachineSync({ ...small, cpus, module })).toThrow(
      /^cpus\[1\]\.l1 does not fit into the engine's/,
    );
  });

  it("takes every preset, with 4 and 5 levels, and one CPU without caches by default", () => {
    for (const [name, geometry] of Object.entries(geometries)) {
      for (const levels of [4, 5] as const) {
        const machine = createMachineSync({ ...small, levels, cpus: [geometry], iommus: [geometry] });
        const caches = machine.cpus[0]!.caches.map((it) => it.name);
        expect(new Set(caches).size, name).toBe(caches.length);
        expect(machine.iommus[0]!.caches.map((it) => it.name)).toEqual(caches);
      }
    }
    const machine = createMachineSync(small);
    expect(machine.cpus).toHaveLength(1);
    expect(machine.cpus[0]!.caches).toEqual([]);
    expect(machine.cpus[0]!.controls).toEqual(linuxControls);
    expect(machine.iommus).toEqual([]);
  });

  it.each(["false", "", 0, 1, null])(
    "C2: takes %j for no answer to whether a cache is enabled, wherever caches are",
    (enabled) => {
      const odd = { ...cache, enabled } as unknown as typeof cache;
      const places: [MachineConfig, string][] = [
        [{ ...small, cpus: [{ l1: [odd] }] }, "cpus[0].l1[0].enabled"],
        [{ ...small, cpus: [{ l2: [odd] }] }, "cpus[0].l2[0].enabled"],
        [{ ...small, cpus: [{ psc: { 2: odd } }] }, "cpus[0].psc[2].enabled"],
        [{ ...small, iommus: [{ pasids: [1], l1: [odd] }] }, "iommus[0].l1[0].enabled"],
        [
          { ...small, iommus: [{ pasids: [1], devices: [{ deviceTlb: odd }] }] },
          "iommus[0].devices[0].deviceTlb.enabled",
        ],
      ];
      for (const [config, field] of places) {
        expect(() => createMachineSync(config)).toThrow(
          expect.objectContaining({ field, value: enabled, expected: "true or false" }),
        );
      }
    },
  );

  it("leaves a disabled cache out, and one of a level that the machine does not have", () => {
    const off = { ...cache, enabled: false };
    const machine = createMachineSync({ ...small, cpus: [{ l1: [off, cache], psc: { 2: off, 5: cache, 3: cache } }] });
    expect(machine.cpus[0]!.caches.map((it) => it.name)).toEqual(["l1[1]", "psc3"]);
  });
});

describe("createWalker", () => {
  it.each([
    [{ levels: 6 }, "levels is 6; expected one of 4, 5"],
    [{ tables: 2 ** 19 + 1 }, "tables is 524289; expected an integer from 1 to 524288"],
    [{ controls: { nxe: "on" } }, 'controls.nxe is "on"; expected true or false'],
  ])("refuses %j", async (options, message) => {
    expect(() => createWalkerSync(options as WalkerOptions)).toThrow(message);
    await expect(createWalker(options as WalkerOptions)).rejects.toThrow(message);
  });
});

describe("calls", () => {
  const machine = createMachineSync({ ...small, cpus: [{ l1: [cache] }], iommus: [{ pasids: [5] }] });
  const cpu = machine.cpus[0]!;
  const iommu = machine.iommus[0]!;
  const any = <T>(value: unknown): T => value as T;

  it.each([
    ["an access", () => cpu.translate(0n, any(3)), "access is 3; expected one of the values of Access"],
    ["an access", () => cpu.probe(0n, any("read")), 'access is "read"; expected one of the values of Access'],
    ["an address", () => cpu.translate(any(0), Access.userRead), "virtual address is 0; expected a 64-bit address"],
    ["a wide address", () => cpu.translate(1n << 64n, Access.userRead), "virtual address is 0x10000000000000000"],
    ["a PCID", () => cpu.movToCr3(0n, 4096), "PCID is 4096; expected an integer from 0 to 4095"],
    ["an INVPCID type", () => cpu.invpcid(any(4)), "INVPCID type is 4; expected an integer from 0 to 3"],
    ["a PASID", () => iommu.request(6, 0n, Access.userRead), "PASID is 6; expected one of 5"],
    ["a device", () => iommu.request(5, 0n, Access.userRead, 1), "device is 1; expected 0 to 0"],
    ["an address mask", () => iommu.invalidatePages(5, 0n, 53), "AM is 53; expected an integer from 0 to 52"],
    ["a control", () => cpu.setControls({ pkru: 2 ** 32 }), "controls.pkru is 4294967296; expected"],
    ["a frame", () => machine.frames.setTable(2 ** 40), "frame is 1099511627776; expected an integer from 0 to"],
    [
      "entries",
      () => machine.frames.setTable(1, new BigUint64Array(511)),
      "entries.length is 511; expected 512 entries",
    ],
    ["bytes", () => machine.frames.setTable(1, new Uint8Array(4095)), "entries.length is 4095; expected 4096 bytes"],
  ])("name %s that cannot be", (_, call, message) => {
    expect(call).toThrow(InvalidOptionError);
    expect(call).toThrow(message);
  });

  it("take negative addresses as the upper half", () => {
    expect(cpu.translate(-4096n, Access.userRead)).toEqual(cpu.translate(0xffff_ffff_ffff_f000n, Access.userRead));
  });
});
