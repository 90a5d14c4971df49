// One entry, bit by bit, as the manual draws it; single bits can be changed.

import type { JSX } from "preact";
import { TABLE_NAMES } from "../../src/paging/describe.js";
import { grouped, hex } from "../words.js";
import { fieldsOf, fieldValue } from "./fields.js";
import type { Column } from "./path.js";

/** The fields of an entry; a changed entry is handed on. */
export function EntryBits({ column, onEntry }: { column: Column; onEntry: (entry: bigint) => void }): JSX.Element {
  const { level, index, entry, leaf } = column;
  return (
    <section class="panel entry" aria-labelledby="entry-title">
      <h2 id="entry-title">
        Entry {index} of the {TABLE_NAMES[level]}
      </h2>
      <p class="mono">{grouped(entry)}</p>
      <ul class="fields">
        {fieldsOf(level, leaf).map((field) => {
          const { name, high, low, about } = field;
          const value = fieldValue(entry, field);
          return (
            <li key={high} title={about}>
              <small>{high === low ? high : `${high}–${low}`}</small>
              {high === low ? (
                <button type="button" aria-pressed={value === 1n} onClick={() => onEntry(entry ^ (1n << BigInt(low)))}>
                  <b>{name}</b> {String(value)}
                  <span class="hidden">
                    , bit {low}: {about}
                  </span>
                </button>
              ) : (
                <span class="field">
                  <b>{name}</b> <span class="mono">{hex(value)}</span>
                </span>
              )}
            </li>
          );
        })}
      </ul>
      <p class="quiet">A bit that is clicked changes in memory, as if the kernel had written it without a flush.</p>
    </section>
  );
}
