// Frees of kernel page tables as real kernels show them, and other replays that once went wrong, with the right value.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ReplayOptions, type ReplayResult, replay, toJson } from "../../src/replay/index.js";
import { UNPLAYED } from "../../src/replay/unplayed.js";
import { OPERATION_NAMES, OPERATIONS } from "../../src/trace/index.js";
import { openTrace } from "../../src/trace/node.js";
import { runCli, runJson } from "../cli/run-cli.js";
import { sharedData } from "../support/shared-data.js";
import { bytes, fixture, line } from "../trace/support.js";

const NONE: ReplayOptions = { policies: ["none"] };
const play = (name: string, options: ReplayOptions = NONE): Promise<ReplayResult> =>
  replay(fixture(name), { name, ...options });

/** Events of one thread, 10 µs apart. */
function trace(...events: (string | [string, { pid?: number; cpu?: number }])[]): Uint8Array {
  const lines = events.map((event, i) => {
    const [text, where] = typeof event === "string" ? [event, {}] : event;
    return line(text, { pid: 7, cpu: 0, ...where, time: `24.${100000 + i * 10}` });
  });
  return bytes(lines.join(""));
}

describe("T13: frees by the kernel's own deferred worker", () => {
  it("count once, at their hand-over, and none is safe under none", async () => {
    const { program, frees, policies } = await play("deferred73.trace.txt", { policies: ["none", "deferred-free"] });
    expect(program.frees).toEqual({ pmd_free_pte_page: 2, cpa_collapse_large_pages: 2 });
    expect(program).toMatchObject({ freesDeferred: 4, freesBeforeFlush: 0 });
    expect(frees.every((free) => free.deferred && !free.beforeFlush)).toBe(true);
    expect(frees[0]).toMatchObject({ address: 0xffffffffc0600000n, structPage: 0xfffff91640348040n, level: 1 });
    expect(frees[0]!.flushCaller).toMatch(/^cpa_flush\+0x1e0/);
    expect(policies[0]!.hazards.byFree.map((row) => row.free)).toContain(0);
    expect(policies[0]!.hazards.bySite).toHaveProperty("cpa_collapse_large_pages");
    expect(policies[1]!.hazards.byAgent.iommu).toBe(0);
    for (const policy of policies) expect(policy.flushesMatch).toBe(true);
  });

  it("a table that was never linked is none, and the worker's line of a page is no second free", async () => {
    const { program } = await play("frees73.trace.txt");
    expect(program.frees).toEqual({ cpa_collapse_large_pages: 3 });
    expect(program.freesDeferred).toBe(3);
    expect(Object.keys(program.skipped).filter((reason) => /hand-over|unlinked none/.test(reason))).toEqual([]);
  });

  it("a page that the worker frees without a hand-over in the trace is named", async () => {
    const worker =
      "__free_pages: (f+0x4/0x10) page=0xfffff32ec0354b40 order=0 caller=kernel_pgtable_work_func+0xc5/0x100";
    const { program } = await replay(trace(worker), NONE);
    expect(program.frees).toEqual({});
    expect(program.skipped["page freed by the deferred worker, whose hand-over the trace does not have"]).toBe(1);
  });
});

