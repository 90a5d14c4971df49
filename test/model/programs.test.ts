// The random programs themselves: that they reach what they are meant to reach, that the model keeps its own invariants under
// them, and that caches never change an outcome when everything is invalidated after each change.

import { describe, expect, it } from "vitest";
import { runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { seedAt } from "../support/seed.js";
import type { CacheDump } from "./cache.js";
import type { Iommu } from "./iommu.js";
import type { Machine, MachineConfig } from "./machine.js";
import type { Result } from "./operations.js";
import { type Operation, type Program, playOnModel, programs, step } from "./programs.js";
import { PASIDS } from "./worlds.js";

function cachesOf(machine: Machine): CacheDump[] {
  const { cpus, iommus } = machine.dump();
  const agents = [...cpus, ...iommus].flatMap(({ l1, l2, psc }) => [...l1, ...l2, ...Object.values(psc)]);
  return [...agents, ...iommus.flatMap(({ devices }) => devices.filter((device) => device !== undefined))];
}

/** Entries that invalidations have dropped in an IOMMU and in its devices' TLBs. */
function invalidatedIn({ agent, devices }: Iommu): number {
  const caches = [...agent.l1, ...agent.l2, ...agent.psc.map(({ cache }) => cache), ...devices];
  return caches.reduce((sum, cache) => sum + (cache?.counters.invalidated ?? 0), 0);
}

/** The same machine with every cache switched off. */
function withoutCaches(config: MachineConfig): MachineConfig {
  const off = { l1: [], l2: [], psc: {} };
  return {
    ...config,
    cpus: config.cpus.map((cpu) => ({ ...cpu, ...off })),
    // Devices keep their TLBs, since without one they would make untranslated requests: other rules for D (16.2).
    iommus: config.iommus.map((iommu) => ({ ...iommu, ...off })),
  };
}

function dropEverything(machine: Machine): void {
  for (const cpu of machine.cpus) cpu.invpcid(2, 0n, 0);
  for (const iommu of machine.iommus) {
    iommu.invalidateAll();
    iommu.invalidatePasidCache();
    for (const [device] of iommu.devices.entries()) {
      for (const pasid of PASIDS) iommu.invalidateDevicePasid(device, pasid);
    }
  }
}

/** Operations after which cached translations may be out of date. */
const CHANGES: ReadonlySet<Operation["kind"]> = new Set(["write-entry", "mov-cr3", "controls", "bind"]);

function memoryOf(machine: Machine, { config }: Program): string[] {
  return config.frames.flatMap(({ frame, entries }) =>
    entries.map(([index]) => `${frame}/${index}: ${machine.memory.readEntry(frame, index)?.toString(16)}`),
  );
}

describe("random programs", () => {
  it("reach every outcome, every fault reason, and hits, evictions and invalidations of caches", () => {
    const seen = new Map<string, number>();
    const count = (what: string, by = 1): void => {
      seen.set(what, (seen.get(what) ?? 0) + by);
    };
    for (const { config, operations, detours = [] } of fc.sample(programs(200, "come and go"), {
      numRuns: 170,
      seed: seedAt(1),
    })) {
      const { cpus, iommus } = config;
      const caches = [...cpus, ...iommus].flatMap(({ l1, l2, psc }) => [...l1, ...l2, ...Object.values(psc)]);
      count("3 IOMMUs", iommus.length === 3 ? 1 : 0);
      count("more than 4 ways", caches.filter(({ ways, enabled }) => enabled && ways > 4).length);
      count("more than 24 entries", caches.filter(({ entries, enabled }) => enabled && entries > 24).length);
      count("RAM", config.ram ? 1 : 0);
      count("detour", detours.filter(({ after }) => after < operations.length).length);
      let dropped = 0;
      const machine = playOnModel(config, operations, (_, operation, outcome, { iommus: played }) => {
        count(operation.kind);
        if (operation.kind === "delete-frame") count(outcome ? "not deleted" : "deleted");
        // What a descriptor drops, by its dialect: in the IOTLB and the paging-structure caches, and in device TLBs.
        if (operation.kind !== "submit" && !operation.kind.startsWith("invalidate-")) return countOutcome(outcome);
        const before = dropped;
        dropped = played.reduce((sum, iommu) => sum + invalidatedIn(iommu), 0);
        if (operation.kind === "submit" && dropped > before) count(`${config.iommus[operation.iommu]?.dialect} drops`);
        return countOutcome(outcome);
      });
      function countOutcome(outcome: Result): void {
        if (outcome?.kind === "ok") count(`ok ${outcome.level}`);
        else if (outcome?.kind === "fault") count(outcome.reason);
        else if (outcome !== undefined) count(outcome.kind);
      }
      for (const { counters } of cachesOf(machine)) {
        for (const [name, value] of Object.entries(counters)) count(name, value);
      }
    }
    const outcomes = ["ok 1", "ok 2", "ok 3", "not-present", "reserved", "non-canonical", "absent"];
    const refusals = ["supervisor-page", "smap", "smep", "write", "fetch", "key"];
    const counters = ["lookups", "hits", "fills", "evictions", "invalidated"];
    const kinds = [
      ...["access", "probe", "invlpg", "invpcid", "flush-range", "range-or-all", "mov-cr3", "controls"],
      ...["write-entry", "shootdown", "add-frame", "deleted", "not deleted"],
      ...["request", "request-probe", "bind", "invalidate-pasid-cache", "invalidate-pasid", "invalidate-pages"],
      ...["invalidate-all", "invalidate-device-pasid", "invalidate-device-pages", "submit", "refused"],
      ...["vtd drops", "amd drops"],
    ];
    const worlds = ["3 IOMMUs", "more than 4 ways", "more than 24 entries", "detour", "RAM"];
    const rare = [...outcomes, ...refusals, ...counters, ...kinds, ...worlds].filter(
      (what) => (seen.get(what) ?? 0) < 20,
    );
    expect(rare, JSON.stringify([...seen])).toEqual([]);
  });

  it("leave no entry twice in a set, nothing in a disabled cache, and counters that add up", () => {
    fc.assert(
      fc.property(programs(80), ({ config, operations }) => {
        playOnModel(config, operations, (_index, _operation, _outcome, machine) => {
          for (const { ways, counters } of cachesOf(machine)) {
            const names = ways.map(
              (it) => `${it.set} ${it.pageShift} ${it.pageNumber} ${it.tag} ${it.device} ${it.domain}`,
            );
            expect(new Set(names).size).toBe(names.length);
            expect(ways.length).toBeLessThanOrEqual(counters.fills - counters.evictions - counters.invalidated);
            expect(counters.hits).toBeLessThanOrEqual(counters.lookups);
          }
          for (const agent of [...machine.cpus, ...machine.iommus].map((it) => it.agent)) {
            for (const cache of [...agent.l1, ...agent.l2, ...agent.psc.map((it) => it.cache)]) {
              if (!cache.enabled) expect(cache.counters).toMatchObject({ lookups: 0, fills: 0, invalidated: 0 });
            }
          }
        });
      }),
      { numRuns: runs(100) },
    );
  });

  it("have the same outcomes and leave the same tables without caches, if everything is dropped after each change", () => {
    fc.assert(
      fc.property(programs(120).map(withWholeWalks), (program) => {
        const outcomes: unknown[] = [];
        const cached = playOnModel(program.config, program.operations, (_, operation, outcome, machine) => {
          outcomes.push(outcome);
          if (CHANGES.has(operation.kind)) dropEverything(machine);
        });
        const uncached = playOnModel(
          withoutCaches(program.config),
          program.operations,
          (index, _, outcome, machine) => {
            expect(outcome, `operation ${index}`).toEqual(outcomes[index]);
            dropEverything(machine);
          },
        );
        expect(memoryOf(cached, program)).toEqual(memoryOf(uncached, program));
      }),
      { numRuns: runs(300) },
    );
  });

  it("do differ without caches if nothing is dropped: stale entries are what the model is about", () => {
    const stale = fc.sample(programs(200), { numRuns: 50, seed: seedAt(2) }).filter(({ config, operations }) => {
      const outcomes: string[] = [];
      playOnModel(config, operations, (_, __, outcome) => outcomes.push(show(outcome)));
      let differs = false;
      playOnModel(withoutCaches(config), operations, (index, _, outcome) => {
        if (show(outcome) !== outcomes[index]) differs = true;
      });
      return differs;
    });
    expect(stale.length).toBeGreaterThan(10);
  });

  it("name a CPU, IOMMU or PASID that does not exist", () => {
    const [{ config } = { config: undefined }] = fc.sample(programs(1), { numRuns: 1, seed: seedAt(3) });
    if (config === undefined) throw new Error("no sample");
    const machine = playOnModel(config, []);
    const request = { kind: "request", iommu: 0, device: undefined, address: 0n, access: 4 } as const;
    expect(() => step(machine, { kind: "invlpg", cpu: 9, address: 0n })).toThrow("CPU 9: expected 0..");
    expect(() => step(machine, { kind: "invalidate-all", iommu: 9 })).toThrow("IOMMU 9: expected 0..");
    expect(() => step(machine, { ...request, pasid: 2 })).toThrow("PASID 2 was never bound");
  });
});

/** A walk under way is memory like a cache, and nothing drops it. */
function withWholeWalks({ config, operations }: Program): Program {
  return { config, operations: operations.filter(({ kind }) => !["begin", "step", "finish"].includes(kind)) };
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, it) => (typeof it === "bigint" ? it.toString(16) : it)) ?? "none";
}
