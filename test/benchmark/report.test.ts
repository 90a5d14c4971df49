// Tables of the benchmark, and the forms of other tools.
import { describe, expect, it } from "vitest";
import { bencherMetrics, githubActionBenchmark, markdownTable } from "../../src/benchmark/forms.js";
import {
  closingLines,
  perSecond,
  plusMinus,
  tableOf,
  tablesOf,
  threeDigits,
  uncertainRows,
} from "../../src/benchmark/report.js";
import { checkBenchResult } from "../../src/benchmark/result.js";
import { resultOf, rowOf } from "./results.js";

const rows = [rowOf("stalewalk", [10, 10, 10.1]), rowOf("native C", [5, 5, 5]), rowOf("naive JS", [70, 70])];

describe("tables", () => {
  it("keep three digits", () => {
    expect([0.01234, 1.234, 12.34, 123.4, 1234].map(threeDigits)).toEqual(["0.0123", "1.23", "12.3", "123", "1234"]);
    expect(perSecond(4)).toBe("250 M");
    expect(perSecond(200_000)).toBe("5.00 k");
    expect(perSecond(2_000_000)).toBe("500");
    expect([0.001, 0.05, 0.051, 0.5, Number.POSITIVE_INFINITY].map(plusMinus)).toEqual([
      "±0.1%",
      "±5.0%",
      "±5.1% !",
      "±50% !",
      "±? !",
    ]);
  });

  it("put the contestants of a case side by side, and say which rows are known less well than ±5 %", () => {
    const { head, rows: cells } = tableOf([...rows, { ...rows[0]!, case: "walk" }]);
    expect(head).toBe("translate: t");
    const titles = ["case", "least ns/op", "", "median", "", "ops/s", "native C ns", "ratio", "naive JS ns", "ratio"];
    expect(cells[0]).toEqual(titles);
    expect(cells[1]).toEqual(["hit", "10.0", "±1.0%", "15.0", "±0.5%", "100 M", "5.00", "0.500x", "70.0", "7.00x"]);
    expect(cells[2]!.slice(6)).toEqual(["-", "-", "-", "-"]);
    expect(uncertainRows(rows)).toEqual(["t: hit: naive JS 2 rounds only"]);
    expect(uncertainRows([rowOf("stalewalk", [10, 13, 16])])).toEqual(["t: hit: stalewalk ±60%"]);
    expect(closingLines(rows, ["x: y"], 31.2)).toEqual([
      "not measured: x: y",
      "31 s; ±: half the 95 % interval, of at least 2 rounds; ratio: that contestant's least time over stalewalk's",
      "1 of 3 least times are known less well than ±5 % (!):",
      "  t: hit: naive JS 2 rounds only",
    ]);
  });

  it("are one for each suite and table, in the order of the rows", () => {
    const mixed = [
      rows[0]!,
      rowOf("stalewalk", [1], { table: "u" }),
      rows[1]!,
      rowOf("stalewalk", [1], { suite: "flush" }),
    ];
    expect(tablesOf(mixed).map(({ head }) => head)).toEqual(["translate: t", "translate: u", "flush: t"]);
  });
});

describe("forms", () => {
  it("Markdown: a table whose cells cannot end early", () => {
    const table = {
      head: "a|b",
      rows: [
        ["case", "ns"],
        ["x|y", "5"],
      ],
      right: [1],
    };
    expect(markdownTable(table)).toBe("**a\\|b**\n\n| case | ns |\n| --- | ---: |\n| x\\|y | 5 |");
  });

  it("github-action-benchmark: name, unit, value, range, extra", () => {
    const [first, , third] = githubActionBenchmark(resultOf(rows));
    expect(first).toEqual({
      name: "translate: t: hit: stalewalk",
      unit: "ns/operation",
      value: 10,
      range: "± 1.0%",
      extra: "median 15 ns, 3 rounds, result d\nZ80, Node 20.20.2",
    });
    expect(third?.range).toBe("unknown");
  });

  it("Bencher: latency with bounds", () => {
    const metrics = bencherMetrics(resultOf(rows));
    expect(Object.keys(metrics)).toHaveLength(3);
    expect(metrics["translate: t: hit: native C"]).toEqual({
      latency: { value: 5, lower_value: 5, upper_value: 5 },
      "median-latency": { value: 7.5, lower_value: 7.5, upper_value: 7.5 },
    });
  });
});

describe("the file", () => {
  interface Spoilt {
    format: string;
    version: number;
    rosw: number;
    rows: { samples: unknown[]; least: { low: unknown } }[];
  }
  const good = () => JSON.parse(JSON.stringify(resultOf(rows))) as Spoilt;

  it("is taken as it was written", () => {
    expect(checkBenchResult(good())).toEqual(resultOf(rows));
  });

  it.each<[string, (it: Spoilt) => void, string | RegExp]>([
    ["another format", (it) => (it.format = "x"), 'format is "x"; expected "stalewalk-bench"'],
    ["a newer version", (it) => (it.version = 2), "version is 2; expected 1, the version that this package knows"],
    ["a misspelt field", (it) => (it.rosw = 1), /^rosw is 1; expected one of format, .* did you mean rows\?$/],
    [
      "a row without times",
      (it) => (it.rows[1]!.samples = []),
      "rows[1].samples is an empty list; expected a list of samples, at least one",
    ],
    [
      "a bound that is a text",
      (it) => (it.rows[0]!.least.low = "1"),
      'rows[0].least.low is "1"; expected a number from 0',
    ],
    ["no rows", (it) => (it.rows = []), "rows is an empty list; expected a list of rows, at least one"],
  ])("%s is refused by name", (_, spoil, message) => {
    const value = good();
    spoil(value);
    expect(() => checkBenchResult(value)).toThrow(message);
  });
});
