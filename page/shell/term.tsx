// A term with its meaning beside it: on hover, on focus, and for a screen reader always.

import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { glossary, type TermName } from "./glossary.js";

/** Text that is explained; without text the term itself. */
export function Term({ of, children }: { of: TermName; children?: ComponentChildren }): JSX.Element {
  const id = useId();
  return (
    <span class="term">
      <button type="button" aria-describedby={id}>
        {children ?? of}
      </button>
      <span role="tooltip" id={id}>
        {glossary[of]}
      </span>
    </span>
  );
}
