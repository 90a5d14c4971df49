// The recorded traces, whole, under every preset: counts equal those of the recording, flushes those of the trace.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type ReplayResult, replay } from "../../src/replay/index.js";
import { openTrace } from "../../src/trace/node.js";
import { EFFORT } from "../support/effort.js";
import { sharedData } from "../support/shared-data.js";

const data = sharedData("traces");

/** Name, frees, frees before their flush; all others by the recording's own meta.json. */
const TRACES: readonly (readonly [string, number, number])[] = [
  ["linux612-fork-thread-storm", 0, 0],
  ["linux612-seccomp-attach", 0, 0],
  ["linux612-mmap-storm", 0, 0],
  ["linux612-vmalloc-mix", 0, 0],
  ["linux612-hugevmap-reuse", 288, 0],
  ["linux612-hugevmap-unprivileged", 28, 0],
  ["linux612-module-loop", 0, 0],
  ["linux612-ioremap-drivers", 22, 0],
  ["linux612-memory-hotplug", 6, 6],
  ["linux612-iommu-dma", 0, 0],
  ["linux612-boot", 0, 0],
  ["linux61-hugevmap-reuse", 289, 0],
];

/** By day those in which a table is freed, but one of two recordings of the same; at night all. */
const PLAYED =
  EFFORT === "nightly" ? TRACES : TRACES.filter(([name, frees]) => frees > 0 && name !== "linux612-hugevmap-reuse");

const results = new Map<string, ReplayResult>();
async function play(name: string): Promise<ReplayResult> {
  const known = results.get(name);
  if (known) return known;
  const result = await replay(openTrace(`${data}/${name}.trace.txt.gz`), { name });
  results.set(name, result);
  return result;
}
const under = (result: ReplayResult, name: string) => result.policies.find((policy) => policy.policy.name === name)!;

describe.skipIf(!data)("recorded traces (skipped without the recorded data)", () => {
  it.each(PLAYED)("%s plays under every policy", async (name, frees, early) => {
    const result = await play(name);
    const { counts } = JSON.parse(readFileSync(`${data}/${name}.meta.json`, "utf8")) as {
      counts: Record<string, number>;
    };
    expect(result.trace.counts).toEqual(counts);
    expect(result.trace.damaged).toBe(false);
    expect(result.program.flushes.kernelRange).toBe(counts["flush_kernel_range"] ?? 0);
    expect(result.program.flushes.all).toBe(counts["flush_all"] ?? 0);
    expect(result.program.flushes.mm).toBe(counts["flush_mm_range"] ?? 0);
    // In these traces every __flush_tlb_all() carries out a flush_tlb_all() or a long range.
    expect(result.program.flushes.local).toBe(0);
    expect(Object.values(result.program.frees).reduce((sum, count) => sum + count, 0)).toBe(frees);
    expect(result.program.freesBeforeFlush).toBe(early);
    expect(result.frees).toHaveLength(frees);
    expect(result.frees.filter((free) => free.frame === undefined)).toEqual([]);
    expect(result.policies).toHaveLength(8);
    for (const policy of result.policies) {
      expect(policy.kernel.kernelRangeFlushes, policy.policy.name).toBe(counts["flush_kernel_range"] ?? 0);
      expect(policy.kernel.flushAlls).toBe(counts["flush_all"] ?? 0);
      expect(policy.kernel.mmFlushes).toBe(counts["flush_mm_range"] ?? 0);
      expect(policy.flushesMatch).toBe(true);
      // What CPUs do is the trace's doing, whatever the policy.
      const { cpuPageFlushes, cpuFullFlushes, ipiBroadcasts, ipiReceivers } = result.policies[0]!.kernel;
      expect(policy.kernel).toMatchObject({ cpuPageFlushes, cpuFullFlushes, ipiBroadcasts, ipiReceivers });
      expect(policy.outOfFrames).toBe(0);
    }
    // Tables of hot-added memory have no mark: the merged fix frees them at once.
    const closes =
      name === "linux612-memory-hotplug" ? ["user-root", "sva-off"] : ["deferred-free", "user-root", "sva-off"];
    for (const closed of closes) expect(under(result, closed).hazards.byAgent.iommu).toBe(0);
    expect(result.configuration.kernel).toMatchObject({ version: "7.3", toldBy: "default", recorded: undefined });
  });

  it("names the 28 tables that a process without privileges makes the kernel free, and the walks through each", async () => {
    const result = await play("linux612-hugevmap-unprivileged");
    expect(new Set(result.frees.map((free) => free.site))).toEqual(new Set(["pmd_free_pte_page"]));
    expect(result.frees[0]).toMatchObject({ line: 23614, address: 0xffffd3af83400000n, frame: 0x13a4f });
    const none = under(result, "none").hazards;
    expect(none.byFree.map((row) => row.free)).toEqual(Array.from({ length: 28 }, (_, i) => i));
    for (const row of none.byFree) expect(row.byKind["forged-translation"]).toBeGreaterThan(0);
    expect(new Set(none.records.map((record) => record.free)).size).toBe(28);
    expect(under(result, "flush-range").hazards.total).toBe(0);
    expect(under(result, "flush-range").needlessRounds).toBe(94 - 28);
    expect(under(result, "flush-async").hazards.byFree.length).toBeGreaterThan(0);
    expect(under(result, "deferred-free").held.frames).toBe(28);
  });

  it("K1: at memory removal the row deferred-free is the row none: no invalidation, the same walks", async () => {
    const result = await play("linux612-memory-hotplug");
    const row = (name: string) => {
      const { policy, timeline, seconds, ...rest } = under(result, name);
      return rest;
    };
    expect(row("deferred-free")).toEqual(row("none"));
    expect(row("none").hazards.bySite.remove_pagetable).toBeDefined();
    expect(row("deferred-free")).toMatchObject({
      tablesFreed: { remove_pagetable: 6 },
      held: { frames: 0 },
      invalidations: { pageSelective: 0 },
    });
  });

  it("shows frees before their flush at memory removal, which no preset closes that shares the kernel's half", async () => {
    const result = await play("linux612-memory-hotplug");
    for (const free of result.frees) {
      expect(free).toMatchObject({ site: "remove_pagetable", beforeFlush: true, level: 2 });
      expect(free.flushTimeNs!).toBeGreaterThan(free.timeNs);
    }
    for (const name of ["none", "flush-range", "flush-async", "flush-on-table-free", "deferred-free"]) {
      expect(under(result, name).hazards.bySite.remove_pagetable, name).toBeDefined();
    }
  });

  it("decodes every descriptor of the driver's queue", async () => {
    const { queue } = await play("linux612-iommu-dma");
    expect(queue).toMatchObject({
      descriptors: 983,
      byGranularity: { "iotlb page": 948, "interrupt-entry index": 35 },
      malformed: {},
    });
  });
});
