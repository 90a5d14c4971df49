// What must hold of one vector (docs/rules.md section 3; the data's README): the outcome is the SDM's, the entries are
// as recorded, and `probe` and `explain` say beforehand, without touching anything, what `translate` then does.

import { hex } from "../base/notation.js";
import type { Explanation } from "../hardware/context.js";
import type { Access } from "../paging/access.js";
import type { Outcome } from "../paging/outcome.js";
import type { Scene } from "./stage.js";
import type { WalkVector } from "./vector.js";

/** What is compared of each vector. */
export const VECTOR_PARTS = ["outcome", "entries", "probe", "explain"] as const;
/** One of {@link VECTOR_PARTS}. */
export type VectorPart = (typeof VECTOR_PARTS)[number];

/** One thing that is not as it must be. */
export interface Mismatch<Part extends string = VectorPart> {
  part: Part;
  expected: string;
  got: string;
}

const A = 1n << 5n;
const TYPES = { read: 0, write: 1, fetch: 2 } as const;
const USER = 4;
const IMPLICIT = 8;

/** The access of a vector as the engine takes it. */
export function accessOf({ access }: WalkVector): Access {
  return (TYPES[access.type] + (access.user ? USER : 0) + (access.implicit ? IMPLICIT : 0)) as Access;
}

/** Plays one vector in its scene and compares. The scene's entries are as the walk left them afterwards. */
export function compareVector(vector: WalkVector, { walker, views }: Scene): Mismatch[] {
  const wrong: Mismatch[] = [];
  const access = accessOf(vector);
  const { virtualAddress } = vector;
  const probed = walker.probe(virtualAddress, access);
  const explained = walker.explain(virtualAddress, access);
  for (const [i, { index, before }] of vector.tables.entries()) {
    const entry = views[i]![index]!;
    if (entry === before) continue;
    const where = `entry ${i}`;
    wrong.push({ part: "probe", expected: `${where} left at ${hex(before)}`, got: `${where} = ${hex(entry)}` });
  }
  const outcome = walker.translate(virtualAddress, access);
  compareOutcome(vector, outcome, wrong);
  compareEntries(vector, outcome, views, wrong);
  const done = describe(outcome);
  if (describe(probed) !== done) wrong.push({ part: "probe", expected: done, got: describe(probed) });
  compareExplained(vector, outcome, explained, wrong);
  return wrong;
}

/** An outcome in one line, complete: equal outcomes have equal lines. */
function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case "ok":
      return `${hex(outcome.physicalAddress)}, page of ${outcome.pageSize} bytes, level ${outcome.level}`;
    case "fault":
      return `page fault, error code 0x${outcome.errorCode.toString(16)}, ${outcome.reason} at level ${outcome.level}`;
    case "non-canonical":
      return "not canonical";
    case "absent":
      return `absent: frame 0x${outcome.frame.toString(16)} at level ${outcome.level} is not among the tables`;
  }
}

function compareOutcome({ expected }: WalkVector, outcome: Outcome, wrong: Mismatch[]): void {
  let equal = false;
  let wanted = "";
  if (expected.kind === "ok") {
    const { physicalAddress, pageSize } = expected;
    equal = outcome.kind === "ok" && outcome.physicalAddress === physicalAddress && outcome.pageSize === pageSize;
    wanted = `${hex(physicalAddress)}, page of ${pageSize} bytes`;
  } else if (expected.kind === "fault") {
    equal = outcome.kind === "fault" && outcome.errorCode === expected.errorCode;
    wanted = `page fault, error code 0x${expected.errorCode.toString(16)}`;
  } else {
    equal = outcome.kind === "non-canonical";
    wanted = "not canonical";
  }
  if (!equal) wrong.push({ part: "outcome", expected: wanted, got: describe(outcome) });
}

/**
 * After a completed access the entries are exactly the recorded ones. After a fault the emulator's A bits are its own
 * affair: A may have been set above the entry that faulted, nothing else may change. A non-canonical address reads nothing.
 */
function compareEntries(
  vector: WalkVector,
  outcome: Outcome,
  views: readonly BigUint64Array[],
  wrong: Mismatch[],
): void {
  const { expected, tables, levels } = vector;
  // A slot that serves at several levels may be set by the highest of them.
  const faultLevel = outcome.kind === "fault" ? outcome.level : levels + 1;
  for (const [i, { frame, index, before, after }] of tables.entries()) {
    const entry = views[i]![index]!;
    let wanted: string;
    let equal: boolean;
    if (expected.kind === "ok") {
      equal = entry === after;
      wanted = hex(after);
    } else {
      const above =
        expected.kind === "fault" && tables.some((it, j) => levels - j > faultLevel && isSlot(it, frame, index));
      equal = entry === before || (above && entry === (before | A));
      wanted = above ? `${hex(before)}, A set or not` : `${hex(before)}, unchanged`;
    }
    if (equal) continue;
    const where = `entry ${i} (frame 0x${frame.toString(16)}, index ${index})`;
    wrong.push({ part: "entries", expected: `${where} = ${wanted}`, got: `${where} = ${hex(entry)}` });
  }
}

function isSlot(entry: { frame: number; index: number }, frame: number, index: number): boolean {
  return entry.frame === frame && entry.index === index;
}

/** The chain is the beginning of the vector's tables, down to where the walk ended. */
function compareExplained(
  vector: WalkVector,
  outcome: Outcome,
  { outcome: said, chain }: Explanation,
  wrong: Mismatch[],
): void {
  if (describe(said) !== describe(outcome)) {
    wrong.push({ part: "explain", expected: describe(outcome), got: describe(said) });
  }
  const { tables, levels } = vector;
  const last = outcome.kind === "ok" || outcome.kind === "fault" ? outcome.level : levels + 1;
  const wanted = tables
    .slice(0, levels + 1 - last)
    .map(({ frame, index, before }, i) => describeStep(levels - i, frame, index, before));
  const got = chain.map((it) => describeStep(it.level, it.tableFrame, it.index, it.entry));
  if (wanted.join() !== got.join()) {
    wrong.push({ part: "explain", expected: `chain ${wanted.join("; ")}`, got: `chain ${got.join("; ")}` });
  }
}

function describeStep(level: number, frame: number, index: number, entry: bigint): string {
  return `level ${level}: frame 0x${frame.toString(16)} index ${index} ${hex(entry)}`;
}
