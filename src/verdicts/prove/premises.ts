// What an exploration takes for granted of its cell, looked at in every state that it comes to: no bound of the model is reached, no cache is
// so full that it has to choose, and the row does nothing that it is said never to do (alike.ts). An error, not a verdict, if it is not so.

import { kernelCounters } from "../../engine/abi.js";
import { resolveKernel } from "../../kernel/versions.js";
import type { Scenario } from "../scenarios.js";
import type { Stage } from "../stage.js";
import { actsOf, hasWorkIn } from "./alike.js";
import type { Forms } from "./form.js";

/** A counter of the kernel: which word it is, and what it must be. */
interface Counted {
  name: string;
  word: number;
  is: number;
  what: typeof SMALL | typeof UNSAID;
}

const SMALL = "the stage is too small for this cell";
const UNSAID = "the row does what it is said never to do";
/** Counters that must not rise: a proof is about programs that never come to these bounds. */
const BOUNDS = ["outOfFrames", "lostRequests"];

/** The premises of a cell, at whose begin the machine is. */
export class Premises {
  readonly #counted: readonly Counted[];
  readonly #evictions: number;
  readonly #workless: boolean;

  constructor(
    private readonly stage: Stage,
    private readonly forms: Forms,
    scenario: Scenario,
    takes: boolean,
  ) {
    const { policy, agent, version } = stage;
    const { record } = resolveKernel(version);
    const { kernelRange, flushAll } = actsOf(scenario, policy, record);
    // A CPU notices the frees of deferred work, not its invalidations of an IOMMU: such work may wait, and does nothing to be seen.
    const unseen = agent === "cpu" && policy.timing === "work";
    this.#workless = !unseen && !hasWorkIn(scenario, policy, agent, record);
    this.#evictions = forms.evictions();
    const counted = (name: string, what: Counted["what"], is?: number): Counted => {
      const word = forms.counterAt(kernelCounters.indexOf(name as (typeof kernelCounters)[number]));
      return { name, what, word, is: is ?? (forms.memory[word] as number) };
    };
    this.#counted = [
      ...BOUNDS.map((name) => counted(name, SMALL)),
      // None in the set-up either: a hooked flush there may have left work behind.
      ...(kernelRange ? [] : [counted("kernelRangeFlushes", UNSAID, 0)]),
      ...(flushAll ? [] : [counted("flushAlls", UNSAID, 0)]),
      // Nobody else takes a frame in this exploration (choices.ts): then the kernel must not either.
      ...(takes ? [] : [counted("tablesAllocated", UNSAID)]),
    ];
  }

  /** @throws Error if one of them does not hold */
  check(): void {
    if (this.forms.evictions() !== this.#evictions) throw new Error("a cache of the stage is too small for this cell");
    for (const { name, what, word, is } of this.#counted) {
      const now = this.forms.memory[word];
      if (now !== is) throw new Error(`${what}: ${name} is ${now}; expected ${is}`);
    }
    if (this.#workless && this.stage.machine.engine.exports.workWaits() !== 0) {
      throw new Error(`${UNSAID}: deferred work waits`);
    }
  }
}
