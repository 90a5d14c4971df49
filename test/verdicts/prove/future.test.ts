// The promise of a form: states of one form have one future. States that an exploration has reached by two paths are gone on from by both:
// every move, and every step of the kernel, must come to the same, a hazard or a state of the same form.
import { describe, expect, it } from "vitest";
import { finishInTurns, Turns } from "../../../src/base/progress.js";
import { changedCpu, changedIommu, usualCpu } from "../../../src/verdicts/options.js";
import { OPERATION_DONE } from "../../../src/verdicts/prove/board.js";
import { choicesOf, type Wanted } from "../../../src/verdicts/prove/choices.js";
import { type Arrival, Explorer } from "../../../src/verdicts/prove/explore.js";
import { BEGIN, type Successors } from "../../../src/verdicts/prove/successors.js";
import { amount } from "../../support/effort.js";
import fc from "../../support/fast-check.js";
import { SEED } from "../../support/seed.js";
import { type Cell, rowOf, stageOf } from "./cells.js";

const WIDE: Wanted = { race: true, walks: 2, wide: true };
const NARROW: Wanted = { race: true, walks: 0, wide: false };
/** States of a cell, and pairs that are drawn from them and compared; of those that close with few moves nearly all. */
interface Drawn {
  wanted: Wanted;
  states: number;
  most: number;
}
const SOME: Drawn = {
  wanted: WIDE,
  states: amount({ quick: 1_500, full: 3_000, nightly: 150_000 }),
  most: amount({ quick: 50, full: 120, nightly: 60_000 }),
};
const FEW_WALKS: Drawn = { ...SOME, wanted: NARROW, states: amount({ quick: 2_000, full: 8_000, nightly: 150_000 }) };
const ALL: Drawn = { wanted: NARROW, states: 100_000, most: amount({ quick: 400, full: 1_500, nightly: 100_000 }) };

const CELLS: readonly (readonly [string, Cell, Drawn])[] = [
  ["deferred work", { policy: "deferred-free", row: "pmd_free_pte_page" }, ALL],
  ["deferred work, two walks under way", { policy: "deferred-free", row: "pmd_free_pte_page" }, SOME],
  [
    "three tables freed, one flush",
    { policy: "deferred-free-unlocked", row: "pud_free_pmd_page", kernel: "6.12" },
    SOME,
  ],
  ["requests that wait", { policy: "flush-async", row: "cpa_collapse_large_pages/1G" }, SOME],
  ["a user's tables", { policy: "none", row: "munmap", hardware: changedIommu(["device-tlb"]) }, SOME],
  ["a process that ends", { policy: "user-root", row: "exit", hardware: changedIommu(["page-requests"]) }, SOME],
  [
    "caches that keep nothing below U/S = 0",
    {
      ...{ policy: "deferred-free", row: "remove_pagetable/vmemmap", drain: "none" },
      hardware: changedIommu(["uncached-supervisor-entries"]),
    },
    SOME,
  ],
  ["a CPU", { policy: "deferred-free", row: "remove_pagetable/split", hardware: usualCpu }, ALL],
  [
    "a CPU with page-table isolation, whose ASIDs are forgotten by flushes of kernel pages",
    { policy: "deferred-free", row: "pmd_free_pte_page", hardware: changedCpu("pti") },
    FEW_WALKS,
  ],
  [
    "the same of AMD's, whose INVLPG leaves other entries",
    { policy: "none", row: "pud_free_pmd_page", hardware: changedCpu("amd-tce-pti") },
    FEW_WALKS,
  ],
  ["a CPU with page-table isolation", { policy: "none", row: "zap_pte_range", hardware: changedCpu("pti") }, SOME],
];

/** What comes of a state, by edge: a hazard, or both hashes of the next state's form. */
function futureOf(successors: Successors, { path, there }: Arrival): Map<number, string> {
  const future = new Map<number, string>();
  const hashes = (): string => successors.hashes.join(" ");
  successors.visit(
    path,
    there,
    { state: (edge) => future.set(edge, hashes()), hazard: (edge) => future.set(edge, "hazard") },
    () => future.set(-1, hashes()),
  );
  return future;
}

