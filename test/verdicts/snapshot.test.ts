// Machine.snapshot and restore: what a search over thousands of programs stands on.
import { describe, expect, it } from "vitest";
import { Access, createMachineSync, geometries, type Machine } from "../../src/index.js";

const AREA = 0xffffc90000000000n;

function machine(): Machine {
  const config = { cpus: [geometries.skylake], iommus: [{ ...geometries.vtd, pasids: [7] }], workloadPages: 1 };
  return createMachineSync({ ...config, kernel: { pool: 32, policy: "flush-async" } });
}

/** Plays something that leaves traces everywhere, and says what can be seen of it. */
function story(m: Machine): unknown {
  const kernel = m.kernel;
  const iommu = m.iommus[0];
  if (!kernel || !iommu) throw new Error("the machine lacks a part");
  const requester = iommu.requester(7);
  kernel.run((p) => p.vmalloc(AREA, 512).vfree(AREA, 512).purge().access(requester, AREA, Access.userRead));
  kernel.run((p) => p.vmalloc(AREA, 512, 21).reuse({ userLeaf: 0x1234000n }));
  const outcome = iommu.request(7, AREA, Access.userWrite);
  return {
    outcome,
    counters: kernel.counters,
    hazards: kernel.hazards(),
    free: kernel.freeFrames(),
    caches: iommu.caches.map((cache) => [cache.counters, cache.contents()]),
    agent: iommu.counters,
    cpu: m.cpus.map((cpu) => [cpu.counters, cpu.pcid, cpu.root, cpu.controls]),
  };
}

describe("snapshot", () => {
  it("brings back everything that a story sees", () => {
    const m = machine();
    m.kernel?.run((p) =>
      p
        .mmCreate(0)
        .mmCreate(1)
        .svaBind(m.iommus[0]?.requester(7) ?? 0, 0)
        .switchMm(0, 1),
    );
    const start = m.snapshot();
    const first = story(m);
    expect(story(m)).not.toEqual(first);
    m.cpus[0]?.setControls({ smap: false });
    m.restore(start);
    expect(m.cpus[0]?.controls.smap).toBe(true);
    expect(story(m)).toEqual(first);
  });

  it("is refused by another machine, and after frames were added by hand", () => {
    const m = machine();
    const start = m.snapshot();
    expect(() => machine().restore(start)).toThrow(/snapshot.*another machine's/);
    const bare = createMachineSync({ workloadPages: 1 });
    const empty = bare.snapshot();
    bare.frames.setTable(5);
    expect(() => bare.restore(empty)).toThrow(/frames\.size.*1/);
  });
});
