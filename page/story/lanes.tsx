// A story as a time line with a lane for each who acts: one column a step. On a narrow screen time runs down the page.

import type { JSX } from "preact";
import type { AgentKind, Told } from "../../src/verdicts/index.js";
import { type Lane, laneOf, lanes, markOf } from "./marks.js";
import type { StoryState } from "./state.js";

/** The lanes; `step` is shown below, `differs` is the first step that the original story has not. */
export function Lanes(props: {
  told: Told;
  states: readonly StoryState[];
  agent: AgentKind;
  step: number;
  differs: number | undefined;
  onStep: (step: number) => void;
}): JSX.Element {
  const { told, states, agent, step, differs, onStep } = props;
  const names: Record<Lane, string> = {
    kernel: "kernel (CPU 0)",
    agent: agent === "cpu" ? "CPU 1" : "device (PASID 42)",
    work: "deferred work",
    other: "somebody else",
  };
  const { steps, hazard } = told;
  return (
    <div class="lanes" style={{ "--steps": steps.length }}>
      {lanes.map((lane, i) => (
        <span key={lane} class={`lane ${lane}`} style={{ gridRow: i + 1 }}>
          {names[lane]}
        </span>
      ))}
      <ol>
        {steps.map((it, i) => {
          const before = states[i];
          const after = states[i + 1];
          if (!before || !after) return null;
          const lane = laneOf(it.actor);
          const { word, look } = markOf(it, before, after, hazard !== undefined && i === steps.length - 1);
          return (
            <li key={it.number} class={it.number === step ? "now" : ""} style={{ "--step": i + 2 }}>
              <button
                type="button"
                class={`mark ${look}`}
                style={{ gridRow: lanes.indexOf(lane) + 1 }}
                aria-current={it.number === step ? "step" : undefined}
                onClick={() => onStep(it.number)}
              >
                <b>{it.number}</b> <span>{word}</span>
                <span class="who">
                  <span class="hidden">, </span>
                  {names[lane]}
                </span>
                {it.number === differs && <em>differs from here</em>}
              </button>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
