// What single lines of a trace become: read from the counters of the machine that played them.
import { describe, expect, it } from "vitest";
import { type ReplayOptions, type ReplayResult, replay } from "../../src/replay/index.js";
import { bytes, line } from "../trace/support.js";

const quiet: ReplayOptions = {
  policies: ["flush-range"],
  cpus: 2,
  devices: { ratePerMs: 0, perStep: 0, cpuTouches: 0, reuse: false },
};

interface Event {
  text: string;
  cpu?: number;
  pid?: number;
}

async function play(events: (string | Event)[], options: ReplayOptions = {}): Promise<ReplayResult> {
  const lines = events.map((event, i) => {
    const { text, cpu = 0, pid = 7 } = typeof event === "string" ? { text: event } : event;
    return line(text, { cpu, pid, time: `24.${String(100000 + i * 10)}` });
  });
  return replay(bytes(lines.join("")), { ...quiet, ...options });
}

const AREA = 0xffffc90000000000n;
const hex = (value: bigint) => `0x${value.toString(16)}`;
const map = (start: bigint, pages: number) =>
  `vmap_pages_range: (f+0x1/0x2) start=${hex(start)} end=${hex(start + BigInt(pages) * 4096n)} prot=0x8000000000000163 page_shift=12`;
const mapLarge = (start: bigint, phys: bigint, bytes = 0x20_0000n) =>
  `vmap_range: (f+0x1/0x2) start=${hex(start)} end=${hex(start + bytes)} phys=${hex(phys)} prot=0x8000000000000163 max_shift=21`;
const unmap = (start: bigint, pages: number) =>
  `vunmap_range_noflush: (f+0x1/0x2) start=${hex(start)} end=${hex(start + BigInt(pages) * 4096n)}`;
const flush = (start: bigint, end: bigint, caller = "__purge_vmap_area_lazy") =>
  `flush_kernel_range: (f+0x1/0x2) start=${hex(start)} end=${hex(end)} caller=${caller}+0x1/0x2`;
const detach = (address: bigint) =>
  `pmd_free_pte_page: (f+0x1/0x2) pmd=0xffff888000001000 addr=${hex(address)} entry=0x13a4f067`;
const free = "free_pages: (f+0x1/0x2) addr=0xffff888013a4f000 order=0 caller=pmd_free_pte_page+0x5e/0x80 pc=0x1";
const done = "pmd_free_pte_page_ret: (f+0x1/0x2 <- pmd_free_pte_page) ret=1";
const flushMm = (mm: string, start: string, end: string, shift = 12) =>
  `flush_mm_range: (f+0x1/0x2) mm=${mm} start=${start} end=${end} stride_shift=${shift} freed_tables=0 caller=f+0x1/0x2`;

