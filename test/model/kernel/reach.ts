// What random kernel programs have to reach, beside every operation and every hazard: so that a generator that stops reaching it
// fails a test instead of passing in silence.

import type { CacheGeometry } from "../cache.js";
import { halves } from "./geometry.js";
import type { KernelOperation, KernelProgram } from "./operations.js";
import { traitsOf } from "./versions.js";

/** Every counter of the kernel. */
export const COUNTERS: readonly string[] = [
  ...["purges", "kernelRangeFlushes", "flushAlls", "localFlushAlls", "mmFlushes", "tablesAllocated", "tablesReleased"],
  ...["lostRequests", "outOfFrames", "iommuRounds", "iotlbInvalidations", "deviceTlbInvalidations", "cpuPageFlushes"],
  ...["cpuFullFlushes", "cpuSpaceFlushes", "ipiBroadcasts", "ipiReceivers", "queueWaits", "needlessRounds"],
  ...["framesHeld", "maxFramesHeld", "framesDeferred", "operationsHeld", "nanosecondsHeld", "workRuns"],
  ...["synchronousRounds", "rootSyncs", "userRounds", "pageSelectiveInvalidations", "pasidSelectiveInvalidations"],
  ...["globalInvalidations", "pasidCacheInvalidations", "pagesInvalidated"],
];

const SITE_NUMBERS = [0, 1, 2, 3, 4, 5];
const LEVELS = [0, 1, 2, 3];

/** Everything else. */
export const REACHES: readonly string[] = [
  ...["3 IOMMUs", "AMD's dialect", "PKE on", "NXE off", "more than 4 ways", "more than 24 entries", "6 device TLBs"],
  ...["a frame for every mm", "a detour", "a range across the end of its half", "keep tables", "unlisted", "frees"],
  ...SITE_NUMBERS.map((site) => `a step of site ${site}`),
  ...LEVELS.map((level) => `a step of level ${level}`),
  "an ASID taken from another mm",
  ...["user mode under a PCID of its own", "INVLPGB"],
  ...["a page request", "an IOMMU's invalidation", "a No-Write request"],
];

/** Whether a device asks for a translation that it will not write through, of an IOMMU that knows such requests. */
function saysNoWrite({ iommus }: KernelProgram["config"], operation: KernelOperation): boolean {
  if (operation.kind !== "request" && operation.kind !== "begin-request") return false;
  const { devices, deviceOptions, noWriteRequests, dialect } = iommus[operation.iommu] ?? {};
  const device = operation.device ?? -1;
  const isRead = (operation.access & 3) === 0;
  const asks = devices?.[device]?.enabled === true && deviceOptions?.[device]?.noWrite === true;
  return isRead && asks && noWriteRequests === true && dialect === "vtd";
}

function crosses({ levels }: KernelProgram["config"], operation: KernelOperation): boolean {
  if (!("address" in operation && "pages" in operation)) return false;
  const { user, kernel } = halves(levels);
  const half = operation.address < user.end ? user : kernel;
  return operation.address + BigInt(operation.pages) * 4096n > half.end;
}

/** What one program reaches of it; once each, but for what its operations do. */
export function reachesOf({ config, operations, detours }: KernelProgram): string[] {
  const { cpus, iommus, pool, pti, invlpgb, version } = config;
  const caches: CacheGeometry[] = [...cpus, ...iommus].flatMap(({ l1, l2, psc }) => [
    ...l1,
    ...l2,
    ...Object.values(psc),
  ]);
  const of = (what: string, is: boolean): string[] => (is ? [what] : []);
  return [
    ...of("3 IOMMUs", iommus.length === 3),
    ...of(
      "AMD's dialect",
      iommus.some(({ dialect }) => dialect === "amd"),
    ),
    ...of(
      "PKE on",
      cpus.some(({ controls }) => controls.pke && controls.pkru !== 0),
    ),
    ...of(
      "NXE off",
      cpus.some(({ controls }) => !controls.nxe),
    ),
    ...of(
      "more than 4 ways",
      caches.some(({ ways, enabled }) => enabled && ways > 4),
    ),
    ...of(
      "more than 24 entries",
      caches.some(({ entries, enabled }) => enabled && entries > 24),
    ),
    ...of(
      "6 device TLBs",
      iommus.some(({ devices }) => devices.length === 6),
    ),
    ...of("a frame for every mm", pool > 60),
    ...of("INVLPGB", invlpgb === true && traitsOf(version).usesInvlpgb),
    ...of(
      "a detour",
      (detours ?? []).some(({ after }) => after < operations.length),
    ),
    ...operations.flatMap((operation) => [
      ...of("a range across the end of its half", crosses(config, operation)),
      ...of("a No-Write request", saysNoWrite(config, operation)),
      ...of("keep tables", operation.kind === "vmalloc" && operation.keep === true),
      ...of("user mode under a PCID of its own", pti === true && operation.kind === "enter-user"),
      ...of("unlisted", operation.kind === "vfree" && operation.type === 2),
      ...of("frees", "frees" in operation && operation.frees === true),
      ...(operation.kind === "table-clear" || operation.kind === "table-free"
        ? [`a step of site ${operation.site}`, `a step of level ${operation.level ?? 0}`]
        : []),
    ]),
  ];
}
