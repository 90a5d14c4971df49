// What if: another policy, another kernel, or one move less. The story is played again, and says how it ends then.

import type { JSX } from "preact";
import type { PolicyName } from "../../src/index.js";
import { kernelVersions } from "../../src/index.js";
import type { Told } from "../../src/verdicts/index.js";
import { type Cell, policyNames } from "../search/cell.js";
import { Choice, kernelChoices, policyChoices } from "../search/choose.js";

/** What is changed. */
export interface Change {
  policy?: PolicyName;
  kernel?: string;
  drop?: number;
}

/** The change that parameters name. */
export function changeOf(parameters: URLSearchParams, { steps }: Told): Change {
  const policy = policyNames.find((name) => name === parameters.get("with"));
  const kernel = kernelVersions.find((version) => version === parameters.get("on"));
  const text = parameters.get("drop");
  const drop = steps.find(({ move }) => move !== undefined && String(move) === text)?.move;
  return { ...(policy && { policy }), ...(kernel && { kernel }), ...(drop !== undefined && { drop }) };
}

/** Its parameters, as {@link changeOf} reads them. */
export function changeParameters({ policy, kernel, drop }: Change): Record<string, string | undefined> {
  return { with: policy, on: kernel, drop: drop === undefined ? undefined : String(drop) };
}

/** The choices. */
export function WhatIf(props: {
  told: Told;
  cell: Cell;
  change: Change;
  onChange: (change: Change) => void;
}): JSX.Element {
  const { told, cell, change, onChange } = props;
  const { policy, kernel, drop } = change;
  const put = (name: keyof Change, value: string): void => {
    const { [name]: _, ...rest } = change;
    onChange(value === "" ? rest : { ...rest, [name]: name === "drop" ? Number(value) : value });
  };
  const moves = told.steps.filter((step) => step.move !== undefined);
  return (
    <section class="panel what-if" aria-labelledby="what-if-title">
      <h2 id="what-if-title">What if</h2>
      <div class="bar">
        <Choice
          label="… the policy were another"
          value={policy ?? ""}
          names={[
            { name: "", text: `${cell.policy}, as it is` },
            ...policyChoices.filter(({ name }) => name !== cell.policy),
          ]}
          onChoice={(name) => put("policy", name)}
        />
        <Choice
          label="… the kernel were another"
          value={kernel ?? ""}
          names={[
            { name: "", text: `Linux ${cell.kernel}, as it is` },
            ...kernelChoices.filter(({ name }) => name !== cell.kernel),
          ]}
          onChoice={(name) => put("kernel", name)}
        />
        <Choice
          label="… one move were left out"
          value={drop === undefined ? "" : String(drop)}
          names={[
            { name: "", text: "none" },
            ...moves.map(({ number, move, text }) => ({
              name: String(move),
              text: `step ${number}: ${text.slice(0, 60)}`,
            })),
          ]}
          onChoice={(name) => put("drop", name)}
        />
      </div>
    </section>
  );
}
