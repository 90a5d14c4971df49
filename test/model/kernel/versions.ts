// What kernels differ in (rules.md 11.7, 11.8): the records, written down once more.

/** A version that has a record. */
export type Version = "6.1" | "6.6" | "6.12" | "6.18.7" | "6.18.53" | "7.0" | "7.1.9" | "7.2.7" | "7.3";

/** What a kernel does. */
export interface Traits {
  collapses: boolean;
  splitsMarked: boolean;
  pudFreeKeepsPd: boolean;
  reclaims: boolean;
  reclaimFlushesPastTable: boolean;
  usesInvlpgb: boolean;
}

/** The records, oldest first. */
export const VERSIONS: readonly Version[] = ["6.1", "6.6", "6.12", "6.18.7", "6.18.53", "7.0", "7.1.9", "7.2.7", "7.3"];

/** Traits of a version. */
export function traitsOf(version: Version): Traits {
  const old = version.startsWith("6.") && !version.startsWith("6.18");
  return {
    collapses: !old,
    reclaims: !old,
    usesInvlpgb: !old,
    splitsMarked: version === "6.18.53" || version === "7.2.7" || version === "7.3",
    pudFreeKeepsPd: version.startsWith("7."),
    reclaimFlushesPastTable: version === "7.0",
  };
}
