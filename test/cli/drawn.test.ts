// What is drawn with lines: walks as boxes, counts over time as bars; on terminals only, and never wider than they are.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redirectOutput } from "../../src/cli/output.js";
import { run } from "../../src/cli/program.js";
import { joined, sparkline } from "../../src/cli/sparkline.js";
import { textWidth } from "../../src/cli/table.js";
import { CORE, TRACE } from "./process.js";
import { memorySink, runCli } from "./run-cli.js";

const ADDRESS = "ffffffffff600000";
const READ = ["--access", "user-read"];
/** Ends a line, clears a screen, turns text round. */
const EVIL = "\x1b[2J\u009b2J\u202e\nstalewalk: safe";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-drawn-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a command writes on a terminal of so many columns. */
async function onTerminal(columns: number, ...args: string[]): Promise<string> {
  const stdout = memorySink({ isTerminal: true, columns });
  redirectOutput({ stdout, stderr: memorySink() });
  const before = process.env["TERM"];
  process.env["TERM"] = "xterm";
  try {
    await run(args);
    return stdout.text;
  } finally {
    if (before === undefined) delete process.env["TERM"];
    else process.env["TERM"] = before;
    redirectOutput();
  }
}

const widest = (text: string): number => Math.max(...text.split("\n").map(textWidth));

describe("a walk on a terminal", () => {
  it("is a row of boxes where there is room, each with the entry as the table has it", async () => {
    const text = await onTerminal(140, "walk", CORE, ADDRESS, ...READ);
    const { chain } = JSON.parse((await runCli("walk", CORE, ADDRESS, ...READ, "--json")).out) as {
      chain: { level: number; tableFrame: number; index: number; entry: string }[];
    };
    const lines = text.split("\n");
    const tops = lines.filter((line) => line.startsWith("┌"));
    expect(tops).toHaveLength(1);
    expect(chain.length).toBe(4);
    for (const { level, tableFrame, index, entry } of chain) {
      expect(tops[0]).toContain(`${["", "PT", "PD", "PDPT", "PML4"][level]} 0x${tableFrame.toString(16)}`);
      expect(text).toContain(`bits ${3 + 9 * level + 8}..${3 + 9 * level}: [${index}]`);
      expect(text).toContain(entry.replace(/^0x/, "").padStart(16, "0"));
    }
    expect(lines.filter((line) => line.includes("──▶"))).toHaveLength(1);
    expect(text).toContain("page of 4 KiB");
    expect(widest(text)).toBeLessThanOrEqual(140);
  });

  it.each([110, 80, 40, 26])("is one box below the other at %i columns, and no line is wider", async (columns) => {
    const text = await onTerminal(columns, "walk", CORE, ADDRESS, ...READ);
    expect(text.split("\n").filter((line) => line.startsWith("┌"))).toHaveLength(5);
    const drawn = text.split("\n").filter((line) => /^[┌│└]/.test(line));
    expect(new Set(drawn.map(textWidth)).size).toBe(1);
    expect(textWidth(drawn[0] ?? "")).toBeLessThanOrEqual(columns);
    // Where a line has room for all of an entry, a box is three lines high.
    expect(drawn.length === 15).toBe(columns >= 80);
  });

  it("ends a refusal in a double border, with the reason below", async () => {
    const text = await onTerminal(80, "walk", CORE, "0", "--access", "user-write");
    expect(text).toMatch(/╔═ refused ═+╗/);
    expect(text).toMatch(/^fault: page fault at level \d/m);
    expect(await onTerminal(80, "walk", CORE, "800000000000")).toContain("not canonical");
  });

  it("is the table where nobody looks: no terminal, a dumb one, one too narrow for a box", async () => {
    const table = (await runCli("walk", CORE, ADDRESS, ...READ)).out;
    expect(table).toContain("table frame");
    expect(table).not.toMatch(/[┌╔▶]/);
    expect(await onTerminal(20, "walk", CORE, ADDRESS, ...READ)).not.toMatch(/[┌╔▶]/);
  });

  it("spells a name out that would be obeyed", async () => {
    const path = join(folder, `image${EVIL}.core.gz`);
    copyFileSync(CORE, path);
    const text = await onTerminal(100, "walk", path, ADDRESS);
    expect(text).toContain("\\u001b[2J\\u009b2J\\u202e\\nstalewalk: safe");
    expect(text.split("\n").filter((line) => line.startsWith("stalewalk:"))).toEqual([]);
  });
});

describe("a time line on a terminal", () => {
  it("has a bar for every part of the time, and the sum of each line", async () => {
    const text = await onTerminal(100, "replay", TRACE, "--policy", "none");
    const { timeline, policies } = JSON.parse((await runCli("replay", TRACE, "--policy", "none", "--json")).out) as {
      timeline: { kernelFlushes: number[]; frees: number[] };
      policies: { timeline: { hazards: number[] } }[];
    };
    const sum = (counts: readonly number[] = []): number => counts.reduce((total, count) => total + count, 0);
    const row = (name: string): string[] =>
      new RegExp(`^  ${name} +([▁-█ ]+?)  (\\d+)$`, "m").exec(text)?.slice(1) ?? [];
    expect(row("kernel flushes")[1]).toBe(String(sum(timeline.kernelFlushes)));
    expect(row("tables freed")[1]).toBe(String(sum(timeline.frees)));
    expect(row("hazards, none")[1]).toBe(String(sum(policies[0]?.timeline.hazards)));
    expect(row("tables freed")[0]).toMatch(/[▁-█]/);
    expect(widest(text)).toBeLessThanOrEqual(100);
  });

  it("is left out where nobody looks, and where there is no room", async () => {
    expect((await runCli("replay", TRACE)).out).not.toMatch(/ a bar:/);
    expect(await onTerminal(36, "replay", TRACE)).not.toMatch(/ a bar:/);
    expect(await onTerminal(50, "replay", TRACE)).toMatch(/ a bar:/);
  });

  it("spells a policy's name out", async () => {
    const path = join(folder, "policy.json");
    writeFileSync(path, JSON.stringify({ name: `x${EVIL}` }));
    const text = await onTerminal(140, "replay", TRACE, "--policy", path);
    expect(text).toContain("hazards, x\\u001b[2J\\u009b2J\\u202e\\nstalewalk: safe");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not get through
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });
});

describe("bars", () => {
  it("are eight heights, the highest for the greatest; nothing is a space, one of many is seen", () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8])).toBe(" ▁▂▃▄▅▆▇█");
    expect(sparkline([0, 1, 1000])).toBe(" ▁█");
    expect(sparkline([0, 0])).toBe("  ");
    expect(sparkline([])).toBe("");
  });

  it("of more bins than columns are of several bins each, and lose nothing", () => {
    expect(joined([1, 2, 3, 4, 5], 2)).toEqual({ sums: [6, 9], each: 3 });
    expect(joined([1, 2, 3], 10)).toEqual({ sums: [1, 2, 3], each: 1 });
    expect(joined([], 10)).toEqual({ sums: [], each: 1 });
  });
});
