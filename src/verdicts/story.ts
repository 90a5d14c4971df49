// A witness as a numbered story: the program is played once more on a machine of its own, with only the set-up that it
// needs. The engine tells which points it reached, by name and with address or frame; here they become sentences. Throws if
// the replay does not show the hazard again.

import type { Hazard } from "../kernel/hazards.js";
import type { ReachedPoint } from "../program/player.js";
import { type SitePoint, type SiteStep, siteRecord, siteSteps } from "../program/sites.js";
import { hasWork } from "./moves.js";
import type { KernelStep, Region } from "./regions.js";
import { type Scenario, sentences } from "./scenarios.js";
import type { Found } from "./search.js";
import { type Attempt, type MainOperation, type Placed, pointsOf, recordOf, Stage } from "./stage.js";
import { flushText, framesText, hazardText, probeText } from "./words.js";

/** Who does a step. */
export type Actor = "setup" | "kernel" | "work" | "other" | "device" | "cpu";

/** One step of a witness. */
export interface Step {
  /** Counted from 1. */
  number: number;
  /** Who does it. */
  actor: Actor;
  /** What is done, in a sentence. */
  text: string;
  /** Frames that this step frees, gives back or queues. */
  frames?: number[];
  /** Frames that wait for the deferred work when it has been done: on its list, or taken from it. */
  held?: number[];
  /** Where it ends: the point of {@link Told.replay}, and how many of its interleaved records have been played. Not in the set-up. */
  at?: { point: number; records: number };
  /** Which of the moves it is, in the order of `replay.operations`; of steps of the program itself none. */
  move?: number;
}

/** A program told step by step. */
export interface Told {
  /** The story; if it ends in a hazard, that is its last step. */
  steps: Step[];
  /** The hazard that it ends in, if it does. */
  hazard?: Hazard;
  /** Number of the step that freed the frame; undefined for a hit, and without a hazard. */
  freedAtStep: number | undefined;
  /** The program itself, as `Machine.playInterleaved` takes it after the set-up has been played; hexadecimal. */
  replay: { setUp: string; program: string; operations: string; points: number[] };
}

/** A program with a hazard. */
export interface Witness extends Told {
  /** The hazard that it ends in. */
  hazard: Hazard;
}

/** Tells a found program on a fresh machine. @throws Error if it has no hazard there */
export function tell(tried: Stage, scenario: Scenario, { attempt }: Pick<Found, "attempt">): Witness {
  const told = tellAny(tried, scenario, attempt);
  const { hazard } = told;
  if (!hazard) throw new Error(`the witness for ${scenario.name} under ${tried.policy.name} shows no hazard`);
  return { ...told, hazard };
}

/** The same of a program that need not have a hazard. */
export function tellAny(tried: Stage, scenario: Scenario, attempt: Attempt): Told {
  const stage = new Stage(
    tried.policy,
    tried.agent,
    tried.options,
    tried.version,
    tried.walking,
    tried.module,
    tried.moves,
  );
  const both = [...attempt.main, ...attempt.placed.map(({ move }) => move)].some(({ region }) => region === 1);
  const setUp = stage.enter(scenario, both ? [0, 1] : [0]);
  return new Teller(stage, scenario, attempt, setUp).tell();
}

class Teller {
  private readonly steps: Step[] = [];
  /** Frames on the deferred list, and those that a run of the deferred work has taken from it. */
  private readonly queued: number[] = [];
  private taken: number[] = [];
  /** Frames freed by the program and not taken yet, the next to be taken last. */
  private readonly free: number[] = [];
  private readonly freedAt = new Map<number, number>();
  /** Frames that the site lets go of and that wait for deferred work. */
  private readonly deferred = new Set<number>();
  /** Where the program stands: see {@link Step.at}. */
  private at: Step["at"];
  /** Number of the latest step that {@link seal} has been asked about. */
  private sealed = 0;

  constructor(
    private readonly stage: Stage,
    private readonly scenario: Scenario,
    private readonly attempt: Attempt,
    private readonly setUp: readonly KernelStep[],
  ) {
    const [start] = attempt.main as [MainOperation];
    for (const main of attempt.main) {
      if (main.kind !== "free") continue;
      stage.play({ main: [start, main], placed: [] });
      this.freedNow();
    }
    stage.rewind();
  }

  tell(): Told {
    const { stage, attempt } = this;
    for (const { text } of this.setUp) this.add("setup", text);
    stage.play(attempt);
    const trail = stage.machine.reachedPoints();
    const points = pointsOf(attempt.placed);
    let begun = true;
    let index = 0;
    for (const [point, reached] of trail.entries()) {
      // What another operation does inside this one is told as a whole, where it plays.
      if (reached.nested > 0) continue;
      this.seal();
      this.at = { point, records: points.filter((at) => at < point).length };
      this.point(attempt.main[index] as MainOperation, reached, begun);
      this.moves(point, index);
      begun = reached.name === "OPERATION_DONE";
      if (begun) index++;
    }
    this.seal();
    stage.play(attempt);
    const hazard = stage.hazards()[0];
    if (!hazard) return { steps: this.steps, freedAtStep: undefined, replay: this.replay() };
    const freedAtStep = this.freedAt.get(hazard.frame);
    const steps = this.withHazard(hazard, freedAtStep);
    return { steps, hazard, freedAtStep, replay: this.replay() };
  }

