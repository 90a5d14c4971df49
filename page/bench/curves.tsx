// Curves of growth, of a run or of two in one picture: the charts that `bench growth --html` draws.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { BenchRow } from "../../src/benchmark/result.js";
import { figure } from "../../src/report/chart.js";
import { curveChart, curvesOf, type Point } from "../../src/report/curves.js";

/** The curves of a run; `of` tells its charts from those of another. Nothing, if it has none. */
export function Curves({ rows, of }: { rows: readonly BenchRow[]; of: string }): JSX.Element | null {
  const text = useMemo(() => drawn(curvesOf(rows), of), [rows, of]);
  return text === "" ? null : <Drawn text={text} />;
}

/** Curves that two runs have, each contestant once for there and once for here. */
export function CurvesOfBoth(props: { there: readonly BenchRow[]; here: readonly BenchRow[] }): JSX.Element | null {
  const { there, here } = props;
  const text = useMemo(() => {
    const known = new Set(curvesOf(there).map(([first]) => first?.table));
    const shared = curvesOf(here).filter(([first]) => known.has(first?.table));
    const placed = (rows: readonly BenchRow[], place: string): BenchRow[] =>
      rows.map((row) => ({ ...row, contestant: `${row.contestant}, ${place}` }));
    const both = shared.map((points) => {
      const others = there.filter(({ table, grows }) => grows && table === points[0]?.table);
      return [...placed(points, "here"), ...placed(others, "there")] as Point[];
    });
    return drawn(both, "both");
  }, [there, here]);
  return text === "" ? null : <Drawn text={text} />;
}

function drawn(curves: readonly (readonly Point[])[], of: string): string {
  return curves.map((points, i) => figure(curveChart(points, `${of}-${i}`)).text).join("");
}

function Drawn({ text }: { text: string }): JSX.Element {
  // Markup of the report's, which escapes whatever a file says.
  return <div class="curves" dangerouslySetInnerHTML={{ __html: text }} />;
}
