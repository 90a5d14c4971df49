// Checking the IOMMU against recorded device requests, each by itself with all caches empty. What must hold: the outcome is the
// specification's (on a fault, any of the reasons that are right), the entries are as they must be, and `probe` and `explain` say
// beforehand, without touching anything, what the request then does.

import { hex } from "../../base/notation.js";
import type { EngineOptions } from "../../engine/instance.js";
import type { Iommu } from "../../hardware/iommu.js";
import { Access } from "../../paging/access.js";
import type { Outcome } from "../../paging/outcome.js";
import type { Mismatch } from "../compare.js";
import type { NumberedVector } from "../read.js";
import { countIn, type Difference, emptyTally, type Tally } from "../tally.js";
import { describeOutcome, describeResult, isFaultOf } from "./outcome.js";
import { PASID, tableView, VtdStage } from "./stage.js";
import { VTD_DEVIATIONS, type VtdDeviation, type VtdVector } from "./vector.js";

/** What is compared of each request. */
export const VTD_PARTS = ["outcome", "entries", "probe", "explain"] as const;
/** One of {@link VTD_PARTS}. */
export type VtdPart = (typeof VTD_PARTS)[number];

/** A request that the engine does not agree with, and all that is wrong. */
export type VtdDifference = Difference<VtdVector, VtdPart>;

/** What came of a check. */
export interface VtdCheck extends Tally<VtdVector, VtdPart> {
  /** By expected result. */
  results: { ok: number; fault: number; unrecorded: number };
  /** Lines where several reasons are right. */
  unordered: number;
  /** Lines where the specification's result stands in for the emulator's. */
  deviations: Record<VtdDeviation, number>;
}

/** Options of the checks of recorded requests. */
export interface VtdCheckOptions extends EngineOptions {
  /** Differences kept in full. Default 10. */
  maxDifferences?: number;
  /** Called after each line with how many there were so far. */
  onProgress?: (done: number) => void;
}

const A = 1n << 5n;

/**
 * Plays every request on an IOMMU without caches and compares.
 * @throws what the stream of vectors throws
 */
export async function checkVtdVectors(
  vectors: AsyncIterable<NumberedVector<VtdVector>> | Iterable<NumberedVector<VtdVector>>,
  { maxDifferences = 10, onProgress, ...engine }: VtdCheckOptions = {},
): Promise<VtdCheck> {
  const stage = new VtdStage(engine, {});
  const check: VtdCheck = {
    ...emptyTally<VtdVector, VtdPart>(VTD_PARTS),
    results: { ok: 0, fault: 0, unrecorded: 0 },
    unordered: 0,
    deviations: Object.fromEntries(VTD_DEVIATIONS.map((name) => [name, 0])) as Record<VtdDeviation, number>,
  };
  for await (const { line, vector } of vectors) {
    const machine = await stage.machineFor(vector.maxPhyAddr, vector.pages1G, vector.tables.length);
    const views = vector.tables.map(({ frame, index, before }) => {
      const view = tableView(machine, frame);
      view[index] = before;
      return view;
    });
    const iommu = machine.iommus[0] as Iommu;
    iommu.bind(PASID, { root: vector.root, domain: vector.domain, ...vector.pasidEntry });
    iommu.invalidatePasidCache();
    iommu.invalidateAll();
    countIn(check, { line, vector, mismatches: compare(vector, iommu, views) }, maxDifferences);
    for (const [i, { index }] of vector.tables.entries()) (views[i] as BigUint64Array)[index] = 0n;
    check.results[vector.expected.kind] += 1;
    if (vector.reasons.length > 1) check.unordered += 1;
    if (vector.deviation) check.deviations[vector.deviation] += 1;
    onProgress?.(check.vectors);
  }
  return check;
}

function compare(vector: VtdVector, iommu: Iommu, views: readonly BigUint64Array[]): Mismatch<VtdPart>[] {
  const wrong: Mismatch<VtdPart>[] = [];
  const access = vector.access === "write" ? Access.userWrite : Access.userRead;
  const { virtualAddress } = vector;
  const probed = describeOutcome(iommu.probe(PASID, virtualAddress, access));
  const explained = describeOutcome(iommu.explain(PASID, virtualAddress, access).outcome);
  for (const [i, { index, before }] of vector.tables.entries()) {
    const entry = (views[i] as BigUint64Array)[index] as bigint;
    if (entry === before) continue;
    wrong.push({ part: "probe", expected: `entry ${i} left at ${hex(before)}`, got: `entry ${i} = ${hex(entry)}` });
  }
  const outcome = iommu.request(PASID, virtualAddress, access);
  const done = describeOutcome(outcome);
  if (!isExpected(vector, outcome)) {
    wrong.push({ part: "outcome", expected: describeResult(vector.expected, vector.reasons), got: done });
  }
  compareEntries(vector, views, wrong);
  if (probed !== done) wrong.push({ part: "probe", expected: done, got: probed });
  if (explained !== done) wrong.push({ part: "explain", expected: done, got: explained });
  return wrong;
}

function isExpected({ expected, reasons }: VtdVector, outcome: Outcome): boolean {
  if (expected.kind !== "ok") return isFaultOf(outcome, expected.kind === "fault", reasons);
  return (
    outcome.kind === "ok" &&
    outcome.physicalAddress === expected.physicalAddress &&
    outcome.pageSize === expected.pageSize
  );
}

/** After a completed request the entries are exactly as they must be; a fault changes nothing but A, and that may be set early (3.6.2). */
function compareEntries(vector: VtdVector, views: readonly BigUint64Array[], wrong: Mismatch<VtdPart>[]): void {
  const isDone = vector.expected.kind === "ok";
  for (const [i, { frame, index, before }] of vector.tables.entries()) {
    const entry = (views[i] as BigUint64Array)[index] as bigint;
    const after = vector.after[i] as bigint;
    if (isDone ? entry === after : (entry | A) === (before | A)) continue;
    const where = `entry ${i} (frame 0x${frame.toString(16)}, index ${index})`;
    const wanted = isDone ? hex(after) : `${hex(before)}, A set or not`;
    wrong.push({ part: "entries", expected: `${where} = ${wanted}`, got: `${where} = ${hex(entry)}` });
  }
}
