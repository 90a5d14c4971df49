// An IOMMU (rules.md section 7; VT-d 3.6, 6.2, 6.5): an agent with a context per PASID, a PASID cache, its invalidations,
// and device TLBs in front of it.

import { type Access, type Controls, decodeAccess } from "./access.js";
import {
  Agent,
  type AgentConfig,
  type Context,
  createTranslationCache,
  lacksDirty,
  leafOf,
  outcomeOfHit,
  type TranslationCacheConfig,
} from "./agent.js";
import type { Cache, CacheEntry } from "./cache.js";
import { levelShift } from "./entry.js";
import type { Memory } from "./memory.js";
import {
  isCanonical,
  type MachineParameters,
  type Outcome,
  type SupervisorEntries,
  toTheEnd,
  translatedBits,
  type WalkResult,
} from "./walk.js";
import type { Begun, Drain } from "./walks.js";

/** What a PASID is bound to. */
export interface PasidBinding {
  /** PASID, 20 bits. */
  pasid: number;
  /** Frame number of the root table. */
  root: number;
  /** No-execute enable of its PASID-table entry. */
  nxe: boolean;
}

/** An IOMMU as it starts. */
export interface IommuConfig extends AgentConfig {
  /** Bindings at the start; the index of a PASID is its place here, later ones follow. */
  pasids: PasidBinding[];
  /** One device TLB per device; undefined for a device without. */
  devices: (TranslationCacheConfig | undefined)[];
  supervisorEntries: SupervisorEntries;
  cacheSupervisorLeaves: boolean;
  /** Default `atomic`. */
  walks?: "atomic" | "stepwise";
  /** Default `all`. */
  drain?: Drain;
}

/** The controls of a request: user-privileged, so only NXE matters. */
function requestControls(nxe: boolean): Controls {
  return { wp: true, smep: false, smap: false, pke: false, pge: false, pcide: false, nxe, ac: false, pkru: 0 };
}

/** A device's own controls: an execute-disabled page is refused whatever the IOMMU's NXE says. */
const DEVICE_CONTROLS = requestControls(true);

/** A canonical request of a PASID that is not bound: VT-d fault 0x59. */
const NO_PASID: Outcome = { kind: "fault", reason: "no-pasid", errorCode: 0, level: 0 };
/** For an address that is not canonical the context does not matter. */
const NO_CONTEXT: Context = { root: 0, controls: requestControls(true), tag: 0 };

/** An IOMMU. */
export class Iommu {
  readonly agent: Agent;
  readonly devices: readonly (Cache | undefined)[];
  /** PASID -> tag: its index in order of the first binding. */
  readonly #indexes = new Map<number, number>();
  readonly #bindings = new Map<number, PasidBinding>();
  readonly #pasidCache = new Map<number, Context>();

  constructor(memory: Memory, parameters: MachineParameters, config: IommuConfig) {
    this.agent = new Agent(memory, parameters, config, {
      cpu: false,
      supervisorEntries: config.supervisorEntries,
      cacheSupervisorLeaves: config.cacheSupervisorLeaves,
      walks: config.walks ?? "atomic",
      drain: config.drain ?? "all",
    });
    this.devices = config.devices.map((device) => device && createTranslationCache(device));
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
   * A request of a device, or one without a device TLB if `device` is undefined.
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
    if (deviceTlb?.enabled && isCanonical(address, this.agent.parameters)) {
      const outcome = this.#lookUpInDevice(deviceTlb, tag, address, access);
      if (outcome !== undefined) return outcome;
    }
    // An address that is not canonical touches nothing, the PASID cache included.
    const canonical = isCanonical(address, this.agent.parameters);
    const context = this.#contextOf(pasid);
    if (canonical && context !== undefined) this.#pasidCache.set(pasid, context);
    if (canonical && context === undefined) return this.agent.refuse(NO_PASID, access);
    const { outcome, leaf } = yield* this.agent.translate(context ?? NO_CONTEXT, address, access);
    if (outcome.kind === "ok" && leaf !== undefined) {
      const pageShift = levelShift(leaf.level);
      if (deviceTlb?.pageShifts.includes(pageShift)) {
        const pageNumber = translatedBits(address, this.agent.parameters) >> BigInt(pageShift);
        deviceTlb.fill({ pageShift, pageNumber, tag, data: leaf.data, generation: 0 });
      }
    }
    return outcome;
  }