  /** The last step is the probe that meets the hazard: whatever the kernel does at later points is no part of the story. */
  private withHazard(hazard: Hazard, freedAtStep: number | undefined): Step[] {
    const end = this.steps.findLastIndex(({ actor }) => actor === "device" || actor === "cpu");
    const steps = this.steps.slice(0, end + 1);
    const last = steps.at(-1) as Step;
    const probe = (this.attempt.placed.at(-1) as Placed).move;
    last.text = `${probe.text}: ${hazardText(hazard, freedAtStep, probe.kind === "finish" || probe.kind === "step")}`;
    last.frames = [hazard.frame];
    return steps;
  }

  private add(actor: Actor, text: string, frames: readonly number[] = []): number {
    this.seal();
    const number = this.steps.length + 1;
    const { at } = this;
    this.steps.push({ number, actor, text, ...(frames.length > 0 && { frames: [...frames] }), ...(at && { at }) });
    return number;
  }

  /** Says of the latest step which frames wait when it has been done, which is later than it is told; once, before anything else. */
  private seal(): void {
    const held = [...this.queued, ...this.taken];
    const last = this.steps.at(-1);
    if (last && this.sealed < last.number && held.length > 0) last.held = held;
    this.sealed = this.steps.length;
  }

  /** What the kernel has done when it reaches a point; `begun`: the operation's first. */
  private point(main: MainOperation, { name, at }: ReachedPoint, begun: boolean): void {
    if (name in siteSteps) {
      this.siteStep(name as SitePoint, at, begun ? `${main.text}: ` : "");
    } else if (name === "OPERATION_DONE") {
      if (main.kind === "work") this.workDone(begun);
      else if (main.kind === "free" && this.scenario.user) {
        this.release(
          "kernel",
          "the tables are given back",
          this.tablesOf(this.scenario.regions[main.region ?? 0] as Region),
        );
      }
    } else if (name === "REQUEST_INVALIDATED") {
      this.add("work", "deferred work: an invalidation that a flush asked for is carried out");
    } else if (name === "LIST_TAKEN") {
      this.taken = this.queued.splice(0);
      this.add("work", `deferred work: takes the list (${framesText(this.taken)})`, this.taken);
    } else if (name === "HALF_INVALIDATED") {
      this.add("work", "deferred work: invalidates the kernel half for every PASID");
    } else throw new Error(`no sentence for ${name}, in ${this.scenario.name} under ${this.stage.policy.name}`);
  }

  private siteStep(name: SitePoint, at: bigint, before: string): void {
    const text = before + sentences[name](at);
    const step: SiteStep = siteSteps[name];
    const { flush } = siteRecord(this.scenario.site);
    if (step === "free") this.letGo("kernel", text, [Number(at)], this.scenario.boot);
    else if (step === "flush" && flush !== "none") {
      this.add("kernel", `${text}: ${flushText(this.stage.policy, flush, this.stage.agent, this.stage.broadcasts)}`);
    } else this.add("kernel", text);
  }

  /** A run of the deferred work between operations has ended: what it had taken, or takes at last, is free. */
  private workDone(idle: boolean): void {
    const takesFirst = this.stage.policy.worker === "takes-list-first";
    const freed = takesFirst ? this.taken.splice(0) : this.queued.splice(0);
    if (freed.length > 0) {
      const takes = takesFirst ? "frees" : "takes the list and frees";
      this.release("work", `deferred work: ${takes} ${framesText(freed)}`, freed);
    } else if (idle) this.add("work", "deferred work: nothing to do");
  }

  /** Tables of the region's leaves that its free gives back, leaf level first. */
  private tablesOf({ addresses, free }: Region): number[] {
    const frames = new Set<number>();
    const { stage } = this;
    stage.rewind();
    for (let level = 1; level <= 3; level++) {
      for (const address of addresses) {
        const frame = stage.tableFrame(address, level, this.scenario.user);
        if (frame !== undefined) frames.add(frame);
      }
    }
    stage.machine.playInterleaved(recordOf(free.play), { operations: new Uint8Array(), points: [] });
    // Not all of them need go: MADV_DONTNEED leaves what is above the PT.
    return [...frames].filter((frame) => stage.machine.frames.describe(frame)?.state !== "table");
  }

