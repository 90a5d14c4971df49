// Arrow keys for what is stepped through: everywhere in a view but where they mean something already.

import { useEffect } from "preact/hooks";

/** What has arrow keys of its own. */
const OWN = "input, select, textarea, [role='grid'], [role='tablist'], [role='radiogroup'], dialog";

/** What a stepper does. */
export interface Steps {
  back: () => void;
  forward: () => void;
  first: () => void;
  last: () => void;
}

/** Left and right, Home and End step, as long as the view is shown. */
export function useStepKeys({ back, forward, first, last }: Steps): void {
  useEffect(() => {
    const actions: Record<string, () => void> = { ArrowLeft: back, ArrowRight: forward, Home: first, End: last };
    const press = (event: KeyboardEvent): void => {
      const action = actions[event.key];
      if (!action || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (event.target instanceof Element && event.target.closest(OWN)) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
}
