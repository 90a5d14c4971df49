// What must hold of one RISC-V vector: outcome and entries are as the specification has them, `probe` and `explain` say so
// beforehand without touching anything, and a hart with caches says the same, cold and warm.

import { hex } from "../../base/notation.js";
import type { Mismatch } from "../compare.js";
import type { RiscvHart, RiscvStep } from "./machine.js";
import { describeRiscvOutcome, type RiscvOutcome } from "./outcome.js";
import type { RiscvScene, RiscvStage } from "./stage.js";
import { RISCV_LEVELS, type RiscvVector } from "./vector.js";

/** What is compared of each RISC-V vector. */
export const RISCV_PARTS = ["outcome", "entries", "probe", "explain", "cached"] as const;
/** One of {@link RISCV_PARTS}. */
export type RiscvPart = (typeof RISCV_PARTS)[number];

type Wrong = Mismatch<RiscvPart>[];

/** Plays one vector in its scene and compares. */
export function compareRiscvVector(vector: RiscvVector, stage: RiscvStage, scene: RiscvScene): Wrong {
  const { virtualAddress, access } = vector;
  const { bare, cached } = scene;
  const wrong: Wrong = [];
  const probed = bare.probe(virtualAddress, access);
  const { outcome: explained, chain } = bare.explain(virtualAddress, access);
  compareEntries(vector, scene, "before", "probe", wrong);
  const outcome = bare.translate(virtualAddress, access);
  compareOutcome(vector, outcome, "outcome", "", wrong);
  // On a line that deviates, `after` is the emulator's; by the specification nothing changes.
  const then = vector.deviation === undefined ? "after" : "before";
  compareEntries(vector, scene, then, "entries", wrong);
  compareSaid("probe", outcome, probed, wrong);
  compareSaid("explain", outcome, explained, wrong);
  compareChain(vector, outcome, chain, wrong);
  stage.reset(vector, scene);
  compareCached(vector, cached, wrong);
  compareEntries(vector, scene, then, "cached", wrong);
  return wrong;
}

function compareOutcome({ expected }: RiscvVector, outcome: RiscvOutcome, part: RiscvPart, when: string, wrong: Wrong) {
  let equal: boolean;
  let wanted: string;
  if (expected.kind === "ok") {
    const { physicalAddress, pageSize } = expected;
    const sizes = outcome.kind === "ok" && (pageSize === undefined || outcome.pageSize === pageSize);
    equal = sizes && outcome.physicalAddress === physicalAddress;
    wanted = `${hex(physicalAddress)}${pageSize === undefined ? "" : `, page of ${pageSize} bytes`}`;
  } else {
    equal = outcome.kind === expected.kind && outcome.cause === expected.cause;
    wanted = `${expected.kind === "page-fault" ? "page" : "access"} fault ${expected.cause}`;
  }
  if (!equal) wrong.push({ part, expected: `${when}${wanted}`, got: `${when}${describeRiscvOutcome(outcome)}` });
}

function compareEntries(
  vector: RiscvVector,
  scene: RiscvScene,
  as: "before" | "after",
  part: RiscvPart,
  wrong: Wrong,
): void {
  for (const [i, it] of vector.tables.entries()) {
    const entry = scene.views[i]?.[it.index] ?? 0n;
    if (entry === it[as]) continue;
    const where = `entry ${i} (frame 0x${it.frame.toString(16)}, index ${it.index})`;
    wrong.push({ part, expected: `${where} = ${hex(it[as])}`, got: `${where} = ${hex(entry)}` });
  }
}

function compareSaid(part: RiscvPart, outcome: RiscvOutcome, said: RiscvOutcome, wrong: Wrong): void {
  const [expected, got] = [describeRiscvOutcome(outcome), describeRiscvOutcome(said)];
  if (got !== expected) wrong.push({ part, expected, got });
}

/** The chain goes from the root to where the walk ended, each table named by the entry above; what is not listed is zero. */
function compareChain(vector: RiscvVector, outcome: RiscvOutcome, chain: readonly RiscvStep[], wrong: Wrong): void {
  const levels = RISCV_LEVELS[vector.mode];
  // An access fault is of the table below the last entry; a page fault at level 0 has read none.
  const last = outcome.kind === "access-fault" ? outcome.level + 1 : outcome.level || levels + 1;
  const wanted: string[] = [];
  let frame = vector.root;
  for (let level: number = levels; level >= last; level--) {
    const index = Number((vector.virtualAddress >> BigInt(9 * level + 3)) & 511n);
    const entry = vector.tables.find((it) => it.frame === frame && it.index === index)?.before ?? 0n;
    wanted.push(describeStep({ level, frame, entry }));
    frame = Number((entry >> 10n) & 0xfff_ffff_ffffn);
  }
  const [expected, got] = [wanted.join("; "), chain.map(describeStep).join("; ")];
  if (got !== expected) wrong.push({ part: "explain", expected: `chain ${expected}`, got: `chain ${got}` });
}

function describeStep({ level, frame, entry }: RiscvStep): string {
  return `level ${level}: frame 0x${frame.toString(16)} ${hex(entry)}`;
}

/** Twice the same: a walk that fills, then a hit if there was something to fill. */
function compareCached(vector: RiscvVector, hart: RiscvHart, wrong: Wrong): void {
  const hitsOf = (): number => hart.counters[0]?.hits ?? 0;
  const before = hitsOf();
  for (const when of ["cold: ", "warm: "]) {
    compareOutcome(vector, hart.translate(vector.virtualAddress, vector.access), "cached", when, wrong);
  }
  const hits = hitsOf() - before;
  const wanted = vector.expected.kind === "ok" ? 1 : 0;
  if (hits !== wanted) wrong.push({ part: "cached", expected: `${wanted} hits in l1`, got: `${hits} hits in l1` });
}
