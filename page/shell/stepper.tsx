// Step, back, play: the same buttons and keys wherever something is stepped through.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
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
  // Keys come faster than what they change is shown: each counts from the step last asked for.
  const asked = useRef(step);
  asked.current = step;
  const go = (to: number): void => {
    setPlaying(false);
    asked.current = Math.max(0, Math.min(last, to));
    onStep(asked.current);
  };
  const by = (steps: number): void => go(asked.current + steps);
  useStepKeys({ back: () => by(-1), forward: () => by(1), first: () => go(0), last: () => go(last) });
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
      <button type="button" onClick={() => by(-1)} disabled={step === 0}>
        ◀ Back
      </button>
      <button type="button" class="main" onClick={() => by(1)} disabled={step >= last}>
        Step ▶
      </button>
      <button type="button" onClick={play} aria-pressed={playing}>
        {playing ? "Pause" : step >= last ? "Play from the start" : "Play"}
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
