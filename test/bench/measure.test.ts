// Measuring; nothing here judges a time.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readCase, writeCase } from "../../bench/case-file.js";
import { operationsIn, planCases, tinySizes } from "../../bench/cases.js";
import { compareChecks, MismatchError } from "../../bench/check.js";
import { compileNative } from "../../bench/contestants/compile.js";
import { NativeCase } from "../../bench/contestants/native.js";
import { figureOf } from "../../bench/figure.js";
import { openKernelTask } from "../../bench/kernel-tasks.js";
import { kernelMachine } from "../../bench/kernel-work.js";
import { NotPlayedError } from "../../bench/library.js";
import { calibrationNs, calibrationTurns, clockStep, PieceClock, pieceSize, playsPerTime } from "../../bench/pieces.js";
import { Stopwatch } from "../../bench/stopwatch.js";
import { caseTask } from "../../bench/table-case.js";
import { javascriptField } from "../../bench/table-tasks.js";
import { syntheticTables } from "../../bench/tables/synthetic.js";
import { timeWithBenchmark } from "../../bench/time.js";
import { yardstick } from "../../bench/yardstick/index.js";
import { verifyCase } from "./agree.js";

const folder = mkdtempSync(join(tmpdir(), "stalewalk-measure-"));
afterAll(() => rmSync(folder, { recursive: true }));
const compiled = await compileNative(folder);
const shortest = { plays: 1, quiet: 0, seconds: 0, warm: 0, calm: null };

describe("Benchmark.js", () => {
  it("plays once a sample, each after its preparation, and nothing else", () => {
    let log = "";
    const times = timeWithBenchmark(
      () => {
        log += "P";
      },
      () => {
        log += "r";
      },
      4,
      0,
    );
    expect(times.length).toBeGreaterThanOrEqual(4);
    expect(log).toBe("rP".repeat(times.length));
  });

  it("passes errors on", () => {
    const fail = () => {
      throw new Error("no such table");
    };
    expect(() => timeWithBenchmark(fail, () => {}, 1, 0)).toThrow("no such table");
  });
});

describe("pieces", () => {
  it("are long enough for the clock, and a power of two of operations", () => {
    expect(pieceSize(10, 1)).toBe(8192);
    expect(pieceSize(3000, 1)).toBe(32);
    expect(pieceSize(1e6, 1)).toBe(16);
    expect(pieceSize(0.001, 1)).toBe(65536);
    // A browser's clock of 100 µs: 20 ms.
    expect(pieceSize(1000, 100_000)).toBe(32768);
    expect(clockStep()).toBeGreaterThan(0);
    expect(calibrationNs()).toBeGreaterThan(0);
  });

  it("are several plays in one where a whole play is no longer than the steps of a browser's clock", () => {
    expect(playsPerTime(6000, 160)).toBe(1);
    expect(playsPerTime(50_000, 5000)).toBe(1);
    expect(playsPerTime(20_000, 5000)).toBe(50);
    // So short that it cannot be seen.
    expect(playsPerTime(0, 5000)).toBe(400);
  });

  it("have a longer fixed work beside them there, and the usual one elsewhere", () => {
    expect(calibrationTurns(5000)).toBe(25 * calibrationTurns(100));
    expect(calibrationTurns(1)).toBe(calibrationTurns(100));
  });

  it("that are too short to be timed alone come to one time of all", async () => {
    let played = 0;
    const task = {
      operations: 16,
      check: () => ({ hash: "", counters: {} }),
      prepare: () => {
        played = 0;
      },
      pieces: () => [
        () => {
          played++;
        },
        () => {
          expect(played++).toBe(1);
        },
      ],
    };
    const clock = new PieceClock(task.pieces(), 8);
    clock.play(task.prepare);
    const { ns, beside, switches } = clock.times;
    expect([ns, beside, switches].map((lists) => lists.map((list) => list.length))).toEqual([[1], [1], [1]]);
  });

  it.each(Object.entries(javascriptField))("of %s come to what the whole does", (_, [contestant, part]) => {
    const [plan] = planCases(tinySizes, 1);
    const benchCase = plan!.build(syntheticTables(1 / 32));
    const outcomes = (size?: number): number[] => {
      const pieces = contestant.create(benchCase.world).load(benchCase.program, size);
      if (size !== undefined) expect(pieces).toHaveLength(operationsIn(benchCase.program) / size);
      return pieces.flatMap((piece) => {
        piece.play();
        return [...piece.outcomes()];
      });
    };
    expect(outcomes(64)).toEqual(outcomes());
    const task = caseTask(benchCase, contestant, part);
    expect(task.pieces(64)).toHaveLength(task.operations / 64);
  });
});

