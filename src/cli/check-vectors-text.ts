// What `check-vectors` prints of a file. Node-only.

import { describeSize, hexAddress } from "../paging/describe.js";
import type {
  RiscvCheck,
  RiscvDifference,
  SequenceCheck,
  SequenceDifference,
  VectorCheck,
  VectorDifference,
  VectorEntry,
  VtdCheck,
  VtdDifference,
} from "../vectors/index.js";
import { RISCV_LEVELS } from "../vectors/index.js";
import { print } from "./output.js";

/** A check of any form of vectors. */
export type AnyCheck = VectorCheck | RiscvCheck | VtdCheck | SequenceCheck;

/** Prints what came of the check of a file. */
export function reportVectors(check: AnyCheck & { file: string; seconds: number }): void {
  print(`${check.file}: ${check.equal ? "equal" : "DIFFERENT"}`);
  reportHead(check, `in ${check.seconds.toFixed(1)} s`);
  const corrected = Object.entries(check.deviations).filter(([, count]) => count > 0);
  if (corrected.length > 0) {
    print(`  the manual's result in place of the emulator's: ${corrected.map(([why, n]) => `${n} ${why}`).join(", ")}`);
  }
  for (const { name, compared, differences } of check.parts) {
    print(`  ${name.padEnd(8)} ${compared} compared, ${differences === 0 ? "equal" : `${differences} DIFFERENT`}`);
  }
  for (const difference of check.first) {
    if ("requests" in check) reportSequence(difference as SequenceDifference);
    else if ("unordered" in check) reportVtdDifference(difference as VtdDifference);
    else if ("modes" in check) reportRiscvDifference(difference as RiscvDifference);
    else reportDifference(difference as VectorDifference);
  }
  const more = check.differing - check.first.length;
  if (more > 0) print(`  ${check.first.length > 0 ? "and " : ""}${more} more vectors that differ`);
}

function reportHead(check: AnyCheck, time: string): void {
  const took = `${check.vectors} vectors ${time}`;
  if ("requests" in check) {
    const { ok, fault } = check.requests;
    print(`  ${check.vectors} sequences on VT-d ${time}: ${ok + fault} requests, ${check.invalidations} invalidations`);
    print(`  expected: ${ok} translated, ${fault} faults; ${check.differingRequests} requests differ`);
  } else if ("unordered" in check) {
    const { ok, fault, unrecorded } = check.results;
    print(`  ${took} (device requests on VT-d)`);
    print(`  expected: ${ok} translated, ${fault} faults, ${unrecorded} blocked without a record`);
    print(`  ${check.unordered} of them faults for which several reasons hold, and any is right`);
  } else if ("modes" in check) {
    const { sv39, sv48, sv57 } = check.modes;
    print(`  ${took} (RISC-V: ${sv39} of Sv39, ${sv48} of Sv48, ${sv57} of Sv57)`);
    const faults = `${check.results["page-fault"]} page faults, ${check.results["access-fault"]} access faults`;
    print(`  expected: ${check.results.ok} translated, ${faults}`);
  } else {
    print(`  ${took} (${check.levels[4]} of 4 levels, ${check.levels[5]} of 5)`);
    const { fault, "non-canonical": nonCanonical } = check.results;
    print(`  expected: ${check.results.ok} translated, ${fault} faults, ${nonCanonical} not canonical`);
  }
}

function reportSequence({ line, vector, mismatches }: SequenceDifference): void {
  print(
    `  line ${line}, id ${vector.id}: ${vector.steps.length} steps, PASID ${vector.pasid}, domain ${vector.domain}`,
  );
  reportMismatches(mismatches);
}

function reportVtdDifference({ line, vector, mismatches }: VtdDifference): void {
  const { access, expected, deviation, pasidEntry, pages1G } = vector;
  print(`  line ${line}, id ${vector.id}: device ${access} of ${hexAddress(vector.virtualAddress)}`);
  const fields = Object.entries(pasidEntry ?? {}).map(([name, value]) => ` ${name.toUpperCase()}=${Number(value)}`);
  const cap = `FS1GP=${Number(pages1G)}`;
  print(
    `    ${vector.maxPhyAddr} physical bits, ${cap}, root ${hexAddress(vector.root)}, PASID-table entry${fields.join("") || " plain"}`,
  );
  reportRest(4, vector.tables, expected.kind === "ok" ? expected.pageSize : undefined, deviation, mismatches);
}

function reportDifference({ line, vector, mismatches }: VectorDifference): void {
  const { access, controls, levels, maxPhyAddr, expected, deviation } = vector;
  const who = access.implicit ? "implicit" : access.user ? "user" : "supervisor";
  print(`  line ${line}, id ${vector.id}: ${who} ${access.type} of ${hexAddress(vector.virtualAddress)}`);
  print(
    `    ${levels} levels, ${maxPhyAddr} physical bits, root frame 0x${vector.root.toString(16)}, ` +
      `controls ${namesOf(controls)}, PKRU 0x${controls.pkru.toString(16)}`,
  );
  reportRest(levels, vector.tables, expected.kind === "ok" ? expected.pageSize : undefined, deviation, mismatches);
}

function reportRiscvDifference({ line, vector, mismatches }: RiscvDifference): void {
  const { access, controls, mode, expected, deviation } = vector;
  const who = access.user ? "user" : "supervisor";
  print(`  line ${line}, id ${vector.id}: ${who} ${access.type} of ${hexAddress(vector.virtualAddress)}`);
  print(`    ${mode}, root frame 0x${vector.root.toString(16)}, controls ${namesOf(controls)}, via ${vector.via}`);
  const size = expected.kind === "ok" ? expected.pageSize : undefined;
  reportRest(RISCV_LEVELS[mode], vector.tables, size, deviation, mismatches);
}

/** Names of the controls that are on. */
function namesOf(controls: object): string {
  const on = Object.entries(controls).filter(([, value]) => value === true);
  return on.map(([name]) => name.toUpperCase()).join(" ") || "none";
}

function reportRest(
  levels: number,
  tables: readonly VectorEntry[],
  pageSize: number | undefined,
  deviation: string | undefined,
  mismatches: readonly { part: string; expected: string; got: string }[],
): void {
  for (const [i, { frame, index, before, after }] of tables.entries()) {
    const slot = `frame 0x${frame.toString(16)} index ${String(index).padStart(3)}`;
    print(`    level ${levels - i}  ${slot}  ${hexAddress(before)} -> ${hexAddress(after)}`);
  }
  if (pageSize !== undefined) print(`    recorded: ${describeSize(pageSize)} page`);
  if (deviation) print(`    the recorded result is corrected to the manual's: ${deviation}`);
  reportMismatches(mismatches);
}

function reportMismatches(mismatches: readonly { part: string; expected: string; got: string }[]): void {
  for (const { part, expected, got } of mismatches) {
    print(`    ${part.padEnd(8)} expected ${expected}`);
    print(`    ${"".padEnd(8)} got      ${got}`);
  }
}
