// Versions of Linux as people write them and as `uname -r` prints them, and which of a list of known versions one is taken
// for: the nearest one not above it inside its own stable series, else one of the nearest series below. Fixes are not
// monotone over series: what 6.18.53 has, 6.19.0 need not have.

import { InvalidOptionError } from "./errors.js";

/** A series and the number of a release in it: 6.12.117 is [6, 12, 117], 6.12 is [6, 12, 0]. */
export type VersionNumbers = readonly [major: number, minor: number, release: number];

/** What a version was taken for. */
export interface NearestVersion<Known extends string> {
  /** As it was asked for. */
  readonly asked: string;
  /** The known version that stands for it. */
  readonly version: Known;
  /** How the two differ, in a few words; empty if they do not. */
  readonly note: string;
}

const EXPECTED = "a version of Linux (6.12, 6.12.117, or as uname -r prints it)";

/** Numbers of a version; undefined for a text that is none. */
export function versionNumbers(text: string): VersionNumbers | undefined {
  // What distributions add comes behind the numbers: 6.12.117+deb12-amd64, 6.1.0-53-amd64, 7.3-rc4.
  const found = /^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,5}))?(?:[-+~_][\w.+~-]*)?$/.exec(text.trim());
  return found ? [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)] : undefined;
}

/** Below 0 if the first is the older one, 0 for the same numbers. */
export function compareVersions(one: VersionNumbers, other: VersionNumbers): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

/**
 * The known version that stands for one. Inside its series the nearest not above it. A series of which none is known, or
 * none so old, is taken for the nearest series below; and there for the oldest that is known, since later releases of a stable
 * series have fixes that the next series has only from some release on.
 *
 * @throws InvalidOptionError if it is no version, or older than all that are known
 */
export function nearestVersion<Known extends string>(
  known: readonly Known[],
  asked: unknown,
  field: string,
): NearestVersion<Known> {
  const numbers = typeof asked === "string" ? versionNumbers(asked) : undefined;
  if (typeof asked !== "string" || !numbers) throw new InvalidOptionError(field, asked, EXPECTED);
  const all = known
    .map((version) => ({ version, numbers: versionNumbers(version) as VersionNumbers }))
    .sort((one, other) => compareVersions(one.numbers, other.numbers));
  const sameSeries = (one: VersionNumbers, other: VersionNumbers): boolean =>
    one[0] === other[0] && one[1] === other[1];
  const notAbove = all.filter((it) => compareVersions(it.numbers, numbers) <= 0);
  const inside = notAbove.filter((it) => sameSeries(it.numbers, numbers)).at(-1);
  if (inside)
    return { asked, version: inside.version, note: noteInside(asked, inside.version, numbers, inside.numbers) };
  const nearest = notAbove.at(-1);
  if (!nearest)
    throw new InvalidOptionError(field, asked, `${all[0]?.version} or later: nothing is known of older kernels`);
  const first = all.find((it) => sameSeries(it.numbers, nearest.numbers)) ?? nearest;
  const series = `${numbers[0]}.${numbers[1]}`;
  const why = all.some((it) => sameSeries(it.numbers, numbers))
    ? `nothing so old is known of ${series}`
    : `nothing is known of ${series}`;
  return { asked, version: first.version, note: `taken for ${first.version}: ${why}` };
}

function noteInside(asked: string, version: string, numbers: VersionNumbers, found: VersionNumbers): string {
  return asked === version || compareVersions(numbers, found) === 0 ? "" : `taken for ${version}`;
}