describe("T14: frees at once, by __free_pages", () => {
  it("Linux 6.18.15: collapses, hot-removal before its flush; vmemmap blocks are no tables though they say order 0", async () => {
    const { program, frees, policies } = await play("frees618.trace.txt");
    expect(program.frees).toEqual({ cpa_collapse_large_pages: 3, remove_pagetable: 1, pmd_free_pte_page: 1 });
    expect(program).toMatchObject({ freesBeforeFlush: 1, freesDeferred: 1 });
    expect(frees.filter((free) => free.site === "remove_pagetable")).toMatchObject([
      { address: 0xffff8e7a00000000n, level: 2, beforeFlush: true, deferred: false },
    ]);
    for (const free of frees.filter((f) => f.site === "cpa_collapse_large_pages")) {
      expect(free).toMatchObject({ address: 0xffffffffc0600000n, beforeFlush: false, deferred: false });
      expect(free.flushTimeNs!).toBeLessThan(free.timeNs);
    }
    expect(policies[0]!.tablesFreed).toMatchObject({ cpa_collapse_large_pages: 3, remove_pagetable: 1 });
  });

  it("Linux 7.3.4: order 9 are blocks, order 0 of the direct map is the PD", async () => {
    const { program, frees } = await play("removal73.trace.txt");
    expect(program.frees).toEqual({ remove_pagetable: 1 });
    expect(frees[0]).toMatchObject({ address: 0xffff8b9e00000000n, beforeFlush: true });
    expect(frees[0]!.flushCaller).toMatch(/^try_remove_memory/);
  });

  it("Linux 6.1, which does not let remove_pagetable be probed: the order tells, the address is said to be estimated", async () => {
    const { program, frees } = await play("removal61.trace.txt");
    expect(program.frees).toEqual({ remove_pagetable: 1 });
    expect(frees[0]).toMatchObject({ beforeFlush: true, page: 0xffff8b060b53d000n, level: 2 });
    expect(Object.keys(program.skipped).some((reason) => reason.startsWith("memory removed at an address"))).toBe(true);
  });

  it("Linux 6.1, with the start of the direct map in the recording: the address is exact, and so is the frame", async () => {
    const removal = "caller=remove_pagetable+0x29a/0x666 pc=0xffffffff8ac466b0 base=0xffff8b0600000000";
    const { program, frees } = await replay(
      trace(
        "arch_remove_memory: (f+0x0/0x4a) start=0x100000000 size=0x10000000",
        `free_pages: (f+0x0/0x50) addr=0xffff8b060b53d000 order=0 ${removal}`,
        "flush_all: (f+0x0/0x30) caller=try_remove_memory+0xbf/0x170",
      ),
      NONE,
    );
    expect(program.frees).toEqual({ remove_pagetable: 1 });
    expect(program.skipped).toEqual({});
    expect(frees[0]).toMatchObject({ address: 0xffff8b0700000000n, frame: 0xb53d, beforeFlush: true });
  });

  it("without remove_pagetable, a block with order 0 is known by the vmemmap_free before it", async () => {
    const removal = "caller=remove_pagetable+0x29a/0x666 pc=0xffffffff8ac466b0";
    const { program } = await replay(
      trace(
        "arch_remove_memory: (f+0x0/0x4a) start=0x100000000 size=0x10000000",
        "vmemmap_free: (f+0x0/0xf) start=0xfffff95f04000000 end=0xfffff95f04200000",
        `__free_pages: (f+0x0/0x50) page=0xfffff90fc00d8000 order=0 ${removal}`,
        "flush_all: (f+0x0/0x30) caller=section_deactivate+0x28d/0x2a0",
        `free_pages: (f+0x0/0x50) addr=0xffff8b060b53d000 order=0 ${removal}`,
        "flush_all: (f+0x0/0x30) caller=try_remove_memory+0xbf/0x170",
      ),
      NONE,
    );
    expect(program.frees).toEqual({ remove_pagetable: 1 });
  });

  it("a free that free_pages and __free_pages both tell counts once", async () => {
    const caller = "caller=pmd_free_pte_page+0x5e/0x80 pc=0xffffffffb1ead41e";
    const events = (address: string) => [
      `pmd_free_pte_page: (f+0x1/0x2) pmd=0xffff888000001000 addr=${address} entry=0x13a4f067`,
      `flush_kernel_range: (f+0x1/0x2) start=${address} end=${address.slice(0, -3)}fff caller=pmd_free_pte_page+0x1/0x2`,
      `free_pages: (f+0x4/0x50) addr=0xffff888013a4f000 order=0 ${caller}`,
      `__free_pages: (f+0x4/0x50) page=0xfffff90fc02fec80 order=0 ${caller}`,
      "pmd_free_pte_page_ret: (f+0x1/0x2 <- pmd_free_pte_page) ret=1",
    ];
    const { program } = await replay(trace(...events("0xffffc90000000000"), ...events("0xffffc90000200000")), NONE);
    expect(program.frees).toEqual({ pmd_free_pte_page: 2 });
  });

  it.each(["", ".isra.0", ".constprop.0", ".part.0", ".llvm.8232844412049014381"])(
    "callers named with %j",
    async (copy) => {
      const { program } = await replay(
        trace(
          "remove_pagetable: (f+0x0/0x8f0) start=0xffff8e7a00000000 end=0xffff8e7a10000000 direct=1",
          `__free_pages: (f+0x4/0x10) page=0xfffff90fc02fec80 order=0 caller=remove_pagetable${copy}+0x813/0x8f0 pc=0x1`,
          "flush_all: (f+0x4/0x60) caller=try_remove_memory+0x10c/0x160",
          "cpa_flush: (f+0x0/0x2e0) vaddr=0xffffffffc0605000 numpages=1 cache=0",
          `flush_all: (f+0x4/0x60) caller=cpa_flush${copy}+0x1cc/0x2e0`,
          `__free_pages: (f+0x4/0x10) page=0xfffff90fc039f0c0 order=0 caller=cpa_flush${copy}+0x25e/0x2e0 pc=0x2`,
        ),
        NONE,
      );
      expect(program.frees).toEqual({ remove_pagetable: 1, cpa_collapse_large_pages: 1 });
      expect(program.skipped).toEqual({});
    },
  );

  it("the frame follows from the struct page, where the trace says where those begin", async () => {
    const { frees } = await replay(
      trace(
        "cpa_flush: (f+0x0/0x2e0) vaddr=0xffffffffc0605000 numpages=1 cache=0",
        "flush_all: (f+0x4/0x60) caller=cpa_flush+0x1cc/0x2e0",
        "__free_pages: (f+0x4/0x10) page=0xfffff90fc039f0c0 order=0 caller=cpa_flush+0x25e/0x2e0 pc=0x1 base=0xfffff90fc0000000",
      ),
      NONE,
    );
    expect(frees).toMatchObject([{ frame: 0x39f0c0 / 64, address: 0xffffffffc0600000n, flushTimeNs: 10_000 }]);
  });

  it.each([
    ["up to 6.12: PTs, the scratch page, the PD", ["free_pages", "free_pages", "free_pages", "free_pages"], 3],
    [
      "6.18: only the scratch page by its address",
      ["__free_pages", "pagetable_free_kernel", "free_pages", "pagetable_free_kernel"],
      3,
    ],
    ["7.3: no scratch page", ["pagetable_free_kernel", "pagetable_free_kernel"], 2],
  ])("pud_free_pmd_page's scratch page is no table. %s", async (_, functions, tables) => {
    const frees = functions.map((name, i) => {
      const what = name === "free_pages" ? `addr=0xffff888013a4${i}000 order=0` : `page=0xfffff90fc039f${i}c0`;
      const order = name === "__free_pages" ? " order=0" : "";
      return `${name}: (f+0x4/0x50) ${what}${order} caller=pud_free_pmd_page+0x${i}0/0x200 pc=0x${i}0`;
    });
    const { program } = await replay(
      trace(
        "pud_free_pmd_page: (f+0x1/0x2) pud=0xffff888000001000 addr=0xffffc90000000000 entry=0x13a43067",
        "flush_kernel_range: (f+0x1/0x2) start=0xffffc90000000000 end=0xffffc90000000fff caller=pud_free_pmd_page+0x1/0x2",
        ...frees,
        "pud_free_pmd_page_ret: (f+0x1/0x2 <- pud_free_pmd_page) ret=1",
      ),
      NONE,
    );
    expect(program.frees).toEqual({ pud_free_pmd_page: tables });
  });

  it("tables of EFI's own, and spare pages of a split, are none; a site that nobody knows is counted and named", async () => {
    const free = (caller: string) =>
      `pagetable_free_kernel: (f+0x4/0x90) page=0xfffff32ec02f4740 caller=${caller}+0x1/0x2 pc=0x1`;
    const none = ["vmemmap_pmd_entry", "__unmap_pmd_range", "try_to_free_pmd_page", "__change_page_attr_set_clr"].map(
      free,
    );
    const { program } = await replay(trace(...none, free("new_function")), NONE);
    expect(program.frees).toEqual({ new_function: 1 });
    expect(program.skipped).toEqual({ "table freed by a thread that had unlinked none": 1 });
  });

  it("a flush of attributes that nothing is freed behind collapses nothing, also when thousands of events lie between", async () => {
    const flush = "flush_all: (f+0x4/0x60) caller=cpa_flush+0x1cc/0x2e0";
    const flushed = "cpa_flush: (f+0x0/0x2e0) vaddr=0xffffffffc0605000 numpages=1 cache=0";
    const other: [string, { pid: number }] = ["vfree: (vfree+0x4/0x50) addr=0xffffc90000480000", { pid: 9 }];
    const free = "__free_pages: (f+0x4/0x10) page=0xfffff90fc039f0c0 order=0 caller=cpa_flush+0x25e/0x2e0 pc=0x1";
    const events = [flushed, flush, flushed, flush, ...Array.from({ length: 9000 }, () => other), free];
    const { program, frees, policies } = await replay(trace(...events), NONE);
    expect(program.frees).toEqual({ cpa_collapse_large_pages: 1 });
    expect(frees[0]).toMatchObject({ flushTimeNs: 30_000, beforeFlush: false });
    expect(policies[0]!.tablesFreed.cpa_collapse_large_pages).toBe(1);
    expect(policies[0]!.flushesMatch).toBe(true);
  });
});

