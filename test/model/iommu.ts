// An IOMMU (rules.md section 7; VT-d 3.6, 6.2, 6.5): an agent with a context per PASID, a PASID cache, its invalidations,
// and device TLBs in front of it.

import type { Access } from "./access.js";
import { Agent, createTranslationCache, lacksDirty, leafOf, outcomeOfHit, type Translation } from "./agent.js";
import type { Context } from "./agent-config.js";
import type { Cache, CacheEntry } from "./cache.js";
import { levelShift } from "./entry.js";
import { DEFAULT_DOMAIN, type DeviceOptions, type IommuConfig, type PasidBinding } from "./iommu-config.js";
import type { Memory } from "./memory.js";
import { type Named, overlapOf, type Pages, spanOf } from "./pages.js";
import { type CachedPasid, PasidCache } from "./pasid-cache.js";
import {
  faultOfEntry,
  isInterruptAddress,
  numbered,
  overlapsInterrupts,
  type PasidEntry,
  plainEntry,
} from "./pasid-entry.js";
import { asRefused, canBeMended, REQUEST_CONTROLS, requestAccess } from "./request.js";
import {
  isCanonical,
  type MachineParameters,
  type Outcome,
  type Pause,
  toTheEnd,
  translatedBits,
  type WalkResult,
} from "./walk.js";
import type { Begun } from "./walks.js";

/** What the IOMMU says to a request, and the PASID-table entry that it was looked up by. */
interface Answer extends Translation {
  entry: PasidEntry | undefined;
}

/** An IOMMU. */
export class Iommu {
  readonly agent: Agent;
  readonly devices: readonly (Cache | undefined)[];
  readonly sourceIds: readonly number[];
  readonly dialect: "vtd" | "amd";
  /** Page requests of its devices. */
  pageRequests = 0;
  /** Invalidations of its own caches. */
  invalidations = 0;
  readonly #deviceOptions: readonly DeviceOptions[];
  readonly #noWriteRequests: boolean;
  /** PASID -> tag: its index in order of the first binding. */
  readonly #indexes = new Map<number, number>();
  readonly #bindings = new Map<number, PasidBinding>();
  readonly #pasidCache = new PasidCache();

  constructor(memory: Memory, parameters: MachineParameters, config: IommuConfig) {
    this.agent = new Agent(memory, parameters, config, {
      cpu: false,
      vendor: config.dialect === "amd" ? "amd" : "intel",
      supervisorEntries: config.supervisorEntries,
      refusesInterrupts: (config.dialect ?? "vtd") === "vtd",
      cacheSupervisorLeaves: config.cacheSupervisorLeaves,
      walks: config.walks ?? "atomic",
      drain: config.drain ?? "all",
    });
    this.devices = config.devices.map((device) => device && createTranslationCache(device));
    this.sourceIds = config.sourceIds ?? config.devices.map((_, i) => i);
    this.dialect = config.dialect ?? "vtd";
    this.#deviceOptions = config.deviceOptions ?? [];
    this.#noWriteRequests = config.noWriteRequests ?? false;
    for (const binding of config.pasids) this.bind(binding);
  }

