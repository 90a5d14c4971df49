// An IOMMU: PASIDs over the CPU's tables, IOTLB, paging-structure caches, devices with or without TLBs of their own
// (VT-d 3.6, 6.2, 6.5.2; docs/rules.md section 7).

import { checkAddress, checkHalf, checkInteger, InvalidOptionError, rootFrame } from "../base/errors.js";
import {
  accessFetch,
  accessType,
  agentFlag,
  allPagesMask,
  any as anyOne,
  domainsOfPasid,
  maxRequesters,
} from "../engine/abi.js";
import type { Pointer } from "../engine/exports.js";
import type { Access } from "../paging/access.js";
import { type Outcome, unpackOutcome } from "../paging/outcome.js";
import { Agent, makeCache, type Workshop } from "./agent.js";
import { checkAccess, type Explanation, explainWalk, probeContext, translateBatch } from "./context.js";
import { checkWords, type DescriptorWords, execute, executeUntilRefused, type QueueResult } from "./descriptors.js";
import { Device, deviceFlags } from "./device.js";
import { cacheShape } from "./geometry.js";
import type { DeviceConfig, IommuConfig } from "./iommu-config.js";
import { type Binding, packBinding } from "./pasid-entry.js";
import { walkFlags } from "./walks.js";

/** An IOMMU of a machine. */
export class Iommu extends Agent {
  /** Devices in front of it, by number. */
  readonly devices: readonly Device[];
  /** How invalidations are encoded. */
  readonly dialect: "vtd" | "amd";
  /** PASIDs in the order of their dense indices (the tags of cache entries). */
  readonly pasids: readonly number[];
  private readonly tags: ReadonlyMap<number, number>;
  /** By device, then by dense index of the PASID; one row if there is no device. @internal */
  readonly contexts: readonly (readonly Pointer[])[];
  private readonly ownRequesters: readonly number[];

  /** @internal */
  constructor(workshop: Workshop, config: IommuConfig, field: string) {
    const { pasids = [1], devices = [{}], dialect = "vtd" } = config;
    const flags =
      (dialect === "amd" ? agentFlag.amdCommands | agentFlag.amdTables : 0) |
      (config.supervisorEntries === "stop" ? agentFlag.stopAtSupervisor : 0) |
      (config.supervisorEntries === "walk" ? agentFlag.passSupervisorUncached : 0) |
      (config.cacheSupervisorLeaves ? agentFlag.cacheSupervisorLeaves : 0) |
      (config.noWriteRequests ? agentFlag.noWriteRequests : 0) |
      walkFlags(config);
    const tags = indexOf(pasids, `${field}.pasids`, "each PASID once");
    const sourceIds = devices.map(({ sourceId }, i) => sourceId ?? i);
    indexOf(sourceIds, `${field}.devices`, "each source-id once");
    const sources = Math.max(1, devices.length);
    if (sources * pasids.length > maxRequesters) throw tooMany(field);
    const contexts: Pointer[][] = [];
    const { exports } = workshop.engine;
    // What a PASID has stands together: domain by domain, and in translation caches device by device.
    const domainOf = (index: number, tag: number): number =>
      exports.domainAt(contexts[0]?.[index] as Pointer, tag % domainsOfPasid);
    super(
      workshop,
      config,
      field,
      {
        leaves: domainsOfPasid * sources * pasids.length,
        paths: domainsOfPasid * pasids.length,
        readLeaf: (tag) => {
          const index = Math.floor(tag / (domainsOfPasid * sources));
          return { tag: index, device: Math.floor(tag / domainsOfPasid) % sources, domain: domainOf(index, tag) };
        },
        readPath: (tag) => {
          const index = Math.floor(tag / domainsOfPasid);
          return { tag: index, domain: domainOf(index, tag) };
        },
      },
      flags,
    );
    this.dialect = dialect;
    this.pasids = [...pasids];
    this.tags = tags;
    this.contexts = contexts;
    for (let source = 0; source < sources; source++) {
      const sourceId = sourceIds[source] ?? 0;
      contexts.push(
        pasids.map((pasid, index) => {
          const first = source === 0 ? 0 : (contexts[0]?.[index] as Pointer);
          const context = exports.createPasidContext(
            this.pointer,
            pasid,
            index,
            pasids.length,
            source,
            sources,
            sourceId,
            first,
          );
          return this.engine.made(context, `${field}.pasids[${index}]`);
        }),
      );
    }
    this.ownRequesters = this.contextsOf(0).map((context) => addRequester(workshop, context, 0, field));
    this.devices = devices.map((device, i) =>
      this.makeDevice(workshop, device, i, sourceIds[i] as number, `${field}.devices[${i}]`),
    );
  }

