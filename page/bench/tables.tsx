// Runs of the benchmark as tables: one run with bars, two beside each other.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type ComparedRow, type Comparison, compareRuns, type Judgement } from "../../src/benchmark/compare.js";
import { plusMinus, threeDigits } from "../../src/benchmark/report.js";
import type { BenchResult, BenchRow } from "../../src/benchmark/result.js";
import { uncertainty } from "../../src/benchmark/statistics.js";
import { name as shownName } from "../trace/text.js";
import { Curves, CurvesOfBoth } from "./curves.js";

/** A time may be so much off before it counts as another: a browser on a shared machine knows no better. */
const THRESHOLD = 0.1;
/** A run, and whence it is. */
export interface Shown {
  from: string;
  result: BenchResult;
}

/** A run as tables. */
export function Run({ shown: { from, result }, canSave }: { shown: Shown; canSave?: boolean }): JSX.Element {
  const tables = new Map<string, BenchRow[]>();
  for (const row of result.rows) {
    const key = `${row.suite}: ${row.table}`;
    tables.set(key, [...(tables.get(key) ?? []), row]);
  }
  const { runtime, stalewalk, cores, cpu } = result.host;
  return (
    <section aria-label={`Run of ${shownName(from)}`}>
      <h2>
        {shownName(from)}{" "}
        <small>
          stalewalk {shownName(stalewalk)}, {shownName(runtime)}, {shownName(cpu)}, {cores} cores
        </small>
        {canSave && <Save result={result} />}
      </h2>
      <Curves rows={result.rows} of={canSave ? "here" : "there"} />
      {[...tables].map(([head, rows]) => (
        <Times key={head} head={head} rows={rows} />
      ))}
      <ul class="quiet">
        {result.missing.map((line) => (
          <li key={line}>not measured: {shownName(line)}</li>
        ))}
      </ul>
    </section>
  );
}

/** A table of a run: a row for each contestant at a case, with a bar on a scale of powers of ten. */
function Times({ head, rows }: { head: string; rows: readonly BenchRow[] }): JSX.Element {
  const most = Math.max(...rows.map(({ least }) => least.value));
  const least = Math.min(...rows.map((row) => row.least.value));
  // The shortest bar is a tenth of the least time's power of ten.
  const share = (value: number): number =>
    value <= 0 ? 0 : (Math.log10(value / least) + 0.4) / (Math.log10(most / least) + 0.4);
  return (
    <>
      <h3 class="times-head">{shownName(head)}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keyboard too */}
      <section class="scroll" aria-label={shownName(head)} tabIndex={0}>
        <table class="times">
          <thead>
            <tr>
              <th scope="col">case</th>
              <th scope="col">who</th>
              <th scope="col" class="number">
                time each
              </th>
              <th scope="col" class="number">
                known to
              </th>
              <th scope="col">in powers of ten</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, i) => (
              <tr key={`${row.case} ${row.contestant}`} class={row.case === rows[i - 1]?.case ? "" : "begins"}>
                <th scope="row">
                  {row.case === rows[i - 1]?.case ? (
                    <span class="hidden">{shownName(row.case)}</span>
                  ) : (
                    shownName(row.case)
                  )}
                </th>
                <td>{shownName(row.contestant)}</td>
                <td class="number" title={`${row.least.value} ns, median ${row.median.value} ns`}>
                  {timeText(row.least.value)}
                </td>
                <td class="number">{plusMinus(uncertainty(row.least, row.samples.length)).replace(" !", "")}</td>
                <td class="bar-cell" aria-hidden="true">
                  <i
                    class={i === 0 || row.contestant === rows[0]?.contestant ? "own" : ""}
                    style={{ width: `${100 * share(row.least.value)}%` }}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

/** Nanoseconds in the unit that reads best, with three digits. */
function timeText(ns: number): string {
  if (ns >= 1e6) return `${threeDigits(ns / 1e6)} ms`;
  return ns >= 1e3 ? `${threeDigits(ns / 1e3)} µs` : `${threeDigits(ns)} ns`;
}

const SIGNS: Record<Judgement, string> = {
  slower: "● slower",
  faster: "✓ faster",
  same: "= the same",
  unclear: "? too uncertain",
};

/** Two runs beside each other. */
export function Compared({ before, after }: { before: Shown; after: Shown }): JSX.Element {
  let comparison: Comparison;
  try {
    comparison = compareRuns(before.result, after.result, { threshold: THRESHOLD, estimator: "least" });
  } catch (error) {
    return (
      <p class="error" role="alert">
        {(error as Error).message}
      </p>
    );
  }
  const { rows, onlyBefore, onlyAfter, otherResults } = comparison;
  const left = [
    ...(onlyBefore.length > 0 ? [`${onlyBefore.length} rows only in ${shownName(before.from)}`] : []),
    ...(onlyAfter.length > 0 ? [`${onlyAfter.length} rows only in this browser's run`] : []),
    ...otherResults.map((row) => `${shownName(row)}: came to another result, and is not compared`),
  ];
  return (
    <section aria-label="Comparison">
      <h2>
        This browser beside {shownName(before.from)}{" "}
        <small>by the least times; up to {THRESHOLD * 100} % is the same</small>
      </h2>
      <CurvesOfBoth there={before.result.rows} here={after.result.rows} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keyboard too */}
      <section class="scroll" aria-label="Rows of both" tabIndex={0}>
        <table class="times">
          <thead>
            <tr>
              <th scope="col">case</th>
              <th scope="col">who</th>
              <th scope="col" class="number">
                there
              </th>
              <th scope="col" class="number">
                here
              </th>
              <th scope="col" class="number">
                here / there
              </th>
              <th scope="col">which is</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Ratio key={`${row.suite} ${row.case} ${row.contestant}`} row={row} />
            ))}
          </tbody>
        </table>
      </section>
      {left.length > 0 && (
        <ul class="quiet">
          {left.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Ratio({
  row: { suite, case: name, contestant, before, after, ratio, judgement },
}: {
  row: ComparedRow;
}): JSX.Element {
  return (
    <tr>
      <th scope="row">
        {suite}: {shownName(name)}
      </th>
      <td>{shownName(contestant)}</td>
      <td class="number">{timeText(before.value)}</td>
      <td class="number">{timeText(after.value)}</td>
      <td class="number" title={`between ${threeDigits(ratio.low)} and ${threeDigits(ratio.high)}`}>
        {threeDigits(ratio.value)}
      </td>
      <td class={judgement}>{SIGNS[judgement]}</td>
    </tr>
  );
}

function Save({ result }: { result: BenchResult }): JSX.Element {
  const [url, setUrl] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([`${JSON.stringify(result, null, 2)}\n`], { type: "application/json" }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [result]);
  return (
    <a class="save" href={url} download="stalewalk-bench.json">
      Save as JSON
    </a>
  );
}
