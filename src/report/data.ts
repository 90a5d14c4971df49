// What a report holds for its application: result, verdicts, command, as JSON, deflated and in base85. The application reads it back.

import { strFromU8, strToU8, unzlibSync, zlibSync } from "fflate";
import { base85OfBytes, bytesOfBase85 } from "../base/base85.js";
import { plainJson } from "../base/notation.js";
import type { ReplayResult } from "../replay/index.js";
import type { HazardVerdict, VerdictRecord } from "../verdicts/index.js";

/** A value as it comes out of JSON: bigints have become strings like `"0x1a2b"`. */
export type Plain<T> = T extends bigint
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Plain<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Plain<T[Key]> }
      : T;

/** A verdict without its stories: the application searches for the one that is opened, which takes less than to carry all. */
export type BareVerdict = Omit<VerdictRecord, "witness" | "worst" | "race"> & {
  readonly worst?: Pick<HazardVerdict, "kind">;
  readonly race?: Pick<HazardVerdict, "kind"> | null;
};

/** What the application is given. */
export interface ReportData {
  readonly result: Plain<ReplayResult>;
  readonly verdicts: readonly Plain<BareVerdict>[];
  /** The command that made the report. */
  readonly command: string | undefined;
}

/** A result as it comes out of JSON. */
export function plainOf(result: ReplayResult): Plain<ReplayResult> {
  return JSON.parse(plainJson(result)) as Plain<ReplayResult>;
}

/** Packs data. The same data give the same text. */
export function packData(data: {
  result: ReplayResult;
  verdicts: readonly VerdictRecord[];
  command: string | undefined;
}): string {
  const verdicts = data.verdicts.map(bare);
  return base85OfBytes(zlibSync(strToU8(plainJson({ ...data, verdicts })), { level: 9 }));
}

function bare({ witness, worst, race, ...rest }: VerdictRecord): BareVerdict {
  return {
    ...rest,
    ...(worst && { worst: { kind: worst.kind } }),
    ...(race !== undefined && { race: race && { kind: race.kind } }),
  };
}

/** Unpacks what {@link packData} gave. */
export function unpackData(text: string): ReportData {
  return JSON.parse(strFromU8(unzlibSync(bytesOfBase85(text.trim())))) as ReportData;
}
