// An IOMMU: PASIDs over the CPU's tables, IOTLB, paging-structure caches, devices with or without TLBs of their own
// (VT-d 3.6, 6.2, 6.5.2; docs/rules.md section 7).

import { checkAddress, checkInteger, checkOneOf, InvalidOptionError, rootFrame } from "../base/errors.js";
import { address, boolean, integer, list, object, oneOf, optional, parse, text } from "../base/schema.js";
import {
  agentFlag,
  allPagesMask,
  amdOpcode,
  cacheKeyTag,
  controlBit,
  maxRequesters,
  vtdGranularity,
  vtdType,
} from "../engine/abi.js";
import type { Pointer } from "../engine/exports.js";
import { MAX_PASID } from "../engine/limits.js";
import type { Access } from "../paging/access.js";
import { type Outcome, unpackOutcome } from "../paging/outcome.js";
import { Agent, makeCache, type Workshop } from "./agent.js";
import type { Cache } from "./cache.js";
import { checkAccess, type Explanation, explainWalk, probeContext, translateBatch } from "./context.js";
import {
  type AgentGeometry,
  agentFields,
  cacheShape,
  type TranslationCacheGeometry,
  translationCacheSchema,
} from "./geometry.js";
import { type WalkOptions, walkFields, walkFlags } from "./walks.js";

/** A device behind an IOMMU. */
export interface DeviceConfig {
  /** For output; default `device0`, … */
  name?: string;
  /** TLB on the device (PCIe ATS); default none. */
  deviceTlb?: TranslationCacheGeometry;
}

/** An IOMMU: its caches (`l1` is the IOTLB), its PASIDs, its devices, and where hardware differs. */
export interface IommuConfig extends AgentGeometry, WalkOptions {
  /** PASIDs that may be bound, each 0 to 2^20 - 1. Default [1]. */
  pasids?: readonly number[];
  /** Default one device without a TLB. */
  devices?: readonly DeviceConfig[];
  /** What a request makes of a non-leaf entry with U/S = 0. Default `cache`. */
  supervisorEntries?: SupervisorEntries;
  /** How invalidations are encoded, and how the driver batches and waits. Default `vtd`. */
  dialect?: "vtd" | "amd";
  /**
   * A walk refused at a supervisor leaf still puts the leaf into the IOTLB: hardware that does more than VT-d's text allows,
   * by which no walk that meets a fault is cached there (6.2.4.1). Default false.
   */
  cacheSupervisorLeaves?: boolean;
}

/**
 * What a user request makes of a non-leaf entry with U/S = 0; VT-d's text leaves room for three readings (docs/rules.md rule
 * 3.7). `cache`: the walk goes on, and the entry goes into the paging-structure cache (as Intel describes its hardware).
 * `walk`: the walk goes on and sets A, but caches no path from there down. `stop`: it is refused there (as QEMU does).
 */
export type SupervisorEntries = (typeof SUPERVISOR_ENTRIES)[number];

/** The readings, the usual one first. */
export const SUPERVISOR_ENTRIES = ["cache", "walk", "stop"] as const;

/** What a PASID-table entry holds. */
export interface Binding {
  /** Physical address of the root table. */
  root: bigint;
  /** EFER.NXE of the tables: without it XD is a reserved bit. Default true. */
  nxe?: boolean;
}

/** Tags of PASIDs; the last value stands for "global". */
const MAX_TAGS = Number(cacheKeyTag);
const DIALECTS = ["vtd", "amd"] as const;

/** An IOMMU. @internal */
export const iommuSchema = object(
  {
    ...agentFields,
    ...walkFields,
    pasids: optional(list(integer(0, MAX_PASID), `1 to ${MAX_TAGS} PASIDs`, 1, MAX_TAGS)),
    devices: optional(
      list(
        object(
          { name: optional(text()), deviceTlb: optional(translationCacheSchema) },
          "an object that describes a device",
        ),
      ),
    ),
    supervisorEntries: optional(oneOf(SUPERVISOR_ENTRIES)),
    dialect: optional(oneOf(DIALECTS)),
    cacheSupervisorLeaves: optional(boolean()),
  },
  "an object that describes an IOMMU",
);

