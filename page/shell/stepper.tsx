// Step, back, play: the same buttons and keys wherever something is stepped through.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useStepKeys } from "./keys.js";

/** Milliseconds that a step stays while it plays. */
const PACE = 1200;

/** A row of buttons; `step` counts from 0 to `last`. */
export function Stepper(props: {
  step: number;
  last: number;
  what: string;
  onStep: (step: number) => void;
}): JSX.Element {
  const { step, last, what, onStep } = props;
  const [playing, setPlaying] = useState(false);
  const go = (to: number): void => {
    setPlaying(false);
    onStep(Math.max(0, Math.min(last, to)));
  };
  useStepKeys({ back: () => go(step - 1), forward: () => go(step + 1), first: () => go(0), last: () => go(last) });
  useEffect(() => {
    if (!playing) return;
    if (step >= last) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => onStep(step + 1), PACE);
    return () => clearTimeout(timer);
  }, [playing, step, last, onStep]);
  const play = (): void => {
    if (!playing && step >= last) onStep(0);
    setPlaying(!playing);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has a legend that is seen
    <div class="stepper" role="group" aria-label={`Steps of ${what}`}>
      <button type="button" onClick={() => go(0)} disabled={step === 0} aria-label="First step">
        |◀
      </button>
      <button type="button" onClick={() => go(step - 1)} disabled={step === 0}>
        ◀ Back
      </button>
      <button type="button" class="main" onClick={() => go(step + 1)} disabled={step >= last}>
        Step ▶
      </button>
      <button type="button" onClick={play} aria-pressed={playing}>
        {playing ? "Pause" : "Play"}
      </button>
      <button type="button" onClick={() => go(last)} disabled={step >= last} aria-label="Last step">
        ▶|
      </button>
      <span class="count">
        {step} of {last}
      </span>
      <span class="hint">
        keys <kbd>←</kbd> <kbd>→</kbd>
      </span>
    </div>
  );
}