  private makeDevice(workshop: Workshop, config: DeviceConfig, index: number, sourceId: number, field: string): Device {
    const name = config.name ?? `device${index}`;
    const shape = config.deviceTlb && cacheShape(config.deviceTlb, `${field}.deviceTlb`, "device-tlb");
    const group = () => this.engine.made(this.engine.exports.createGroup(this.pasids.length), field);
    const tlb = shape && makeCache(workshop, group(), shape, `${field}.deviceTlb`, 0);
    const flags = deviceFlags(config, tlb !== undefined, this.dialect, field);
    if (!tlb && index === 0) return new Device(name, index, tlb, sourceId, this.ownRequesters);
    const requesters = this.contextsOf(index).map((context) =>
      addRequester(workshop, context, tlb?.pointer ?? 0, field),
    );
    if (tlb) for (const requester of requesters) this.engine.exports.setDevice(requester, flags);
    return new Device(name, index, tlb, sourceId, requesters);
  }

  /** Page requests that its devices have sent. */
  get pageRequests(): number {
    return Number(this.engine.exports.pageRequests(this.pointer));
  }

  /** Requesters that this IOMMU adds to a machine: one per PASID, and one per (device, PASID) but for a first device without a TLB. */
  get requesterCount(): number {
    return this.pasids.length * (1 + this.devices.filter((device, i) => i > 0 || device.tlb).length);
  }

  /** Dense index of a PASID. @throws InvalidOptionError if the IOMMU was not made for it */
  tagOf(pasid: number): number {
    const tag = this.tags.get(pasid);
    if (tag === undefined) throw new InvalidOptionError("PASID", pasid, `one of ${this.pasids.join(", ")}`);
    return tag;
  }

  private contextsOf(device: number): readonly Pointer[] {
    return this.contexts[device] as readonly Pointer[];
  }

  /** Context of a PASID and a device; without one, of the first. */
  private contextOf(pasid: number, device?: number): Pointer {
    const contexts = this.contextsOf(device === undefined ? 0 : this.deviceAt(device).index);
    return contexts[this.tagOf(pasid)] as Pointer;
  }

  private deviceAt(index: number): Device {
    const device = this.devices[index];
    if (!device) throw new InvalidOptionError("device", index, `0 to ${this.devices.length - 1}`);
    return device;
  }

  /** Number of the requester (PASID, device) in programs; without a device, the first one past its TLB. */
  requester(pasid: number, device?: number): number {
    const tag = this.tagOf(pasid);
    return device === undefined ? (this.ownRequesters[tag] as number) : this.deviceAt(device).requester(tag);
  }

  /**
   * Writes the PASID-table entry, which all devices share; the PASID cache does not notice (see {@link invalidatePasidCache}).
   * @throws InvalidOptionError for a field that no entry can have (what hardware refuses is the fault of a later request); also
   * for a domain, if the caches hold entries of the PASID under as many others as there is room for
   */
  bind(pasid: number, binding: Binding): void {
    const { root, present, fields, domain } = packBinding(binding, this.engine.exports.usualFields());
    const frame = rootFrame("binding.root", root);
    if (!this.engine.exports.bind(this.contextOf(pasid), present, frame, fields, domain)) {
      throw new InvalidOptionError(
        "binding.domain",
        domain,
        `one of at most ${domainsOfPasid} domains of a PASID that something is cached under`,
      );
    }
  }

  /** Marks the PASID-table entry not present; the PASID cache does not notice. */
  unbind(pasid: number): void {
    this.engine.exports.bind(this.contextOf(pasid), false, 0n, 0, 0);
  }

  /**
   * A request of a device with a PASID; without a device, of the first one past its TLB. SVA requests are user accesses.
   * @throws InvalidOptionError for a fetch: since VT-d 4.1 there are no execute requests
   */
  request(pasid: number, va: bigint, access: Access, device?: number): Outcome {
    const address = checkAddress("virtual address", va);
    const requester = this.requester(pasid, device);
    return unpackOutcome(this.engine.calls.access(requester, address, checkRequestAccess(access)));
  }

  /**
   * The same in numbers; see {@link Cpu.physical}.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  physical(pasid: number, high: number, low: number, access: Access, device?: number): number {
    const requester = this.requester(pasid, device);
    const kind = checkRequestAccess(access);
    return this.engine.calls.physical(requester, checkHalf("high", high), checkHalf("low", low), kind);
  }

  /**
   * Many requests for one kind of access, as `request` makes them one after the other; packed outcomes as in `Cpu.translateMany`.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  requestMany(
    pasid: number,
    addresses: BigUint64Array,
    access: Access,
    device?: number,
    outcomes: BigUint64Array = new BigUint64Array(addresses.length),
  ): BigUint64Array {
    checkRequestAccess(access);
    return translateBatch(this.engine, this.scratch, this.requester(pasid, device), addresses, access, outcomes);
  }

  /**
   * What a request (not through a device TLB) would answer, caches included, without any side effect.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  probe(pasid: number, va: bigint, access: Access, device?: number): Outcome {
    return probeContext(this.engine, this.contextOf(pasid, device), va, checkRequestAccess(access));
  }

  /**
   * What the tables of a PASID say, whatever is cached but the PASID-table entry.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  explain(pasid: number, va: bigint, access: Access, device?: number): Explanation {
    return explainWalk(this.engine, this.contextOf(pasid, device), va, checkRequestAccess(access));
  }

  /** PASID-cache invalidation of one PASID, or of all, whatever their domains. */
  invalidatePasidCache(pasid?: number): void {
    const context = pasid === undefined ? this.contextsOf(0)[0] : this.contextOf(pasid);
    // An IOMMU without PASIDs has nothing in that cache.
    if (context !== undefined) this.engine.exports.invalidatePasidCache(context, pasid === undefined);
  }

