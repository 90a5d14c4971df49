// What a synthetic workload is drawn with: a profile, which is data. Each group is one thing that a kernel does, with its rate,
// and says where its numbers are from. Lists are distributions: of their values each is equally likely.

import { InvalidOptionError } from "../base/errors.js";
import { fileObject, integer, list, number, object, optional, parse, text } from "../base/schema.js";
import { didYouMean } from "../base/suggest.js";
import { resolveKernel } from "../kernel/versions.js";

/** Where the numbers of a profile's group are from. */
export interface Sourced {
  /** The recording, and what was counted in it. */
  readonly source?: string;
}

/** What a synthetic workload is drawn with. Things of different groups come independently of each other. */
export interface Profile {
  /** For output. */
  readonly name: string;
  /** What runs, in a sentence. */
  readonly about?: string;
  /** The recording that it is modelled on. */
  readonly source?: string;
  /** Version of Linux. Default: the newest that is known. */
  readonly kernel?: string;
  /** CPUs, 1 to 256. Default 2. */
  readonly cpus?: number;
  /** vmalloc areas of small pages: mapped, touched, unmapped when their time is over. */
  readonly areas?: Sourced & {
    /** Areas mapped per second. */
    readonly perSecond: number;
    /** Pages of an area. */
    readonly pages: readonly number[];
    /** Time until it is unmapped, ms. */
    readonly lifeMs: readonly number[];
  };
  /** Lazy purges: flush_tlb_kernel_range() over all that was unmapped since the one before. */
  readonly purges?: Sourced & {
    /** Share of unmapped areas after which one comes, 0 to 1. */
    readonly perUnmap: number;
  };
  /** vmalloc areas of 2 MiB leaves; a leaf may take the place of a table, which pmd_free_pte_page() frees. */
  readonly hugeAreas?: Sourced & {
    /** Areas mapped per second. */
    readonly perSecond: number;
    /** 2 MiB leaves of an area. */
    readonly leaves: readonly number[];
    /** Share of leaves that take the place of a table, 0 to 1. */
    readonly overTables: number;
    /** Time from the flush to the free of a table, µs. */
    readonly freeUs: readonly number[];
    /** Time until it is unmapped, ms. */
    readonly lifeMs: readonly number[];
  };
  /** Changes of page attributes that end in flush_tlb_all(), and free no table. */
  readonly fullFlushes?: Sourced & { readonly perSecond: number };
  /** Large leaves put together again: cpa_collapse_large_pages() frees tables after flush_tlb_all(). */
  readonly collapses?: Sourced & {
    /** Collapses per second. */
    readonly perSecond: number;
    /** Tables of one collapse. */
    readonly tables: readonly number[];
    /** Time from the flush to the frees, µs. */
    readonly freeUs: readonly number[];
  };
  /** Memory that is unplugged: remove_pagetable() frees a PD before flush_tlb_all(). */
  readonly removals?: Sourced & {
    /** Removals per second. */
    readonly perSecond: number;
    /** 4 KiB pages that go. */
    readonly pages: readonly number[];
    /** Calls of flush_tlb_all() for vmemmap, before that of the direct map. */
    readonly vmemmapFlushes: number;
    /** Time from the free to the flush, µs. */
    readonly flushUs: readonly number[];
  };
  /** flush_tlb_mm_range() of a process. */
  readonly userFlushes?: Sourced & {
    /** Calls per second. */
    readonly perSecond: number;
    /** Pages of a flush; 0: the whole address space. */
    readonly pages: readonly number[];
    /** Share of flushes of another address space than the one before on the same CPU, 0 to 1. Default 1: any of those that are there. */
    readonly switches?: number;
  };
  /** Processes that begin, and end when there are more than so many. */
  readonly processes?: Sourced & { readonly perSecond: number; readonly alive: number };
  /** The device-access model, where the recording tells of it. */
  readonly devices?: Sourced & {
    /** Accesses per millisecond. */
    readonly ratePerMs?: number;
    /** 4 KiB pages that the device works on. */
    readonly workingSet?: number;
  };
}

const MAX_VALUES = 256;
const several = <T extends ReturnType<typeof integer> | ReturnType<typeof number>>(value: T, allowed: string) =>
  list(value, `a list of 1 to ${MAX_VALUES} values, each ${allowed}`, 1, MAX_VALUES);
const rate = number(0, 1e6, "0 to 1000000 per second");
const times = several(number(0, 1e7), "a time from 0 to 10000000");
const pages = (least: number) => several(integer(least, 1 << 18), `${least} to ${1 << 18} pages`);
const source = optional(text("where the numbers are from"));

/** A profile, as a file has it. @internal */
export const profileSchema = fileObject({
  name: text("a name"),
  about: optional(text()),
  source: optional(text()),
  kernel: optional(text("a version of Linux")),
  cpus: optional(integer(1, 256)),
  areas: optional(object({ perSecond: rate, pages: pages(1), lifeMs: times, source })),
  purges: optional(object({ perUnmap: number(0, 1), source })),
  hugeAreas: optional(
    object({
      perSecond: rate,
      leaves: several(integer(1, 128), "1 to 128 leaves"),
      overTables: number(0, 1),
      freeUs: times,
      lifeMs: times,
      source,
    }),
  ),
  fullFlushes: optional(object({ perSecond: rate, source })),
  collapses: optional(
    object({ perSecond: rate, tables: several(integer(1, 64), "1 to 64 tables"), freeUs: times, source }),
  ),
  removals: optional(
    object({ perSecond: rate, pages: pages(512), vmemmapFlushes: integer(0, 64), flushUs: times, source }),
  ),
  userFlushes: optional(object({ perSecond: rate, pages: pages(0), switches: optional(number(0, 1)), source })),
  processes: optional(object({ perSecond: rate, alive: integer(1, 4000), source })),
  devices: optional(object({ ratePerMs: optional(number(0, 1e6)), workingSet: optional(integer(1, 1 << 16)), source })),
});

/** Groups with a rate of their own. */
export const ACTIVITIES = [
  "areas",
  "hugeAreas",
  "fullFlushes",
  "collapses",
  "removals",
  "userFlushes",
  "processes",
] as const;

/**
 * Checks a profile.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 */
export function checkProfile(value: unknown, field = "profile"): Profile {
  const { $schema: _, ...profile } = parse(profileSchema, value, field) as Profile & { $schema?: string };
  if (profile.kernel !== undefined) resolveKernel(profile.kernel, `${field}.kernel`);
  if (!ACTIVITIES.some((name) => (profile[name]?.perSecond ?? 0) > 0)) {
    const idle = ACTIVITIES.find((name) => profile[name]);
    const [path, given] = idle ? [`${field}.${idle}.perSecond`, 0] : [field, profile];
    throw new InvalidOptionError(path, given, `a rate above 0 in at least one of ${ACTIVITIES.join(", ")}`);
  }
  // Purges are of what was unmapped: by themselves they would never come.
  if ((profile.purges?.perUnmap ?? 0) > 0 && !profile.areas && !profile.hugeAreas) {
    throw new InvalidOptionError(`${field}.purges`, profile.purges, "areas or hugeAreas beside it");
  }
  return profile;
}

/** A profile by its name. @throws InvalidOptionError with the nearest name */
export function profileNamed(known: Readonly<Record<string, Profile>>, name: string, field = "profile"): Profile {
  const found = Object.hasOwn(known, name) ? known[name] : undefined;
  if (found) return found;
  const names = Object.keys(known);
  throw new InvalidOptionError(field, name, `${names.join(", ")}, or a profile as data${didYouMean(name, names)}`);
}
