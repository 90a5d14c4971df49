// Playing recorded sequences on an IOMMU with an IOTLB that does not evict, and without paging-structure caches, as the emulator is.
// Invalidations go through the queue, as descriptors with the domain and PASID that the sequence names.

import { hex } from "../../base/notation.js";
import type { Iommu } from "../../hardware/iommu.js";
import type { Machine } from "../../machine.js";
import { Access } from "../../paging/access.js";
import type { Outcome } from "../../paging/outcome.js";
import { encodeVtd, type VtdDescriptor } from "../../queue/index.js";
import type { Mismatch } from "../compare.js";
import type { NumberedVector } from "../read.js";
import { countIn, type Difference, emptyTally, type Tally } from "../tally.js";
import type { VtdCheckOptions } from "./check.js";
import { describeOutcome, isFaultOf } from "./outcome.js";
import type {
  SequenceDeviation,
  SequenceInvalidation,
  SequenceResult,
  SequenceSlot,
  SequenceStep,
  VtdSequence,
} from "./sequence.js";
import { PASID, tableView, VtdStage } from "./stage.js";

/** What is compared of each request of a sequence. */
export const SEQUENCE_PARTS = ["outcome", "entries"] as const;
/** One of {@link SEQUENCE_PARTS}. */
export type SequencePart = (typeof SEQUENCE_PARTS)[number];

/** A sequence that the engine does not agree with, and all that is wrong. */
export type SequenceDifference = Difference<VtdSequence, SequencePart>;

/** What came of a check; vectors are sequences. */
export interface SequenceCheck extends Tally<VtdSequence, SequencePart> {
  /** Requests by expected result. */
  requests: { ok: number; fault: number };
  /** Requests whose outcome differs. */
  differingRequests: number;
  /** Invalidations and changes of the root. */
  invalidations: number;
  /** Requests where the specification's result stands in for the emulator's. */
  deviations: Record<SequenceDeviation, number>;
}

/** Width of physical addresses on the emulator. */
const MAX_PHY_ADDR = 48;
/** Entries of the IOTLB; a sequence with more requests might fill it. */
const IOTLB_ENTRIES = 4096;
const TABLES_OF_SEQUENCE = 9;
const A = 1n << 5n;

/**
 * Plays every sequence and compares each request.
 * @throws what the stream of vectors throws; RangeError for a sequence of so many requests that the IOTLB might evict
 */
export async function checkVtdSequences(
  vectors: AsyncIterable<NumberedVector<VtdSequence>> | Iterable<NumberedVector<VtdSequence>>,
  { maxDifferences = 10, onProgress, ...engine }: VtdCheckOptions = {},
): Promise<SequenceCheck> {
  const stage = new VtdStage(engine, { l1: [{ entries: IOTLB_ENTRIES, ways: IOTLB_ENTRIES }] });
  const check: SequenceCheck = {
    ...emptyTally<VtdSequence, SequencePart>(SEQUENCE_PARTS),
    requests: { ok: 0, fault: 0 },
    differingRequests: 0,
    invalidations: 0,
    deviations: { "refused-hit-not-recorded": 0 },
  };
  for await (const { line, vector } of vectors) {
    const requests = vector.steps.filter(({ op }) => op === "dma").length;
    if (requests > IOTLB_ENTRIES) {
      throw new RangeError(
        `line ${line}: ${requests} requests; expected at most ${IOTLB_ENTRIES}, so that nothing is evicted`,
      );
    }
    const machine = await stage.machineFor(MAX_PHY_ADDR, true, TABLES_OF_SEQUENCE);
    const player = new Player(vector, machine, check);
    for (const [i, step] of vector.steps.entries()) player.play(step, `step ${i + 1}`);
    player.clear();
    countIn(check, { line, vector, mismatches: player.wrong }, maxDifferences);
    onProgress?.(check.vectors);
  }
  return check;
}

/** One sequence on a machine. */
class Player {
  readonly wrong: Mismatch<SequencePart>[] = [];
  private readonly iommu: Iommu;
  private readonly entries = new Map<SequenceSlot, { view: BigUint64Array; index: number; expected: bigint }>();

  constructor(
    private readonly sequence: VtdSequence,
    machine: Machine,
    private readonly check: SequenceCheck,
  ) {
    for (const root of sequence.roots) tableView(machine, Number(root >> 12n));
    for (const [name, { address, value }] of sequence.slots) {
      const entry = {
        view: tableView(machine, Number(address >> 12n)),
        index: Number(address & 0xfffn) / 8,
        expected: value,
      };
      entry.view[entry.index] = value;
      this.entries.set(name, entry);
    }
    this.iommu = machine.iommus[0] as Iommu;
    this.bind(0);
    this.iommu.invalidateAll();
  }

