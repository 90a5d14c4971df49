// The view of a story: which cell it is of, the lanes, the sentence of the step, what stands then, and what if.

import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { compileEngine, resolveKernel, type WasmModule } from "../../src/index.js";
import { kindWords } from "../../src/report/kind-words.js";
import { retell, type StoryPlace, scenarioNames, type Told, type VerdictRecord } from "../../src/verdicts/index.js";
import { ProofPanel } from "../proof/panel.js";
import {
  type Cell,
  cellOf,
  cellParameters,
  lacksProof,
  policyNames,
  provingOf,
  provingParameters,
} from "../search/cell.js";
import { Choice, HardwareChoice, kernelChoices } from "../search/choose.js";
import { judge } from "../search/judge.js";
import { noteRoute, routeText } from "../shell/route.js";
import { Stepper } from "../shell/stepper.js";
import { Term } from "../shell/term.js";
import { Lanes } from "./lanes.js";
import { firstDifference } from "./marks.js";
import { Stage } from "./stage.js";
import { addressOf, concerned, statesOf } from "./state.js";
import { type Change, changeOf, changeParameters, WhatIf } from "./what-if.js";

/** The view; the fragment names the cell, the step and the change. */
export function StoryView({ parameters }: { parameters: URLSearchParams }): JSX.Element {
  const cell = cellOf(parameters);
  const proving = provingOf(parameters);
  const key = JSON.stringify(cellParameters(cell));
  const wanted = JSON.stringify(proving);
  const [found, setFound] = useState<{ key: string; record: VerdictRecord; module: WasmModule }>();
  const [error, setError] = useState("");
  // The key says all that the cell is
  useEffect(() => {
    const stop = new AbortController();
    setError("");
    const find = async (): Promise<void> => {
      const module = await compileEngine();
      const record = await judge(cell, stop.signal);
      setFound({ key, record, module });
      if (proving && lacksProof(record, proving)) {
        setFound({ key, record: await judge(cell, stop.signal, proving), module });
      }
    };
    find().catch((reason: Error) => stop.signal.aborted || setError(reason.message));
    return () => stop.abort();
  }, [key, wanted]);
  const go = (change: Partial<Cell>): void => {
    location.hash = routeText("story", cellParameters({ ...cell, ...change }));
  };
  return (
    <>
      <form class="bar" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="Site"
          value={cell.scenario}
          names={scenarioNames.map((name) => ({ name, text: name }))}
          onChoice={(scenario) => go({ scenario })}
        />
        <Choice
          label="Policy"
          value={cell.policy}
          names={policyNames.map((name) => ({ name, text: name }))}
          onChoice={(policy) => go({ policy })}
        />
        <Choice label="Kernel" value={cell.kernel} names={kernelChoices} onChoice={(kernel) => go({ kernel })} />
        <HardwareChoice value={cell} onChoice={(hardware) => go(hardware)} />
      </form>
      {error !== "" ? (
        <p class="error" role="alert">
          {error}
        </p>
      ) : found?.key === key ? (
        <Verdict key={key} cell={cell} record={found.record} module={found.module} parameters={parameters} />
      ) : (
        <p aria-live="polite">Searching for the shortest program with a hazard …</p>
      )}
    </>
  );
}

const tellings = ["worst", "shortest", "race"] as const;

interface Given {
  cell: Cell;
  record: VerdictRecord;
  module: WasmModule;
  parameters: URLSearchParams;
}

function Verdict(props: Given): JSX.Element {
  const { cell, record, parameters } = props;
  const stories = {
    worst: record.worst?.witness ?? record.witness,
    shortest: record.witness,
    race: record.race?.witness,
  };
  const asked = tellings.find((name) => name === parameters.get("which") && stories[name]);
  const which = asked ?? tellings.find((name) => stories[name]);
  const told = which && stories[which];
  const proving = provingOf(parameters);
  const prove = (): void => {
    location.hash = routeText("story", { ...cellParameters(cell), prove: "1" });
  };
  const proofPanel = <ProofPanel cell={cell} record={record} proving={proving} onProve={prove} />;
  if (!which || !told) {
    return (
      <>
        {proofPanel}
        {cell.policy !== "none" && (
          <p>
            <a href={routeText("story", { ...cellParameters({ ...cell, policy: "none" }), with: cell.policy })}>
              See how the story of no policy at all ends under {cell.policy}
            </a>
          </p>
        )}
      </>
    );
  }
  const story = <Story {...props} told={told} which={which} several={tellings.filter((name) => stories[name])} />;
  if (record.verdict === "hazard") return story;
  return (
    <>
      {proofPanel}
      <h2>The race</h2>
      {story}
    </>
  );
}

