// What a trace is replayed on: CPUs and an IOMMU, by the name of a preset or as the user's own data.

import { checkOneOf } from "../base/errors.js";
import { either, fileObject, oneOf, optional, parse, text } from "../base/schema.js";
import { geometries } from "../hardware/geometries.js";
import { type AgentGeometry, type CpuGeometry, cacheShape, geometrySchema, listShapes } from "../hardware/geometry.js";
import { SUPERVISOR_ENTRIES, type SupervisorEntries } from "../hardware/iommu-config.js";

/** CPUs and the IOMMU beside them. */
export interface ReplayHardware {
  /** For output. */
  readonly name: string;
  /** Where the sizes are from. */
  readonly source: string;
  /** Caches and vendor of each CPU. */
  readonly cpu: CpuGeometry;
  /** Caches of the IOMMU. */
  readonly iommu: AgentGeometry;
  /** How invalidations are encoded. */
  readonly dialect: "vtd" | "amd";
  /** What a user request makes of a non-leaf entry with U/S = 0. */
  readonly supervisorEntries: SupervisorEntries;
}

const PSC_UNKNOWN = "paging-structure caches: reverse engineering (RevAnC 2017; Barr et al., ISCA 2010)";
const IOMMU_SIZE =
  "IOTLB of 64 entries measured behind a Xeon (pcie-bench, SIGCOMM 2018); its other caches are not public";

/** Presets of real machines. */
export const replayHardware = {
  skylake: {
    name: "skylake",
    source: `TLBs: Intel optimization manual; ${PSC_UNKNOWN}; ${IOMMU_SIZE}`,
    cpu: geometries.skylake,
    iommu: geometries.vtd,
    dialect: "vtd",
    supervisorEntries: "cache",
  },
  iceLake: {
    name: "iceLake",
    source: `TLBs: Intel optimization manual (Sunny Cove); ${PSC_UNKNOWN}; ${IOMMU_SIZE}`,
    cpu: geometries.iceLake,
    iommu: geometries.vtd,
    dialect: "vtd",
    supervisorEntries: "cache",
  },
  zen2: {
    name: "zen2",
    source: `TLBs: WikiChip (Zen 2); IOMMU: no public sizes, those of ${IOMMU_SIZE}; commands as the AMD driver sends them`,
    cpu: geometries.zen2,
    iommu: geometries.vtd,
    dialect: "amd",
    supervisorEntries: "cache",
  },
  none: {
    name: "none",
    source: "no caches at all: every access walks from the root, so nothing is ever stale",
    cpu: geometries.none,
    iommu: geometries.none,
    dialect: "vtd",
    supervisorEntries: "cache",
  },
} as const satisfies Record<string, ReplayHardware>;

const geometryNames = Object.keys(geometries) as readonly (keyof typeof geometries)[];
const caches = either(oneOf(geometryNames), geometrySchema);

/** Hardware, as a file has it. @internal */
export const hardwareSchema = fileObject(
  {
    name: optional(text("a name")),
    source: optional(text()),
    cpu: optional(caches),
    iommu: optional(caches),
    dialect: optional(oneOf(["vtd", "amd"])),
    supervisorEntries: optional(oneOf(SUPERVISOR_ENTRIES)),
  },
  `an object, or one of ${Object.keys(replayHardware).join(", ")}`,
);

/** Name of a preset. */
export type ReplayHardwareName = keyof typeof replayHardware;

/**
 * Checks hardware: a preset's name, or data such as
 * `{"name": "mine", "cpu": "zen2", "iommu": {"l1": [{"entries": 128, "ways": 8}]}, "dialect": "vtd"}`.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 */
export function checkHardware(value: unknown, field = "hardware"): ReplayHardware {
  if (typeof value === "string") {
    return replayHardware[checkOneOf(field, value, Object.keys(replayHardware) as ReplayHardwareName[])];
  }
  const given = parse(hardwareSchema, value, field);
  return {
    name: given.name ?? "custom",
    source: given.source ?? "the user's own",
    cpu: geometry(given.cpu ?? "skylake", `${field}.cpu`),
    iommu: cachesOf(geometry(given.iommu ?? "vtd", `${field}.iommu`)),
    dialect: given.dialect ?? "vtd",
    supervisorEntries: given.supervisorEntries ?? "cache",
  };
}

/** The caches alone, of a preset of a CPU too: the vendor of an IOMMU is its dialect. */
function cachesOf({ vendor: _, ...caches }: CpuGeometry): AgentGeometry {
  return caches;
}

function geometry(given: keyof typeof geometries | object, field: string): CpuGeometry {
  if (typeof given === "string") return geometries[given];
  const shapes = given as CpuGeometry;
  for (const list of ["l1", "l2"] as const) listShapes(shapes[list] ?? [], `${field}.${list}`, list);
  for (const [level, shape] of Object.entries(shapes.psc ?? {}))
    cacheShape(shape, `${field}.psc[${level}]`, "psc", true);
  return shapes;
}
