// A trace of one's own: picked, dropped anywhere on the page, or drawn as an example. It is read here and goes nowhere.

import type { JSX } from "preact";
import { useCallback, useState } from "preact/hooks";
import { FileInput } from "../shell/file-input.js";
import { useDropped } from "../shell/use-dropped.js";
import { play } from "./play.js";

/** Says what can be opened, and opens it. `compact`: a trace is shown already. */
export function OpenTrace({ compact = false }: { compact?: boolean }): JSX.Element {
  const [state, setState] = useState<{ busy: string; error: string }>({ busy: "", error: "" });
  const run = useCallback((name: string, task: Parameters<typeof play>[0]): void => {
    setState({ busy: name, error: "" });
    play(task).then(
      () => setState({ busy: "", error: "" }),
      (error: Error) => setState({ busy: "", error: error.message }),
    );
  }, []);
  const take = useCallback((file: File): void => run(file.name, { file, name: file.name }), [run]);
  useDropped(take);
  return (
    <>
      <div class={compact ? "opener compact" : "opener"}>
        <FileInput take={take}>
          Drop a kernel trace here (text, plain or gzip), or a result of <code>replay --json</code>; or pick it:
        </FileInput>
        <button
          type="button"
          class={compact ? "" : "main"}
          onClick={() => run("the example", { profile: "vmalloc-churn", operations: 60_000 })}
        >
          Show an example
        </button>
      </div>
      {!compact && state.busy === "" && (
        <p class="lead">
          A trace says when the kernel flushed and freed page tables. Here it is played under eight policies, from doing
          nothing to the patch as it was merged: which freed tables a device would have walked through, when, and what
          each policy costs. The example is drawn at random, like a machine that maps and unmaps much.
        </p>
      )}
      <p class="quiet" aria-live="polite">
        {state.busy !== "" && `Playing ${state.busy} under every policy …`}
      </p>
      {state.error !== "" && (
        <p class="error" role="alert">
          {state.error}
        </p>
      )}
    </>
  );
}
