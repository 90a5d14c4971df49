// A recorded sequence: table changes, device requests and invalidations on an emulator's VT-d, and what came of each request. One
// JSON object a line. Where the emulator differs from the specification, the step gives the specification's result.

import type { Place } from "../error.js";
import { type Fields, fieldsOf } from "../fields.js";

/** Entries of a sequence: two roots that lead to the same tables, two PTs and a page of 2 MiB under one PD. */
export const SLOT_NAMES = ["PML4E", "PML4E2", "PDPTE", "PDE0", "PDE1", "PDE2", "PTEa", "PTEb", "PTEc"] as const;
/** One of {@link SLOT_NAMES}. */
export type SequenceSlot = (typeof SLOT_NAMES)[number];

/** What an invalidation names. */
export type SequenceInvalidation =
  | { what: "global" }
  | { what: "domain"; domain: number }
  | { what: "pasid" | "pasid-cache"; domain: number; pasid: number }
  | { what: "pages"; domain: number; pasid: number; address: bigint; addressMask: number; leavesOnly: boolean };

/** What a request in a sequence did. */
export type SequenceResult =
  | { kind: "ok"; physicalAddress: bigint }
  /** Fault reason by VT-d's number. */
  | { kind: "fault"; reason: number };

/** One step. */
export type SequenceStep =
  | { op: "write"; entry: SequenceSlot; value: bigint }
  | {
      op: "dma";
      virtualAddress: bigint;
      access: "read" | "write";
      /** What the specification says: the emulator's result, corrected on marked steps. */
      expected: SequenceResult;
      /** Entries that the request changed, with their new values. */
      changed: readonly { entry: SequenceSlot; value: bigint }[];
      /** Why the emulator's result is not the specification's, or undefined. */
      deviation: SequenceDeviation | undefined;
    }
  | { op: "invalidate"; invalidation: SequenceInvalidation }
  /** The PASID-table entry gets another root, then PASID cache and PASID are invalidated. */
  | { op: "root"; root: number };

/** Why a step's result is not the specification's: a refused hit was not recorded. */
export type SequenceDeviation = "refused-hit-not-recorded";

/** A sequence. */
export interface VtdSequence {
  id: number;
  /** Domain id of the PASID-table entry. */
  domain: number;
  pasid: number;
  /** Physical addresses of the two roots; it starts with the first. */
  roots: readonly bigint[];
  /** Physical address of each entry, and its value at the start. */
  slots: ReadonlyMap<SequenceSlot, { address: bigint; value: bigint }>;
  steps: readonly SequenceStep[];
}

const PHYSICAL_BITS = 52n;
const MOST_STEPS = 65536;
const MAX_REASON = 0xff;
const THEN = "pasid-cache and PASID invalidated";

/**
 * Reads one sequence.
 * @param place names the line in errors
 * @throws VectorFormatError naming the line, the field, the value and what was expected
 */
export function parseVtdSequence(line: string, place: Place): VtdSequence {
  const it = fieldsOf(line, place);
  it.exactly(["id", "did", "pasid", "roots", "slots", "entries", "steps"]);
  const [slots, entries] = [it.object("slots"), it.object("entries")];
  slots.exactly(SLOT_NAMES);
  entries.exactly(SLOT_NAMES);
  const roots = it.hexList("roots", 2);
  for (const root of roots) {
    if ((root & 0xfffn) !== 0n || root >> PHYSICAL_BITS !== 0n)
      throw it.wrong("roots", "page-aligned addresses below 2^52");
  }
  const places = SLOT_NAMES.map((name): [SequenceSlot, { address: bigint; value: bigint }] => {
    const address = slots.hex(name);
    if ((address & 7n) !== 0n || address >> PHYSICAL_BITS !== 0n) {
      throw slots.wrong(name, "the address of an entry: a multiple of 8 below 2^52");
    }
    return [name, { address, value: entries.hex(name) }];
  });
  if (new Set(places.map(([, { address }]) => address)).size !== places.length) {
    throw it.wrong("slots", "an address of its own for each entry");
  }
  return {
    id: it.integer("id", 0, Number.MAX_SAFE_INTEGER),
    domain: it.integer("did", 0, 0xffff),
    pasid: it.integer("pasid", 0, 0xf_ffff),
    roots,
    slots: new Map(places),
    steps: it.list("steps", MOST_STEPS).map(parseStep),
  };
}

function parseStep(it: Fields): SequenceStep {
  const op = it.oneOf("op", ["write", "dma", "invalidate", "root"]);
  switch (op) {
    case "write":
      it.exactly(["op", "entry", "value"]);
      return { op, entry: it.oneOf("entry", SLOT_NAMES), value: it.hex("value") };
    case "dma":
      return parseRequest(it);
    case "invalidate":
      return { op, invalidation: parseInvalidation(it) };
    case "root":
      it.exactly(["op", "root", "then"]);
      it.oneOf("then", [THEN]);
      return { op, root: it.integer("root", 0, 1) };
  }
}

function parseRequest(it: Fields): SequenceStep {
  it.exactly(["op", "va", "access", "result"], ["changed", "deviation", "spec"]);
  const deviation = it.has("deviation") ? it.oneOf("deviation", ["refused-hit-not-recorded"]) : undefined;
  const isCorrected = it.has("spec");
  if (isCorrected !== (deviation !== undefined)) throw it.wrong("spec", "a result with a deviation, none without");
  const changed = it.has("changed") ? it.object("changed") : undefined;
  changed?.exactly([], SLOT_NAMES);
  // What stands beside a correction is read too: it must be a result.
  if (isCorrected) parseResult(it.object("result"), true);
  return {
    op: "dma",
    virtualAddress: it.hex("va"),
    access: ({ r: "read", w: "write" } as const)[it.oneOf("access", ["r", "w"])],
    expected: parseResult(it.object(isCorrected ? "spec" : "result"), false) as SequenceResult,
    changed: SLOT_NAMES.filter((name) => changed?.has(name)).map((entry) => ({
      entry,
      value: (changed as Fields).hex(entry),
    })),
    deviation,
  };
}

/** A result; with `mayHide` also one that was not recorded, which is undefined. */
function parseResult(it: Fields, mayHide: boolean): SequenceResult | undefined {
  if (it.boolean("ok")) {
    it.exactly(["ok", "pa"]);
    return { kind: "ok", physicalAddress: it.hex("pa") };
  }
  it.exactly(["ok", "reason"]);
  if (mayHide && it.isNull("reason")) return undefined;
  return { kind: "fault", reason: it.integer("reason", 1, MAX_REASON) };
}

function parseInvalidation(it: Fields): SequenceInvalidation {
  const what = it.oneOf("what", ["global", "domain", "pasid", "pasid-cache", "pages"]);
  const domain = (): number => it.integer("did", 0, 0xffff);
  const pasid = (): number => it.integer("pasid", 0, 0xf_ffff);
  switch (what) {
    case "global":
      it.exactly(["op", "what"]);
      return { what };
    case "domain":
      it.exactly(["op", "what", "did"]);
      return { what, domain: domain() };
    case "pasid":
    case "pasid-cache":
      it.exactly(["op", "what", "did", "pasid"]);
      return { what, domain: domain(), pasid: pasid() };
    case "pages": {
      it.exactly(["op", "what", "did", "pasid", "va", "am", "ih"]);
      const address = it.hex("va");
      if ((address & 0xfffn) !== 0n) throw it.wrong("va", "a page-aligned address");
      const addressMask = it.integer("am", 0, 0x3f);
      return { what, domain: domain(), pasid: pasid(), address, addressMask, leavesOnly: it.flag("ih") };
    }
  }
}
