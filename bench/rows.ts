// Rows under way: times are noted as they come, a list a round; what is made of them is in src/benchmark/.
import type { BenchRow, BenchSample } from "../src/benchmark/result.js";
import { makeRow, type RowHead } from "../src/benchmark/row.js";
import { median } from "../src/benchmark/statistics.js";

/** Rows of one case, one for each contestant. */
export class CaseRows {
  private readonly rows = new Map<string, { head: RowHead; samples: BenchSample[] }>();

  constructor(private readonly head: Omit<RowHead, "contestant" | "operations">) {}

  /** Notes the times of one round, each the seconds that this contestant's `operations` took. */
  note(contestant: string, operations: number, seconds: readonly number[]): void {
    const row = this.rows.get(contestant) ?? { head: { ...this.head, contestant, operations }, samples: [] };
    this.rows.set(contestant, row);
    const times = seconds.map((time) => rounded((time * 1e9) / operations));
    row.samples.push({ least: Math.min(...times), median: median(times), times: times.length, dropped: 0 });
  }

  /** The rows, in the order in which contestants first came. */
  get all(): BenchRow[] {
    return [...this.rows.values()].map(({ head, samples }) => makeRow(head, samples));
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
