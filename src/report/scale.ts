// Scales of charts: where a value lies, and which values an axis names.

import { scaleLinear } from "d3-scale";

/** A scale from 0 to a most. */
export interface Scale {
  /** Where a value lies, in pixels. */
  readonly at: (value: number) => number;
  /** Round values, about so many, with their texts. */
  readonly ticks: (about: number) => { readonly value: number; readonly text: string }[];
}

/** A linear scale from 0 to `most` over `pixels`. */
export function scaleTo(most: number, pixels: number): Scale {
  const scale = scaleLinear([0, Math.max(most, Number.MIN_VALUE)], [0, pixels]);
  return {
    at: (value) => scale(value),
    ticks: (about) => {
      const format = scale.tickFormat(about);
      return scale.ticks(about).map((value) => ({ value, text: format(value) }));
    },
  };
}

/** A unit that suits times up to `most` ns (or ticks of a clock), by name and length. */
export function unitOf(most: number, unit: "ns" | "ticks" = "ns"): { readonly name: string; readonly ns: number } {
  if (unit === "ticks") return { name: "ticks", ns: 1 };
  if (most >= 2e9) return { name: "s", ns: 1e9 };
  if (most >= 2e6) return { name: "ms", ns: 1e6 };
  return most >= 2e3 ? { name: "µs", ns: 1e3 } : { name: "ns", ns: 1 };
}