describe("K1, K4: the kernel of a trace says which freed tables have the mark that a deferring policy goes by", () => {
  const POLICIES: ReplayOptions = { policies: ["none", "deferred-free"] };
  const held = ({ policies }: ReplayResult) => policies[1]!.held.frames;

  it("K1: tables of hot-added memory have none, on any kernel", async () => {
    for (const kernel of ["6.12", "6.18.15", "7.3"]) {
      const result = await play("hotplug.trace.txt", { ...POLICIES, kernel });
      const [none, deferred] = result.policies.map(({ policy, timeline, seconds, ...row }) => row);
      expect(none!.tablesFreed.remove_pagetable).toBeGreaterThan(0);
      expect(deferred).toEqual(none);
      expect(held(result)).toBe(0);
    }
  });

  it.each([
    ["6.18.15", 1],
    ["7.2.6", 1],
    ["6.18.53", 4],
    ["7.2.7", 4],
    ["7.3.4+deb13-amd64", 4],
    [undefined, 4],
  ])(
    "tables that CPA collapses are marked from 7.3 on, and where that was ported back: Linux %s",
    async (kernel, deferred) => {
      // Three collapses at once, a PD of hot-added memory, and a table that the traced kernel itself deferred.
      const result = await play("frees618.trace.txt", { ...POLICIES, ...(kernel && { kernel }) });
      expect(result.program.frees).toEqual({ cpa_collapse_large_pages: 3, remove_pagetable: 1, pmd_free_pte_page: 1 });
      expect(held(result)).toBe(deferred);
      expect("cpa_collapse_large_pages" in result.policies[1]!.hazards.bySite).toBe(deferred === 1);
    },
  );

  it("what the traced kernel itself deferred has the mark, whatever its version", async () => {
    expect(held(await play("frees73.trace.txt", { ...POLICIES, kernel: "6.18.15" }))).toBe(3);
  });

  it("the recording's own version goes before the option, and that before the newest; text and JSON say so", async () => {
    const trace = (head: string) => Buffer.concat([Buffer.from(head), fixture("frees618.trace.txt")]);
    const recorded = "# stalewalk: kernel 6.18.15+deb13-amd64 #1 SMP\n";
    const kernelOf = async (head: string, kernel?: string) => {
      const { configuration } = await replay(trace(head), { ...NONE, ...(kernel && { kernel }) });
      return configuration.kernel;
    };
    const own = { name: "6.18.15+deb13-amd64", version: "6.18.7", note: "taken for 6.18.7", ships: "deferred-free" };
    expect(await kernelOf(recorded)).toMatchObject({ ...own, toldBy: "recording", unused: undefined });
    expect(await kernelOf(recorded, "6.18.9")).toMatchObject({ ...own, unused: undefined });
    expect(await kernelOf(recorded, "7.3")).toMatchObject({ ...own, toldBy: "recording", unused: "7.3" });
    expect(await kernelOf("", "6.18.53")).toMatchObject({ name: "6.18.53", version: "6.18.53", toldBy: "option" });
    expect(await kernelOf("")).toMatchObject({ name: "7.3", version: "7.3", toldBy: "default", recorded: undefined });
    const old = { version: "7.3", toldBy: "default", recorded: "5.10.0-21-amd64" };
    expect(await kernelOf("# os release : 5.10.0-21-amd64\n")).toMatchObject(old);
    expect(await kernelOf("# os release : 5.10.0-21-amd64\n", "6.1")).toMatchObject({
      version: "6.1",
      toldBy: "option",
    });
    const folder = mkdtempSync(join(tmpdir(), "stalewalk-kernel-"));
    const file = join(folder, "t.txt");
    writeFileSync(file, trace(recorded));
    const said =
      "kernel: Linux 6.18.15+deb13-amd64 (taken for 6.18.7), as the recording says; by itself it has deferred-free";
    expect((await runCli("replay", file, "--policy", "sva-off")).out).toContain(`\n${said}\n`);
    expect((await runCli("replay", file, "--policy", "sva-off", "--kernel", "7.3")).out).toContain(
      "as the recording says; 7.3, asked for, is not used; by itself",
    );
    const { value } = await runJson("replay", file, "--policy", "sva-off");
    expect(value).toMatchObject({ configuration: { kernel: { ...own, toldBy: "recording" } } });
    writeFileSync(file, trace(""));
    const { out } = await runCli("replay", file, "--policy", "sva-off");
    expect(out).toContain(
      "\nkernel: Linux 7.3, the newest known: nothing says which it is of; by itself it has deferred-free\n",
    );
    expect(await runCli("replay", file, "--kernel", "5.15")).toMatchObject({ code: 2, out: "" });
    rmSync(folder, { recursive: true });
  });
});

