// The engine's memory: it does not grow once a machine is made, so views of it stay valid.

import { describe, expect, it } from "vitest";
import { Access, createMachineSync, geometries } from "../../src/index.js";
import { pageAt, Tables } from "../support/tables.js";

describe("memory", () => {
  it("does not grow while a machine works, and its views stay", () => {
    const machine = createMachineSync({
      tables: 32,
      workloadPages: 1024,
      cpus: [geometries.skylake],
      iommus: [geometries.vtd],
    });
    const tables = new Tables(machine.frames);
    for (let page = 0; page < 1024; page++) tables.map(pageAt(page), 0x100 + page);
    const view = machine.frames.view(tables.root)!;
    const before = machine.memoryBytes;
    machine.cpus[0]!.movToCr3(tables.cr3);
    const pages = Array.from({ length: 1024 }, (_, i) => ({ va: pageAt(i), access: Access.userRead }));
    machine.runWorkload({ pages, stream: "zipf", flushes: { page: 1000, global: 100 } }, 200_000);
    machine.play(machine.generate({ pages, stream: "chase" }, 100_000));
    for (const cache of machine.cpus[0]!.caches) cache.contents();
    expect(machine.memoryBytes).toBe(before);
    expect(view.length).toBe(512);
    expect(view[0]).toBe(machine.frames.readEntry(tables.cr3));
    expect(view[0]).not.toBe(0n);
  });

  it("is about what the tables and caches need", () => {
    const bytes = (tables: number): number => createMachineSync({ tables, workloadPages: 1 }).memoryBytes;
    const perTable = (bytes(10_000) - bytes(1000)) / 9000;
    expect(perTable).toBeGreaterThanOrEqual(4096);
    expect(perTable).toBeLessThan(4096 + 128);
  });
});
