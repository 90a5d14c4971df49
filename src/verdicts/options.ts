// What hardware may differ in, as far as a verdict could depend on it (docs/rules.md sections 5, 6, 7).

/** Hardware options of an IOMMU and its device. */
export interface IommuOptions {
  /** A refused walk puts a supervisor leaf into the IOTLB. */
  cacheSupervisorLeaves: boolean;
  /** A user request ends at the first non-leaf entry with U/S = 0. */
  stopAtSupervisor: boolean;
  /** The IOMMU has paging-structure caches. */
  pagingStructureCaches: boolean;
  /** The device has a TLB of its own (ATS). */
  deviceTlb: boolean;
}

/** Hardware options of the CPU. */
export interface CpuOptions {
  /** What INVLPG does to paging-structure caches: all of the current PCID (Intel), all (AMD), those on the path (AMD, TCE). */
  invlpgScope: "pcid" | "all" | "path";
}

/** The hardware as it is assumed where nothing else is said: what is known of VT-d silicon, an Intel CPU. */
export const usualIommu: Readonly<IommuOptions> = {
  cacheSupervisorLeaves: true,
  stopAtSupervisor: false,
  pagingStructureCaches: true,
  deviceTlb: false,
};
/** The usual CPU: what INVLPG does on Intel's. */
export const usualCpu: Readonly<CpuOptions> = { invlpgScope: "pcid" };

/** Names of the IOMMU's options. */
export const iommuOptionNames = Object.keys(usualIommu) as readonly (keyof IommuOptions)[];

/** All combinations of the IOMMU's options, the usual one first. */
export const everyIommu: readonly IommuOptions[] = Array.from({ length: 2 ** iommuOptionNames.length }, (_, bits) =>
  Object.fromEntries(
    iommuOptionNames.map((name, i) => [name, ((bits >> i) & 1) === 1 ? !usualIommu[name] : usualIommu[name]]),
  ),
) as unknown as IommuOptions[];

export const everyCpuOption: readonly CpuOptions[] = (["pcid", "all", "path"] as const).map((invlpgScope) => ({
  invlpgScope,
}));

/** The usual hardware, and each option changed by itself. */
export const fewIommus: readonly IommuOptions[] = [
  usualIommu,
  ...iommuOptionNames.map((name) => ({ ...usualIommu, [name]: !usualIommu[name] })),
];

const WORDS: Record<keyof IommuOptions, readonly [on: string, off: string]> = {
  cacheSupervisorLeaves: ["supervisor leaves cached", "supervisor leaves not cached"],
  stopAtSupervisor: ["walks stop at U/S = 0", "walks go on below U/S = 0"],
  pagingStructureCaches: ["paging-structure caches", "no paging-structure caches"],
  deviceTlb: ["device TLB", "no device TLB"],
};

const SCOPE_WORDS: Record<CpuOptions["invlpgScope"], string> = {
  pcid: "INVLPG drops the current PCID's paging-structure entries (Intel)",
  all: "INVLPG drops every paging-structure entry (AMD, TCE = 0)",
  path: "INVLPG drops the paging-structure entries on the path (AMD, TCE = 1)",
};

/** What differs from the usual hardware, in words; "usual hardware" if nothing does. */
export function describeOptions(options: IommuOptions | CpuOptions): string {
  if ("invlpgScope" in options) return SCOPE_WORDS[options.invlpgScope];
  const changed = iommuOptionNames.filter((name) => options[name] !== usualIommu[name]);
  return changed.map((name) => WORDS[name][options[name] ? 0 : 1]).join(", ") || "usual hardware";
}
