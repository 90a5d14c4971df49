// A story on the machine, step by step: for each step a machine that stands where the story is then, to be looked at. What else
// could have happened: the same program under another policy, with another kernel or hardware, or without one of its moves.

import { checkInteger, InvalidOptionError } from "../base/errors.js";
import { operation as fieldOf } from "../engine/abi.js";
import type { EngineOptions } from "../engine/instance.js";
import { readNumber, writeNumber } from "../engine/structures.js";
import { checkPolicy, type Policy, type PolicyName } from "../kernel/policies.js";
import { resolveKernel } from "../kernel/versions.js";
import type { Machine } from "../machine.js";
import { Operation, operationBytes } from "../program/operations.js";
import type { ReachedPoint } from "../program/player.js";
import { type Moves, mainOf, movesOf } from "./moves.js";
import type { CpuOptions, IommuOptions } from "./options.js";
import { type Scenario, scenariosOf } from "./scenarios.js";
import { type AgentKind, type Attempt, type Move, type Placed, pointsOf, Stage } from "./stage.js";
import { type Step, type Told, tellAny } from "./story.js";
import type { VerdictRecord } from "./verdict.js";

/** Where a story happens: fields of a {@link VerdictRecord}. A policy that is no preset must be given as an object. */
export interface StoryPlace
  extends Pick<VerdictRecord, "kernel" | "scenario" | "agent" | "options" | "walks" | "drain" | "moves"> {
  /** The policy. */
  policy: PolicyName | Partial<Policy> | string;
}

/** What is changed in a story. */
export interface StoryChange {
  /** Another policy. */
  policy?: PolicyName | Partial<Policy> | string;
  /** Another Linux, as `kernel.version` of a machine. */
  kernel?: string;
  /** Other hardware, of the same agent. */
  options?: IommuOptions | CpuOptions;
  /** Leave out this move: the `move` of a step. */
  drop?: number;
}

/** Operations of a program in which the deferred work runs once. */
const WITH_WORK = 3;

/**
 * A machine as it stands after a step of a story. It may be in the middle of an operation: look at it, play nothing.
 * @param step number of the step, from 1; 0 is before the first
 * @throws InvalidOptionError for a step that the story has not
 * @example
 * ```ts
 * import { machineAt, verdicts } from "stalewalk/verdicts";
 *
 * const options = { policies: ["none"], scenarios: ["pmd_free_pte_page"], hardware: "usual", agents: ["iommu"] } as const;
 * for await (const record of verdicts(options)) {
 *   const { witness } = record;
 *   const last = machineAt(record, witness!, witness!.steps.length);
 *   console.log(last.kernel!.hazards().map(({ kind, site }) => `${kind}, freed by ${site}`)); // [ 'walk-after-free, freed by pmd_free_pte_page' ]
 * }
 * ```
 */
export function machineAt(place: StoryPlace, told: Told, step: number, { module }: EngineOptions = {}): Machine {
  const { machine, kernel } = stageOf(place, module);
  checkInteger("step", step, 0, told.steps.length);
  const setUp = bytesOf(told.replay.setUp);
  const { at } = step === 0 ? { at: undefined } : (told.steps[step - 1] as Step);
  const before = at ? setUp : setUp.slice(0, step);
  for (const record of before) machine.play(record);
  kernel.clearHazards();
  if (!at) return machine;
  const operations = joined(bytesOf(told.replay.operations)).subarray(0, at.records * operationBytes);
  const points = told.replay.points.slice(0, at.records);
  machine.playUntil(joined(bytesOf(told.replay.program)), { operations, points }, at.point);
  return machine;
}

/**
 * Tells the program of a story again, with something changed. Moves keep their places by the names of the points; where there is no
 * such point any more, they come at the one before.
 * @throws InvalidOptionError if there is no such move, or the other kernel has no such site
 * @example
 * ```ts
 * import { retell, verdicts } from "stalewalk/verdicts";
 *
 * const options = { policies: ["none"], scenarios: ["pmd_free_pte_page"], hardware: "usual", agents: ["iommu"] } as const;
 * for await (const record of verdicts(options)) {
 *   const mended = retell(record, record.witness!, { policy: "deferred-free" });
 *   console.log(record.witness!.hazard.kind, mended.hazard); // walk-after-free undefined
 * }
 * ```
 */