const bindingSchema = object({ root: address(), nxe: optional(boolean()) }, "a binding: { root, … }");

/** A device: requests with a PASID go through its own TLB, if it has one. */
export class Device {
  /** @internal */
  constructor(
    /** Name as configured, or `device` and its number. */
    readonly name: string,
    /** Number in its IOMMU. */
    readonly index: number,
    /** TLB on the device, if it has one. */
    readonly tlb: Cache | undefined,
    private readonly requesters: readonly number[],
  ) {}

  /** @internal */
  requester(tag: number): number {
    return this.requesters[tag] as number;
  }
}

/** An IOMMU of a machine. */
export class Iommu extends Agent {
  /** Devices in front of it, by number. */
  readonly devices: readonly Device[];
  /** How invalidations are encoded. */
  readonly dialect: "vtd" | "amd";
  /** PASIDs in the order of their dense indices (the tags of cache entries). */
  readonly pasids: readonly number[];
  private readonly tags = new Map<number, number>();
  private readonly contexts: Pointer[] = [];
  private readonly ownRequesters: number[] = [];

  /** @internal */
  constructor(workshop: Workshop, config: IommuConfig, field: string) {
    const pasids = config.pasids ?? [1];
    const { dialect = "vtd" } = config;
    const flags =
      (dialect === "amd" ? agentFlag.amdCommands : 0) |
      (config.supervisorEntries === "stop" ? agentFlag.stopAtSupervisor : 0) |
      (config.supervisorEntries === "walk" ? agentFlag.passSupervisorUncached : 0) |
      (config.cacheSupervisorLeaves ? agentFlag.cacheSupervisorLeaves : 0) |
      walkFlags(config);
    super(workshop, config, field, pasids.length, flags);
    this.dialect = dialect;
    this.pasids = [...pasids];
    const { exports } = this.engine;
    for (const [tag, pasid] of pasids.entries()) {
      if (this.tags.has(pasid)) throw new InvalidOptionError(`${field}.pasids[${tag}]`, pasid, "each PASID once");
      this.tags.set(pasid, tag);
      const context = this.engine.made(exports.createContext(this.pointer, tag), `${field}.pasids[${tag}]`);
      exports.setPasid(context, pasid);
      this.contexts.push(context);
      this.ownRequesters.push(addRequester(workshop, context, 0, field));
    }
    const devices = config.devices ?? [{}];
    this.devices = devices.map((device, i) => this.makeDevice(workshop, device, i, `${field}.devices[${i}]`));
  }

  private makeDevice(workshop: Workshop, config: DeviceConfig, index: number, field: string): Device {
    const name = config.name ?? `device${index}`;
    const shape = config.deviceTlb && cacheShape(config.deviceTlb, `${field}.deviceTlb`, "device-tlb");
    if (!shape) return new Device(name, index, undefined, this.ownRequesters);
    const tlb = makeCache(workshop, shape, `${field}.deviceTlb`, 0, this.pasids.length);
    const requesters = this.contexts.map((context) => addRequester(workshop, context, tlb.pointer, field));
    return new Device(name, index, tlb, requesters);
  }

  /** Requesters that this IOMMU adds to a machine: one per PASID, and one per (device with a TLB, PASID). */
  get requesterCount(): number {
    return this.pasids.length * (1 + this.devices.filter((device) => device.tlb).length);
  }

  /** Dense index of a PASID. @throws InvalidOptionError if the IOMMU was not made for it */
  tagOf(pasid: number): number {
    const tag = this.tags.get(pasid);
    if (tag === undefined) throw new InvalidOptionError("PASID", pasid, `one of ${this.pasids.join(", ")}`);
    return tag;
  }

  private contextOf(pasid: number): Pointer {
    return this.contexts[this.tagOf(pasid)] as Pointer;
  }

