// What hardware may differ in, as far as a verdict could depend on it (docs/rules.md sections 3, 5, 6, 7).

import type { SupervisorEntries } from "../hardware/iommu-config.js";

/** Hardware options of an IOMMU and its device. */
export interface IommuOptions {
  /** A refused walk puts a supervisor leaf into the IOTLB. */
  cacheSupervisorLeaves: boolean;
  /** What a user request makes of a non-leaf entry with U/S = 0. */
  supervisorEntries: SupervisorEntries;
  /** The IOMMU has paging-structure caches. */
  pagingStructureCaches: boolean;
  /** The device has a TLB of its own (ATS). */
  deviceTlb: boolean;
  /** It sends page requests (PRI), which takes a TLB of its own. */
  pageRequests: boolean;
}

/** Hardware options of the CPU. */
export interface CpuOptions {
  /** What INVLPG does to paging-structure caches: all of the current PCID (Intel), all (AMD), those on the path (AMD, TCE). */
  invlpgScope: "pcid" | "all" | "path";
  /** Page-table isolation: the kernel has been started with it. */
  pti: boolean;
  /** It has INVLPGB (AMD), which kernels from 6.15 on use. */
  invlpgb: boolean;
}

/** The hardware as it is assumed where nothing else is said: what VT-d's text and Intel's mails say, an Intel CPU. */
export const usualIommu: Readonly<IommuOptions> = {
  cacheSupervisorLeaves: false,
  supervisorEntries: "cache",
  pagingStructureCaches: true,
  deviceTlb: false,
  pageRequests: false,
};
/** The usual CPU: what INVLPG does on Intel's, without page-table isolation. */
export const usualCpu: Readonly<CpuOptions> = { invlpgScope: "pcid", pti: false, invlpgb: false };

/** Names of the IOMMU's options. */
export const iommuOptionNames = Object.keys(usualIommu) as readonly (keyof IommuOptions)[];

/** One option that is not as usual. */
export interface IommuChange<Name extends keyof IommuOptions = keyof IommuOptions> {
  /** Which option. */
  readonly name: Name;
  /** What it is instead. */
  readonly value: IommuOptions[Name];
  /** In words. */
  readonly text: string;
}

/** Every option, each with every value that is not the usual one. */
export const iommuChanges = {
  "cached-supervisor-leaves": { name: "cacheSupervisorLeaves", value: true, text: "supervisor leaves cached" },
  "uncached-supervisor-entries": {
    name: "supervisorEntries",
    value: "walk",
    text: "walks go on below U/S = 0 and cache nothing there",
  },
  "stop-at-supervisor": { name: "supervisorEntries", value: "stop", text: "walks stop at U/S = 0" },
  "no-paging-structure-caches": { name: "pagingStructureCaches", value: false, text: "no paging-structure caches" },
  "device-tlb": { name: "deviceTlb", value: true, text: "device TLB" },
  "page-requests": { name: "pageRequests", value: true, text: "the device has a TLB and sends page requests" },
} as const satisfies Record<string, IommuChange>;

/** Name of a change. */
export type IommuChangeName = keyof typeof iommuChanges;

/** Names of the changes. */
export const iommuChangeNames = Object.keys(iommuChanges) as readonly IommuChangeName[];

/** Hardware with changes made, in order. */
export function changedIommu(names: readonly IommuChangeName[], from: IommuOptions = usualIommu): IommuOptions {
  let options = from;
  for (const name of names) options = { ...options, [iommuChanges[name].name]: iommuChanges[name].value };
  return options;
}

/** All combinations of the IOMMU's options, the usual one first; but page requests, which no policy may rely on, always off. */
export const everyIommu: readonly IommuOptions[] = everyCombination();

function everyCombination(): IommuOptions[] {
  const all: IommuOptions[] = [usualIommu];
  for (const option of iommuOptionNames) {
    if (option === "pageRequests") continue;
    const changes = iommuChangeNames.filter((change) => iommuChanges[change].name === option);
    all.push(...changes.flatMap((change) => all.map((options) => changedIommu([change], options))));
  }
  return all;
}

/** CPUs that differ from the usual one, by name. */
export const cpuChanges = {
  pti: { pti: true },
  amd: { invlpgScope: "all" },
  "amd-tce": { invlpgScope: "path" },
  "amd-tce-pti": { invlpgScope: "path", pti: true },
  invlpgb: { invlpgScope: "path", invlpgb: true },
} as const satisfies Record<string, Partial<CpuOptions>>;

/** Name of a CPU that differs. */
export type CpuChangeName = keyof typeof cpuChanges;

/** Their names. */
export const cpuChangeNames = Object.keys(cpuChanges) as readonly CpuChangeName[];

/** A CPU by name. */
export function changedCpu(name: CpuChangeName): CpuOptions {
  return { ...usualCpu, ...cpuChanges[name] };
}

/** The usual CPU, and every other that has a name. */
export const everyCpu: readonly CpuOptions[] = [usualCpu, ...cpuChangeNames.map(changedCpu)];

/** The usual hardware, and each option changed by itself. */
export const fewIommus: readonly IommuOptions[] = [
  usualIommu,
  ...iommuChangeNames.map((change) => changedIommu([change])),
];

const SCOPE_WORDS: Record<CpuOptions["invlpgScope"], string> = {
  pcid: "INVLPG drops the current PCID's paging-structure entries (Intel)",
  all: "INVLPG drops every paging-structure entry (AMD, TCE = 0)",
  path: "INVLPG drops the paging-structure entries on the path (AMD, TCE = 1)",
};

function describeCpu({ invlpgScope, pti, invlpgb }: CpuOptions): string {
  const words = [...(invlpgb ? ["INVLPGB (AMD)"] : []), ...(pti ? ["page-table isolation"] : [])];
  // What PTI and INVLPGB do is told by their names; of INVLPG only what differs.
  return [...words, ...(words.length > 0 && invlpgScope === "pcid" ? [] : [SCOPE_WORDS[invlpgScope]])].join(", ");
}

/** Whether the device sends page requests, in words: every table of verdicts says so. */
export function pageRequestsLine({ pageRequests }: IommuOptions): string {
  return pageRequests ? "the device sends page requests for what is refused" : "the device sends no page requests";
}

/** What differs from the usual hardware, in words; "usual hardware" if nothing does. */
export function describeOptions(options: IommuOptions | CpuOptions): string {
  if ("invlpgScope" in options) return describeCpu(options);
  const changed = Object.values<IommuChange>(iommuChanges).filter(({ name, value }) => options[name] === value);
  return changed.map(({ text }) => text).join(", ") || "usual hardware";
}
