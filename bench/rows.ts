// Rows under way: samples are noted as they come; what is made of them is in statistics.ts.
import type { BenchRow } from "../src/cli/bench-contract.js";

/** Rows of one case, one for each contestant. */
export class CaseRows {
  private readonly rows = new Map<string, BenchRow>();

  constructor(private readonly head: Omit<BenchRow, "contestant" | "operations" | "samples">) {}

  /** Notes the samples of one round, each the seconds that this contestant's `operations` took. */
  note(contestant: string, operations: number, seconds: readonly number[]): void {
    const row = this.rows.get(contestant) ?? { ...this.head, contestant, operations, samples: [] };
    this.rows.set(contestant, row);
    row.samples.push(seconds.map((time) => rounded((time * 1e9) / operations)));
  }

  /** The rows, in the order in which contestants first came. */
  get all(): BenchRow[] {
    return [...this.rows.values()];
  }
}

/** Six digits are more than any clock here has. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/** How long a case may be measured, and how much at least. */
export interface Effort {
  /** Rounds: at least, whatever time they take; and at most, if there is time for them. */
  leastRounds: number;
  mostRounds: number;
  /** Samples of a round at least; and how long a round goes on for each contestant, in seconds. */
  samples: number;
  roundSeconds: number;
  /** No further round is begun after so many seconds. */
  seconds: number;
}

/** Whether a case gets another round: `done` rounds, begun at `started` of performance.now(). */
export function goesOn({ leastRounds, mostRounds, seconds }: Effort, done: number, started: number): boolean {
  if (done < leastRounds) return true;
  return done < mostRounds && performance.now() - started < seconds * 1000;
}