export function retell(place: StoryPlace, told: Told, change: StoryChange, { module }: EngineOptions = {}): Told {
  const from = stageOf(place, module);
  const original = attemptOf(from, scenarioOf(place), told);
  if (change.drop !== undefined) checkInteger("drop", change.drop, 0, original.placed.length - 1);
  from.enter(scenarioOf(place));
  from.play(original);
  const trail = from.machine.reachedPoints();
  const { policy = place.policy, kernel = place.kernel, options = place.options } = change;
  const other = { ...place, policy, kernel: resolveKernel(kernel, "kernel").version, options };
  const scenario = scenarioOf(other);
  const to = stageOf(other, module);
  to.enter(scenario);
  const moves = allOf(movesOf(to, scenario));
  // Another policy's deferred work has its turn, whether the program needed one or not.
  const least = from.policy === to.policy ? 0 : WITH_WORK;
  const main = mainOf(to, scenario).slice(0, Math.max(original.main.length, least));
  const placed: Placed[] = [];
  for (const [i, { point, move }] of original.placed.entries()) {
    if (i === change.drop) continue;
    to.play({ main, placed });
    const found = samePoint(trail, point, to.machine.reachedPoints());
    const moved = byRequester(move, to.requester);
    const same = moves.find(({ record }) => hexOf(record) === hexOf(moved.record)) ?? moved;
    placed.push({ point: Math.max(found, placed.at(-1)?.point ?? 0), move: same });
  }
  return tellAny(to, scenario, { main, placed });
}

function stageOf(place: StoryPlace, module: EngineOptions["module"]): Stage {
  const { agent, options, walks, drain, moves } = place;
  const policy = checkPolicy(place.policy, "policy");
  if ("invlpgScope" in options !== (agent === "cpu"))
    throw new InvalidOptionError("options", options, `those of ${agent}`);
  return new Stage(policy, agent as AgentKind, options, place.kernel, { walks, drain }, module, moves);
}

function scenarioOf({ scenario, kernel }: StoryPlace): Scenario {
  const { version, record } = resolveKernel(kernel, "kernel");
  const found = scenariosOf(record).find(({ name }) => name === scenario);
  if (!found) throw new InvalidOptionError("scenario", scenario, `a site that Linux ${version} has`);
  return found;
}

/** The program of a story as the search has it: its records found again among the moves. */
function attemptOf(stage: Stage, scenario: Scenario, { replay }: Told): Attempt {
  stage.enter(scenario);
  const moves = allOf(movesOf(stage, scenario));
  const main = mainOf(stage, scenario).slice(0, bytesOf(replay.program).length);
  let at = 0;
  const placed = bytesOf(replay.operations).map((record): Placed => {
    const point = replay.points[at] as number;
    at += record.length / operationBytes;
    const move = moves.find((it) => hexOf(it.record) === hexOf(record));
    if (!move) throw new InvalidOptionError("replay.operations", hexOf(record), `moves of ${scenario.name}`);
    return { point, move };
  });
  if (pointsOf(placed).join() !== replay.points.join()) {
    throw new InvalidOptionError("replay.points", replay.points.join(), "one point for all records of a move");
  }
  return { main, placed };
}

function allOf(moves: Moves): Move[] {
  const { reads, writes, pending, begins, writeBegins, finishes, processes, reuse, freeAgain, work, switches } = moves;
  const walks = [...begins, ...writeBegins].flat();
  return [...reads, ...writes, ...walks, ...finishes, ...reuse, freeAgain, work, ...switches, ...processes, ...pending];
}

/** What a point is called within its program: the operation it lies in, its name, the how manieth of that name there. */
function placesOf(trail: readonly ReachedPoint[]): (string | undefined)[] {
  const seen = new Map<string, number>();
  let operation = 0;
  return trail.map(({ name, nested }) => {
    if (nested > 0) return undefined;
    const key = `${operation} ${name}`;
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    if (name === "OPERATION_DONE") operation++;
    return `${key} ${count}`;
  });
}

/** The same point in another trail, or the nearest before it that is there too. */
function samePoint(trail: readonly ReachedPoint[], point: number, other: readonly ReachedPoint[]): number {
  const names = placesOf(trail);
  const others = placesOf(other);
  for (let at = point; at >= 0; at--) {
    const name = names[at];
    const found = name === undefined ? -1 : others.indexOf(name);
    if (found >= 0) return found;
  }
  return 0;
}

function bytesOf(text: string): Uint8Array[] {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => Uint8Array.from(word.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
}

function hexOf(record: Uint8Array): string {
  return [...record].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Kinds of moves whose records name who is watched. */
const OF_REQUESTER: ReadonlySet<Move["kind"]> = new Set(["probe", "write", "begin", "bind", "unbind", "switch"]);

/** A move by a requester of another number: a device with a TLB of its own has another than one without. */
function byRequester(move: Move, requester: number): Move {
  if (!OF_REQUESTER.has(move.kind)) return move;
  const record = move.record.slice();
  const view = new DataView(record.buffer);
  for (let at = 0; at < record.length; at += operationBytes) {
    const isStep = readNumber(view, fieldOf.code, at) === Operation.walkStep;
    if (!isStep) writeNumber(view, fieldOf.requester, requester, at);
  }
  return { ...move, record };
}

function joined(records: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of records) {
    all.set(record, at);
    at += record.length;
  }
  return all;
}
