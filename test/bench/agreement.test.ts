// The benchmark compares speeds of programs that must compute the same: here every contestant is held to the engine on
// random worlds, outcome by outcome (hash) and counter by counter.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { MismatchError } from "../../bench/check.js";
import { compileNative, nativeNames } from "../../bench/contestants/compile.js";
import type { Contestant } from "../../bench/contestants/contestant.js";
import { NativeCase } from "../../bench/contestants/native.js";
import { tunedJs } from "../../bench/contestants/tuned-js.js";
import { runs } from "../support/effort.js";
import { seedAt } from "../support/seed.js";
import { contestants, guestRam, verifyCase } from "./agree.js";
import { operationsOf, randomCase } from "./random-case.js";

const OPERATIONS = 400;
const folder = mkdtempSync(join(tmpdir(), "stalewalk-native-"));
const native = await compileNative(folder);
afterAll(() => rmSync(folder, { recursive: true }));

const WORLDS = runs(75);

describe("contestants agree with the engine", () => {
  it("the random cases hold every operation, faults, and hits in every list", async () => {
    const codes = new Set<number>();
    let faults = 0;
    let hits = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const { program, ...rest } = randomCase(seedAt(seed), OPERATIONS);
      for (const code of operationsOf(program)) codes.add(code);
      const { counters } = await verifyCase({ ...rest, program }, []);
      faults += counters["faults"] as number;
      for (const [name, count] of Object.entries(counters)) if (name.startsWith("hits of cache")) hits += count;
    }
    expect([...codes].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 6, 7, 16]);
    expect(faults).toBeGreaterThan(1000);
    expect(hits).toBeGreaterThan(2000);
  });

  it(`JavaScript, on ${WORLDS} random worlds`, async () => {
    for (let seed = 100; seed < 100 + WORLDS; seed++) await verifyCase(randomCase(seedAt(seed), OPERATIONS), []);
  });

  it(`tables in guest RAM, on ${WORLDS} random worlds`, async () => {
    for (let seed = 500; seed < 500 + WORLDS; seed++)
      await verifyCase(randomCase(seedAt(seed), OPERATIONS), [], guestRam);
  });

  it.skipIf("missing" in native)(`native C, on ${WORLDS} random worlds (skipped without a C compiler)`, async () => {
    if ("missing" in native) throw new Error("skipped");
    // Every build by itself: what one of them miscounts the other may not.
    expect(native.builds.map(({ name }) => name)).toEqual(nativeNames.slice(0, 2 - native.refused.length));
    for (let seed = 1000; seed < 1000 + WORLDS; seed++) {
      const random = randomCase(seedAt(seed), OPERATIONS);
      const machines: [string, NativeCase][] = [];
      try {
        for (const build of native.builds) machines.push([build.name, await NativeCase.start(build, random)]);
        await verifyCase(random, machines, contestants.slice(0, 1));
      } finally {
        for (const [, machine] of machines) await machine.close();
      }
    }
  });

  it("a contestant that drops one flush is found out", async () => {
    const forgetful: Contestant = {
      name: "forgetful",
      create(world) {
        const player = tunedJs.create(world);
        return {
          ...player,
          load(program, pieceOperations) {
            const copy = program.slice();
            for (let at = 0; at < copy.length; at += 16) {
              if (copy[at] !== 7) continue;
              copy[at] = 2;
              break;
            }
            return player.load(copy, pieceOperations);
          },
        };
      },
    };
    const field = [contestants[0] as Contestant, forgetful];
    let found = 0;
    let flushing = 0;
    for (let seed = 1; seed <= 50; seed++) {
      const random = randomCase(seedAt(seed), OPERATIONS);
      if (!operationsOf(random.program).has(7)) continue;
      flushing++;
      found += await verifyCase(random, [], field).then(
        () => 0,
        (error) => (error instanceof MismatchError ? 1 : Promise.reject(error)),
      );
    }
    // Now and then there is nothing to drop, or no cache to drop it from.
    expect(found).toBeGreaterThan(0.5 * flushing);
    expect(flushing).toBeGreaterThan(30);
  });
});