describe("states of one form", () => {
  it.each(CELLS)("have one future: %s", { timeout: 0 }, async (_what, cell, { wanted, states, most }) => {
    const explorer = new Explorer(stageOf(cell));
    const [random] = fc.sample(fc.infiniteStream(fc.nat(2 ** 30)), { numRuns: 1, seed: SEED });
    const pairs: [Arrival, Arrival][] = [];
    let seen = 0;
    const turns = new Turns(undefined);
    const explored = await finishInTurns(
      explorer.explore(rowOf(cell.row), wanted, { states, ms: Infinity }, turns, (known, again) => {
        // As good as any others: each pair stays with the same probability.
        seen++;
        if (pairs.length < most) pairs.push([known, again]);
        else {
          const place = (random?.next().value ?? 0) % seen;
          if (place < most) pairs[place] = [known, again];
        }
      }),
      turns,
    );
    expect(explored.states).toBeGreaterThan(30);
    const successors = explorer.enter(rowOf(cell.row), wanted);
    let different = 0;
    let compared = 0;
    for (const [known, again] of pairs) {
      const one = futureOf(successors, known);
      const other = futureOf(successors, again);
      compared += one.size;
      if (JSON.stringify([...one]) !== JSON.stringify([...other])) different++;
    }
    expect(different).toBe(0);
    expect(compared).toBeGreaterThan(pairs.length);
    expect(pairs.length).toBeGreaterThan(20);
  });

  it("do not depend on what stands in frames that are no tables", { timeout: 0 }, () => {
    const cell: Cell = { policy: "none", row: "pud_free_pmd_page" };
    const explorer = new Explorer(stageOf(cell));
    const successors = explorer.enter(rowOf(cell.row), WIDE);
    const { board, forms, stage } = explorer;
    const { exports } = stage.machine.engine;
    const memory = new Uint32Array(exports.memory.buffer);
    const choices = choicesOf(stage, rowOf(cell.row), WIDE);
    const outcome = (record: Uint8Array): string => {
      const { recorded } = board;
      board.play(record);
      if (board.recorded !== recorded) return "hazard";
      forms.tell(new Uint32Array(0));
      return forms.words.subarray(0, forms.length).join(" ");
    };
    const { point } = successors.begin();
    const frees = choices.operations[0]?.main.record as Uint8Array;
    const records = choices.moves.map(({ move }) => move.record);
    let poisoned = 0;
    let hazards = 0;
    fc.assert(
      fc.property(fc.array(fc.nat(records.length - 1), { maxLength: 6 }), fc.nat(2 ** 30), (before, seed) => {
        const placed = before.map((i) => records[i] as Uint8Array);
        const main = [...BEGIN.main.map(({ record }) => record), frees];
        const script = { main, placed, points: before.map(() => point) };
        // Moves, then the whole free.
        let next = board.playTo(script, point);
        let reached = board.playTo(script, next);
        while (board.point(next).name !== OPERATION_DONE) {
          next = reached;
          reached = board.playTo(script, next);
        }
        board.look();
        if (stage.hazards().length > 0) return;
        board.hold();
        for (const [i, record] of records.entries()) {
          const plain = outcome(record);
          board.back();
          for (let slot = 1; slot <= stage.machine.frames.size; slot++) {
            if (exports.stateOf(slot) === 1 || waitsIn(slot)) continue;
            const at = exports.contentsOf(slot) >>> 2;
            for (let word = at; word < at + 1024; word++) memory[word] = Math.imul(seed + word, 0x9e3779b1) | 1;
            exports.touch(slot);
            poisoned++;
          }
          const other = outcome(record);
          board.back();
          if (plain === "hazard") hazards++;
          expect(other, `move ${i}`).toBe(plain);
        }
      }),
      { numRuns: amount({ quick: 10, full: 25, nightly: 500 }) },
    );
    expect(poisoned).toBeGreaterThan(100);
    expect(hazards).toBeGreaterThan(0);

    /** A walk under way that is about to mark an entry compares it first, and no hazard is met by that. */
    function waitsIn(slot: number): boolean {
      return [0, 1].some((walk) => stage.machine.walks.underWay()[walk]?.next === "mark" && slot > 0);
    }
  });
});
