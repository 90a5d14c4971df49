// The proof of a cell: what was gone through, within which bounds, on what assumptions, and what the safety rests on.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Support, VerdictRecord } from "../../src/verdicts/index.js";
import { type Cell, type Proving, STATE_LIMITS } from "../search/cell.js";
import { judge } from "../search/judge.js";
import { Term } from "../shell/term.js";
import { boundRows, commandOf, reachText } from "./words.js";

/** What is known of a cell that has no hazard, proved or not. */
export function ProofPanel(props: {
  cell: Cell;
  record: VerdictRecord;
  proving: Proving | undefined;
  onProve: () => void;
}): JSX.Element {
  const { cell, record, proving, onProve } = props;
  const { proof, raceProof, race, tried } = record;
  if (!proof) {
    return (
      <section class="ending ok">
        <p>
          <b>
            ○ No <Term of="hazard" /> found
          </b>{" "}
          in {tried.programs.toLocaleString("en")} programs of up to {tried.depth} moves, with everybody else's doings
          at every point. A longer program may still have one.
        </p>
        <p>
          {proving ? (
            <span aria-live="polite">Proving: all states are gone through. That takes seconds to a minute …</span>
          ) : (
            <button type="button" class="main" onClick={onProve}>
              Prove it: go through all states
            </button>
          )}
        </p>
      </section>
    );
  }
  return (
    <>
      <section class={`ending ${proof.closed ? "ok" : "unsettled"}`}>
        <p>
          <b>{proof.closed ? "✓ Proved safe" : "? No hazard found, and not proved"}</b>
          {proof.closed
            ? `: no program of any length has a hazard at ${cell.scenario} under ${cell.policy}${race ? ", as long as deferred work runs between operations" : ""}.`
            : ": a longer exploration may still meet one."}
        </p>
        <p>
          {reachText(proof)}
          {race === null && !raceProof && (
            <>
              {" "}
              <Term of="deferred work" /> may run inside operations, too.
            </>
          )}
        </p>
        {raceProof && (
          <p>
            With <Term of="deferred work" /> inside operations, too: {reachText(raceProof)}
            {race && " It has a hazard: the race below."}
          </p>
        )}
      </section>
      <div class="panels proof">
        {proof.closed && <RestsOn key={JSON.stringify(cell)} cell={cell} record={record} proving={proving ?? USUAL} />}
        <section class="panel" aria-labelledby="bounds-title">
          <h2 id="bounds-title">Within these bounds</h2>
          <table>
            <tbody>
              {boundRows(proof.bounds).map(([what, text]) => (
                <tr key={what}>
                  <th scope="row">{what}</th>
                  <td>{text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <section class="panel" aria-labelledby="assumed-title">
          <h2 id="assumed-title">On these assumptions</h2>
          <ul>
            {proof.assumptions.map((text) => (
              <li key={text}>{text}</li>
            ))}
            <li>
              no two states are taken for one: probability of the contrary at most {proof.missed.toExponential(0)}
            </li>
          </ul>
        </section>
      </div>
      <p class="quiet">
        The same at a terminal: <code>{commandOf(cell)}</code>
      </p>
    </>
  );
}

const USUAL: Proving = { states: STATE_LIMITS[0] };

const WITHOUT: Record<Support["without"], { text: string; word: string }> = {
  hazard: { text: "● hazard", word: "hazard" },
  race: { text: "◐ hazard in a race", word: "race" },
  "proved safe": { text: "✓ still proved safe", word: "proved" },
  "no hazard found": { text: "? none found before the limit", word: "limit" },
};

/** Each thing that the policy does, and what the cell is without it. */
function RestsOn({ cell, record, proving }: { cell: Cell; record: VerdictRecord; proving: Proving }): JSX.Element {
  const [asked, setAsked] = useState(false);
  const [supports, setSupports] = useState(record.restsOn);
  const [error, setError] = useState("");
  useEffect(() => {
    if (!asked || supports) return undefined;
    const stop = new AbortController();
    judge(cell, stop.signal, { ...proving, explain: true }).then(
      ({ restsOn }) => setSupports(restsOn ?? []),
      (reason: Error) => stop.signal.aborted || setError(reason.message),
    );
    return () => stop.abort();
  }, [asked]);
  return (
    <section class="panel" aria-labelledby="rests-title">
      <h2 id="rests-title">What it rests on</h2>
      {error !== "" ? (
        <p class="error" role="alert">
          {error}
        </p>
      ) : supports ? (
        <Supports supports={supports} />
      ) : asked ? (
        <p aria-live="polite">Taking each thing away in turn, and proving again …</p>
      ) : (
        <>
          <p>Take away, in turn, each thing that the policy does, and prove the cell again without it.</p>
          <button type="button" onClick={() => setAsked(true)}>
            Take each thing away
          </button>
        </>
      )}
    </section>
  );
}

function Supports({ supports }: { supports: readonly Support[] }): JSX.Element {
  if (supports.length === 0) return <p>The policy does nothing that could be taken away: there is nothing to lose.</p>;
  return (
    <table class="supports">
      <thead>
        <tr>
          <th scope="col">Taken away</th>
          <th scope="col">The cell without it</th>
        </tr>
      </thead>
      <tbody>
        {supports.map(({ what, without }) => (
          <tr key={what}>
            <th scope="row">{what}</th>
            <td class={WITHOUT[without].word}>{WITHOUT[without].text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
