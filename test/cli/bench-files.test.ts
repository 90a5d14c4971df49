// `stalewalk bench compare` and `stalewalk bench show`: exit codes, forms, and what is said of files that are no results.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resultOf, rowOf } from "../benchmark/results.js";
import { runCli } from "./run-cli.js";

const steady = (value: number) => [1, 1.005, 1.01, 1.01, 1.02].map((factor) => value * factor);
const files: Record<string, unknown> = {
  "before.json": resultOf([rowOf("stalewalk", steady(10)), rowOf("0.1.0", steady(20))]),
  "again.json": resultOf([rowOf("stalewalk", steady(10.1)), rowOf("0.1.0", steady(19.8))]),
  "slower.json": resultOf([rowOf("stalewalk", steady(11)), rowOf("0.1.0", steady(20))], "Z81"),
  "alone.json": resultOf([rowOf("stalewalk", steady(1), { case: "walk" })]),
  "wrong.json": { ...resultOf([rowOf("stalewalk", [1])]), effort: "fast" },
};

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-bench-files-"));
  for (const [name, value] of Object.entries(files)) writeFileSync(at(name), JSON.stringify(value));
  writeFileSync(at("text.json"), "translate: 5 ns\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

const compare = (before: string, after: string, ...more: string[]) =>
  runCli("bench", "compare", at(before), at(after), ...more);

describe("compare", () => {
  it("ends with 0 where nothing became slower", async () => {
    const { code, out, err } = await compare("before.json", "again.json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/\nhit +stalewalk +10\.0 +10\.1 +1\.010 +0\.9\d\d to 1\.0\d\d\n/);
    expect(out).toMatch(
      /\n2 rows, least times: 0 slower, 0 faster, 2 the same within 5 %, 0 not known well enough to tell\n$/,
    );
  });

  it("ends with 1 where a row became slower than the threshold, and only then", async () => {
    const { code, out } = await compare("before.json", "slower.json");
    expect(code).toBe(1);
    expect(out).toMatch(/\nhit +stalewalk +10\.0 +11\.0 +1\.100 +1\.0\d\d to 1\.1\d\d +slower\n/);
    expect(out).toContain("\nThe two were made on different processors.\n");
    expect((await compare("slower.json", "before.json")).code).toBe(0);
    expect((await compare("before.json", "slower.json", "--threshold", "20")).code).toBe(0);
    expect((await compare("before.json", "slower.json", "--threshold", "5%", "--relative-to", "0.1.0")).code).toBe(1);
  });

  it("has Markdown and JSON, of which the exit code is the same", async () => {
    const markdown = await compare("before.json", "slower.json", "--markdown");
    expect(markdown.code).toBe(1);
    expect(markdown.out).toMatch(/\n\| hit \| stalewalk \| 10\.0 \| 11\.0 \| 1\.100 \| \S+ to \S+ \| slower \|\n/);
    const json = await compare("before.json", "slower.json", "--json");
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      format: "stalewalk-bench-comparison",
      options: { threshold: 0.05, estimator: "least" },
      rows: [
        { contestant: "stalewalk", judgement: "slower" },
        { contestant: "0.1.0", judgement: "same" },
      ],
    });
  });

  it.each<[string[], RegExp]>([
    [["before.json", "nowhere.json"], /^stalewalk: \S+nowhere\.json: no such file or directory$/],
    [["before.json", "text.json"], /^stalewalk: \S+text\.json: no JSON: /],
    [
      ["wrong.json", "before.json"],
      /^stalewalk: \S+wrong\.json: effort is "fast"; expected one of quick, usual, full$/,
    ],
    [["before.json", "alone.json"], /^stalewalk: \S+alone\.json: rows is a list of 1; expected at least one row that /],
    [["before.json"], /^stalewalk: missing required argument 'after'$/],
  ])("%j: bad input ends with 2 and names file and field", async (names, message) => {
    const { code, out, err } = await runCli("bench", "compare", ...names.map(at));
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err.trimEnd()).toMatch(message);
  });

  it.each<[string[], RegExp]>([
    [["--threshold", "0"], /Expected percent above 0, e\.g\. 5\.$/],
    [["--threshold", "ten"], /Expected percent above 0, e\.g\. 5\.$/],
    [["--estimator", "mean"], /Expected one of least, median/],
    [["--markdown", "--json"], /^stalewalk: --markdown and --json exclude each other$/],
    [
      ["--relative-to", "C"],
      /relativeTo is "C"; expected a contestant beside others in both runs: stalewalk, 0\.1\.0$/,
    ],
  ])("%j is refused", async (options, message) => {
    const { code, err } = await compare("before.json", "again.json", ...options);
    expect(code).toBe(2);
    expect(err.trimEnd()).toMatch(message);
  });
});

describe("show", () => {
  const show = (...args: string[]) => runCli("bench", "show", at("before.json"), ...args);

  it("prints the tables of a run again", async () => {
    const { code, out } = await show();
    expect(code).toBe(0);
    expect(out).toMatch(/^stalewalk 0\.2\.0, engine 0123456789abcdef, Node 20\.20\.2 /);
    expect(out).toMatch(/\ntranslate: t\n\ncase .*\nhit +10\.0 .* 2\.00x\n/s);
    expect((await show("--markdown")).out).toMatch(/\n\| hit \| 10\.0 \| ±\S+ \| /);
  });

  it("prints what other tools read", async () => {
    expect(JSON.parse((await show("--github-action-benchmark")).out)).toMatchObject([
      { name: "translate: t: hit: stalewalk", unit: "ns/operation", value: 10 },
      { name: "translate: t: hit: 0.1.0", value: 20 },
    ]);
    expect(JSON.parse((await show("--bencher")).out)).toMatchObject({
      "translate: t: hit: 0.1.0": { latency: { value: 20 } },
    });
    expect(JSON.parse((await show("--json")).out)).toEqual(files["before.json"]);
    const { code, err } = await show("--bencher", "--json");
    expect(code).toBe(2);
    expect(err).toContain("--bencher and --json exclude each other");
  });
});
