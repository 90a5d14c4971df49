// The numbered traps of recorded traces ("What a parser meets" in the data's README), each on lines as the kernel wrote them.
import { describe, expect, it } from "vitest";
import { bytes, fixture, line, readAll } from "./support.js";

async function one(text: string) {
  const { events, summary } = await readAll(bytes(text));
  expect(summary.diagnostics).toEqual([]);
  expect(events).toHaveLength(1);
  return events[0]!;
}

describe("lines as recorded", () => {
  it("1: reads the decimal va_start above 2^53", async () => {
    const event = await one(
      line(
        "alloc_vmap_area: va_start: 18446696873098641408 size=20480 align=16384 vstart=0xffffd0d2c0000000 vend=0xfffff0d2bfffffff failed=0",
      ),
    );
    expect(event.fields).toEqual({
      va_start: 18446696873098641408n,
      size: 20480n,
      align: 16384n,
      vstart: 0xffffd0d2c0000000n,
      vend: 0xfffff0d2bfffffffn,
      failed: 0n,
    });
  });

  it("2, 7: keeps unaligned ends and module suffixes", async () => {
    const event = await one(
      line(
        "flush_kernel_range: (flush_tlb_kernel_range+0x4/0xc0) start=0xffffcee241a00000 end=0xffffcee241a00fff caller=f+0x11d/0x1b0 [nvme_auth]",
      ),
    );
    expect(event.fields).toEqual({
      start: 0xffffcee241a00000n,
      end: 0xffffcee241a00fffn,
      caller: "f+0x11d/0x1b0 [nvme_auth]",
    });
  });

  it("7: reads a module suffix with fields behind it, and a bare address for a module that is gone", async () => {
    const event = await one(
      line(
        "free_pages: (free_pages+0x4/0x50) addr=0xffff8d269c0f0000 order=0 caller=f+0x5e/0x80 [m] pc=0xffffffffb1ead41e",
      ),
    );
    expect(event.fields["caller"]).toBe("f+0x5e/0x80 [m]");
    expect(event.fields["pc"]).toBe(0xffffffffb1ead41en);
    const gone = await one(
      line("ioremap: (__ioremap_caller+0x0/0x3b0) phys=0xfebc0000 size=0x2000 pcm=2 caller=0xffffffffc04b0238"),
    );
    expect(gone.fields["caller"]).toBe("0xffffffffc04b0238");
  });

  it("3: reads a range of more than 100 TiB", async () => {
    const event = await one(
      line("purge_vmap_area_lazy: start=0xffffd2be80000000 end=0xffffffffc0800000 num_purged=3283"),
    );
    expect((event.fields["end"] as bigint) - (event.fields["start"] as bigint)).toBe(0x2d4140800000n);
  });

  it("4: reads the empty range and the whole address space", async () => {
    const empty = await one(line("purge_lazy: (__purge_vmap_area_lazy+0x0/0x320) start=0xffffffffffffffff end=0x0"));
    expect(empty.fields).toEqual({ start: 0xffffffffffffffffn, end: 0n });
    const all = await one(
      line(
        "flush_mm_range: (flush_tlb_mm_range+0x0/0x170) mm=0xffff889a8266d680 start=0x0 end=0xffffffffffffffff stride_shift=0 freed_tables=1 caller=dup_mmap+0x1ae/0x610",
      ),
    );
    expect(all.fields["end"]).toBe(0xffffffffffffffffn);
  });

  it("5: reads -1 pages and a reason with blanks", async () => {
    const event = await one(line("tlb_flush: pages:-1 reason:local mm shootdown (3)"));
    expect(event.fields).toEqual({ pages: 0xffffffffffffffffn, reason_text: "local mm shootdown", reason: 3n });
  });

  it("6: reads return probes", async () => {
    const event = await one(
      line("pmd_free_pte_page_ret: (vmap_range_noflush+0x372/0xac0 [m] <- pmd_free_pte_page) ret=1", {
        flags: "d.h2.",
      }),
    );
    expect(event.fields).toEqual({ ret: 1n });
  });

  it.each([
    ["irq/9-acpi", 45],
    ["kworker/u8:1", 31],
    ["<idle>", 0],
    ["<...>", 2381],
    ["a-1 [003] d..1. ", 7],
    ["a [1] 1.5: b:", 12],
    ["x-12 [0]", 4194303],
  ])("8: takes %s-%i apart", async (task, pid) => {
    expect((await one(line("do_flush_all: (do_flush_tlb_all+0x4/0x10)", { task, pid }))).pid).toBe(pid);
  });

  it("8: takes trimmed lines apart at the last dash before [cpu]", async () => {
    for (const [text, pid] of [
      ["irq/9-acpi-45 [001] d..2. 35.253139: tlb_flush: pages:1 reason:flush on task switch (0)\n", 45],
      ["kworker/u8:1-31 [000] 35.2: tlbbatch_flush: (f)\n", 31],
    ] as const) {
      expect((await one(text)).pid).toBe(pid);
    }
  });

  it.each(["d.h2.", ".N...", "...1.", "d..1", "bNs3."])("9: accepts the flags %s", async (flags) => {
    const event = await one(line("vfree: (vfree+0x4/0x50) addr=0xffffd05f80480000", { flags, cpu: 31 }));
    expect(event).toMatchObject({ cpu: 31, time: 24029708000, pid: 1 });
  });

  it("10: skips the empty line that 6.1 puts behind exit_mmap", async () => {
    const { events, summary } = await readAll(fixture("linux61.trace.txt"));
    expect(summary).toMatchObject({ blankLines: 1, damaged: false, events: 26, entriesInBuffer: 26, cpus: 2 });
    expect(events.find((e) => e.name === "exit_mmap")!.fields).toEqual({ mt: 0xd79752efn });
  });

  it("reads fields in any order, misses optional ones, counts those it does not know", async () => {
    const text = line(
      "flush_mm_range: (f+0x1/0x2) freed_tables=0 extra=0x5 end=0x2000 start=0x1000 mm=0x10 stride_shift=12",
    );
    const { events, summary } = await readAll(bytes(text));
    expect(events[0]!.fields).toMatchObject({ start: 0x1000n, end: 0x2000n, mm: 0x10n, caller: undefined });
    expect([...summary.extraFields]).toEqual([["flush_mm_range.extra", 1]]);
  });

  it("counts values the probe could not read", async () => {
    const { events, summary } = await readAll(bytes(line("pte_alloc_kernel: (f+0x1/0x2) pmd=0x10 entry=(fault)")));
    expect(events[0]!.fields).toEqual({ pmd: 0x10n, entry: undefined });
    expect(summary).toMatchObject({ faultValues: 1, damaged: false });
  });

  it("reads the intel_iommu tracepoints in the texts of 6.12", async () => {
    const text = [
      line("qi_submit: p_iotlb_inv dmar0: 0x10000100060 0xffff800000000023 0x0 0x0"),
      line("cache_tag_assign: dmar0/0000:00:02.0 type devtlb did 1 pasid 7 ref 1"),
      line(
        "cache_tag_flush_range: dmar0 0000:00:02.0[7] type iotlb did 1 [0xffff800000000000-0xffffffffffffffff] addr 0xffff800000000000 pages 0x800000000 mask 0x23",
      ),
      line("prq_report: dmar0/0000:00:02.0 seq# 12: rid=0x10 addr=0xffff0000 r-p-- pasid=7 index=1"),
      line("io_page_fault: IOMMU:vfio-pci 0000:00:02.0 iova=0x00000000fff80000 flags=0x0001"),
    ].join("");
    const { events, summary } = await readAll(bytes(text));
    expect(summary.diagnostics).toEqual([]);
    expect(events.map((e) => e.name)).toEqual([
      "qi_submit",
      "cache_tag_assign",
      "cache_tag_flush_range",
      "prq_report",
      "io_page_fault",
    ]);
    expect(events[0]!.fields).toMatchObject({ type: "p_iotlb_inv", unit: "dmar0", qw1: 0xffff800000000023n });
    expect(events[2]!.fields).toMatchObject({ device: "0000:00:02.0", pasid: 7n, end: 2n ** 64n - 1n, mask: 0x23n });
  });
});
