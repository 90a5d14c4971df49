// Rounds: order, comparison before times, what counts as disturbed. Contestants here are objects in this process, with times made up.
import { describe, expect, it } from "vitest";
import type { Block } from "../../bench/blocks.js";
import { MismatchError } from "../../bench/check.js";
import type { Contender, Entrant } from "../../bench/contender.js";
import { figureOf, isQuiet, joinTimes } from "../../bench/figure.js";
import type { PieceTimes } from "../../bench/pieces.js";
import { type Effort, Rounds } from "../../bench/rounds.js";

const effort: Effort = {
  leastRounds: 3,
  mostRounds: 3,
  turns: 2,
  turn: { plays: 1, quiet: 1, seconds: 0, warm: 0 },
};

/** Six pieces, played once, none disturbed. */
function calmTimes(ns: number): PieceTimes {
  const lists = (value: number) => Array.from({ length: 6 }, () => [value]);
  return { ns: lists(ns), beside: lists(10), switches: lists(0) };
}

function entrant(name: string, log: string[], hash: (process: number) => string, operations = 60): Entrant {
  let processes = 0;
  return {
    name,
    calibration: "js",
    async start(): Promise<Contender> {
      const me = ++processes;
      log.push(`start ${name}`);
      return {
        async open(caseName) {
          log.push(`open ${name} ${caseName}`);
          return operations;
        },
        check: async (part) => ({ hash: part === undefined ? hash(me) : `part ${part}`, counters: {} }),
        async time() {
          log.push(`time ${name}`);
          return calmTimes(100 * me);
        },
        async close() {
          log.push(`close ${name}`);
        },
      };
    },
  };
}

const block = (entrants: Entrant[], more: Partial<Block> = {}): Block => ({
  suite: "translate",
  table: "t",
  unit: "operation",
  cases: ["x", "y"],
  entrants,
  ...more,
});
const quietly = () => {};

describe("rounds", () => {
  it("start every contestant anew, let them take turns, and turn the order of cases", async () => {
    const log: string[] = [];
    const rounds = new Rounds([block([entrant("a", log, () => "h"), entrant("b", log, () => "h")])], effort, quietly);
    await rounds.play(0);
    const first = ["start a", "start b"];
    const turns = ["time a", "time b", "time a", "time b"];
    const opened = (name: string) => [`open a ${name}`, `open b ${name}`, ...turns];
    const last = ["close a", "close b"];
    expect(log).toEqual([
      ...[...first, ...opened("x"), ...opened("y"), ...last],
      ...[...first, ...opened("y"), ...opened("x"), ...last],
      ...[...first, ...opened("x"), ...opened("y"), ...last],
    ]);
    expect(rounds.all.map((row) => [row.case, row.contestant, row.samples.length, row.least.value])).toEqual([
      ["x", "a", 3, 10],
      ["x", "b", 3, 10],
      ["y", "a", 3, 10],
      ["y", "b", 3, 10],
    ]);
  });

  it("never time a contestant that comes to another result, and close all processes then", async () => {
    const log: string[] = [];
    const rounds = new Rounds(
      [block([entrant("a", log, () => "h"), entrant("b", log, () => "other")])],
      effort,
      quietly,
    );
    await expect(rounds.play(0)).rejects.toThrow(
      new MismatchError("t: x: a and b disagree about the outcomes (hash): h and other"),
    );
    expect(log.filter((line) => line.startsWith("time"))).toEqual([]);
    expect(log.slice(-2)).toEqual(["close a", "close b"]);
  });

  it("notice a contestant that comes to something else in another process", async () => {
    const rounds = new Rounds([block([entrant("a", [], (process) => `h${process > 1}`)])], effort, quietly);
    await expect(rounds.play(0)).rejects.toThrow(/^t: .: a and a in another process disagree/);
  });

  it("compare who plays a part with that part, and name those whose rules are others", async () => {
    const part = entrant("part", [], () => "part 6", 6);
    const old = entrant("old", [], () => "other");
    const rounds = new Rounds(
      [block([entrant("a", [], () => "h"), part, old], { otherRules: ["old"] })],
      effort,
      quietly,
    );
    await rounds.play(0);
    const names = rounds.all.filter((row) => row.case === "x").map(({ contestant }) => contestant);
    expect(names).toEqual(["a", "part", "old (other rules)"]);
  });
});

describe("rounds that must be over in time", () => {
  it("play one case whatever happens, say what was left out, and go on where they stopped if there is time", async () => {
    const blocks = ["t", "u"].map((table) => block([entrant("a", [], () => "h")], { table }));
    const late = new Rounds(blocks, effort, quietly);
    await late.playInTime(performance.now() - 1);
    expect(late.all.map((row) => [row.table, row.case, row.samples.length])).toEqual([["t", "x", 1]]);
    expect(late.missing).toEqual(["t, for want of time (--seconds): y", "u, for want of time (--seconds): x; y"]);
    const early = new Rounds(blocks, effort, quietly);
    await early.playInTime(performance.now() + 600_000);
    expect(early.all.map(({ samples }) => samples.length)).toEqual([3, 3, 3, 3]);
    expect(early.missing).toEqual([]);
  });
});

describe("figures", () => {
  it("are sums over pieces of the least, and of the median, of quiet times", () => {
    const times: PieceTimes = {
      ns: [
        [30, 10, 20, 11, 12],
        [50, 5, 5, 6, 5],
      ],
      beside: [
        [9, 9, 9, 9, 9],
        [9, 9, 9, 9, 9],
      ],
      switches: [
        [0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0],
      ],
    };
    expect(figureOf(times, 1, 9)).toEqual({ least: 15, median: 17, times: 9, dropped: 1 });
  });

  it("drop what was interrupted, and what a slow piece of fixed work stands beside, before or behind", () => {
    const slow: PieceTimes = { ns: [[1, 1, 1, 1, 1]], beside: [[10, 10, 20, 10, 10]], switches: [[0, 0, 0, 0, 1]] };
    expect([0, 1, 2, 3, 4].map((play) => isQuiet(slow, 0, play, 10))).toEqual([true, false, false, false, false]);
    const next: PieceTimes = { ns: [[1], [1], [1]], beside: [[10], [10], [12]], switches: [[0], [0], [0]] };
    expect([0, 1, 2].map((piece) => isQuiet(next, piece, 0, 10))).toEqual([true, false, false]);
  });

  it("of a machine that was never quiet are made of all times, and say so", () => {
    const times: PieceTimes = {
      ns: [[30, 10, 20, 11, 12]],
      beside: [[20, 20, 20, 20, 20]],
      switches: [[0, 0, 0, 0, 0]],
    };
    expect(figureOf(times, 2, 10)).toEqual({ least: 5, median: 6, times: 0, dropped: 5 });
  });

  it("take a piece that was never quiet for as much below its median as the others", () => {
    const quiet = [
      [20, 10, 20, 20, 20, 20],
      [20, 10, 20, 20, 20, 20],
    ];
    const times: PieceTimes = {
      ns: [...quiet, [40, 40, 40, 40, 40, 40]],
      beside: Array.from({ length: 3 }, () => [9, 9, 9, 9, 9, 9]),
      switches: [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1],
      ],
    };
    expect(figureOf(times, 1, 9)).toMatchObject({ least: 40, median: 80 });
  });

  it("join the turns of a contestant piece by piece", () => {
    expect(joinTimes([calmTimes(1), calmTimes(2)]).ns[3]).toEqual([1, 2]);
  });
});
