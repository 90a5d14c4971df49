// X4, X9: what reaches a terminal. Nothing that it would obey, whoever wrote the name; and tables that fit it.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { print, printJson, redirectOutput, startProgress } from "../../src/cli/output.js";
import { run } from "../../src/cli/program.js";
import { formatTable, textWidth, wrapLine } from "../../src/cli/table.js";
import { policies } from "../../src/kernel/policies.js";
import { EFFORT } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { bash, CORE, MAIN, noShell, quoted, TRACE, VECTORS } from "./process.js";
import { memorySink, runCli } from "./run-cli.js";

/** Colour, title, clear screen by a C1 control, right-to-left, a forged line, a bell. */
const EVIL = "\x1b[31mred\x1b]0;title\x07\u009b2J\u202e\nstalewalk: safe\r\ttab\x7f";
const SPELLED = "\\u001b[31mred\\u001b]0;title\\u0007\\u009b2J\\u202e\\nstalewalk: safe\\r\\ttab\\u007f";
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not get through
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

let folder: string;
const path = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-terminal-"));
  copyFileSync(TRACE, path(`trace${EVIL}.txt`));
  copyFileSync(VECTORS, path(`vectors${EVIL}.gz`));
  for (const kind of ["core.gz", "info-tlb.txt.gz"]) {
    copyFileSync(CORE.replace("core.gz", kind), path(`image${EVIL}.${kind}`));
  }
  writeFileSync(path(`policy${EVIL}.json`), JSON.stringify({ name: EVIL }));
  const profile = { name: EVIL, about: EVIL, source: EVIL, fullFlushes: { perSecond: 500, source: EVIL } };
  writeFileSync(path(`profile${EVIL}.json`), JSON.stringify(profile));
  writeFileSync(path(`bad${EVIL}.json`), JSON.stringify({ name: "x", [EVIL]: EVIL }));
  writeFileSync(path("damaged.txt"), `${readFileSync(TRACE, "utf8")}torn ${EVIL.replace("\n", "")} li`);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("X4: names and texts of others", () => {
  const trace = () => path(`trace${EVIL}.txt`);
  const image = () => path(`image${EVIL}.core.gz`);
  const policy = () => ["--policy", path(`policy${EVIL}.json`)];
  it.each<[string, () => string[], 0 | 1 | 2]>([
    ["check-vectors", () => ["check-vectors", path(`vectors${EVIL}.gz`)], 0],
    ["check-image", () => ["check-image", image()], 0],
    ["audit", () => ["audit", image()], 0],
    ["walk", () => ["walk", image(), "ffffffffff600000"], 0],
    ["verdicts", () => ["verdicts", "--quick", "--site", "pud_free_pmd_page", ...policy()], 1],
    ["replay", () => ["replay", trace(), ...policy()], 1],
    ["replay of damage", () => ["replay", path("damaged.txt"), ...policy()], 1],
    ["report", () => ["report", trace(), ...policy(), "--no-verdicts", "--html", path(`page${EVIL}.html`)], 0],
    ["an unknown command", () => [EVIL], 2],
    ["an unknown option", () => ["walk", `--${EVIL}`], 2],
    ["a missing file", () => ["replay", EVIL], 2],
    ["simulate", () => ["simulate", "--operations", "2k", "--profile", path(`profile${EVIL}.json`), ...policy()], 0],
    ["a wrong profile", () => ["simulate", "--profile", EVIL], 2],
    ["a wrong profile file", () => ["simulate", "--profile", path(`bad${EVIL}.json`)], 2],
    ["a missing policy", () => ["verdicts", "--policy", EVIL], 2],
    ["a wrong site", () => ["verdicts", "--site", EVIL], 2],
    ["a wrong access", () => ["walk", CORE, "0", "--access", EVIL], 2],
    ["a wrong address", () => ["walk", CORE, EVIL], 2],
    ["a wrong policy file", () => ["replay", TRACE, "--policy", path(`bad${EVIL}.json`)], 2],
    ["a wrong shell", () => ["completion", EVIL], 2],
    ["a wrong kernel", () => ["record-help", "--kernel", EVIL], 2],
    ["a place for no file", () => ["report", TRACE, "--html", `/${EVIL}/x`], 2],
  ])("%s: spelled out in text, JSON and CSV", async (_, args, code) => {
    const text = await runCli(...args());
    expect(text.code, text.err).toBe(code);
    expect(text.out + text.err).toContain(SPELLED.slice(0, 40));
    for (const form of [[], ["--json"], ...(/^(replay|simulate)$/.test(args()[0]!) ? [["--csv"]] : [])]) {
      const { out, err } = await runCli(...args(), ...form);
      const shown = form[0] === "--csv" ? out.replaceAll("\r\n", "\n") : out;
      expect(shown + err).not.toMatch(OBEYED);
      if (form[0] === "--json" && code !== 2)
        expect(JSON.stringify(JSON.parse(out))).toContain(JSON.stringify(EVIL).slice(1, -1));
    }
  });

  it("have one door: no other file of the command writes to a stream, or to the console", () => {
    const cli = join(MAIN, "../../../src/cli");
    const files = readdirSync(cli).filter((name) => name !== "streams.ts");
    expect(files.length).toBeGreaterThan(20);
    const others = files.filter((name) =>
      /process\.std(out|err)|console\.|writeSync/.test(readFileSync(join(cli, name), "utf8")),
    );
    expect(others).toEqual([]);
  });

  it("a forged line end in a name forges no line", async () => {
    const site = ["--quick", "--site", "pud_free_pmd_page"];
    for (const args of [
      ["replay", trace(), ...policy()],
      ["replay", trace(), ...policy(), "--csv"],
      ["verdicts", ...site, ...policy()],
      ["audit", image()],
      ["check-image", image()],
    ]) {
      for (const width of [[], ["--width", "40"]]) {
        const { out, err } = await runCli(...args, ...width);
        expect(out.replace(/\s+/g, " ")).toContain("stalewalk: safe");
        expect(`${out}${err}`.split("\n").filter((line) => line.startsWith("stalewalk:"))).toEqual([]);
      }
    }
  });

  it("JSON stays the same JSON, whatever texts hold", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const sink = memorySink();
        redirectOutput({ stdout: sink, stderr: sink });
        printJson({ text });
        print(text);
        redirectOutput();
        const at = sink.text.indexOf("}\n") + 2;
        expect(JSON.parse(sink.text.slice(0, sink.text.lastIndexOf("\n}\n") + 2))).toEqual({
          text: Buffer.from(text).toString() === text ? text : expect.any(String),
        });
        expect(sink.text.replaceAll("\n", "")).not.toMatch(OBEYED);
        expect(at).toBeGreaterThan(1);
      }),
      { numRuns: 500 },
    );
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=1,2", "=cmd|'/C calc'!A0"])(
    "CSV: a name like %j is no formula",
    async (name) => {
      writeFileSync(path("formula.json"), JSON.stringify({ name }));
      const { out } = await runCli("replay", TRACE, "--csv", "--policy", path("formula.json"));
      const [, row = ""] = out.split("\r\n");
      expect(row.slice(row.indexOf("false,") + 6)).toMatch(/^"?'/);
    },
  );

  it("progress shows no control of the name, never wraps, and is gone on a terminal that is dumb or none", () => {
    const shown = (term: string | undefined, isTerminal: boolean, label: string) => {
      const before = process.env["TERM"];
      if (term === undefined) delete process.env["TERM"];
      else process.env["TERM"] = term;
      const stderr = memorySink({ isTerminal, columns: 40 });
      redirectOutput({ stdout: memorySink(), stderr });
      const progress = startProgress(label);
      progress.update({ done: 1, total: 3, unit: "cells" });
      progress.end();
      redirectOutput();
      if (before !== undefined) process.env["TERM"] = before;
      return stderr.text;
    };
    const parts = shown("xterm", true, `${"x".repeat(100)}${EVIL}`).split("\r\x1b[K");
    expect(parts).toHaveLength(3);
    expect(parts[1]).toMatch(/^….*: 33% \(1 of 3\)$/);
    expect(parts[1]).not.toMatch(OBEYED);
    expect(textWidth(parts[1]!)).toBeLessThan(40);
    expect(shown("dumb", true, "x")).toBe("");
    expect(shown("xterm", false, "x")).toBe("");
  });

  it("there is no colour, whatever NO_COLOR and FORCE_COLOR say", async () => {
    for (const name of ["NO_COLOR", "FORCE_COLOR"]) {
      const before = process.env[name];
      process.env[name] = "1";
      for (const args of [["walk", CORE, "0"], ["--help"], ["walk", "--help"], ["frobnicate"]]) {
        const { out, err } = await runCli(...args);
        expect(out + err).not.toMatch(OBEYED);
      }
      // One by one: an object put in place of `process.env` is no environment to whoever comes after in this process.
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    }
  });
});

