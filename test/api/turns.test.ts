// L5: every asynchronous call gives way. Counted, not timed: how many operations or bytes are done between two turns of the
// event loop, by a ticker that stands in line for each turn, as a host's own work would.

import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { BYTES_BETWEEN_TURNS, OPERATIONS_BETWEEN_TURNS } from "../../src/base/progress.js";
import { operationBytes } from "../../src/index.js";
import { Machine } from "../../src/machine.js";
import { replay } from "../../src/replay/index.js";
import { compileTrace, parseTrace } from "../../src/trace/index.js";
import { checkVectors } from "../../src/vectors/index.js";
import { parseWalkVector } from "../../src/vectors/vector.js";
import { verdicts } from "../../src/verdicts/index.js";
import { GOOD_LINE } from "../support/vectors.js";
import { fixture } from "../trace/support.js";

/** Most of something that was done between two turns, and how many turns there were, while `work` ran. */
async function betweenTurns(
  work: () => Promise<unknown>,
  count: () => number,
): Promise<{ most: number; turns: number }> {
  let most = 0;
  let turns = 0;
  let before = count();
  let running = true;
  const tick = (): void => {
    most = Math.max(most, count() - before);
    before = count();
    turns++;
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  try {
    await work();
  } finally {
    running = false;
  }
  most = Math.max(most, count() - before);
  return { most, turns };
}

afterEach(() => vi.restoreAllMocks());

/** Counts operations that machines play. */
function countPlays(): () => number {
  let played = 0;
  const { play, playInterleaved } = Machine.prototype;
  vi.spyOn(Machine.prototype, "play").mockImplementation(function (this: Machine, program) {
    played += program.length / operationBytes;
    return play.call(this, program);
  });
  vi.spyOn(Machine.prototype, "playInterleaved").mockImplementation(function (this: Machine, program, extra) {
    played += (program.length + extra.operations.length) / operationBytes;
    return playInterleaved.call(this, program, extra);
  });
  return () => played;
}

const text = Buffer.from(fixture("hugevmap.trace.txt"));
const long = Buffer.concat(Array.from({ length: Math.ceil((6 << 20) / text.length) }, () => text));

describe("L5: calls that take long give way", () => {
  it("replay: at most 20,000 operations between two turns, all policies together", { timeout: 300_000 }, async () => {
    const played = countPlays();
    const { most, turns } = await betweenTurns(() => replay(long.subarray(0, 2 << 20)), played);
    expect(played()).toBeGreaterThan(5 * OPERATIONS_BETWEEN_TURNS);
    // Operations are handed on in whole pieces: one more than asked for may have begun.
    expect(most).toBeLessThanOrEqual(2 * OPERATIONS_BETWEEN_TURNS);
    expect(turns).toBeGreaterThan(played() / (2 * OPERATIONS_BETWEEN_TURNS));
  });

  it.each([
    ["text in one block", long],
    ["gzip in one block", gzipSync(long)],
  ])("reading %s: at most 1 MiB between two turns, with or without a signal", async (_, source) => {
    for (const make of [
      () => parseTrace(source),
      () => compileTrace(source, { signal: new AbortController().signal }),
    ]) {
      const reader = make();
      const bytes = (): number => {
        const { summary } = reader;
        return "trace" in summary ? summary.trace.bytes : summary.bytes;
      };
      const { most, turns } = await betweenTurns(async () => {
        for await (const _ of reader);
      }, bytes);
      expect(bytes()).toBe(long.length);
      expect(most).toBeLessThanOrEqual(BYTES_BETWEEN_TURNS + (1 << 18));
      expect(turns).toBeGreaterThanOrEqual(5);
    }
  });

  it("verdicts: turns inside one cell, and a signal ends it there", { timeout: 300_000 }, async () => {
    const played = countPlays();
    const stop = new AbortController();
    const seen: number[] = [];
    const options = {
      policies: ["deferred-free"],
      scenarios: ["pud_free_pmd_page"],
      hardware: "usual",
      agents: ["iommu"],
    } as const;
    let programs = 0;
    const cell = async (signal?: AbortSignal): Promise<void> => {
      for await (const { tried } of verdicts({
        ...options,
        ...(signal && { signal }),
        depth: 4,
        onProgress: ({ done }) => seen.push(done),
      })) {
        programs = tried.programs;
      }
    };
    // Aborted at the third turn: the cell has only begun.
    let turns = 0;
    const tick = (): void => {
      if (++turns === 3) stop.abort(new Error("enough"));
      else setImmediate(tick);
    };
    setImmediate(tick);
    await expect(cell(stop.signal)).rejects.toThrow("enough");
    expect([seen, programs]).toEqual([[], 0]);
    expect(played()).toBeGreaterThan(0);
  });

  it("checkVectors: a signal ends it between two turns", async () => {
    const stop = new AbortController();
    function* endless() {
      const vector = { line: 1, vector: parseWalkVector(GOOD_LINE, { file: "good", line: 1 }) };
      for (;;) yield vector;
    }
    setImmediate(() => stop.abort(new Error("enough")));
    const done: number[] = [];
    await expect(
      checkVectors(endless(), { signal: stop.signal, onProgress: (progress) => done.push(progress.done) }),
    ).rejects.toThrow("enough");
    expect(done.length).toBeGreaterThan(0);
  });
});