  /** What the tables say about a request, without side effects, by the context that a request would use. */
  probe(pasid: number, address: bigint, accessCode: number): Outcome {
    const context = this.#contextOf(pasid);
    if (context === undefined && isCanonical(address, this.agent.parameters)) return NO_PASID;
    return this.agent.probe(context ?? NO_CONTEXT, address, requestAccess(accessCode));
  }

  /** A probe with its chain of entries; undefined if the address is not canonical or the PASID is not bound. */
  explain(pasid: number, address: bigint, accessCode: number): WalkResult | undefined {
    const context = this.#contextOf(pasid);
    return context && this.agent.explain(context, address, requestAccess(accessCode));
  }

  /** PASID-cache invalidation: of one PASID, or of all if undefined. */
  invalidatePasidCache(pasid?: number): void {
    if (pasid === undefined) this.agent.waitForWalks({});
    else this.agent.waitForWalks({ tag: this.#index(pasid) });
    if (pasid === undefined) this.#pasidCache.clear();
    else this.#pasidCache.delete(pasid);
  }

  /** PASID-selective: all translations and paging-structure-cache entries of a PASID. */
  invalidatePasid(pasid: number): void {
    this.agent.waitForWalks({ tag: this.#index(pasid) });
    this.agent.dropTag(this.#index(pasid));
  }

  /** Page-selective: 2^am pages; `ih` (invalidation hint) spares the paging-structure caches. */
  invalidatePages(pasid: number, address: bigint, am: number, ih: boolean): void {
    this.agent.waitForWalks({ tag: this.#index(pasid), pages: this.#pages(address, am) });
    const overlaps = this.#overlap(this.#index(pasid), address, am);
    for (const cache of [...this.agent.l1, ...this.agent.l2]) cache.invalidate(overlaps);
    if (!ih) for (const { cache } of this.agent.psc) cache.invalidate(overlaps);
  }

  /** Global: all translations and paging-structure-cache entries of every PASID. */
  invalidateAll(): void {
    this.agent.waitForWalks({});
    this.agent.dropAll({ globals: true });
  }

  /** Device TLB: all of a PASID. */
  invalidateDevicePasid(device: number, pasid: number): void {
    const tag = this.#index(pasid);
    this.agent.waitForWalks({ tag, device });
    this.#device(device)?.invalidate((entry) => entry.tag === tag);
  }

  /** Device TLB: 2^am pages of a PASID. */
  invalidateDevicePages(device: number, pasid: number, address: bigint, am: number): void {
    this.agent.waitForWalks({ tag: this.#index(pasid), pages: this.#pages(address, am), device });
    this.#device(device)?.invalidate(this.#overlap(this.#index(pasid), address, am));
  }

  /** Completion out of a device TLB, or undefined if the IOMMU must be asked. */
  #lookUpInDevice(deviceTlb: Cache, tag: number, address: bigint, access: Access): Outcome | undefined {
    deviceTlb.counters.lookups += 1;
    const way = deviceTlb.match(translatedBits(address, this.agent.parameters), tag);
    if (way === undefined || lacksDirty(access, way.data, DEVICE_CONTROLS)) return undefined;
    deviceTlb.hit(way);
    const leaf = leafOf(way);
    const outcome = outcomeOfHit(leaf, address, access, DEVICE_CONTROLS);
    if (outcome.kind !== "ok") return undefined;
    this.agent.watch?.hit(tag, address, access, leaf);
    return outcome;
  }

  #overlap(tag: number, address: bigint, am: number): (entry: CacheEntry) => boolean {
    const pages = this.#pages(address, am);
    return (entry) => {
      const first = entry.pageNumber << BigInt(entry.pageShift);
      const end = (entry.pageNumber + 1n) << BigInt(entry.pageShift);
      return entry.tag === tag && first < pages.end && pages.start < end;
    };
  }

  /** The aligned 2^am pages around an address. */
  #pages(address: bigint, am: number): { start: bigint; end: bigint } {
    const size = 4096n << BigInt(am);
    const start = (translatedBits(address, this.agent.parameters) / size) * size;
    return { start, end: start + size };
  }

  /** The PASID cache's context, or the one of the binding; undefined if the PASID is in neither. */
  #contextOf(pasid: number): Context | undefined {
    const tag = this.#index(pasid);
    const binding = this.#bindings.get(pasid);
    return (
      this.#pasidCache.get(pasid) ?? (binding && { root: binding.root, controls: requestControls(binding.nxe), tag })
    );
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

/** Requests are user-privileged, never implicit; a prefetch (speculative) stays one. */
function requestAccess(accessCode: number): Access {
  return { ...decodeAccess(accessCode), user: true, implicit: false };
}
