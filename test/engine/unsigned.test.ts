// C3: pointers and counts of the engine above 2^31 are unsigned, wherever the host reads them.

import { expect, it } from "vitest";
import type { EngineExports } from "../../src/engine/exports.js";
import { unsignedResults } from "../../src/engine/exports.js";
import { Access, createMachineSync, createWalkerSync } from "../../src/index.js";

const TABLES = 2 ** 19;
/** The first slot whose contents lie above 2^31 was 517,082 with a walker. */
const FIRST_ABOVE = 517_082;

type WithEngine = { engine: { exports: EngineExports } };

it("C3: memoryBytes of a machine with 2^19 tables", () => {
  const { memoryBytes } = createMachineSync({ tables: TABLES });
  expect(memoryBytes).toBeGreaterThan(TABLES * 4096);
  expect(memoryBytes).toBeLessThan(2 ** 32);
});

it("C3: tables, chains and snapshots above 2^31", () => {
  const walker = createWalkerSync({ tables: TABLES });
  const { exports } = (walker as unknown as WithEngine).engine;
  // Slots that nobody fills cost no memory.
  for (let slot = 1; slot < FIRST_ABOVE; slot++) exports.claimSlot(BigInt(0x100_0000 + slot));
  for (const [frame, level] of [
    [1, 4],
    [2, 3],
    [3, 2],
    [4, 1],
  ] as const) {
    const entries = new BigUint64Array(512);
    entries[0] = (BigInt(frame + 1) << 12n) | 7n;
    walker.setTable(frame, frame === 1 ? entries : new Uint8Array(entries.buffer), level);
  }
  expect(exports.contentsOf(exports.slotOf(4n))).toBeGreaterThan(2 ** 31);
  walker.setRoot(0x1000n);
  expect(walker.translate(0x123n, Access.userWrite)).toMatchObject({ kind: "ok", physicalAddress: 0x5123n });
  expect(walker.explain(0x123n, Access.userRead).chain).toHaveLength(4);
  expect(walker.frames.readEntry(0x4000n)).toBe(0x5067n);
  expect(walker.frames.size).toBe(FIRST_ABOVE + 3);
  expect([...walker.mappings()]).toHaveLength(1);
});

it("C3: no result that the module gives with a sign is left so", () => {
  const machine = createMachineSync({ kernel: { pool: 16 }, tables: 16 });
  const { exports } = (machine as unknown as WithEngine).engine;
  expect(unsignedResults).toContain("arenaBytes");
  // INIT_MM is no mm; its root is the first frame of the pool.
  expect(exports.rootOf(0xffff)).toBeGreaterThan(0);
  exports.setState(1, 1, 1);
  expect(exports.generationOf(1)).toBeGreaterThanOrEqual(0);
});
