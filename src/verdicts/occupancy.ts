// What supervisor leaves in the IOTLB cost: one program of a device that probes kernel addresses between its own, once with
// hardware that caches refused supervisor leaves and once without.

import { compileEngine } from "../engine/compile.js";
import type { EngineOptions } from "../engine/instance.js";
import type { WasmModule } from "../engine/wasm-module.js";
import { geometries } from "../hardware/geometries.js";
import { type Policy, type PolicyName, policies } from "../kernel/policies.js";
import { createMachineSync } from "../make-machine.js";
import { Access } from "../paging/access.js";
import { ProgramBuilder } from "../program/program.js";

/** Live entries of an IOTLB, and what that did to the device's own translations. */
export interface Occupancy {
  /** Whether refused leaves of supervisor pages go into the IOTLB. */
  cacheSupervisorLeaves: boolean;
  /** Entries in all, and live ones by the rights of their leaf. */
  entries: number;
  /** Live entries of supervisor pages. */
  supervisor: number;
  /** Live entries of user pages. */
  user: number;
  /** Requests to the device's own pages, and how many the IOTLB answered. */
  requests: number;
  /** Requests of these that the IOTLB answered. */
  hits: number;
  /** Hazards: the same in both. */
  hazards: number;
}

const PASID = 1;
const AREA = 0xffffc90000000000n;
const BUFFER = 0x7f0000000000n;
const OWN_PAGES = 48;
const KERNEL_PAGES = 48;
const ROUNDS = 8;
const US = 4n;

/** Plays the program on both kinds of hardware, under a policy; the one that caches them first. */
export async function iotlbOccupancy(
  options: EngineOptions & { policy?: PolicyName | Partial<Policy> } = {},
): Promise<[Occupancy, Occupancy]> {
  const module = options.module ?? (await compileEngine());
  const policy = options.policy ?? policies.none;
  return [measure(module, policy, true), measure(module, policy, false)];
}

function measure(module: WasmModule, policy: PolicyName | Partial<Policy>, cacheSupervisorLeaves: boolean): Occupancy {
  const iommus = [{ ...geometries.vtd, pasids: [PASID], cacheSupervisorLeaves }];
  const machine = createMachineSync({ module, workloadPages: 1, iommus, kernel: { pool: 64, mms: 1, policy } });
  const { kernel } = machine;
  const iommu = machine.iommus[0];
  if (!kernel || !iommu) throw new Error("the machine lacks a part");
  const requester = iommu.requester(PASID);
  kernel.run((p) => p.mmCreate(0).svaBind(requester, 0).mmap(0, BUFFER, OWN_PAGES).vmalloc(AREA, KERNEL_PAGES));
  const own = ownRequests(requester);
  const iotlb = iommu.l1[0];
  if (!iotlb) throw new Error("the IOMMU has no IOTLB");
  let hits = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = iotlb.counters.hits;
    machine.play(own);
    hits += iotlb.counters.hits - before;
    machine.play(kernelRequests(requester));
  }
  const live = iotlb.contents();
  const user = live.filter(({ data }) => (data & US) !== 0n).length;
  const { total } = kernel.hazardCounts;
  const counts = { entries: iotlb.entries, supervisor: live.length - user, user };
  return { cacheSupervisorLeaves, ...counts, requests: OWN_PAGES * ROUNDS, hits, hazards: total };
}

function ownRequests(requester: number): Uint8Array {
  const program = new ProgramBuilder();
  for (let page = 0n; page < OWN_PAGES; page++) program.access(requester, BUFFER + page * 4096n, Access.userRead);
  return program.build();
}

function kernelRequests(requester: number): Uint8Array {
  const program = new ProgramBuilder();
  for (let page = 0n; page < KERNEL_PAGES; page++) program.access(requester, AREA + page * 4096n, Access.userRead);
  return program.build();
}
