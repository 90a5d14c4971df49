// What the page and the workers of its benchmark say to each other.

import type { Check } from "../../bench/check.js";
import type { BenchSample } from "../../src/benchmark/result.js";
import type { GivenTrace, PageSuite } from "./plan.js";

/** What a worker is to play: one contestant, in a round, at all cases of a block. */
export interface BenchTask {
  bench: {
    suite: PageSuite;
    table: string;
    contestant: string;
    cases: readonly string[];
    isFirst: boolean;
    trace?: GivenTrace | undefined;
  };
}

/** What it answers: a case, then the end. */
export type BenchAnswer =
  | {
      case: string;
      operations: number;
      check: Check;
      /** Of the first contestant: what the beginnings of the case come to that others play, by their operations. */
      parts: Readonly<Record<number, Check>>;
      sample: BenchSample;
    }
  | { end: true }
  | { error: string };
