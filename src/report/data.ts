// What a report holds for its application: result, verdicts, command, as JSON, deflated and in base64. The application reads it back.

import { strFromU8, strToU8, unzlibSync, zlibSync } from "fflate";
import { base64OfBytes, bytesOfBase64 } from "../base/base64.js";
import { plainJson } from "../base/notation.js";
import type { ReplayResult } from "../replay/index.js";
import type { VerdictRecord } from "../verdicts/index.js";

/** A value as it comes out of JSON: bigints have become strings like `"0x1a2b"`. */
export type Plain<T> = T extends bigint
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Plain<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Plain<T[Key]> }
      : T;

/** What the application is given. */
export interface ReportData {
  readonly result: Plain<ReplayResult>;
  readonly verdicts: readonly Plain<VerdictRecord>[];
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
  return base64OfBytes(zlibSync(strToU8(plainJson(data)), { level: 9 }));
}

/** Unpacks what {@link packData} gave. */
export function unpackData(text: string): ReportData {
  return JSON.parse(strFromU8(unzlibSync(bytesOfBase64(text.trim())))) as ReportData;
}
