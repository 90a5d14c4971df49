// The matrix: policies down, sites across, for one kernel and one choice of hardware. Searched here, in a worker, cell by cell; every
// cell leads to its story.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { kernelVersions, policies } from "../../src/index.js";
import { scenarioHeads } from "../../src/verdicts/scenarios.js";
import {
  cellParameters,
  type Hardware,
  hardwareOf,
  hardwareParameters,
  kernelOf,
  remember,
  searchOf,
} from "../search/cell.js";
import { Choice, HardwareChoice, kernelChoices } from "../search/choose.js";
import { searchVerdicts } from "../search/client.js";
import { routeText } from "../shell/route.js";
import { Term } from "../shell/term.js";
import { type CellWord, type MatrixCell, type MatrixRow, rowsOf, sitesOf, wordOf } from "./table.js";

const GLYPHS: Record<CellWord, string> = { hazard: "●", race: "◐", safe: "○" };

/** The view; the fragment names kernel, hardware and what is compared. */
export function MatrixView({ parameters }: { parameters: URLSearchParams }): JSX.Element {
  const kernel = kernelOf(parameters);
  const hardware = hardwareOf(parameters);
  const compared = kernelVersions.find((version) => version === parameters.get("with") && version !== kernel);
  const { progress, error } = useSearch(hardware, [kernel, ...(compared === undefined ? [] : [compared])]);
  const rows = rowsOf(hardware, kernel, compared);
  const go = (change: { kernel?: string; hardware?: Hardware; compared?: string }): void => {
    const next = { kernel, compared, ...change };
    location.hash = routeText("matrix", {
      kernel: next.kernel,
      with: next.compared,
      ...hardwareParameters(change.hardware ?? hardware),
    });
  };
  const done = progress >= 1;
  return (
    <>
      <form class="bar" onSubmit={(event) => event.preventDefault()}>
        <Choice label="Kernel" value={kernel} names={kernelChoices} onChoice={(name) => go({ kernel: name })} />
        <Choice
          label="Compared with"
          value={compared ?? ""}
          names={[{ name: "", text: "no other" }, ...kernelChoices.filter(({ name }) => name !== kernel)]}
          onChoice={(name) => go({ compared: name })}
        />
        <HardwareChoice open value={hardware} onChoice={(chosen) => go({ hardware: chosen })} />
      </form>
      {error !== "" && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      <p class="search" aria-live="polite">
        {done ? "Searched in this page." : "Searching in this page …"}{" "}
        {!done && <progress value={progress} aria-label="Cells that are judged" />}
        <span class="legend">
          <span class="hazard">● hazard</span>{" "}
          <span class="race">
            ◐ only in a <Term of="race" />
          </span>{" "}
          <span class="safe">○ none found</span>
        </span>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keyboard too */}
      <section class="scroll" aria-label="The matrix" tabIndex={0}>
        <table class="matrix">
          <thead>
            <tr>
              <th scope="col">
                <Term of="policy" />
              </th>
              <th scope="col">open</th>
              {sitesOf(kernel).map((name) => (
                <th scope="col" key={name} title={scenarioHeads[name].about}>
                  {scenarioHeads[name].heading}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.policy} row={row} hardware={hardware} kernel={kernel} compared={compared} />
            ))}
          </tbody>
        </table>
      </section>
      <p class="quiet">
        A cell is a search for the shortest program in which a walk goes through a freed table: up to three moves, four
        of a CPU, at every point of the operation that frees. Open a cell to step through what was found.
      </p>
    </>
  );
}

function Row(props: { row: MatrixRow; hardware: Hardware; kernel: string; compared: string | undefined }): JSX.Element {
  const { row, hardware, kernel, compared } = props;
  return (
    <tr class={row.ships ? "ships" : ""}>
      <th scope="row" title={policies[row.policy].about}>
        {row.policy}
        {row.ships && <small> (this kernel)</small>}
      </th>
      <td class="number">{row.known === 0 ? "" : `${row.open} of ${row.known}`}</td>
      {row.cells.map((cell) => (
        <td key={cell.scenario}>
          <Cell cell={cell} hardware={hardware} kernel={kernel} compared={compared} />
        </td>
      ))}
    </tr>
  );
}

function Cell(props: {
  cell: MatrixCell;
  hardware: Hardware;
  kernel: string;
  compared: string | undefined;
}): JSX.Element {
  const { cell, hardware, kernel, compared } = props;
  const { policy, scenario, record, other } = cell;
  if (!record) return <span class="unknown">·</span>;
  const word = wordOf(record);
  const before = other && wordOf(other);
  const differs = before !== undefined && before !== word;
  const tried = record.tried.programs.toLocaleString("en");
  return (
    <a
      class={`cell ${word}${differs ? " differs" : ""}`}
      href={routeText("story", cellParameters({ ...hardware, kernel, policy, scenario }))}
      title={word === "hazard" ? record.kind : `${tried} programs tried`}
    >
      <span aria-hidden="true">{GLYPHS[word]}</span> {word}
      {word === "safe" && <small>{tried}</small>}
      {differs && (
        <small>
          {before} in {compared}
        </small>
      )}
      <span class="hidden">
        , {scenario} under {policy}
      </span>
    </a>
  );
}

/** Searches what is not known yet, one kernel after the other; how far that is, and what went wrong. */
function useSearch(hardware: Hardware, kernels: readonly string[]): { progress: number; error: string } {
  const key = JSON.stringify([hardwareParameters(hardware), kernels]);
  const [state, setState] = useState({ key: "", progress: 0, error: "" });
  // The key says all of both
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const run = async (): Promise<void> => {
      for (const [i, kernel] of kernels.entries()) {
        const known = rowsOf(hardware, kernel, undefined).every((row) => row.known === row.cells.length);
        if (known) continue;
        await searchVerdicts(
          searchOf(hardware, kernel),
          (record, done, total) => {
            remember({ ...hardware, kernel, policy: record.policy as never, scenario: record.scenario }, record);
            setState({ key, progress: (i + done / Math.max(total, 1)) / (kernels.length + 0.001), error: "" });
          },
          signal,
        );
      }
      setState({ key, progress: 1, error: "" });
    };
    run().catch((error: Error) => signal.aborted || setState({ key, progress: 1, error: error.message }));
    return () => stop.abort();
  }, [key]);
  return state.key === key ? state : { progress: 0, error: "" };
}
