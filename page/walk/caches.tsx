// What the caches of the agent hold, and what can be done about it.

import type { JSX } from "preact";
import type { Cache } from "../../src/index.js";
import type { Path } from "./path.js";

/** The caches, with buttons that fill and empty them. */
export function Caches(props: {
  agent: { readonly caches: readonly Cache[] };
  path: Path;
  done: string;
  actions: readonly { name: string; act: () => void }[];
}): JSX.Element {
  const { agent, path, done, actions } = props;
  const held = new Set(path.columns.flatMap(({ cached }) => cached));
  return (
    <section class="panel" aria-labelledby="caches-title">
      <h2 id="caches-title">Caches</h2>
      <div class="actions">
        {actions.map(({ name, act }) => (
          <button type="button" key={name} onClick={act}>
            {name}
          </button>
        ))}
      </div>
      <p aria-live="polite" class="done">
        {done || "An access fills them."}
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">cache</th>
            <th scope="col" class="number">
              live
            </th>
            <th scope="col" class="number">
              room
            </th>
            <th scope="col">of this path</th>
          </tr>
        </thead>
        <tbody>
          {agent.caches.map((cache) => (
            <tr key={cache.name}>
              <th scope="row">{nameOf(cache.name)}</th>
              <td class="number">{cache.contents().length}</td>
              <td class="number">{cache.entries}</td>
              <td>{held.has(cache.name) ? "✓" : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A cache in words: `l1[0]` is the first of the L1 TLBs, `psc3` the paging-structure cache of PDPT entries. */
export function nameOf(name: string): string {
  const level = /^psc(\d)$/.exec(name)?.[1];
  if (level) return `${["", "", "PD", "PDPT", "PML4", "PML5"][Number(level)]} entries (${name})`;
  return name.startsWith("l1") ? `TLB ${name}` : `second TLB ${name}`;
}
