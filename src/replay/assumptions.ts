// What a trace cannot say, in sentences with the numbers that were used instead.

import type { DeviceModel } from "./device-model.js";
import { DEVICE_TLB } from "./player.js";
import type { ReplayConfiguration, ReplayWorkload } from "./result.js";
import { kernelSentence } from "./traced-kernel.js";

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;

/** The assumptions behind a replay. */
export function assumptions(configuration: ReplayConfiguration, timeUnit: "ns" | "ticks"): string[] {
  const { devices, kernel, cpus, cpuGeometry, iommuGeometry, workDelayNs, pool, mms, levels, dialect } = configuration;
  return [
    ...(configuration.workload ? drawn(configuration.workload) : []),
    "the trace does not say which addresses devices touch: what follows is a model, not a measurement",
    deviceSentence(devices),
    devices.pageRequests
      ? `the device has a TLB of its own of ${DEVICE_TLB.entries} entries (no public size), and sends a page request for each access that ` +
        "is refused, at once; real ones send it later, and have only so many credits"
      : "the device has no TLB of its own: its requests are untranslated, and it sends no page requests",
    `${percent(devices.kernelProbes)} of them are user-privileged probes of the kernel half, at pages of the latest ` +
      `${devices.probedAreas} areas that the kernel mapped, also after they are unmapped`,
    `${devices.perStep} accesses of the same kind before and after each step (clear, flush, free, reuse) of a table free: ` +
      "the attacker knows the address and runs the race",
    devices.reuse
      ? `each freed frame is taken at once by someone who fills it with user-accessible leaves (A and D clear) and holds ` +
        `${devices.reusedFrames} frames at a time`
      : "nobody takes freed frames but the kernel itself",
    "the bound process is not one of the trace; its own pages are neither unmapped nor protected",
    `${cpus} CPUs (${cpuGeometry.name}), one IOMMU (${iommuGeometry.name}, ${dialect}), ${levels} levels of tables`,
    `the CPU that maps a kernel area writes to its first ${devices.cpuTouches} pages; nothing else of what CPUs access is known`,
    "a CPU runs the address space that was last flushed on it",
    `deferred work runs ${workDelayNs} ns after the first flush or free that may have queued it`,
    "deferred work runs between two operations of the trace, never inside one: races within it are not in a trace",
    `${pool} frames for tables and ${mms} address spaces at a time; a table that is older than the trace is made when it is freed`,
    "table pages freed by memory removal are taken for PDs, from the start of the removed range on",
    `which freed tables have the kernel's mark, so that a deferring policy holds them back, follows from ${kernelSentence(kernel)}; ` +
      "tables that the traced kernel itself handed to its deferred worker have it",
    "attribute changes, text pokes and modules change no table of the model; the flushes they cause are played",
    ...(timeUnit === "ticks" ? ["the trace's clock counts ticks, not time: every ns is one tick"] : []),
  ];
}

function deviceSentence(devices: DeviceModel): string {
  return (
    `one device with one PASID makes ${devices.ratePerMs} accesses per millisecond of trace time (at most ` +
    `${devices.maxPerGap} between two events), ${percent(devices.writes)} of them writes, to ${devices.workingSet} user pages ` +
    `(seed ${devices.seed})`
  );
}

/** What stands in the place of a recording. */
function drawn({ profile, seed }: ReplayWorkload): string[] {
  const source =
    profile.source === undefined ? "nobody has said where its numbers are from" : `modelled on ${profile.source}`;
  return [
    `nothing was recorded: what the kernel does is drawn by the profile ${profile.name} (seed ${seed}), ${source}; "trace" below and in ` +
      "the figures means what was drawn, and a line of it one drawn operation",
    ...(profile.source === undefined
      ? []
      : [
          "rates are those of the recording, which the recorder slows down: a kernel that nobody watches does more in the same time",
        ]),
    "each kind of thing comes once in every stretch of 1/rate, anywhere in it and on any CPU: bursts, and what goes together in a real run, are not drawn",
    "areas lie at the lowest address that is free, from the start of vmalloc space on; what is unmapped is free again after the next purge",
  ];
}
