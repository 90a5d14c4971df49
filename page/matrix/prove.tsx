// The proof of what the search left without a hazard: by all cores, stopped and gone on with at any time.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Pace } from "../../src/base/pace.js";
import type { PolicyName } from "../../src/index.js";
import {
  type Hardware,
  hardwareParameters,
  lacksProof,
  type Proving,
  proofOptions,
  STATE_LIMITS,
  searchOf,
} from "../search/cell.js";
import { Choice } from "../search/choose.js";
import { searchAll } from "../search/client.js";
import { remember } from "../search/known.js";
import { paceText } from "../search/pace.js";
import type { Search } from "../search/protocol.js";
import { type MatrixRow, rowsOf, sitesOf } from "./table.js";

/** How far the proof of a matrix has come. */
export interface ProofProgress {
  pace: Pace | undefined;
  error: string;
}

/** Proves what is wanted, once the search is over; a change of what is wanted ends it. */
export function useProof(
  hardware: Hardware,
  kernel: string,
  wanted: Proving | undefined,
  ready: boolean,
): ProofProgress {
  const key = JSON.stringify([hardwareParameters(hardware), kernel, wanted, ready]);
  const [state, setState] = useState<ProofProgress & { key: string }>({ key: "", pace: undefined, error: "" });
  // The key says all of it
  useEffect(() => {
    if (!wanted || !ready) return undefined;
    const stop = new AbortController();
    const begun = performance.now();
    const searches = searchesOf(rowsOf(hardware, kernel, undefined), hardware, kernel, wanted);
    const total = searches.reduce((sum, { policies = [] }) => sum + policies.length, 0);
    let done = 0;
    const say = (error = ""): void =>
      setState({ key, pace: { done, total, elapsed: performance.now() - begun }, error });
    say();
    searchAll(
      searches,
      (record) => {
        done++;
        remember({ ...hardware, kernel, policy: record.policy as PolicyName, scenario: record.scenario }, record);
        say();
      },
      stop.signal,
    ).catch((error: Error) => stop.signal.aborted || say(error.message));
    return () => stop.abort();
  }, [key]);
  return state.key === key ? state : { pace: undefined, error: "" };
}

/** A search for each site, of the policies whose cells need a proof. */
function searchesOf(rows: readonly MatrixRow[], hardware: Hardware, kernel: string, wanted: Proving): Search[] {
  return sitesOf(kernel).flatMap((scenario) => {
    const policies = rows.flatMap(({ policy, cells }) => {
      const record = cells.find((cell) => cell.scenario === scenario)?.record;
      return record && lacksProof(record, wanted) ? [policy] : [];
    });
    if (policies.length === 0) return [];
    return [{ ...searchOf(hardware, kernel), ...proofOptions(wanted), policies, scenarios: [scenario] }];
  });
}

/** The controls of a proof, and what it is at. */
export function ProofControls(props: {
  wanted: Proving | undefined;
  progress: ProofProgress;
  /** The search is over. */
  ready: boolean;
  onChange: (wanted: Proving | undefined) => void;
}): JSX.Element {
  const { wanted, progress, ready, onChange } = props;
  const { pace, error } = progress;
  const going = pace !== undefined && pace.done < pace.total && error === "";
  const states = wanted?.states ?? STATE_LIMITS[0];
  return (
    <form class="bar proving" onSubmit={(event) => event.preventDefault()}>
      <button
        type="button"
        class={wanted ? "" : "main"}
        disabled={!ready}
        onClick={() => onChange(wanted ? undefined : { states })}
      >
        {going ? "Stop the proof" : wanted ? "Leave it at what is proved" : "Prove what has no hazard"}
      </button>
      <Choice
        label="States of a cell, at most"
        value={String(states)}
        names={STATE_LIMITS.map((limit) => ({ name: String(limit), text: limit.toLocaleString("en") }))}
        onChoice={(limit) => onChange({ states: Number(limit) })}
      />
      {going && <progress value={pace.done} max={pace.total} aria-label="Cells that are proved" />}
      {pace && pace.total > 0 && <span>{paceText(pace, "cells")}</span>}
      {error !== "" && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
