// A file of one's own, picked: what it is for, in words, and the control.

import type { ComponentChildren, JSX } from "preact";

/** Hands over a file that is picked. */
export function FileInput({
  take,
  children,
}: {
  take: (file: File) => void;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <label class="file">
      <span>{children}</span>
      <input
        type="file"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file) take(file);
        }}
      />
    </label>
  );
}
