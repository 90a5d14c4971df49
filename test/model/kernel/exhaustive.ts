// Everything that may happen, up to a number of moves: breadth first over all moves at all points, on the model. No order is left
// out, nothing is pruned, and nothing is known of the search of src/verdicts/, whose cells it checks.

import type { Kernel, KernelConfig } from "./kernel.js";
import { type KernelOperation, playKernel } from "./operations.js";
import type { Interleaved } from "./points.js";

/** What is explored: a program, and the moves that may stand at any of its points. */
export interface Explored {
  config: KernelConfig;
  setUp: readonly KernelOperation[];
  main: readonly KernelOperation[];
  moves: readonly KernelOperation[];
}

/** What came of it: the fewest moves with a hazard on an IOMMU, or none up to the depth; and how many programs were played. */
export interface Explanation {
  fewest: number | undefined;
  programs: number;
}

type Placed = readonly Interleaved<KernelOperation>[];

/** A program that has shown no hazard yet, and how many points it reached. */
interface Prefix {
  placed: Placed;
  reached: number;
}

/** Plays all programs with one move, then all with two, … up to `depth`. Moves of one point play in their order. */
export function explore(explored: Explored, depth: number): Explanation {
  const { setUp, main } = explored;
  // A move may stand before the first operation of the program itself: at the point that the last one of the set-up ends with.
  const first = play(explored, setUp, []).reached - 1;
  const operations = [...setUp, ...main];
  let programs = 0;
  let prefixes: Prefix[] = [play(explored, operations, [])];
  for (let moves = 1; moves <= depth; moves++) {
    const longer: Prefix[] = [];
    for (const { placed, reached } of prefixes) {
      for (let point = placed.at(-1)?.point ?? first; point < reached; point++) {
        for (const operation of explored.moves) {
          const program = play(explored, operations, [...placed, { point, operation }]);
          programs++;
          if (program.hazard) return { fewest: moves, programs };
          if (moves < depth) longer.push(program);
        }
      }
    }
    prefixes = longer;
  }
  return { fewest: undefined, programs };
}

function play(
  { config }: Explored,
  operations: readonly KernelOperation[],
  placed: Placed,
): Prefix & { hazard: boolean } {
  const k: Kernel = playKernel({ config, operations: [...operations], interleaved: [...placed] });
  const iommus = config.cpus.length;
  const hazard = k.dump().hazards.records.some(({ agent }) => agent >= iommus);
  return { placed, reached: k.points.reached, hazard };
}
