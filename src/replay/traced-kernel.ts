// Which Linux a trace is of: the recording names it, or the caller does, or the newest that is known is meant. And what that
// says of tables that the trace frees: which have the mark by which the merged fix defers.

import { InvalidOptionError } from "../base/errors.js";
import { type KernelRecord, resolveKernel } from "../kernel/versions.js";
import { type Site, type SiteRecord, siteRecords } from "../program/sites.js";
import type { ReplayKernel } from "./result.js";

/**
 * The kernel of a trace.
 * @param recorded what the recording says, if anything
 * @param asked what the caller says: used where the recording says nothing, or names a kernel of which nothing is known
 * @throws InvalidOptionError if `asked` is no version, or too old
 */
export function tracedKernel(recorded: string | undefined, asked: string | undefined): ReplayKernel {
  const option = asked === undefined ? undefined : resolveKernel(asked, "kernel");
  const own = recorded === undefined ? undefined : known(recorded);
  const toldBy = own ? "recording" : option ? "option" : "default";
  const { asked: name, version, note, record } = own ?? option ?? resolveKernel();
  const unused = own && option && option.version !== version ? asked : undefined;
  return { name, version, note, ships: record.ships, toldBy, recorded, unused };
}

/**
 * The kernel of a synthetic workload: what the caller says, else the profile's, which is checked, else the newest that is known.
 * @throws InvalidOptionError if a version is none, or too old
 */
export function profileKernel(profile: string | undefined, asked: string | undefined): ReplayKernel {
  if (asked !== undefined || profile === undefined) return tracedKernel(undefined, asked);
  return { ...tracedKernel(undefined, profile), toldBy: "profile" };
}

/** What is known of a kernel that a recording names, which may be any. */
function known(recorded: string): ReturnType<typeof resolveKernel> | undefined {
  try {
    return resolveKernel(recorded);
  } catch (error) {
    if (error instanceof InvalidOptionError) return undefined;
    throw error;
  }
}

/** Whether tables that a site frees have the kernel's mark. */
export function hasMark(site: Site, { traits }: KernelRecord): boolean {
  const { marks } = siteRecords.find(({ name }) => name === site) as SiteRecord;
  return marks === "kernel" || (marks === "split" && traits.includes("splitsMarked"));
}

/** What is known of a kernel that {@link tracedKernel} chose. */
export function recordOf({ version }: ReplayKernel): KernelRecord {
  return resolveKernel(version).record;
}

/** The kernel in a sentence, for texts. */
export function kernelSentence({ name, note, ships, toldBy, recorded, unused }: ReplayKernel): string {
  const taken = note === "" ? "" : ` (${note})`;
  const why = {
    recording: "as the recording says",
    option: "as asked for",
    profile: "as the profile says",
    default: recorded === undefined ? "the newest known: nothing says which it is of" : "the newest known",
  }[toldBy];
  const unknown =
    toldBy !== "recording" && recorded !== undefined ? `; of Linux ${recorded}, which it names, nothing is known` : "";
  const other = unused === undefined ? "" : `; ${unused}, asked for, is not used`;
  return `Linux ${name}${taken}, ${why}${unknown}${other}; by itself it has ${ships}`;
}
