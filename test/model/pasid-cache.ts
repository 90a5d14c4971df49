// The PASID cache of an IOMMU (rules.md 7.3, 7.4, 7.12): PASID-table entries as each device's requests have found them.

import type { Context } from "./agent-config.js";
import type { PasidEntry } from "./pasid-entry.js";

/** What a device's requests with a PASID are translated in. */
export interface CachedPasid {
  pasid: number;
  device: number;
  domain: number;
  context: Context;
  entry: PasidEntry;
}

export class PasidCache {
  #entries: CachedPasid[] = [];
  /** By PASID and device: the domain of the entry that was here last. */
  readonly #lastDomain = new Map<string, number>();

  of(pasid: number, device: number): CachedPasid | undefined {
    return this.#entries.find((entry) => entry.pasid === pasid && entry.device === device);
  }

  /** What is here already stays as it is. */
  fill(entry: CachedPasid): void {
    const { pasid, device, domain } = entry;
    if (this.of(pasid, device)) return;
    this.#entries.push(entry);
    this.#lastDomain.set(`${pasid} ${device}`, domain);
  }

  /** @throws Error if there has been none */
  lastDomain(pasid: number, device: number): number {
    const domain = this.#lastDomain.get(`${pasid} ${device}`);
    if (domain === undefined) throw new Error("what is refused at a page has had an entry");
    return domain;
  }

  drop(drops: (entry: CachedPasid) => boolean): void {
    this.#entries = this.#entries.filter((entry) => !drops(entry));
  }
}
