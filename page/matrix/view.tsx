// The matrix: policies down, sites across, for one kernel and one choice of hardware. Searched here, in a worker, cell by cell, and
// proved on all cores where that is asked for; every cell leads to its story or its proof.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { kernelVersions, policies } from "../../src/index.js";
import { scenarioHeads } from "../../src/verdicts/scenarios.js";
import {
  cellParameters,
  type Hardware,
  hardwareOf,
  hardwareParameters,
  kernelOf,
  type Proving,
  provingOf,
  provingParameters,
  STATE_LIMITS,
  searchOf,
} from "../search/cell.js";
import { Choice, HardwareChoice, kernelChoices } from "../search/choose.js";
import { searchVerdicts } from "../search/client.js";
import { isFromReport, remember } from "../search/known.js";
import { routeText } from "../shell/route.js";
import { Term } from "../shell/term.js";
import { ProofControls, useProof } from "./prove.js";
import {
  agree,
  type CellWord,
  cellWords,
  countWords,
  type MatrixCell,
  type MatrixRow,
  rowsOf,
  sitesOf,
  wordOf,
} from "./table.js";

/** The view; the fragment names kernel, hardware and what is compared. */
export function MatrixView({ parameters }: { parameters: URLSearchParams }): JSX.Element {
  const kernel = kernelOf(parameters);
  const hardware = hardwareOf(parameters);
  const compared = kernelVersions.find((version) => version === parameters.get("with") && version !== kernel);
  const { progress, error } = useSearch(hardware, [kernel, ...(compared === undefined ? [] : [compared])]);
  const done = progress >= 1;
  const wanted = provingOf(parameters);
  const proof = useProof(hardware, kernel, wanted, done && error === "");
  const rows = rowsOf(hardware, kernel, compared);
  const go = (change: {
    kernel?: string;
    hardware?: Hardware;
    compared?: string;
    proving?: Proving | undefined;
  }): void => {
    const next = { kernel, compared, proving: wanted, ...change };
    location.hash = routeText("matrix", {
      kernel: next.kernel,
      with: next.compared,
      ...hardwareParameters(change.hardware ?? hardware),
      ...provingParameters(next.proving),
    });
  };
  return (
    <>
      <p class="lead">
        Linux frees page tables that an IOMMU or a CPU may still have a pointer to. Rows are what can be done about it,
        columns are the places in the kernel that free. At a <span class="hazard">●</span> a walk goes through a freed
        table: open it to see how.
      </p>
      <form class="bar" onSubmit={(event) => event.preventDefault()}>
        <Choice label="Kernel" value={kernel} names={kernelChoices} onChoice={(name) => go({ kernel: name })} />
        <Choice
          label="Compared with"
          value={compared ?? ""}
          names={[{ name: "", text: "no other" }, ...kernelChoices.filter(({ name }) => name !== kernel)]}
          onChoice={(name) => go({ compared: name })}
        />
        <HardwareChoice value={hardware} onChoice={(chosen) => go({ hardware: chosen })} />
      </form>
      {error !== "" && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      <p class="search" aria-live="polite">
        {!done ? "Searching in this page …" : isGiven(rows) ? "As the report has it." : "Searched in this page."}{" "}
        {!done && <progress value={progress} aria-label="Cells that are judged" />}
      </p>
      <ProofControls
        wanted={wanted}
        progress={proof}
        ready={done && error === ""}
        onChange={(proving) => go({ proving })}
      />
      <Legend rows={rows} />
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
                  {breakable(scenarioHeads[name].heading)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.policy} row={row} hardware={hardware} kernel={kernel} compared={compared} wanted={wanted} />
            ))}
          </tbody>
        </table>
      </section>
      <p class="quiet">
        A cell is a search for the shortest program in which a walk goes through a freed table: up to three moves, four
        of a CPU, at every point of the operation that frees. What has no hazard in these may be proved: then every
        state is gone through that programs of any length come to. Open a cell to step through its story, or to see what
        its proof says and rests on.
      </p>
    </>
  );
}

/** Whether every verdict that is shown stood in the report. */
function isGiven(rows: readonly MatrixRow[]): boolean {
  return rows.every(({ cells }) => cells.every(({ record }) => record && isFromReport(record)));
}

/** A name that may break behind its underscores, and nowhere else. */
function breakable(text: string): ComponentChildren {
  return text.split(/(?<=_)/).flatMap((part, i) => (i === 0 ? [part] : [<wbr key={i} />, part]));
}

/** What the signs mean, each with how many cells have it. */
function Legend({ rows }: { rows: readonly MatrixRow[] }): JSX.Element {
  const counts = countWords(rows);
  const meanings: Record<CellWord, ComponentChildren> = {
    hazard: <Term of="hazard" />,
    race: (
      <>
        only in a <Term of="race" />
      </>
    ),
    proved: (
      <>
        proved safe (<Term of="proof" />)
      </>
    ),
    limit: "no hazard found before a limit",
    searched: "none found by the search",
  };
  return (
    <ul class="legend">
      {(Object.keys(cellWords) as CellWord[]).map((word) => (
        <li key={word} class={word}>
          <span aria-hidden="true">{cellWords[word].sign}</span> {meanings[word]}: <b>{counts.get(word) ?? 0}</b>
        </li>
      ))}
    </ul>
  );
}

/** What the links of cells say beside the cell. */
interface Around {
  hardware: Hardware;
  kernel: string;
  compared: string | undefined;
  wanted: Proving | undefined;
}

function Row(props: Around & { row: MatrixRow }): JSX.Element {
  const { row, hardware, kernel, compared, wanted } = props;
  return (
    <tr class={row.ships ? "ships" : ""}>
      <th scope="row" title={policies[row.policy].about}>
        {row.policy}
        {row.ships && <small> (this kernel)</small>}
      </th>
      <td class="number">{row.known === 0 ? "" : `${row.open} of ${row.known}`}</td>
      {row.cells.map((cell) => (
        <td key={cell.scenario}>
          <Cell cell={cell} hardware={hardware} kernel={kernel} compared={compared} wanted={wanted} />
        </td>
      ))}
    </tr>
  );
}

function Cell(props: Around & { cell: MatrixCell }): JSX.Element {
  const { cell, hardware, kernel, compared, wanted } = props;
  const { policy, scenario, record, other } = cell;
  if (!record) return <span class="unknown">·</span>;
  const word = wordOf(record);
  const { sign, text } = cellWords[word];
  const differs = other !== undefined && !agree(record, other);
  const { proof, raceProof, tried } = record;
  const states = (proof?.states ?? 0) + (raceProof?.states ?? 0);
  const proving = proof && provingParameters(wanted ?? { states: STATE_LIMITS[0] });
  const titles: Record<CellWord, string> = {
    hazard: record.kind ?? "",
    race: record.race?.kind ?? "",
    proved: `${states.toLocaleString("en")} states, all gone through`,
    limit: `${states.toLocaleString("en")} states, then the limit`,
    searched: `${tried.programs.toLocaleString("en")} programs tried`,
  };
  return (
    <a
      class={`cell ${word}${differs ? " differs" : ""}`}
      href={routeText("story", { ...cellParameters({ ...hardware, kernel, policy, scenario }), ...proving })}
      title={titles[word]}
    >
      <span aria-hidden="true">{sign}</span> {text}
      {differs && (
        <small>
          {cellWords[wordOf(other)].text} in {compared}
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
