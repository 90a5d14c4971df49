// The choices that name a cell: kernel, hardware, policy, site.

import type { JSX } from "preact";
import { kernelRecords, policies } from "../../src/index.js";
import {
  type CpuChangeName,
  changedCpu,
  cpuChangeNames,
  describeOptions,
  type IommuChangeName,
  iommuChangeNames,
  iommuChanges,
} from "../../src/verdicts/index.js";
import { type Hardware, optionsOf, policyNames } from "./cell.js";

/** A list of names to choose from. */
export function Choice<Name extends string>(props: {
  label: string;
  value: Name;
  names: readonly { name: Name; text: string }[];
  onChoice: (name: Name) => void;
}): JSX.Element {
  const { label, value, names, onChoice } = props;
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChoice(event.currentTarget.value as Name)}>
        {names.map(({ name, text }) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Every kernel, the newest first. */
export const kernelChoices = kernelRecords
  .map(({ version, ships }) => ({ name: version as string, text: `Linux ${version} (has ${ships})` }))
  .reverse();

/** Every policy, with what it is. */
export const policyChoices = policyNames.map((name) => ({ name, text: `${name}: ${policies[name].about}` }));

/** Whose walks, and what differs in the hardware. */
export function HardwareChoice(props: { value: Hardware; onChoice: (hardware: Hardware) => void }): JSX.Element {
  const { value, onChoice } = props;
  const { agent, changes, cpu } = value;
  const flip = (name: IommuChangeName): void => {
    const same = iommuChanges[name].name;
    // Of two values of one option only one can be.
    const others = changes.filter((it) => it !== name && iommuChanges[it].name !== same);
    onChoice({
      ...value,
      changes: iommuChangeNames.filter((it) => others.includes(it) || (it === name && !changes.includes(it))),
    });
  };
  return (
    <details class="hardware">
      <summary>
        {agent === "cpu" ? "CPU" : "IOMMU"}: {describeOptions(optionsOf(value))}
      </summary>
      <div>
        <Choice
          label="Walks of"
          value={agent}
          names={[
            { name: "iommu", text: "an IOMMU" },
            { name: "cpu", text: "a CPU" },
          ]}
          onChoice={(chosen) => onChoice({ ...value, agent: chosen })}
        />
        {agent === "cpu" ? (
          <Choice<CpuChangeName | "">
            label="CPU"
            value={cpu ?? ""}
            names={[
              { name: "", text: "Intel" },
              ...cpuChangeNames.map((name) => ({ name, text: describeOptions(changedCpu(name)) })),
            ]}
            onChoice={(chosen) => onChoice({ ...value, cpu: chosen === "" ? undefined : chosen })}
          />
        ) : (
          <span class="filter">
            {iommuChangeNames.map((name) => (
              <button type="button" key={name} aria-pressed={changes.includes(name)} onClick={() => flip(name)}>
                {iommuChanges[name].text}
              </button>
            ))}
          </span>
        )}
      </div>
    </details>
  );
}