describe("a case", () => {
  it("is the same after it was written and read, tables, programs and parts", () => {
    for (const plan of planCases(tinySizes, 2)) {
      const benchCase = plan.build(syntheticTables(1 / 32));
      writeCase(join(folder, "a.case"), benchCase);
      const { set, ...world } = benchCase.world;
      expect(readCase(join(folder, "a.case"))).toEqual({
        ...benchCase,
        world: { ...world, set: { ...set, pages: [] } },
      });
    }
  });

  it("of every kind is played alike by all contestants, and timed", async () => {
    const set = syntheticTables(1 / 32);
    for (const plan of planCases(tinySizes, 2)) {
      const benchCase = plan.build(set);
      const { counters } = await verifyCase(benchCase, []);
      expect(counters["faults"]).toBe(0);
      const share = (cache: number) =>
        (counters[`hits of cache ${cache}`] as number) / (counters["translations"] as number);
      if (plan.name === "L1 hit") expect(share(0)).toBeGreaterThan(0.95);
      if (plan.name === "full walk") expect(counters["walks"]).toBe(counters["translations"]);
      for (const [contestant, part] of Object.values(javascriptField)) {
        const task = caseTask(benchCase, contestant, part);
        const stopwatch = new Stopwatch(task);
        const times = await stopwatch.time(shortest);
        const figure = figureOf(times, task.operations, 1);
        expect(figure.times + figure.dropped).toBe(times.ns.flat().length);
        expect(figure.least).toBeGreaterThanOrEqual(0);
        expect(figure.median).toBeGreaterThanOrEqual(figure.least);
      }
    }
  });

  it("of a kernel comes to the same in every process, with hazards looked for or not", async () => {
    const spec = { kind: "kernel", operations: 16384, pattern: "uniform" } as const;
    const checkOf = (contestant: string) => openKernelTask(spec, "flush-range", contestant).check();
    const own = await checkOf("stalewalk");
    expect(await checkOf("stalewalk")).toEqual(own);
    expect((await checkOf("detection off")).hash).toBe(own.hash);
    expect(own.counters["tables freed"]).toBeGreaterThan(0);
    const task = openKernelTask(spec, "flush-range", "stalewalk");
    const before = task.check();
    await new Stopwatch(task).time(shortest);
    expect(task.check()).toEqual(before);
  });

  it("of a kernel names no pattern to 0.1.0, which knows none, and is not played by it with another than its own", () => {
    expect(kernelMachine("none", true, yardstick, undefined).options).not.toHaveProperty("pattern");
    const task = (pattern: "uniform" | "streams") =>
      openKernelTask({ kind: "kernel", operations: 8192, pattern }, "none", "0.1.0").check();
    expect(task("uniform")).toHaveProperty("hash");
    expect(() => task("streams")).toThrow(NotPlayedError);
  });

  it.skipIf("missing" in compiled)("is timed by native C in pieces (skipped without a compiler)", async () => {
    if ("missing" in compiled) throw new Error(compiled.missing);
    const [plan] = planCases(tinySizes, 1);
    const native = await NativeCase.start(compiled.builds[0]!, plan!.build(syntheticTables(1 / 32)));
    try {
      const { ns, beside, switches } = await native.time(3, 100);
      for (const list of [ns, beside, switches]) {
        expect(list).toHaveLength(11);
        for (const plays of list) expect(plays).toHaveLength(3);
      }
      for (const value of beside.flat()) expect(value).toBeGreaterThan(0);
    } finally {
      await native.close();
    }
  });
});

describe("a difference", () => {
  it("names the counter", () => {
    const check = (hits: number, hash = "a") => ({ hash, counters: { walks: 1, "hits of cache 0": hits } });
    expect(() => compareChecks("set: case", ["x", check(3)], ["y", check(4)])).toThrow(
      new MismatchError("set: case: x and y disagree about hits of cache 0: 3 and 4"),
    );
    expect(() => compareChecks("set: case", ["x", check(3)], ["y", check(3, "b")])).toThrow(
      /outcomes \(hash\): a and b/,
    );
    expect(() => compareChecks("set: case", ["x", check(3)], ["y", check(3)])).not.toThrow();
  });
});