  /** PASID-selective invalidation: IOTLB and paging-structure caches of the PASID, for all devices, whatever its domain. */
  invalidatePasid(pasid: number): void {
    this.engine.exports.invalidatePages(this.contextOf(pasid), 0n, allPagesMask, false);
  }

  /**
   * Page-selective invalidation of the 2^`am` pages around `va`, for all devices, whatever the domain; with `leavesOnly`
   * (IH) paging-structure caches stay.
   * @param am address mask, 0 to 52
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  invalidatePages(pasid: number, va: bigint, am = 0, leavesOnly = false): void {
    checkInteger("AM", am, 0, allPagesMask);
    const address = checkAddress("virtual address", va);
    this.engine.exports.invalidatePages(this.contextOf(pasid), address, am, leavesOnly);
  }

  /**
   * Executes a descriptor of the invalidation queue as the hardware would (docs/rules.md section 15): those of VT-d, or AMD's
   * commands with `dialect: "amd"`. `stalewalk/queue` encodes and decodes them. What names nothing that is cached has no
   * effect. Each call is a queue of its own: one that hardware refuses throws, and the next call starts afresh, as after a
   * driver that skips the descriptor and clears the error. {@link submitAll} stops.
   * @param words the 64-bit words: of VT-d two (128 bits) or four (256 bits, scalable mode), of AMD two
   * @param device whose TLB a device-TLB descriptor is sent to, whatever source-id it names; default the source-id's
   * @throws DescriptorError naming the field that hardware refuses; InvalidOptionError for words or a device that cannot be
   */
  submit(words: DescriptorWords, device?: number): void {
    const checked = checkWords(this.dialect, words);
    const to = device === undefined ? anyOne : this.deviceAt(device).sourceId;
    execute(this.engine, this.dialect, this.contextsOf(0)[0] as Pointer, to, checked);
  }

  /**
   * Executes descriptors in their order, as `submit` does each, until there are no more or hardware refuses one: there the
   * queue stops, and nothing behind it is executed.
   * @throws InvalidOptionError for words or a device that cannot be
   */
  submitAll(descriptors: readonly DescriptorWords[], device?: number): QueueResult {
    return executeUntilRefused(descriptors, (words) => this.submit(words, device));
  }

  /** Everything of every PASID. */
  invalidateAll(): void {
    this.engine.exports.invalidateAll(this.pointer);
  }

  /**
   * Device-TLB invalidation: all of a PASID, or the 2^`am` pages around `va`. Nothing, if the device has no TLB.
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  invalidateDeviceTlb(device: number, pasid: number, pages?: { va: bigint; am: number }): void {
    const { tlb } = this.deviceAt(device);
    const tag = this.tagOf(pasid);
    if (!tlb) return;
    const [va, am] = pages
      ? [checkAddress("virtual address", pages.va), checkInteger("AM", pages.am, 0, allPagesMask)]
      : [0n, allPagesMask];
    this.engine.exports.invalidateDeviceTlb(tlb.pointer, tag, va, am);
  }
}

/** Where each of some numbers stands. @throws InvalidOptionError for one that is there twice */
function indexOf(numbers: readonly number[], field: string, expected: string): Map<number, number> {
  const places = new Map<number, number>();
  for (const [i, number] of numbers.entries()) {
    if (places.has(number)) throw new InvalidOptionError(`${field}[${i}]`, number, expected);
    places.set(number, i);
  }
  return places;
}

/** Checks the access of a request. @throws InvalidOptionError */
function checkRequestAccess(access: unknown): Access {
  const code = checkAccess(access) as Access;
  if ((code & accessType) !== accessFetch) return code;
  throw new InvalidOptionError(
    "access",
    access,
    "a read or a write: devices make no execute requests (VT-d 4.1 and later)",
  );
}

function addRequester({ engine }: Workshop, context: Pointer, deviceTlb: Pointer, field: string): number {
  const requester = engine.exports.addRequester(context, deviceTlb);
  if (requester < 0) throw tooMany(field);
  return requester;
}

function tooMany(field: string): InvalidOptionError {
  return new InvalidOptionError(
    field,
    "too many requesters",
    `at most ${maxRequesters} CPUs and (device, PASID) pairs in a machine`,
  );
}