const live = sharedData("live");
describe.skipIf(!live)("T13, T14: the recordings, whole (skipped without the recorded data)", () => {
  it.each([
    ["6.18.15", 2, true],
    ["7.3", 20, false],
  ])(
    "linux618-frees under the merged fix, as Linux %s: of 25 tables %i are held back",
    async (kernel, deferred, open) => {
      const { policies } = await replay(openTrace(`${live}/linux618-frees.trace.txt.gz`), {
        policies: ["deferred-free"],
        kernel,
      });
      expect(policies[0]!.held.frames).toBe(deferred);
      expect("cpa_collapse_large_pages" in policies[0]!.hazards.bySite).toBe(open);
      expect(policies[0]!.hazards.bySite).toHaveProperty("remove_pagetable");
    },
  );

  it("linux618-frees, whole, has the walks that the README names beside those of its excerpt", async () => {
    const { trace: read, policies } = await replay(openTrace(`${live}/linux618-frees.trace.txt.gz`), {
      policies: ["none", "deferred-free"],
      kernel: "6.18.15",
    });
    const [none, deferred] = policies.map(({ hazards }) => hazards.byAgent.iommu);
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8").replace(/\s+/g, " ");
    expect(readme).toContain(`of ${read.events} events, has the same 25, and ${none} and ${deferred} walks`);
  });

  it.each([
    ["linux73-pmd-free-deferred", { pmd_free_pte_page: 2, cpa_collapse_large_pages: 3 }, 5, 0],
    ["linux618-frees", { pmd_free_pte_page: 2, cpa_collapse_large_pages: 18, remove_pagetable: 5 }, 2, 5],
    ["linux73-frees", { pmd_free_pte_page: 4, cpa_collapse_large_pages: 21, remove_pagetable: 3 }, 25, 3],
    ["linux61-hot-remove", { remove_pagetable: 2 }, 0, 2],
    ["linux612-hot-remove", { remove_pagetable: 1 }, 0, 1],
  ])("%s", async (name, frees, later, early) => {
    const {
      program,
      policies,
      trace: read,
    } = await replay(openTrace(`${live}/${name}.trace.txt.gz`), { ...NONE, mode: "strict" });
    expect(read.unknown).toEqual({});
    expect(program.frees).toEqual(frees);
    expect(program).toMatchObject({ freesDeferred: later, freesBeforeFlush: early });
    expect(Object.keys(program.skipped).filter((reason) => /table freed|hand-over|handler/.test(reason))).toEqual([]);
    expect(policies[0]!.hazards.byAgent.iommu).toBeGreaterThan(0);
    expect(policies[0]).toMatchObject({ flushesMatch: true, outOfFrames: 0 });
  });
});