function Story(props: Given & { told: Told; which: string; several: readonly string[] }): JSX.Element {
  const { cell, record, module, parameters, told, which, several } = props;
  const change = changeOf(parameters, told);
  const changeKey = JSON.stringify(changeParameters(change));
  // The key says all that the change is
  const shown = useMemo(() => show(record, told, change, module), [record, told, changeKey, module]);
  const last = "told" in shown ? shown.told.steps.length : 0;
  const asked = Number(parameters.get("step") ?? Number.NaN);
  const [step, setStep] = useState(Number.isInteger(asked) && asked >= 0 ? asked : last);
  const now = Math.min(step, last);
  const named = {
    ...cellParameters(cell),
    ...provingParameters(provingOf(parameters)),
    which: several.length > 1 ? which : undefined,
  };
  useEffect(() => noteRoute("story", { ...named, ...changeParameters(change), step: now }));
  const go = (next: Change, other = which): void => {
    location.hash = routeText("story", {
      ...named,
      which: several.length > 1 ? other : undefined,
      ...changeParameters(next),
    });
  };
  const whatIf = <WhatIf told={told} cell={cell} change={change} onChange={go} />;
  if ("error" in shown) {
    return (
      <>
        <p class="error" role="alert">
          {shown.error}
        </p>
        {whatIf}
      </>
    );
  }
  const { states, address, frames } = shown;
  const state = states[now];
  const current = shown.told.steps[now - 1];
  const differs = shown.told === told ? undefined : firstDifference(shown.told.steps, told.steps);
  const ends = shown.told.hazard !== undefined && now === last;
  return (
    <>
      <Outcome told={told} shown={shown.told} cell={cell} change={change} />
      <Stepper step={now} last={last} what="the story" onStep={setStep} />
      <Lanes told={shown.told} states={states} agent={cell.agent} step={now} differs={differs} onStep={setStep} />
      <p class={`caption${ends ? " stale" : ""}`} aria-live="polite">
        {current ? (
          <>
            <b>{now}.</b> {current.text}
          </>
        ) : (
          "Before the first step."
        )}
      </p>
      {state && <Stage state={state} frames={frames} address={address} agent={cell.agent} />}
      {whatIf}
      {several.length > 1 && (
        <p class="quiet">
          Told here:{" "}
          {several.map((name) => (
            <button type="button" key={name} aria-pressed={name === which} onClick={() => go({}, name)}>
              {name === "worst" ? "how bad it gets" : name === "race" ? "the race" : "the shortest program"}
            </button>
          ))}
        </p>
      )}
    </>
  );
}

function Outcome(props: { told: Told; shown: Told; cell: Cell; change: Change }): JSX.Element {
  const { told, shown, cell, change } = props;
  const { hazard } = shown;
  const changed = shown !== told;
  const words = [
    change.policy && `under ${change.policy}`,
    change.kernel && `with Linux ${change.kernel}`,
    change.drop !== undefined && `without step ${told.steps.find(({ move }) => move === change.drop)?.number}`,
  ].filter(Boolean);
  return (
    <section class={`ending ${hazard ? "fault" : "ok"}`}>
      <p>
        {changed ? (
          <>
            <b>{hazard ? `✗ Still ${hazard.kind}` : "✓ No hazard"}</b> {words.join(", ")}.{" "}
            <a href={routeText("story", cellParameters(cell))}>Back to the story as it was</a>
          </>
        ) : (
          <>
            <b>✗ {hazard?.kind}</b> at {cell.scenario} under {cell.policy}: {hazard && kindWords[hazard.kind]}. This is
            the <Term of="witness">shortest program</Term> that leads there.
          </>
        )}
      </p>
    </section>
  );
}

type Shown = { error: string } | { told: Told; states: ReturnType<typeof statesOf>; address: bigint; frames: number[] };

function show(record: VerdictRecord, told: Told, change: Change, module: WasmModule): Shown {
  const place: StoryPlace = {
    ...record,
    policy: change.policy ?? record.policy,
    kernel: resolveKernel(change.kernel ?? record.kernel).version,
  };
  let shown = told;
  try {
    if (Object.values(change).some((value) => value !== undefined)) shown = retell(record, told, change, { module });
  } catch (error) {
    // A kernel that has no such site is an answer.
    return { error: (error as Error).message };
  }
  const states = statesOf(place, shown, { module });
  return { told: shown, states, address: addressOf(told), frames: concerned(states) };
}