  /** Give a PASID its index without binding it. */
  declare(pasid: number): void {
    if (!this.#indexes.has(pasid)) this.#indexes.set(pasid, this.#indexes.size);
  }

  /** Bind a PASID or change its binding; seen by requests only when the PASID cache does not hold it. */
  bind(binding: PasidBinding): void {
    this.declare(binding.pasid);
    this.#bindings.set(binding.pasid, { ...binding });
  }

  /** Make the entry of a PASID not present; seen by requests only when the PASID cache does not hold it. */
  unbind(pasid: number): void {
    this.#bindings.delete(pasid);
  }

  /** The tag of a PASID's entries. @throws RangeError if the PASID has no index */
  indexOf(pasid: number): number {
    return this.#index(pasid);
  }

  /**
   * A request of a device; or of the first one past its TLB, if `device` is undefined.
   * @throws RangeError if the PASID was never bound
   */
  request(pasid: number, address: bigint, accessCode: number, device?: number): Outcome {
    return toTheEnd(this.#inSteps(pasid, address, accessCode, device));
  }

  /** The same request, of which the walk is only to begin. */
  begin(pasid: number, address: bigint, accessCode: number, device?: number): Begun {
    const steps = this.#inSteps(pasid, address, accessCode, device);
    const asks = device !== undefined && this.devices[device]?.enabled ? device : undefined;
    return { agent: this.agent, tag: this.#index(pasid), address, device: asks, steps };
  }

  *#inSteps(pasid: number, address: bigint, accessCode: number, device?: number): Begun["steps"] {
    const access = requestAccess(accessCode);
    const deviceTlb = device === undefined ? undefined : this.#device(device);
    const tag = this.#index(pasid);
    if (device === undefined || !deviceTlb?.enabled) {
      return (yield* this.#ask(pasid, device ?? 0, address, access)).outcome;
    }
    if (isCanonical(address, this.agent.parameters)) {
      const outcome = this.#lookUpInDevice(deviceTlb, tag, address, access);
      if (outcome !== undefined) return outcome;
    }
    const outcome = yield* this.#translationRequest(pasid, device, deviceTlb, address, access);
    const options = this.#deviceOptions[device];
    if (options?.pageRequests && !access.speculative && canBeMended(outcome)) {
      this.pageRequests += 1;
      // It waits for no walk (rule 16.10).
      const domain = this.#pasidCache.lastDomain(pasid, device);
      this.#dropPagesNow({ pasid, domain }, { address, am: 0 }, false);
    }
    return outcome;
  }

  /** A request that reaches the IOMMU. */
  *#ask(pasid: number, device: number, address: bigint, access: Access): Generator<Pause, Answer, void> {
    const { refused, entry, context } = this.#contextOf(pasid, device);
    if (refused !== undefined) {
      return { outcome: this.#numbered(this.agent.refuse(refused, access), entry), leaf: undefined, entry };
    }
    this.#pasidCache.fill({ pasid, device, domain: context.domain ?? DEFAULT_DOMAIN, context, entry });
    const { outcome, leaf } = yield* this.agent.translate(context, address, access);
    return { outcome: this.#finished(outcome, entry, access), leaf, entry };
  }

  /** What a device with a TLB asks for an access, and what it makes of the answer. */
  *#translationRequest(
    pasid: number,
    device: number,
    deviceTlb: Cache,
    address: bigint,
    access: Access,
  ): Generator<Pause, Outcome, void> {
    const isVtd = this.dialect === "vtd";
    const saysNoWrite =
      this.#noWriteRequests && this.#deviceOptions[device]?.noWrite === true && access.type === "read";
    const asked: Access = isVtd && !saysNoWrite ? { ...access, type: "read", orWrite: true } : access;
    const { outcome, leaf, entry } = yield* this.#ask(pasid, device, address, asked);
    if (isVtd && (outcome.kind === "non-canonical" || outcome.kind === "fault")) return asRefused(outcome, access);
    if (outcome.kind !== "ok" || leaf === undefined) return outcome;
    const pageShift = levelShift(leaf.level);
    if (isVtd && overlapsInterrupts(outcome.physicalAddress, pageShift)) {
      // Rule 16.4: the answer would be the whole page.
      const refused: Outcome = { kind: "fault", reason: "interrupt-range", errorCode: 0, level: leaf.level };
      if (!access.speculative) this.agent.counters.faults += 1;
      return this.#numbered(refused, entry);
    }
    if (deviceTlb.pageShifts.includes(pageShift)) {
      const pageNumber = translatedBits(address, this.agent.parameters) >> BigInt(pageShift);
      deviceTlb.fill({ pageShift, pageNumber, tag: this.#index(pasid), data: leaf.data, generation: 0 });
    }
    const own = outcomeOfHit(leaf, address, access, REQUEST_CONTROLS);
    if (own.kind === "ok" || !isVtd) return outcome;
    return { ...numbered(own, undefined), recorded: false } as Outcome;
  }

  /** What the tables say about a request, without side effects, by the PASID-table entry that a request would use. */
  probe(pasid: number, address: bigint, accessCode: number, device = 0): Outcome {
    const { refused, entry, context } = this.#contextOf(pasid, device);
    if (refused !== undefined) return this.#numbered(refused, entry);
    return this.#numbered(this.agent.probe(context, address, requestAccess(accessCode)), entry);
  }

  /** A probe with its chain of entries; undefined if the address is not canonical or the PASID-table entry is refused. */
  explain(pasid: number, address: bigint, accessCode: number, device = 0): WalkResult | undefined {
    const { refused, context } = this.#contextOf(pasid, device);
    return refused === undefined ? this.agent.explain(context, address, requestAccess(accessCode)) : undefined;
  }

  /** PASID-cache invalidation by hand: of one PASID, or of all if undefined, whatever the domain. */
  invalidatePasidCache(pasid?: number): void {
    this.invalidations += 1;
    this.waitForWalksOf(pasid);
    this.dropPasidCache((entry) => pasid === undefined || entry.pasid === pasid);
  }

  /** PASID-selective by hand: all translations and paging-structure-cache entries of a PASID, whatever its domain. */
  invalidatePasid(pasid: number): void {
    this.invalidations += 1;
    this.#index(pasid);
    this.drop({ pasid });
  }

  /** Page-selective by hand: 2^am pages; `ih` (invalidation hint) spares the paging-structure caches. */
  invalidatePages(pasid: number, address: bigint, am: number, ih: boolean): void {
    this.invalidations += 1;
    this.#index(pasid);
    this.dropPages({ pasid }, { address, am }, ih);
  }

  /** Global: all translations and paging-structure-cache entries of every PASID. */
  invalidateAll(): void {
    this.invalidations += 1;
    this.agent.waitForWalks({});
    this.agent.dropAll({ globals: true });
  }

  /** An invalidation waits for the walks of a PASID, whatever their device and domain; of every PASID if undefined. */
  waitForWalksOf(pasid: number | undefined, pages?: Pages, device?: number): void {
    const tag = pasid === undefined ? undefined : this.#indexes.get(pasid);
    if (pasid !== undefined && tag === undefined) return;
    this.agent.waitForWalks({
      ...(tag !== undefined && { tag }),
      ...(pages && { pages: spanOf(pages, this.agent.parameters) }),
      ...(device !== undefined && { device }),
    });
  }

  /** Drop PASID-cache entries. */
  dropPasidCache(drops: (entry: CachedPasid) => boolean): void {
    this.#pasidCache.drop(drops);
  }

  /** Drop translations, and unless spared paging-structure-cache entries, of what is named. */
  drop(named: Named, sparePaths = false): void {
    this.waitForWalksOf(named.pasid);
    const isNamed = (entry: CacheEntry): boolean => this.#isNamed(entry, named);
    for (const cache of [...this.agent.l1, ...this.agent.l2]) cache.invalidate(isNamed);
    if (!sparePaths) for (const { cache } of this.agent.psc) cache.invalidate(isNamed);
  }

  /** The same of 2^am pages. */
  dropPages(named: Named, { address, am }: Pages, sparePaths: boolean): void {
    this.waitForWalksOf(named.pasid, { address, am });
    this.#dropPagesNow(named, { address, am }, sparePaths);
  }

  /** The same without waiting for a walk. */
  #dropPagesNow(named: Named, { address, am }: Pages, sparePaths: boolean): void {
    const overlaps = overlapOf({ address, am }, this.agent.parameters);
    const isNamed = (entry: CacheEntry): boolean => this.#isNamed(entry, named) && overlaps(entry);
    for (const cache of [...this.agent.l1, ...this.agent.l2]) cache.invalidate(isNamed);
    if (!sparePaths) for (const { cache } of this.agent.psc) cache.invalidate(isNamed);
  }

  /** Drop translations of 2^am pages that belong to a device and a PASID. */
  dropDevicePages(device: number, pasid: number, { address, am }: Pages): void {
    this.waitForWalksOf(pasid, { address, am });
    const overlaps = overlapOf({ address, am }, this.agent.parameters);
    for (const cache of [...this.agent.l1, ...this.agent.l2]) {
      cache.invalidate((entry) => entry.device === device && this.#isNamed(entry, { pasid }) && overlaps(entry));
    }
  }

  /** Drop what a device's TLB, if it has one, holds of 2^am pages of a PASID, or of all PASIDs. */
  dropInDevice(device: number, pasid: number | undefined, { address, am }: Pages): void {
    const overlaps = overlapOf({ address, am }, this.agent.parameters);
    // Of every PASID: one after the other, in the order of their indexes.
    for (const each of pasid === undefined ? this.#indexes.keys() : [pasid]) {
      if (this.devices[device]?.enabled) this.waitForWalksOf(each, { address, am }, device);
      this.devices[device]?.invalidate((entry) => this.#isNamed(entry, { pasid: each }) && overlaps(entry));
    }
  }

  /** Device TLB: all of a PASID. */
  invalidateDevicePasid(device: number, pasid: number): void {
    const tag = this.#index(pasid);
    this.agent.waitForWalks({ tag, device });
    this.#device(device)?.invalidate((entry) => entry.tag === tag);
  }

  /** Device TLB: 2^am pages of a PASID. */
  invalidateDevicePages(device: number, pasid: number, address: bigint, am: number): void {
    this.#index(pasid);
    this.#device(device);
    this.dropInDevice(device, pasid, { address, am });
  }

  /** Completion out of a device TLB, or undefined if the IOMMU must be asked. */
  #lookUpInDevice(deviceTlb: Cache, tag: number, address: bigint, access: Access): Outcome | undefined {
    deviceTlb.counters.lookups += 1;
    const way = deviceTlb.match(translatedBits(address, this.agent.parameters), tag);
    if (way === undefined || lacksDirty(access, way.data, REQUEST_CONTROLS)) return undefined;
    deviceTlb.hit(way);
    const leaf = leafOf(way);
    const outcome = outcomeOfHit(leaf, address, access, REQUEST_CONTROLS);
    if (outcome.kind !== "ok") return undefined;
    this.agent.watch?.hit(tag, address, access, leaf);
    return outcome;
  }

  /** Whether an entry belongs to what is named. A PASID that the IOMMU does not know names nothing. */
  #isNamed({ tag, domain }: CacheEntry, named: Named): boolean {
    if (named.pasid !== undefined && tag !== this.#indexes.get(named.pasid)) return false;
    return named.domain === undefined || domain === named.domain;
  }

  /** The PASID cache's context for a device, or that of the PASID-table entry, or why that is refused. */
  #contextOf(
    pasid: number,
    device: number,
  ):
    | { refused: Outcome; entry: PasidEntry | undefined; context: undefined }
    | { refused: undefined; entry: PasidEntry; context: Context } {
    const tag = this.#index(pasid);
    const cached = this.#pasidCache.of(pasid, device);
    if (cached !== undefined) return { refused: undefined, entry: cached.entry, context: cached.context };
    const { parameters } = this.agent;
    const binding = this.#bindings.get(pasid);
    const entry = binding && { ...plainEntry(binding.root, parameters), ...binding.fields };
    const refused = faultOfEntry(entry, parameters);
    if (refused !== undefined || entry === undefined || binding === undefined) {
      if (refused === undefined) throw new Error("an entry that is not there is refused");
      return { refused, entry, context: undefined };
    }
    const { root, domain = DEFAULT_DOMAIN } = binding;
    return { refused: undefined, entry, context: { root, controls: REQUEST_CONTROLS, tag, device, domain } };
  }

  /** An outcome of caches and walk as a request gets it: an address in the interrupt range is refused, faults have numbers. */
  #finished(outcome: Outcome, entry: PasidEntry, access: Access): Outcome {
    if (outcome.kind !== "ok" || this.dialect !== "vtd" || !isInterruptAddress(outcome.physicalAddress)) {
      return this.#numbered(outcome, entry);
    }
    if (!access.speculative) this.agent.counters.faults += 1;
    return this.#numbered({ kind: "fault", reason: "interrupt-range", errorCode: 0, level: outcome.level }, entry);
  }

  /** AMD's faults have no numbers of VT-d. */
  #numbered(outcome: Outcome, entry: PasidEntry | undefined): Outcome {
    return this.dialect === "vtd" ? numbered(outcome, entry) : outcome;
  }

  #index(pasid: number): number {
    const index = this.#indexes.get(pasid);
    if (index === undefined) throw new RangeError(`PASID ${pasid} was never bound`);
    return index;
  }

  #device(device: number): Cache | undefined {
    if (!(device in this.devices)) throw new RangeError(`device ${device}: expected 0..${this.devices.length - 1}`);
    return this.devices[device];
  }
}