describe("lowering", () => {
  it("plays a short ranged flush page by page and a long one in full, on every CPU", async () => {
    const { policies } = await play([flush(AREA, AREA + 0x3000n), flush(AREA, AREA + 34n * 4096n)]);
    expect(policies[0]!.kernel).toMatchObject({
      kernelRangeFlushes: 2,
      cpuPageFlushes: 6,
      cpuFullFlushes: 2,
      pageSelectiveInvalidations: 2,
      // Four pages for three, and 64 for 34: powers of two.
      pagesInvalidated: 4 + 64,
    });
  });

  it("counts executions of a flush with its call, and other local flushes on their own", async () => {
    const { policies, program } = await play([
      "flush_all: (flush_tlb_all+0x4/0x30) caller=f+0x1/0x2",
      "do_flush_all: (do_flush_tlb_all+0x4/0x10)",
      "local_flush_all: (__flush_tlb_all+0x4/0x30) caller=smp_call_function_many_cond+0xed/0x4c0",
      "local_flush_all: (__flush_tlb_all+0x4/0x30) caller=__flush_smp_call_function_queue+0x98/0x410",
      { text: "local_flush_all: (__flush_tlb_all+0x4/0x30) caller=__kernel_map_pages+0x1/0x2", cpu: 1 },
    ]);
    expect(program.flushes).toEqual({ kernelRange: 0, all: 1, local: 1, mm: 0 });
    expect(policies[0]!.kernel).toMatchObject({ flushAlls: 1, localFlushAlls: 1, cpuFullFlushes: 3 });
    expect(policies[0]!.flushesMatch).toBe(true);
  });

  it("maps a large leaf only when it is clear what became of the table in its way", async () => {
    // The table goes: detach, flush, free. What is mapped then is a leaf: one table fewer than before.
    const gone = await play([
      map(AREA, 4),
      unmap(AREA, 4),
      mapLarge(AREA, 0x4000_0000n),
      detach(AREA),
      flush(AREA, AREA + 0xfffn),
      free,
      done,
      map(AREA + 0x4000_0000n, 1),
    ]);
    expect(gone.policies[0]!.tablesFreed.pmd_free_pte_page).toBe(1);
    expect(gone.policies[0]!.kernel.kernelRangeFlushes).toBe(1);
    expect(gone.policies[0]!.needlessRounds).toBe(0);
    // The table stays: the kernel could not take a large page, and no free is made up.
    const kept = await play([map(AREA, 4), unmap(AREA, 4), mapLarge(AREA, 0x4000_0000n), map(AREA + 0x4000_0000n, 1)]);
    expect(kept.policies[0]!.kernel.tablesReleased).toBe(0);
    expect(kept.policies[0]!.kernel.kernelRangeFlushes).toBe(0);
    // Both made the same tables; only in the first one is gone.
    expect(kept.policies[0]!.kernel.tablesAllocated).toBe(gone.policies[0]!.kernel.tablesAllocated);
  });

  it("maps small pages where neither end nor physical address is aligned", async () => {
    const large = await play([mapLarge(AREA, 0x4000_0000n), map(AREA + 0x4000_0000n, 1)]);
    const odd = await play([mapLarge(AREA, 0x4000_1000n), map(AREA + 0x4000_0000n, 1)]);
    const short = await play([mapLarge(AREA, 0x4000_0000n, 0x1f_f000n), map(AREA + 0x4000_0000n, 1)]);
    const tables = (result: ReplayResult) => result.policies[0]!.kernel.tablesAllocated;
    expect(tables(odd)).toBe(tables(large) + 1);
    expect(tables(short)).toBe(tables(large) + 1);
  });

  it("keeps the steps of two threads apart", async () => {
    const other = AREA + 0x20_0000n;
    const { frees } = await play([
      { text: detach(AREA), pid: 1 },
      { text: detach(other), pid: 2, cpu: 1 },
      { text: flush(AREA, AREA + 0xfffn, "pmd_free_pte_page"), pid: 1 },
      { text: free, pid: 2, cpu: 1 },
      { text: free, pid: 1 },
    ]);
    expect(frees.map(({ address, beforeFlush, pid }) => [address, beforeFlush, pid])).toEqual([
      [other, true, 2],
      [AREA, false, 1],
    ]);
    expect(frees[0]!.flushTimeNs).toBeUndefined();
  });

  it("follows the PD of pud_free_pmd_page, and says that it does not follow the tables below", async () => {
    const { frees, program, policies } = await play([
      `pud_free_pmd_page: (f+0x1/0x2) pud=0xffff888000001000 addr=${hex(AREA)} entry=0x13a4f067`,
      flush(AREA, AREA + 0xfffn, "pud_free_pmd_page"),
      // A PT, the function's scratch page, which is no table, and the PD.
      free.replace("pmd_free_pte_page", "pud_free_pmd_page"),
      free.replace("pmd_free_pte_page", "pud_free_pmd_page"),
      free.replace("pmd_free_pte_page", "pud_free_pmd_page"),
      done.replaceAll("pmd_free_pte_page", "pud_free_pmd_page"),
    ]);
    expect(frees.map(({ level, modelSite, beforeFlush }) => [level, modelSite, beforeFlush])).toEqual([
      [2, "pud_free_pmd_page", false],
      [2, "pud_free_pmd_page", false],
    ]);
    expect(policies[0]!.tablesFreed.pud_free_pmd_page).toBe(1);
    expect(program.skipped).toEqual({ "table below a freed PD: only the PD is followed": 1 });
  });

  it("takes several tables freed by one removal one after the other, and no end of them for damage", async () => {
    const removal = "remove_pagetable: (f+0x1/0x2) start=0xffff888100000000 end=0xffff888200000000 direct=1";
    const gone = "free_pages: (f+0x1/0x2) addr=0xffff888013a4f000 order=0 caller=remove_pagetable+0xa38/0xa90 pc=0x1";
    const remove = "arch_remove_memory: (f+0x1/0x2) start=0x100000000 size=0x100000000";
    const { frees, policies } = await play([remove, removal, gone, gone, "flush_all: (f+0x1/0x2) caller=f+0x1/0x2"]);
    expect(frees.map((one) => [one.address, one.frame, one.beforeFlush])).toEqual([
      [0xffff888100000000n, 0x13a4f, true],
      [0xffff888140000000n, 0x13a4f, true],
    ]);
    expect(frees[1]!.flushTimeNs! - frees[1]!.timeNs).toBe(10_000);
    expect(policies[0]!.tablesFreed.remove_pagetable).toBe(2);
    const endless = await play([removal, ...Array.from({ length: 600 }, () => gone)], { maxFrees: 10 });
    expect(endless.program.frees).toEqual({ remove_pagetable: 600 });
    expect(endless.frees).toHaveLength(10);
    expect(endless.program.skipped["table freed beyond the 512th of one removal"]).toBe(88);
  });

  it("gives address spaces numbers, runs what is flushed, and lets them go", async () => {
    const { policies, program } = await play([
      "pgd_alloc: (pgd_alloc+0x4/0x1c0) mm=0xffff888000010000",
      flushMm("0xffff888000010000", "0x1000", "0x3000"),
      { text: flushMm("0xffff888000010580", "0x0", "0xffffffffffffffff", 0), cpu: 1 },
      flushMm("0xffff888000010000", "0x200000", "0x600000", 21),
      "pgd_free: (pgd_free+0x4/0xc0) mm=0xffff888000010000 pgd=0xffff888000020000",
      "pgd_free: (pgd_free+0x4/0xc0) mm=0xffff888000030000 pgd=0xffff888000040000",
      flushMm("0xffff888000010000", "0x1000", "0x2000"),
    ]);
    expect(program.flushes.mm).toBe(4);
    expect(policies[0]!.kernel.mmFlushes).toBe(4);
    // Two pages, two strides of 2 MiB, one page: each on the one CPU that runs it.
    expect(policies[0]!.kernel.cpuPageFlushes).toBe(2 + 2 + 1);
    // The root of the one that ended.
    expect(policies[0]!.tablesFreed.user).toBe(1);
    expect(program.skipped["end of an address space that the trace had not named before"]).toBe(1);
  });

  it("folds CPUs that the model does not have", async () => {
    const { policies } = await play([{ text: flushMm("0xffff888000010000", "0x1000", "0x2000"), cpu: 9 }], { cpus: 1 });
    expect(policies[0]!.flushesMatch).toBe(true);
    expect(policies[0]!.kernel.cpuPageFlushes).toBe(1);
  });

  it("takes five levels from the addresses", async () => {
    const five = await play([map(0xffa0000000000000n, 4)]);
    expect(five.configuration.levels).toBe(5);
    expect(five.program.skipped).toEqual({});
    const four = await play([map(0xffa0000000000000n, 4)], { levels: 4 });
    expect(four.program.skipped["mapping outside the kernel half"]).toBe(1);
  });

  it("makes as many accesses as the rate says, and none of them depends on the policy", async () => {
    const events = Array.from({ length: 100 }, (_, i) => ({ text: map(AREA + BigInt(i) * 0x5000n, 4) }));
    const result = await play(events, {
      policies: ["none", "flush-range", "user-root"],
      devices: { ratePerMs: 1000, perStep: 0, cpuTouches: 0 },
    });
    // 99 gaps of 10 µs, ten accesses each.
    expect(result.program.accesses).toBe(990);
    const [none, range, userRoot] = result.policies.map((policy) => policy.iommu.translations);
    expect([none, range, userRoot]).toEqual([990, 990, 990]);
  });

  it("hands invalidations to AMD's queue as commands with one wait each", async () => {
    const result = await play([flush(AREA, AREA + 0x1000n)], { hardware: { dialect: "amd" } });
    expect(result.configuration.dialect).toBe("amd");
    expect(result.policies[0]!.flushesMatch).toBe(true);
    expect(result.policies[0]!.kernel.pageSelectiveInvalidations).toBe(1);
  });
});