describe("what is not played", () => {
  it("is every operation without a handler, each with a reason; what is lost is counted by it", async () => {
    // An event for each operation that has a reason, by way of a mapping of its own.
    const names = OPERATION_NAMES.filter((name) => name in UNPLAYED);
    const { joinMapping } = await import("../../src/trace/index.js");
    const mapping = joinMapping({
      version: 1,
      events: OPERATION_NAMES.map((name) => ({ name: `op_${name.replaceAll("-", "_")}` })),
      rules: OPERATION_NAMES.map((name) => ({
        event: `op_${name.replaceAll("-", "_")}`,
        operation: name,
        args: Object.fromEntries(
          Object.entries(OPERATIONS[name]).map(([key, type]) => [key, type === "text" ? { text: "x" } : { value: 0 }]),
        ),
      })),
    });
    const { program } = await replay(trace(...OPERATION_NAMES.map((name) => `op_${name.replaceAll("-", "_")}: (f)`)), {
      ...NONE,
      mapping,
    });
    // One that is in neither list would be named so.
    expect(Object.keys(program.skipped).filter((reason) => reason.includes("no handler"))).toEqual([]);
    const lost = names.map((name) => UNPLAYED[name as keyof typeof UNPLAYED]).filter((reason) => "lost" in reason);
    expect(lost.length).toBeGreaterThan(3);
    for (const { lost: reason } of lost) {
      const times = lost.filter((other) => other.lost === reason).length;
      expect(program.skipped[reason]).toBe(times);
    }
  });

  it("is in the result, the text and the JSON", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stalewalk-cases-"));
    const file = join(folder, "t.txt");
    writeFileSync(file, trace("iommu_sva_bind: (f+0x1/0x2) dev=0x1 mm=0x2", "vfree: (f) addr=0x1000"));
    const { out } = await runCli("replay", file, "--policy", "none");
    expect(out).toMatch(/^not played as the trace has it: 1 x SVA of a device/m);
    const result = await replay(trace("iommu_sva_bind: (f+0x1/0x2) dev=0x1 mm=0x2"), NONE);
    expect(toJson(result)).toContain("SVA of a device");
    rmSync(folder, { recursive: true });
  });
});

