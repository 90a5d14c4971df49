// The recorded traces, whole: counts per event equal those of the recording's own meta.json, and nothing is damaged.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compileTrace, recordHelp, summarizeTrace } from "../../src/trace/index.js";
import { openTrace } from "../../src/trace/node.js";
import { sharedData } from "../support/shared-data.js";

const NAMES = [
  "linux612-fork-thread-storm",
  "linux612-seccomp-attach",
  "linux612-mmap-storm",
  "linux612-vmalloc-mix",
  "linux612-hugevmap-reuse",
  "linux612-hugevmap-unprivileged",
  "linux612-module-loop",
  "linux612-ioremap-drivers",
  "linux612-memory-hotplug",
  "linux612-iommu-dma",
  "linux612-boot",
  "linux61-hugevmap-reuse",
];

const data = sharedData("traces");

interface Meta {
  events: number;
  bytes_text: number;
  counts: Record<string, number>;
  kprobe_events: string[];
  probes_not_accepted: string[];
}

function meta(name: string): Meta {
  return JSON.parse(readFileSync(`${data}/${name}.meta.json`, "utf8")) as Meta;
}

describe.skipIf(!data)("recorded traces (skipped without the recorded data)", () => {
  it.each(NAMES)("%s: counts as recorded", async (name) => {
    const { events, bytes_text, counts } = meta(name);
    const summary = await summarizeTrace(openTrace(`${data}/${name}.trace.txt.gz`), { mode: "strict" });
    expect(Object.fromEntries(summary.counts)).toEqual(counts);
    expect(summary).toMatchObject({
      complete: true,
      damaged: false,
      events,
      bytes: bytes_text,
      format: "trace",
      cpus: 2,
    });
    expect(summary.unknown.size).toBe(0);
    expect(summary.extraFields.size).toBe(0);
  });

  it.each([
    ["linux612-hugevmap-reuse", 288, 288],
    ["linux612-hugevmap-unprivileged", 28, 28],
    ["linux612-memory-hotplug", 0, 6],
    ["linux61-hugevmap-reuse", 289, 289],
  ])("%s: %i tables detached, %i freed", async (name, detached, freed) => {
    const compiler = compileTrace(openTrace(`${data}/${name}.trace.txt.gz`));
    let operations = 0;
    for await (const batch of compiler) operations += batch.count;
    const { summary } = compiler;
    expect(summary.operations.get("table-detach") ?? 0).toBe(detached);
    expect(summary.operations.get("table-free")).toBe(freed);
    const sum = (counts: Iterable<number>) => [...counts].reduce((a, b) => a + b, 0);
    expect(operations + sum(summary.ignored.values())).toBe(summary.trace.events);
    expect(summary.unmapped.size).toBe(0);
  });

  it.each([
    ["linux612-iommu-dma", "6.12"],
    ["linux61-hugevmap-reuse", "6.1"],
  ] as const)("record-help sets the probes of %s", (name, kernel) => {
    const { kprobe_events, probes_not_accepted } = meta(name);
    const probes = [...recordHelp({ kernel }).matchAll(/^probe '([pr][0-9]*:)stalewalk\/(.*)'$/gm)].map(
      (m) => m[1]! + m[2]!.replace(/ base=@\w+:x64$/, ""),
    );
    const recorded = kprobe_events.map((line) => line.replace("kprobes/", ""));
    expect(probes).toEqual(expect.arrayContaining(recorded));
    for (const refused of probes_not_accepted) expect(probes).not.toContain(refused);
  });
});
