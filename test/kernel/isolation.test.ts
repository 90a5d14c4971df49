// Page-table isolation and INVLPGB: what they do to the CPUs' half of the disease (case K6; docs/rules.md 9.10 to 9.15, 10.7). Sources:
// arch/x86/mm/tlb.c (choose_new_asid(), flush_tlb_one_kernel(), broadcast_kernel_range_flush()), arch/x86/entry/calling.h.

import { describe, expect, it } from "vitest";
import {
  Access,
  type CpuConfig,
  createMachineSync,
  geometries,
  type KernelConfig,
  type Machine,
  type ProgramBuilder,
} from "../../src/index.js";
import { collect } from "../verdicts/collect.js";

const AREA = 0xffffc90000000000n;
const HEAP = 0x5500_0000_0000n;
const PAGE = 0x1000n;
const GIB_PAGES = 262_144;
const USER_PCID = 2048;
const G = 1n << 8n;

function made(kernel: KernelConfig, cpu: CpuConfig = geometries.skylake) {
  const machine = createMachineSync({ cpus: [cpu, cpu], kernel: { pool: 64, ...kernel } });
  const run = (play: (p: ProgramBuilder) => ProgramBuilder) => machine.kernel!.run(play);
  run((p) => p.mmCreate(0).mmCreate(1).mmap(0, HEAP, 2).switchMm(0, 0));
  return { machine, run, cpu: machine.cpus[0]!, kernel: machine.kernel! };
}

const walks = ({ cpus }: Machine): void =>
  expect(cpus[0]!.translate(AREA + 5n * PAGE, Access.speculativeSupervisorRead).kind).not.toBe("non-canonical");

/** A CPU that has walked in one process is in another while the table goes, and comes back. */
function awayAndBack(kernel: KernelConfig, cpu?: CpuConfig, pages = 512): number {
  const { machine, run, kernel: k } = made(kernel, cpu);
  run((p) => p.vmalloc(AREA, 8));
  walks(machine);
  run((p) => p.vfree(AREA, 8).purge().switchMm(0, 1));
  // The purge has flushed what the walk left; once more, now in the process that is switched away.
  run((p) => p.switchMm(0, 0));
  walks(machine);
  run((p) =>
    p
      .switchMm(0, 1)
      .vmalloc(AREA, pages, pages === 512 ? 21 : 30)
      .switchMm(0, 0),
  );
  walks(machine);
  return k.hazardCounts.total;
}

describe("K6: a process switched away and back, after pmd_free_pte_page() and pud_free_pmd_page()", () => {
  const amd = { ...geometries.zen2, invlpgScope: "path" } as const;

  it.each([512, GIB_PAGES])("walks through a freed table (%i pages): without PTI and INVLPGB", (pages) => {
    expect(awayAndBack({}, undefined, pages)).toBeGreaterThan(0);
    expect(awayAndBack({}, amd, pages)).toBeGreaterThan(0);
  });

  it.each([512, GIB_PAGES])("does not with PTI (%i pages): the next switch flushes the other PCIDs", (pages) => {
    expect(awayAndBack({ pti: true }, undefined, pages)).toBe(0);
  });

  it.each([512, GIB_PAGES])("does not with INVLPGB (%i pages): the flush drops everything in every PCID", (pages) => {
    expect(awayAndBack({ invlpgb: true }, amd, pages)).toBe(0);
    // Kernels before 6.15 have no use for the instruction.
    expect(awayAndBack({ invlpgb: true, version: "6.12" }, amd, pages)).toBeGreaterThan(0);
  });

  it("INVLPGB needs AMD's CPUs", () => {
    expect(() => made({ invlpgb: true })).toThrow('kernel.invlpgb is true; expected CPUs with `vendor: "amd"`');
  });

  it("INVLPGB interrupts nobody, and drops what no address names", () => {
    const counters = [true, false].map((invlpgb) => {
      const { run, kernel, machine } = made({ invlpgb }, amd);
      run((p) => p.vmalloc(AREA + 64n * PAGE, 1));
      machine.cpus[0]!.translate(AREA + 64n * PAGE, Access.supervisorRead);
      run((p) => p.flushTlbKernelRange(AREA, AREA + PAGE).flushTlbAll());
      const left = machine.cpus[0]!.l1[0]!.contents().length;
      const { ipiBroadcasts, cpuFullFlushes, cpuPageFlushes } = kernel.counters;
      return { ipiBroadcasts, cpuFullFlushes, cpuPageFlushes, left };
    });
    expect(counters).toEqual([
      { ipiBroadcasts: 0, cpuFullFlushes: 4, cpuPageFlushes: 0, left: 0 },
      { ipiBroadcasts: 2, cpuFullFlushes: 2, cpuPageFlushes: 2, left: 0 },
    ]);
  });
});