  /** Makes the entries zero again, so that the next sequence finds only its own. */
  clear(): void {
    for (const { view, index } of this.entries.values()) view[index] = 0n;
  }

  private bind(root: number): void {
    this.iommu.bind(PASID, { root: this.sequence.roots[root] as bigint, domain: this.sequence.domain });
    this.iommu.invalidatePasidCache();
    this.iommu.invalidatePasid(PASID);
  }

  play(step: SequenceStep, where: string): void {
    switch (step.op) {
      case "write": {
        const entry = this.entryOf(step.entry);
        entry.view[entry.index] = step.value;
        entry.expected = step.value;
        return;
      }
      case "invalidate":
        this.check.invalidations += 1;
        this.iommu.submit(encodeVtd(descriptorOf(step.invalidation, this.sequence)));
        return;
      case "root":
        this.check.invalidations += 1;
        this.bind(step.root);
        return;
      case "dma":
        this.request(step, where);
    }
  }

  private entryOf(name: SequenceSlot): { view: BigUint64Array; index: number; expected: bigint } {
    return this.entries.get(name) as { view: BigUint64Array; index: number; expected: bigint };
  }

  private request(step: Extract<SequenceStep, { op: "dma" }>, where: string): void {
    const access = step.access === "write" ? Access.userWrite : Access.userRead;
    const outcome = this.iommu.request(PASID, step.virtualAddress, access);
    const { expected, deviation } = step;
    this.check.requests[expected.kind] += 1;
    if (deviation) this.check.deviations[deviation] += 1;
    const what = `${where}, ${step.access} of ${hex(step.virtualAddress)}`;
    if (!isResult(outcome, expected)) {
      this.check.differingRequests += 1;
      const wanted = expected.kind === "ok" ? hex(expected.physicalAddress) : `fault 0x${expected.reason.toString(16)}`;
      this.wrong.push({ part: "outcome", expected: `${what}: ${wanted}`, got: describeOutcome(outcome) });
    }
    for (const { entry, value } of step.changed) this.entryOf(entry).expected = value;
    this.compareEntries(expected.kind === "ok", what);
  }

  /** After a completed request the entries are as recorded; a fault changes nothing but A, which hardware may set early (3.6.2). */
  private compareEntries(isDone: boolean, what: string): void {
    for (const [name, it] of this.entries) {
      const entry = it.view[it.index] as bigint;
      if (entry === it.expected) continue;
      if (isDone || (entry | A) !== (it.expected | A)) {
        const wanted = isDone ? hex(it.expected) : `${hex(it.expected)}, A set or not`;
        this.wrong.push({ part: "entries", expected: `${what}: ${name} = ${wanted}`, got: `${name} = ${hex(entry)}` });
      }
      it.expected = entry;
    }
  }
}

function isResult(outcome: Outcome, expected: SequenceResult): boolean {
  if (expected.kind === "fault") return isFaultOf(outcome, true, [expected.reason]);
  return outcome.kind === "ok" && outcome.physicalAddress === expected.physicalAddress;
}

/** PASIDs by name: the sequence's own is the one that the machine's requests have. */
function pasidOf(pasid: number, sequence: VtdSequence): number {
  if (pasid === sequence.pasid) return PASID;
  return pasid === PASID ? sequence.pasid : pasid;
}

function descriptorOf(it: SequenceInvalidation, sequence: VtdSequence): VtdDescriptor {
  switch (it.what) {
    case "global":
    case "domain": {
      const domain = it.what === "domain" ? it.domain : 0;
      const none = { drainWrites: false, drainReads: false, addressMask: 0, leavesOnly: false, address: 0n };
      return { type: "iotlb", granularity: it.what, domain, ...none };
    }
    case "pasid-cache":
      return {
        type: "pasid-cache",
        granularity: "pasid",
        domain: it.domain,
        pasid: pasidOf(it.pasid, sequence),
      };
    case "pasid":
    case "pages": {
      const { domain } = it;
      const pasid = pasidOf(it.pasid, sequence);
      const pages =
        it.what === "pages"
          ? { addressMask: it.addressMask, leavesOnly: it.leavesOnly, address: it.address }
          : { addressMask: 0, leavesOnly: false, address: 0n };
      return { type: "pasid-iotlb", granularity: it.what === "pages" ? "page" : "pasid", domain, pasid, ...pages };
    }
  }
}
