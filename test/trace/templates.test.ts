// Forms of lines that were learned give what reading with care gives: for whole, cut, mixed and damaged text.

import { describe, expect, it } from "vitest";
import { EventBatch } from "../../src/trace/batch.js";
import { DiagnosticList } from "../../src/trace/diagnostics.js";
import { EventTable } from "../../src/trace/event-table.js";
import { EVENTS, type EventDefinition } from "../../src/trace/events.js";
import { LineParser } from "../../src/trace/line-parser.js";
import { StringTable } from "../../src/trace/strings.js";
import { runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { bytes, fixture, line } from "./support.js";

const NAMES = [
  "hugevmap.trace.txt",
  "iommu.trace.txt",
  "drivers.trace.txt",
  "frees618.trace.txt",
  "hugevmap.trace-cmd.txt",
];
const files = NAMES.map((name) => Buffer.from(fixture(name)).toString("latin1"));

/** Everything that a parser makes of a block of whole lines, and how many lines it read by a form. */
function read(block: Uint8Array, learnAfter: number, events: readonly EventDefinition[] = []) {
  const table = new EventTable([...EVENTS, ...events]);
  const strings = new StringTable();
  const diagnostics = new DiagnosticList(1000, false, undefined);
  const parser = new LineParser({
    table,
    strings,
    batch: new EventBatch(table, strings),
    diagnostics,
    maxGap: 3600e9,
    learnAfter,
  });
  const list: unknown[] = [];
  for (let pos = 0; pos < block.length; ) {
    pos = parser.parse(block, pos, block.length);
    const { batch } = parser;
    for (let i = 0; i < batch.count; i++) {
      const [time, cpu, pid, at] = [batch.time[i], batch.cpu[i], batch.pid[i], batch.line[i]];
      const words = [...batch.words.subarray(batch.offset[i]!, batch.offset[i + 1]!)];
      // Words of text are numbers of strings, which need not be the same: the fields say what they mean.
      const numbers = batch
        .type(i)
        .fields.flatMap((f, n) => (/number|hex/.test(f.type) ? words.slice(2 * n, 2 * n + 2) : []));
      list.push([batch.type(i).name, time, cpu, pid, at, batch.present[i], batch.fields(i), numbers]);
    }
    batch.count = 0;
  }
  const { counts } = parser;
  return {
    list,
    found: diagnostics.list,
    unknown: [...counts.unknown],
    damaged: counts.damagedLines,
    offset: counts.byteOffset,
  };
}

function compare(text: string, events: readonly EventDefinition[] = []): number {
  const block = bytes(text);
  const careful = read(block, Number.POSITIVE_INFINITY, events);
  expect(read(block, 0, events)).toEqual(careful);
  return careful.list.length;
}

describe("lines by their form", () => {
  it.each(NAMES)("%s, twice over, so that every line has a form", (name) => {
    const text = files[NAMES.indexOf(name)]!;
    expect(compare(text + text)).toBeGreaterThan(20);
  });

  it("bytes changed in any place", () => {
    fc.assert(
      fc.property(
        fc.nat(files.length - 1),
        fc.array(
          fc.tuple(
            fc.nat(),
            fc.oneof(fc.nat(255), fc.constantFrom(..." \n\r0aAf=)[(:.-#".split("").map((c) => c.charCodeAt(0)))),
          ),
          {
            minLength: 1,
            maxLength: 12,
          },
        ),
        (which, changes) => {
          const file = files[which]!;
          const second = file.split("");
          for (const [where, code] of changes) second[where % second.length] = String.fromCharCode(code);
          // The first pass learns; a newline ends the last line.
          compare(`${file}${second.join("")}\n`);
        },
      ),
      { numRuns: runs(150) },
    );
  });

  it("lines cut short, joined and put in any order", () => {
    fc.assert(
      fc.property(
        fc.nat(files.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(200)), { maxLength: 40 }),
        (which, picks) => {
          const lines = files[which]!.split("\n");
          const cut = picks.map(([at, length]) => lines[at % lines.length]!.slice(0, 40 + length));
          compare(`${files[which]}${cut.join("\n")}\n`);
        },
      ),
      { numRuns: runs(100) },
    );
  });

  it.each([
    ["a hexadecimal number of 17 digits", "vfree: (f) addr=0x12345678123456781"],
    ["capital digits", "vfree: (f) addr=0xFFFFC90000480000"],
    ["decimal in place of hexadecimal", "vfree: (f) addr=12"],
    ["blanks at the end", "vfree: (f) addr=0x10  "],
    ["another place", "vfree: (g) addr=0x10"],
    ["a further field", "vfree: (f) addr=0x10 more=0x1"],
    ["a field twice", "vfree: (f) addr=0x10 addr=0x10"],
    ["a fault", "vfree: (f) addr=(fault)"],
    ["a fault in a symbol's place", "flush_all: (f) caller=(fault)"],
    ["a symbol with a module", "flush_all: (f) caller=x+0x1/0x2 [m]"],
    ["the same symbol without", "flush_all: (f) caller=x+0x1/0x2"],
    ["a symbol with an equals sign", "flush_all: (f) caller=x+0x1/0x2=3"],
    ["high bytes in a symbol", "flush_all: (f) caller=x\xff+0x1/0x2"],
    ["an optional field left out", "flush_all: (f)"],
    ["a text with a bracket in it", "tlb_flush: pages:-1 reason:a (b) c (3)"],
    ["nothing behind the name", "vfree: "],
  ])("%s", (_, event) => {
    const known =
      line("vfree: (f) addr=0x10") + line("flush_all: (f) caller=x+0x1/0x2") + line("tlb_flush: pages:-1 reason:a (3)");
    compare(known + known + line(event) + known + line(event) + known);
    compare(known + known + line(event, { task: "#1" }) + line(event, { task: "caf\xe9", pid: 12345678 }));
  });

  it("of two texts that an event may have, the first that fits counts", () => {
    const event: EventDefinition = {
      name: "two",
      system: "mine",
      fields: [
        { name: "a", type: "text" },
        { name: "b", type: "number", optional: true },
      ],
      layout: ["v {a} w {b}", "v {a}"],
    };
    const text = line("two: v 1") + line("two: v 1 w 2") + line("two: v 1") + line("two: v 1 w 2") + line("two: v 3");
    expect(compare(text, [event])).toBe(5);
  });

  it("more forms than are kept", () => {
    const symbols = Array.from({ length: 300 }, (_, i) => line(`vmap_ret: (caller${i}+0x1/0x2 <- vmap) ret=0x${i}`));
    expect(compare(symbols.join("") + symbols.join(""))).toBe(600);
  });
});