  private letGo(actor: Actor, text: string, frames: readonly number[], boot = false): void {
    if (frames.every((frame) => this.deferred.has(frame))) {
      this.add(actor, `${text}: ${framesText(frames)} queued for the deferred work`, frames);
      this.queued.push(...frames);
      return;
    }
    const why = boot
      ? " (reserved boot memory is never deferred)"
      : this.stage.policy.free === "deferred"
        ? " (not marked as a kernel table, so not deferred)"
        : "";
    this.release(actor, `${text}: ${framesText(frames)} freed at once${why}`, frames);
  }

  private release(actor: Actor, text: string, frames: readonly number[]): void {
    const number = this.add(actor, text, frames);
    for (const frame of frames) this.freedAt.set(frame, number);
    this.free.push(...frames);
  }

  /** What others do at a point. */
  private moves(point: number, index: number): void {
    const { placed } = this.attempt;
    for (const [i, { point: at, move }] of placed.entries()) {
      if (at !== point) continue;
      this.seal();
      const before = this.steps.length;
      this.at = { point, records: pointsOf(placed.slice(0, i + 1)).length };
      if (move.kind === "probe" || move.kind === "write") {
        this.add(this.stage.agent === "cpu" ? "cpu" : "device", `${move.text}: ${this.effectOf(i, index)}`);
      } else if (move.kind === "begin" || move.kind === "step" || move.kind === "finish") {
        this.add(this.stage.agent === "cpu" ? "cpu" : "device", move.text);
      } else if (move.kind === "free") this.freeElsewhere(move.text, move.region ?? 1);
      else if (move.kind === "work") this.workInside();
      else if (move.kind === "reuse") this.reuse(move.text);
      else this.add("other", move.text);
      for (const step of this.steps.slice(before)) step.move = i;
    }
  }

  private reuse(text: string): void {
    const frame = this.free.pop();
    if (frame === undefined) this.add("other", `somebody takes a free frame and ${text}`);
    else this.add("other", `somebody takes ${framesText([frame])} and ${text}`, [frame]);
  }

  private freeElsewhere(text: string, which: 0 | 1): void {
    const region = this.scenario.regions[which];
    if (this.scenario.user) this.release("other", text, this.tablesOf(region));
    else {
      const frames = this.freedIn(region);
      const [later, now] = [true, false].map((is) => frames.filter((frame) => this.deferred.has(frame) === is));
      for (const some of [later, now]) if (some && some.length > 0) this.letGo("other", text, some);
    }
  }

  /** Frames that a region's free lets go of: played by itself, as an interleaved operation reaches no points. */
  private freedIn({ free }: Region): number[] {
    this.stage.rewind();
    this.stage.machine.playInterleaved(recordOf(free.play), { operations: new Uint8Array(), points: [] });
    return this.freedNow();
  }

  /** Frames that the program just played has let go of; those that are tables still wait for deferred work. */
  private freedNow(): number[] {
    const { machine } = this.stage;
    const freed = machine
      .reachedPoints()
      .flatMap(({ name, at }) => (siteSteps[name as SitePoint] === "free" ? Number(at) : []));
    for (const frame of freed) if (machine.frames.describe(frame)?.state === "table") this.deferred.add(frame);
    return freed;
  }

  private workInside(): void {
    const released = this.queued.splice(0);
    const text = "deferred work runs here, inside the operation";
    if (released.length === 0) this.add("work", hasWork(this.stage) ? text : `${text}: nothing to do`);
    else
      this.release(
        "work",
        `${text}: takes the list, invalidates the kernel half, frees ${framesText(released)}`,
        released,
      );
  }

  /** What a probe that meets no hazard does: played with and without it, and compared. */
  private effectOf(which: number, index: number): string {
    const { stage, attempt } = this;
    const main = attempt.main.slice(0, index + 1);
    const counts = (placed: readonly Placed[]): Map<number, number> => {
      stage.play({ main, placed });
      const agent = stage.machine.iommus[0] ?? stage.machine.cpus[1];
      const fills = [...(agent?.psc ?? [])].map(([level, cache]) => [level, cache.counters.fills] as const);
      return new Map([...fills, [0, agent?.counters.faults ?? 0]]);
    };
    const before = counts(attempt.placed.slice(0, which));
    const after = counts(attempt.placed.slice(0, which + 1));
    const changed = [...after].filter(([key, count]) => count > (before.get(key) ?? 0)).map(([key]) => key);
    const levels = changed.filter((level) => level > 0).sort((a, b) => b - a);
    return probeText(changed.includes(0), levels, stage.agent);
  }

  private replay(): Witness["replay"] {
    const { main, placed } = this.attempt;
    const setUp = this.setUp.map(({ play }) => recordOf(play));
    return {
      setUp: bytesText(setUp),
      program: bytesText(main.map(({ record }) => record)),
      operations: bytesText(placed.map(({ move }) => move.record)),
      points: pointsOf(placed),
    };
  }
}

function bytesText(records: readonly Uint8Array[]): string {
  return records.map((record) => [...record].map((byte) => byte.toString(16).padStart(2, "0")).join("")).join(" ");
}