describe("X9: widths", () => {
  const widest = (text: string): number => Math.max(...text.split("\n").map(textWidth));
  const everything: [string, string[]][] = [
    ["audit", ["audit", CORE]],
    ["walk", ["walk", CORE, "ffffffffff600000"]],
    ["verdicts", ["verdicts", "--quick", "--site", "munmap", "--site", "kasan_remove_zero_shadow", "--policy", "none"]],
    ["replay", ["replay", TRACE]],
    ["simulate", ["simulate", "--operations", "20k", "--policy", "none", "--frees", "3"]],
  ];

  // The narrowest is the hardest; the others have their turn at night.
  const widths = EFFORT === "nightly" ? [80, 60, 40] : [40];

  it.each(everything)(`%s fits --width ${widths.join(", ")}, and says the same words`, async (_, args) => {
    const wide = (await runCli(...args)).out;
    const words = (text: string) => new Set(text.replace(/\d[\d.]* million a second/, "").split(/\s+/));
    for (const width of widths) {
      const { out } = await runCli(...args, "--width", String(width));
      expect([...words(wide)].filter((word) => !words(out).has(word) && textWidth(word) <= width - 8)).toEqual([]);
      // What can't be broken, such as a path, may be longer.
      const breakable = (line: string) => line.replace(/^ *(\d+ {2})?/, "").includes(" ");
      const long = out.split("\n").filter((line) => textWidth(line) > width && breakable(line));
      expect(long).toEqual([]);
    }
  });

  it("a terminal's width counts, --width counts more, and no terminal means no limit", async () => {
    const at = async (columns: number | undefined, ...more: string[]) => {
      const stdout = memorySink({ isTerminal: columns !== undefined, columns });
      redirectOutput({ stdout, stderr: memorySink() });
      await run(["replay", TRACE, ...more]);
      redirectOutput();
      return widest(stdout.text.replaceAll(TRACE, "T"));
    };
    expect(await at(undefined)).toBeGreaterThan(150);
    expect(await at(80)).toBeLessThanOrEqual(80);
    expect(await at(80, "--width", "100")).toBeGreaterThan(80);
    expect(await at(undefined, "--width", "100")).toBeLessThanOrEqual(100);
  });

  it("machines' forms are never laid out", async () => {
    for (const args of [["--json"], ["--csv"]]) {
      const normal = await runCli("replay", TRACE, ...args);
      const { out } = await runCli("replay", TRACE, ...args, "--width", "20");
      const same = (text: string) => text.replace(/"throughput": \{[^}]*\}|"seconds": .*/g, "");
      expect(same(out)).toBe(same(normal.out));
    }
    expect((await runCli("record-help", "--width", "20")).out).toBe((await runCli("record-help")).out);
  });

  it("help fits too", async () => {
    for (const args of [["--help"], ["verdicts", "--help"], ["replay", "--help"], ["simulate", "--help"]]) {
      const wide = (await runCli(...args)).out;
      const { out } = await runCli("--width", "60", ...args);
      expect(out).not.toBe(wide);
      const options = out.slice(out.indexOf("\nOptions:"), out.indexOf("\n\nEx"));
      expect(options.split("\n").filter((line) => textWidth(line) > 60 && !/^ *\S+,?$/.test(line))).toEqual([]);
    }
  });

  it.each(["19", "0", "-1", "x", "80.5", "1e2", ""])("refuses --width %j", async (width) => {
    const { code, err } = await runCli("walk", CORE, "0", `--width=${width}`);
    expect(code).toBe(2);
    expect(err).toMatch(/--width.*Expected 20 or more\.\n$/);
  });

  const hasScript = spawnSync("script", ["--version"]).status === 0;
  it.skipIf(noShell || !hasScript)(
    `${noShell ?? (hasScript ? "" : "SKIPPED, no script(1): ")}fits a real terminal of 80 columns, and of none`,
    () => {
      const at = (columns: number) =>
        bash(`script -qec 'stty cols ${columns} rows 24; ${quoted(["replay", TRACE]).replaceAll("'", "")}' /dev/null`)
          .stdout.replaceAll("\r\n", "\n")
          .replaceAll(TRACE, "T")
          .split("\n")
          .filter((line) => !line.includes("\x1b[K"))
          .join("\n");
      expect(at(80)).toMatch(/^flush-range /m);
      expect(widest(at(80))).toBeLessThanOrEqual(80);
      expect(widest(at(0))).toBeGreaterThan(150);
    },
  );
});

