// Advice: of all cures within a few changes, which make cells safe, and what each costs.

import { checkInteger } from "../base/errors.js";
import type { RunOptions } from "../base/progress.js";
import type { Policy, PolicyName } from "../kernel/policies.js";
import type { KernelVersion } from "../kernel/versions.js";
import { Cells, type JudgedCell, type OpenCell, type ProofOptions, type Prover } from "./cells.js";
import { type Candidate, laterKernels, unchanged, withOneChangeMore } from "./cures.js";

/** What advice is wanted about. */
export interface AdviseOptions extends Omit<ProofOptions, "signal">, RunOptions {
  /** Which Linux is to be mended. Default: the newest that is known. */
  readonly kernel?: string;
  /** The policy that is changed. Default: the kernel's own; `none` for kernels that refuse SVA. */
  readonly from?: PolicyName | Partial<Policy>;
  /** Most changes of a cure: 1 to 4, default 2. */
  readonly changes?: number;
  /** What policies cost under a kernel, in ns, in their order: `simulatedCosts()`, or figures of yours. */
  readonly costs: (policies: readonly Policy[], kernel: KernelVersion) => Promise<readonly number[]>;
  /** What proves cells; default `verdicts` of `stalewalk/verdicts`, that of `stalewalk/verdicts/node` does it on all cores. */
  readonly prover?: Prover;
}

/** A cure that was tried. */
export interface Cure {
  /** What is changed, in words; nothing: the kernel as it is. */
  readonly changes: readonly string[];
  /** The policy that it comes to, and the kernel, if a later one is what is changed. */
  readonly policy: Policy;
  /** Which Linux. */
  readonly kernel: KernelVersion;
  /** Cells, by what they are. */
  readonly cells: Readonly<Record<JudgedCell["state"], number>>;
  /** Those that are not safe. */
  readonly open: readonly OpenCell[];
  /** All cells are proved safe; or all are, as long as deferred work runs between operations only. */
  readonly complete: boolean;
  /** All cells are proved safe as long as deferred work runs between operations only. */
  readonly completeButForRaces: boolean;
  /** What it costs, ns. */
  readonly costNs: number;
  /** No other has as few open cells and costs as little. */
  readonly front: boolean;
}

/** What was found. */
export interface Advice {
  /** Which Linux. */
  readonly kernel: KernelVersion;
  /** Everything that was tried: the kernel as it is first, then by number of changes, then later kernels. */
  readonly cures: readonly Cure[];
  /** The complete cure with fewest changes, of these the cheapest; and the cheapest of all. */
  readonly smallest: Cure | undefined;
  /** The complete cure that costs least. */
  readonly cheapest: Cure | undefined;
  /** The same of cures that are complete but for races. */
  readonly smallestButForRaces: Cure | undefined;
  /** What the smallest cure rests on: cells that are safe by it only because invalidations wait for walks. */
  readonly hangsOnDrain: readonly OpenCell[];
  /** What every proof takes for granted. */
  readonly assumptions: readonly string[];
  /** Cells that were proved, states, transitions: cells that no policy tells apart count once. */
  readonly proved: { readonly cells: number; readonly states: number; readonly transitions: number };
}

const CHANGES = 2;
const MOST_CHANGES = 4;

/**
 * Tries all cures of up to so many changes, proves every cell of an IOMMU's matrix under each, and costs each. A complete cure is not made
 * larger.
 * @throws InvalidOptionError naming the option, the value and what is allowed; or the signal's reason
 * @example
 * ```ts
 * import { advise, simulatedCosts } from "stalewalk/advice";
 *
 * const costs = simulatedCosts({ profile: "vmalloc-churn", operations: 5000 });
 * const advice = await advise({ kernel: "6.18.7", changes: 1, scenarios: ["exit"], walks: "atomic", costs });
 * console.log(advice.smallest?.changes); // []
 * ```
 */