  private deviceAt(index: number): Device {
    const device = this.devices[index];
    if (!device) throw new InvalidOptionError("device", index, `0 to ${this.devices.length - 1}`);
    return device;
  }

  /** Number of the requester (PASID, device) in programs; without a device, past any device TLB. */
  requester(pasid: number, device?: number): number {
    const tag = this.tagOf(pasid);
    return device === undefined ? (this.ownRequesters[tag] as number) : this.deviceAt(device).requester(tag);
  }

  /** Writes the PASID-table entry; the PASID cache does not notice (see {@link invalidatePasidCache}). */
  bind(pasid: number, binding: Binding): void {
    const { root, nxe = true } = parse(bindingSchema, binding, "binding");
    this.engine.exports.bind(this.contextOf(pasid), true, rootFrame("binding.root", root), nxe ? controlBit.nxe : 0);
  }

  /** Marks the PASID-table entry not present; the PASID cache does not notice. */
  unbind(pasid: number): void {
    this.engine.exports.bind(this.contextOf(pasid), false, 0n, 0);
  }

  /** A request of a device with a PASID. SVA requests are user accesses. */
  request(pasid: number, va: bigint, access: Access, device?: number): Outcome {
    const address = checkAddress("virtual address", va);
    return unpackOutcome(this.engine.exports.access(this.requester(pasid, device), address, checkAccess(access)));
  }

  /** Many requests for one kind of access, as `request` makes them one after the other; packed outcomes as in `Cpu.translateMany`. */
  requestMany(
    pasid: number,
    addresses: BigUint64Array,
    access: Access,
    device?: number,
    outcomes: BigUint64Array = new BigUint64Array(addresses.length),
  ): BigUint64Array {
    return translateBatch(this.engine, this.scratch, this.requester(pasid, device), addresses, access, outcomes);
  }

  /** What a request (not through a device TLB) would answer, caches included, without any side effect. */
  probe(pasid: number, va: bigint, access: Access): Outcome {
    return probeContext(this.engine, this.contextOf(pasid), va, access);
  }

  /** What the tables of a PASID say, whatever is cached. */
  explain(pasid: number, va: bigint, access: Access): Explanation {
    return explainWalk(this.engine, this.contextOf(pasid), va, access);
  }

  /** PASID-cache invalidation of one PASID, or of all. */
  invalidatePasidCache(pasid?: number): void {
    const contexts = pasid === undefined ? this.contexts : [this.contextOf(pasid)];
    for (const context of contexts) this.engine.exports.invalidatePasidCache(context);
  }

  /** PASID-selective invalidation: IOTLB and paging-structure caches of the PASID. */
  invalidatePasid(pasid: number): void {
    this.engine.exports.invalidatePasid(this.pointer, this.tagOf(pasid));
  }

  /**
   * Page-selective invalidation of the 2^`am` pages around `va`; with `leavesOnly` (IH) paging-structure caches stay.
   * @param am address mask, 0 to 52
   */
  invalidatePages(pasid: number, va: bigint, am = 0, leavesOnly = false): void {
    checkInteger("AM", am, 0, allPagesMask);
    const address = checkAddress("virtual address", va);
    this.engine.exports.invalidatePages(this.pointer, this.tagOf(pasid), address, am, leavesOnly);
  }

  /**
   * Executes a descriptor of the invalidation queue as the hardware would: VT-d's types 6 (PASID-based IOTLB), 7 (PASID
   * cache), 8 (PASID-based device TLB) and 5 (wait: all before it is done, so nothing is left to do); or, with
   * `dialect: "amd"`, INVALIDATE_IOMMU_PAGES (3), INVALIDATE_IOTLB_PAGES (4), INVALIDATE_IOMMU_ALL (8) and
   * COMPLETION_WAIT (1). `stalewalk/queue` encodes and decodes them.
   * @param words the first two 64-bit words; those of a 256-bit descriptor that follow are 0 for these types
   * @param device whose TLB a device-TLB descriptor is sent to
   * @throws InvalidOptionError for other types, PASIDs that this IOMMU does not have, devices without a TLB
   */
  submit(words: readonly [bigint, bigint, ...bigint[]], device?: number): void {
    const [first, second] = [checkAddress("words[0]", words[0]), checkAddress("words[1]", words[1])];
    if (this.dialect === "amd") this.submitAmd(first, second, device);
    else this.submitVtd(first, second, device);
  }

