// The same program, seed and configuration give the same counters on every machine and in every run: these were counted
// once and committed. After a change of the rules: STALEWALK_GOLDEN=write npx vitest run test/engine/golden.test.ts.

import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  Access,
  createMachineSync,
  type FlushMix,
  geometries,
  type Machine,
  type Stream,
  type WorkloadPage,
} from "../../src/index.js";
import { cachesOf } from "../support/agreement.js";
import { G, pageAt, Tables, USER_PAGE } from "../support/tables.js";

const FILE = new URL("golden-counters.json", import.meta.url);
const OPERATIONS = 300_000;
const PAGES = 3000;
const FLUSHES: FlushMix = { page: 900, range: 300, aboveCeiling: 100, space: 300, global: 50, allButGlobal: 50 };
const STREAMS: readonly Stream[] = ["sequential", "strided", "uniform", "zipf", "chase"];

function machineOf(levels: 4 | 5): { machine: Machine; pages: WorkloadPage[] } {
  const machine = createMachineSync({
    levels,
    tables: 64,
    workloadPages: PAGES,
    cpus: [geometries.skylake, { ...geometries.zen2, invlpgScope: "all" }],
    iommus: [
      { ...geometries.vtd, pasids: [3], devices: [{ deviceTlb: { entries: 32, ways: 4, replacement: "random" } }] },
    ],
  });
  const tables = new Tables(machine.frames, levels);
  const pages: WorkloadPage[] = [];
  for (let i = 0; i < PAGES; i++) {
    // Every tenth page is of 2 MiB; every seventh is global; every 50th is not mapped.
    const large = i % 10 === 9;
    const va = large ? 0x4000_0000n + (BigInt(i) << 21n) : pageAt(i);
    const bits = USER_PAGE | (i % 7 === 6 ? G : 0n);
    if (i % 50 !== 49) tables.map(va, large ? 512 * i : 0x10_0000 + i, bits, large ? 2 : 1);
    pages.push({ va, access: i % 5 === 4 ? Access.userFetch : Access.userRead, writable: i % 2 === 0 });
  }
  for (const cpu of machine.cpus) cpu.movToCr3(tables.cr3, 0);
  machine.iommus[0]!.bind(3, { root: tables.cr3 });
  return { machine, pages };
}

/** Every counter of a machine, agents first. */
function countersOf(machine: Machine): Record<string, number>[] {
  return [
    ...[...machine.cpus, ...machine.iommus].map((it) => ({ ...it.counters })),
    ...cachesOf(machine).map((it) => ({ ...it.counters })),
  ];
}

function run(levels: 4 | 5, stream: Stream): Record<string, number>[] {
  const { machine, pages } = machineOf(levels);
  machine.runWorkload(
    { seed: 0x5eedn, pages, stream, stride: 61, flushes: FLUSHES, requesters: { first: 0, count: 4 }, pcids: 2 },
    OPERATIONS,
  );
  return countersOf(machine);
}

describe("golden counters", () => {
  const cases = ([4, 5] as const).flatMap((levels) => STREAMS.map((stream) => ({ levels, stream })));
  const name = ({ levels, stream }: (typeof cases)[number]): string => `${levels} levels, ${stream}`;

  if (process.env["STALEWALK_GOLDEN"] === "write") {
    const golden = Object.fromEntries(cases.map((it) => [name(it), run(it.levels, it.stream)]));
    writeFileSync(FILE, `${JSON.stringify(golden, null, 2)}\n`);
  }

  it.each(cases)("$levels levels, $stream", (which) => {
    const golden = JSON.parse(readFileSync(FILE, "utf8")) as Record<string, unknown>;
    expect(run(which.levels, which.stream)).toEqual(golden[name(which)]);
  });
});
