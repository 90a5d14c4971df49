// The benchmark: run in this browser, shown as tables with bars, compared with a result that is dropped in, kept as a file. A trace that is
// dropped in is played.

import type { JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Pace } from "../../src/base/pace.js";
import { checkBenchResult } from "../../src/benchmark/result.js";
import { Choice } from "../search/choose.js";
import { paceText } from "../search/pace.js";
import { FileInput } from "../shell/file-input.js";
import { useDropped } from "../shell/use-dropped.js";
import { name as shownName } from "../trace/text.js";
import { type GivenTrace, type PageSuite, pageSuites } from "./plan.js";
import { runBench } from "./run.js";
import { Compared, Run, type Shown } from "./tables.js";

const ROUNDS = ["3", "6", "12"] as const;
const ABOUT: Record<PageSuite, string> = {
  translate: "translate: hits and walks, against JavaScript",
  flush: "flush: invalidations of full caches, against JavaScript",
  kernel: "kernel: programs with hazard detection on and off",
  replay: "replay: a synthetic one, and a trace that you drop here",
  verdicts: "verdicts: searches of single cells",
  growth: "growth: curves of translations and replays",
};
const RESULT = /\.json$/i;

let kept: Kept = { own: undefined, other: undefined, trace: undefined };

/** What stays while other views are looked at. */
interface Kept {
  own: Shown | undefined;
  other: Shown | undefined;
  trace: GivenTrace | undefined;
}

/** The view. */
export function BenchView(): JSX.Element {
  const [suites, setSuites] = useState<readonly PageSuite[]>(["translate", "kernel"]);
  const [rounds, setRounds] = useState<(typeof ROUNDS)[number]>("3");
  const [pace, setPace] = useState<(Pace & { what: string }) | undefined>();
  const [error, setError] = useState("");
  const [shown, setShown] = useState(kept);
  const stop = useRef<AbortController | undefined>(undefined);
  const keep = useCallback((next: Partial<Kept>): void => {
    kept = { ...kept, ...next };
    setShown(kept);
  }, []);
  useEffect(() => () => stop.current?.abort(), []);
  const run = (): void => {
    const controller = new AbortController();
    stop.current = controller;
    const begun = performance.now();
    setError("");
    runBench(
      { suites, rounds: Number(rounds), trace: kept.trace },
      (done, total, what) => setPace({ done, total, what, elapsed: performance.now() - begun }),
      controller.signal,
    )
      .then(
        (result) => keep({ own: { from: "this browser", result } }),
        (reason: Error) => controller.signal.aborted || setError(reason.message),
      )
      .finally(() => setPace(undefined));
  };
  const take = useCallback(
    (file: File): void => {
      if (!RESULT.test(file.name)) {
        file
          .arrayBuffer()
          .then((bytes) => {
            keep({ trace: { name: file.name, bytes: new Uint8Array(bytes) } });
            setSuites((before) => pageSuites.filter((it) => it === "replay" || before.includes(it)));
          })
          .then(
            () => setError(""),
            (reason: Error) => setError(`${file.name} cannot be read: ${reason.message}`),
          );
        return;
      }
      file
        .text()
        .then((text) => keep({ other: { from: file.name, result: checkBenchResult(JSON.parse(text)) } }))
        .then(
          () => setError(""),
          (reason: Error) => setError(`${file.name} is no result of stalewalk bench --json: ${reason.message}`),
        );
    },
    [keep],
  );
  useDropped(take);
  const { own, other, trace } = shown;
  return (
    <>
      <form class="bar" onSubmit={(event) => event.preventDefault()}>
        <fieldset class="suites">
          <legend>What is run here</legend>
          {pageSuites.map((suite) => (
            <label key={suite}>
              <input
                type="checkbox"
                checked={suites.includes(suite)}
                disabled={pace !== undefined}
                onChange={() =>
                  setSuites(pageSuites.filter((it) => (it === suite ? !suites.includes(it) : suites.includes(it))))
                }
              />{" "}
              {ABOUT[suite]}
            </label>
          ))}
        </fieldset>
        <Choice
          label="Rounds"
          value={rounds}
          names={ROUNDS.map((count) => ({ name: count, text: count }))}
          onChoice={setRounds}
        />
        {pace ? (
          <button type="button" onClick={() => stop.current?.abort()}>
            Stop
          </button>
        ) : (
          <button type="button" class="main" disabled={suites.length === 0} onClick={run}>
            Run in this browser
          </button>
        )}
      </form>
      {pace && (
        <p class="search">
          <progress value={pace.done} max={pace.total} aria-label="Cases that are measured" />
          <span>{paceText(pace, "measurements")}</span>
          <span class="quiet">{pace.what}</span>
        </p>
      )}
      <div class="opener compact">
        <FileInput take={take}>
          Compare with a result of <code>stalewalk bench --quick --json FILE</code>, or of this page elsewhere, or play
          a trace: drop the file here, or pick it:
        </FileInput>
      </div>
      {trace && <p>{shownName(trace.name)} is played with the suite replay.</p>}
      {error !== "" && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {own && other && <Compared before={other} after={own} />}
      {own && <Run shown={own} canSave />}
      {other && <Run shown={other} />}
      {!own && !other && pace === undefined && (
        <p class="quiet">
          Nothing has been run yet. Every contestant must come to the same outcomes and counters before it is timed; a
          time is the least of several rounds, each in a worker of its own.
        </p>
      )}
    </>
  );
}
