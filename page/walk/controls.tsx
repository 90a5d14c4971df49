// The control bits that rights depend on.

import type { JSX } from "preact";
import type { Controls } from "../../src/index.js";

const BITS: readonly { name: keyof Controls & string; about: string }[] = [
  { name: "wp", about: "CR0.WP: the supervisor respects R/W" },
  { name: "smep", about: "CR4.SMEP: the supervisor fetches nothing from user pages" },
  { name: "smap", about: "CR4.SMAP: the supervisor touches no user pages" },
  { name: "pke", about: "CR4.PKE: protection keys" },
  { name: "nxe", about: "EFER.NXE: XD counts" },
  { name: "ac", about: "EFLAGS.AC: lifts SMAP" },
];

/** A box to tick for each. */
export function ControlBits(props: {
  controls: Readonly<Controls> | undefined;
  onChange: (change: Partial<Controls>) => void;
}): JSX.Element {
  const { controls, onChange } = props;
  return (
    <section class="panel" aria-labelledby="controls-title">
      <h2 id="controls-title">Control bits of the CPU</h2>
      {BITS.map(({ name, about }) => (
        <label key={name} class="control">
          <input
            type="checkbox"
            checked={controls?.[name] === true}
            onChange={(event) => onChange({ [name]: event.currentTarget.checked })}
          />
          <b>{name.toUpperCase()}</b> <span>{about.replace(/^[^:]+: /, "")}</span>
        </label>
      ))}
    </section>
  );
}