describe("T4: CPU numbers as they are", () => {
  it("#P counts CPUs that are online: 0, 2, 4, 6 are four", async () => {
    const { configuration, policies, program } = await play("cpu-ids-0246.trace.txt");
    expect(configuration.cpus).toBe(4);
    expect(program.skipped).toEqual({});
    expect(policies[0]!.kernel).toMatchObject({ localFlushAlls: 4, flushAlls: 8 });
    // A local flush empties its own CPU only: four CPUs are emptied once each.
    expect(policies[0]!.kernel.cpuFullFlushes).toBe(8 * 4 + 4);
  });

  it("CPU 300 of two has a CPU of its own", async () => {
    const flush = "local_flush_all: (f+0x4/0x30) caller=y+0x1/0x2";
    const header = bytes("# tracer: nop\n#\n# entries-in-buffer/entries-written: 2/2   #P:2\n");
    const text = Buffer.concat([header, trace([flush, { cpu: 0 }], [flush, { cpu: 300 }])]);
    const { configuration, program } = await replay(text, NONE);
    expect(configuration.cpus).toBe(2);
    expect(program.skipped).toEqual({});
  });

  it("without a header there are as many as the first events show; with fewer by option, sharing is named", async () => {
    const flush = "local_flush_all: (f+0x4/0x30) caller=y+0x1/0x2";
    const text = trace(...[0, 1, 2, 17, 33].map((cpu): [string, { cpu: number }] => [flush, { cpu }]));
    expect((await replay(text, NONE)).configuration.cpus).toBe(5);
    const { program } = await replay(text, { ...NONE, cpus: 3 });
    expect(program.skipped).toEqual({ "operation of a CPU beyond the 3 modelled: played on another": 2 });
  });
});

describe("T12: nothing that can be played ends with 2", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stalewalk-nothing-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ["empty input", "", /the input is empty/],
    ["hello", "hello\n", /no line of the input is a trace event/],
    ["option fields", fixture("option-fields.trace.txt"), /option fields; expected .*nofields/],
    ["the latency format", fixture("latency-without-header.txt"), /latency format; expected .*nolatency-format/],
    ["a trace without events", "# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:2\n", /has no events/],
    ["only other events", line("sched_switch: prev_comm=a"), /none of its 1 events .*sched_switch.*record-help/],
  ])("%s", async (_, text, message) => {
    const file = join(folder, "t.txt");
    const page = join(folder, "t.html");
    writeFileSync(file, text);
    for (const command of [
      ["replay", file],
      ["replay", file, "--json"],
      ["replay", file, "--policy", "none", "--html", page],
      ["report", file, "--html", page, "--no-verdicts"],
    ]) {
      const { code, out, err } = await runCli(...command);
      expect([code, out], command.join(" ")).toEqual([2, ""]);
      expect(err).toMatch(message);
      expect(err.trimEnd().split("\n")).toHaveLength(1);
    }
  });
});