describe("K6: page-table isolation", () => {
  it("user mode has a root without the kernel half, and a PCID 2048 above the kernel's", () => {
    const { cpu, run, kernel } = made({ pti: true });
    const root = cpu.root;
    run((p) => p.vmalloc(AREA, 1).enterUser(0));
    expect(cpu.pcid).toBe(USER_PCID + 1);
    expect(cpu.root).not.toBe(root);
    expect(cpu.translate(HEAP, Access.userRead).kind).toBe("ok");
    expect(cpu.explain(AREA, Access.supervisorRead)).toMatchObject({ outcome: { reason: "not-present", level: 4 } });
    run((p) => p.enterKernel(0));
    expect([cpu.pcid, cpu.root]).toEqual([1, root]);
    expect(cpu.translate(AREA, Access.supervisorRead).kind).toBe("ok");
    // A new entry at the top reaches both roots.
    run((p) => p.mmap(0, HEAP + (1n << 40n), 1).enterUser(0));
    expect(cpu.translate(HEAP + (1n << 40n), Access.userRead).kind).toBe("ok");
    expect(kernel.run((p) => p.enterUser(1))[0]).toMatchObject({ refusal: "no-such-mm" });
  });

  it("a switch leaves user mode first: the next process enters it with a root and a PCID of its own", () => {
    const { cpu, run } = made({ pti: true });
    run((p) => p.enterUser(0));
    const first = cpu.root;
    run((p) => p.switchMm(0, 1));
    const kernels = cpu.root;
    expect([cpu.pcid, kernels === first]).toEqual([2, false]);
    run((p) => p.enterUser(0));
    expect(cpu.pcid).toBe(USER_PCID + 2);
    expect(new Set([first, kernels, cpu.root]).size).toBe(3);
    run((p) => p.switchMm(0, 0).enterUser(0));
    expect([cpu.pcid, cpu.root]).toEqual([USER_PCID + 1, first]);
  });

  it("without it entering user mode changes nothing", () => {
    const { cpu, run } = made({});
    const before = [cpu.root, cpu.pcid, cpu.counters];
    run((p) => p.enterUser(0));
    expect([cpu.root, cpu.pcid, cpu.counters]).toEqual(before);
  });

  it("leaves of the kernel are not global", () => {
    const leaf = (pti: boolean): bigint | undefined => {
      const { cpu, run } = made({ pti });
      run((p) => p.vmalloc(AREA, 1));
      return cpu.explain(AREA, Access.supervisorRead).chain.at(-1)?.entry;
    };
    expect([leaf(true)! & G, leaf(false)! & G]).toEqual([0n, G]);
  });

  it("a flush of the process reaches the user PCID: of a page at once, of everything at the return to user mode", () => {
    for (const pages of [1, 40]) {
      const { cpu, run } = made({ pti: true });
      run((p) => p.mmap(0, HEAP + 16n * PAGE, 40).enterUser(0));
      cpu.translate(HEAP + 16n * PAGE, Access.userRead);
      run((p) => p.munmap(0, HEAP + 16n * PAGE, pages));
      expect(cpu.pcid).toBe(USER_PCID + 1);
      expect(cpu.translate(HEAP + 16n * PAGE, Access.userRead)).toMatchObject({ reason: "not-present" });
    }
  });

  it("a new process needs two frames, or takes none", () => {
    const { run, kernel } = made({ pti: true });
    while (kernel.freeFrames().length > 1) run((p) => p.reuse());
    expect(run((p) => p.mmCreate(2))[0]).toMatchObject({ refusal: "no-free-frame" });
    expect(kernel.freeFrames()).toHaveLength(1);
  });
});

describe("K6: the verdicts of CPUs", () => {
  const usual = { invlpgScope: "pcid", pti: false, invlpgb: false } as const;
  const PMD = "pmd_free_pte_page";
  const PUD = "pud_free_pmd_page";

  it.each([
    ["as usual", usual, ["hazard", "hazard"]],
    ["with PTI", { ...usual, pti: true }, ["safe", "safe"]],
    ["with PTI and INVLPG of the path only", { ...usual, invlpgScope: "path", pti: true }, ["safe", "hazard"]],
    ["with INVLPGB", { invlpgScope: "path", pti: false, invlpgb: true }, ["safe", "safe"]],
  ] as const)("%s", async (_, cpu, verdicts) => {
    const records = await collect({ agents: ["cpu"], policies: ["none"], scenarios: [PMD, PUD], cpus: [cpu] });
    expect(records.map(({ verdict }) => verdict)).toEqual(verdicts);
  });

  it("with PTI the broken reclaim of 7.0 is a hazard on Intel's too: INVPCID type 0 drops the wrong path of the user PCID", async () => {
    const broken = { kernel: "7.0", agents: ["cpu"], policies: ["none"], scenarios: ["zap_pte_range"] } as const;
    const records = await collect({ ...broken, cpus: [usual, { ...usual, pti: true }] });
    expect(records.map(({ verdict }) => verdict)).toEqual(["safe", "hazard"]);
    const fixed = await collect({ ...broken, kernel: "7.1.9", cpus: [{ ...usual, pti: true }] });
    expect(fixed.map(({ verdict }) => verdict)).toEqual(["safe"]);
  });

  it("INVLPGB is no CPU of Intel's", async () => {
    await expect(collect({ agents: ["cpu"], cpus: [{ ...usual, invlpgb: true }] })).rejects.toThrow(
      'cpus[0].invlpgScope is "pcid"; expected all or path',
    );
  });
});