  private submitVtd(qw0: bigint, qw1: bigint, device: number | undefined): void {
    const type = checkOneOf("descriptor type", Number(qw0 & 0xfn), Object.values(vtdType));
    if (type === vtdType.wait) return;
    const granularity = Number((qw0 >> 4n) & 3n);
    const everyPasid = type === vtdType.pasidCache && granularity !== vtdGranularity.pasidCacheOne;
    if (type === vtdType.pasidIotlb) {
      checkOneOf("granularity", granularity, [vtdGranularity.iotlbAllOfPasid, vtdGranularity.iotlbPagesOfPasid]);
    }
    const pasids = everyPasid ? this.pasids : [Number((qw0 >> 32n) & 0xfffffn)];
    for (const pasid of pasids) {
      const deviceTlb = type === vtdType.pasidDeviceTlb ? this.deviceTlb(pasid, device) : 0;
      this.engine.exports.executeVtd(this.contextOf(pasid), deviceTlb, qw0, qw1);
    }
  }

  private submitAmd(w0: bigint, w1: bigint, device: number | undefined): void {
    const opcode = checkOneOf("opcode", Number(w0 >> 60n), Object.values(amdOpcode));
    if (opcode === amdOpcode.completionWait) return;
    if (opcode === amdOpcode.invalidateAll) {
      this.invalidateAll();
      return;
    }
    const pieces = ((w0 >> 48n) & 0xffn) | (((w0 >> 16n) & 0xffn) << 8n) | (((w0 >> 56n) & 0xfn) << 16n);
    const pasid = Number(opcode === amdOpcode.invalidateIommuPages ? w0 & 0xfffffn : pieces);
    const deviceTlb = opcode === amdOpcode.invalidateIotlbPages ? this.deviceTlb(pasid, device) : 0;
    this.engine.exports.executeAmd(this.contextOf(pasid), deviceTlb, w0, w1);
  }

  /** Requester + 1 of a device with a TLB, for a PASID. */
  private deviceTlb(pasid: number, device: number | undefined): number {
    if (device === undefined || !this.deviceAt(device).tlb) {
      throw new InvalidOptionError("device", device, "the number of a device with a TLB");
    }
    return this.requester(pasid, device) + 1;
  }

  /** Everything of every PASID. */
  invalidateAll(): void {
    this.engine.exports.invalidateAll(this.pointer);
  }

  /** Device-TLB invalidation: all of a PASID, or the 2^`am` pages around `va`. Nothing, if the device has no TLB. */
  invalidateDeviceTlb(device: number, pasid: number, pages?: { va: bigint; am: number }): void {
    const { tlb } = this.deviceAt(device);
    const tag = this.tagOf(pasid);
    if (!tlb) return;
    if (!pages) this.engine.exports.invalidateDeviceTlb(tlb.pointer, tag);
    else {
      const address = checkAddress("virtual address", pages.va);
      this.engine.exports.invalidateDeviceTlbPages(
        tlb.pointer,
        tag,
        address,
        checkInteger("AM", pages.am, 0, allPagesMask),
      );
    }
  }
}

function addRequester({ engine }: Workshop, context: Pointer, deviceTlb: Pointer, field: string): number {
  const requester = engine.exports.addRequester(context, deviceTlb);
  if (requester < 0)
    throw new InvalidOptionError(
      field,
      "too many requesters",
      `at most ${maxRequesters} CPUs and (device, PASID) pairs`,
    );
  return requester;
}