describe("tables and lines", () => {
  it("lose no word and keep the width, whatever the cells", () => {
    const cell = fc.string({ unit: fc.constantFrom("a", "b", " ", "é", "漢"), minLength: 1, maxLength: 30 });
    const table = fc
      .integer({ min: 1, max: 6 })
      .chain((columns) =>
        fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 5 }),
      );
    fc.assert(
      fc.property(table, fc.integer({ min: 20, max: 90 }), fc.integer({ min: 0, max: 5 }), (rows, width, right) => {
        const text = formatTable(rows, [right], width);
        expect(Math.max(...text.split("\n").map(textWidth))).toBeLessThanOrEqual(Math.max(width, 36));
        const letters = (from: string) => [...from.replace(/\s/g, "")].sort().join("");
        const all = letters(rows.flat().join(""));
        const first = letters(rows.map((row) => row[0]).join(""));
        const extra = letters(text).length - all.length;
        // Cut into parts, the first column is there once a part.
        expect(first.length === 0 ? extra : extra % first.length).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("wrap at words, keep them whole, and indent what goes on below", () => {
    expect(wrapLine("  12  one two three four", 16)).toEqual(["  12  one two", "      three four"]);
    expect(wrapLine("  - one two three", 12)).toEqual(["  - one two", "    three"]);
    expect(wrapLine("one two", 7)).toEqual(["one two"]);
    expect(wrapLine("x".repeat(30), 20)).toEqual(["x".repeat(30)]);
    expect(wrapLine(`a ${"x".repeat(30)} b`, 20)).toEqual(["a", `  ${"x".repeat(30)}`, "  b"]);
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "b", " ", "1", "-", "漢") }),
        fc.integer({ min: 20, max: 40 }),
        (text, width) => {
          const lines = wrapLine(text, width);
          expect(lines.join(" ").replace(/\s+/g, " ").trim()).toBe(text.replace(/\s+/g, " ").trim());
          for (const line of lines)
            if (/\S\s+\S/.test(line.trim())) expect(textWidth(line.trimEnd())).toBeLessThanOrEqual(width);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("are as before where there is no limit", () => {
    const rows = [["policy", "page inv."], ...Object.keys(policies).map((name) => [name, 1])];
    expect(formatTable(rows, [1])).toBe(formatTable(rows, [1], 200));
    expect(formatTable([], [])).toBe("");
  });
});