export async function advise(options: AdviseOptions): Promise<Advice> {
  const { kernel, from, changes: asked, costs, prover, onProgress, ...proofs } = options;
  const most = checkInteger("changes", asked ?? CHANGES, 1, MOST_CHANGES);
  const tell = (done: number, total: number): void => onProgress?.({ done, total, unit: "cells" });
  const settings = { hardware: "usual" as const, ...proofs };
  const cells = new Cells(settings, prover, tell);
  const start = unchanged(from, kernel);
  const tried: { candidate: Candidate; cells: JudgedCell[] }[] = [];
  const judge = async (candidates: readonly Candidate[]): Promise<Candidate[]> => {
    const judged = await cells.of(candidates);
    tried.push(...candidates.map((candidate, i) => ({ candidate, cells: judged[i] as JudgedCell[] })));
    return candidates.filter((_, i) => judged[i]?.some(({ state }) => state !== "safe"));
  };
  let open = await judge([start]);
  for (let count = 1; count <= most && open.length > 0; count++) open = await judge(withOneChangeMore(open));
  await judge(laterKernels(start.kernel));

  const prices = await costsOf(
    tried.map(({ candidate }) => candidate),
    costs,
  );
  const cures = withFront(tried.map(({ candidate, cells: own }, i) => cureOf(candidate, own, prices[i] as number)));
  const own = cures.filter((cure) => cure.kernel === start.kernel);
  const smallest = firstBy(
    own.filter(({ complete }) => complete),
    ({ changes, costNs }) => [changes.length, costNs],
  );
  return {
    kernel: start.kernel,
    cures,
    smallest,
    cheapest: firstBy(
      own.filter(({ complete }) => complete),
      ({ costNs, changes }) => [costNs, changes.length],
    ),
    smallestButForRaces: firstBy(
      own.filter(({ completeButForRaces }) => completeButForRaces),
      ({ changes, costNs }) => [changes.length, costNs],
    ),
    hangsOnDrain: smallest ? await withoutDrain(tried, smallest, settings, prover, tell) : [],
    assumptions: [...cells.assumptions],
    proved: { cells: cells.proved, states: cells.states, transitions: cells.transitions },
  };
}

async function withoutDrain(
  tried: readonly { candidate: Candidate }[],
  { policy }: Cure,
  settings: ProofOptions,
  prover: Prover | undefined,
  tell: (done: number, total: number) => void,
): Promise<OpenCell[]> {
  if (settings.drain === "none") return [];
  const candidates = tried.map(({ candidate }) => candidate).filter((candidate) => candidate.policy === policy);
  const [cells] = await new Cells({ ...settings, drain: "none" }, prover, tell).of(candidates.slice(0, 1));
  return openOf(cells ?? []);
}

async function costsOf(candidates: readonly Candidate[], costs: AdviseOptions["costs"]): Promise<number[]> {
  const prices = new Array<number>(candidates.length).fill(Number.NaN);
  for (const kernel of new Set(candidates.map((candidate) => candidate.kernel))) {
    const places = candidates.flatMap((candidate, i) => (candidate.kernel === kernel ? [i] : []));
    const found = await costs(
      places.map((i) => (candidates[i] as Candidate).policy),
      kernel,
    );
    for (const [j, i] of places.entries()) prices[i] = found[j] as number;
  }
  return prices;
}

const openOf = (cells: readonly JudgedCell[]): OpenCell[] =>
  cells.flatMap(({ state, ...cell }) => (state === "safe" ? [] : [{ ...cell, state }]));

function cureOf({ changes, policy, kernel }: Candidate, judged: readonly JudgedCell[], costNs: number): Cure {
  const cells = { safe: 0, race: 0, hazard: 0, unsettled: 0 };
  for (const { state } of judged) cells[state]++;
  const completeButForRaces = cells.hazard + cells.unsettled === 0;
  const complete = completeButForRaces && cells.race === 0;
  return { changes, policy, kernel, cells, open: openOf(judged), complete, completeButForRaces, costNs, front: false };
}

/** On the front is what no other beats: in hazards and what is not settled, in races, in cost, in at least one, and is no worse in any. */
function withFront(cures: readonly Cure[]): Cure[] {
  const sizes = cures.map(({ cells, costNs }) => [cells.hazard + cells.unsettled, cells.race, costNs] as const);
  return cures.map((cure, i) => {
    const own = sizes[i] as readonly number[];
    const beaten = sizes.some(
      (other) =>
        other.every((size, j) => size <= (own[j] as number)) && other.some((size, j) => size < (own[j] as number)),
    );
    return { ...cure, front: !beaten };
  });
}

/** The first by the first number that differs. */
function firstBy(cures: readonly Cure[], key: (cure: Cure) => readonly number[]): Cure | undefined {
  return cures.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)];
    const differs = x.findIndex((number, i) => number !== y[i]);
    return differs < 0 ? 0 : (x[differs] as number) - (y[differs] as number);
  })[0];
}
