// Everything that may happen in a cell, by breadth: states, not programs, so that what was reached once is not gone through again.
// Steps of the kernel cost nothing; a read of an address, each piece of a walk in several pieces, another free, a switch of address
// spaces, and (in a race) a run of the worker is a move. Nothing here knows of the search of src/verdicts/, whose cells it checks.

import type { CpuOptions, IommuOptions, ScenarioName } from "../../../src/verdicts/index.js";
import { begin, type Hardware, step } from "./agent.js";
import {
  bindPasid,
  cellPolicies,
  clearPasid,
  enterUser,
  free,
  hasWork,
  type Kernel,
  type Step,
  stepWork,
  switchMm,
} from "./kernel.js";
import { type CellKernel, makeSite, type Site } from "./sites.js";
import { clone, Layout, type State, type Thread, textOf } from "./world.js";

/** What is explored. */
export interface Cell {
  scenario: ScenarioName;
  policy: string;
  kernel: CellKernel;
  iommu?: IommuOptions;
  cpu?: CpuOptions;
  /** Which walks an invalidation waits for; default all of the PASID or CPU. */
  drain?: "all" | "page" | "none";
  /** The worker may run inside other operations. */
  race: boolean;
  /** Operations of two CPUs may be under way at once, in any order; else each inside another one ends first. */
  concurrent?: boolean;
  /** Two walks under way; on IOMMUs the PASID is bound and unbound, and its process may end. */
  wide?: boolean;
  depth: number;
}

/** The fewest moves to a hazard, if there is one up to the depth; how many states there were; whether more depth would find more states. */
export interface Explored {
  fewest: number | undefined;
  states: number;
  complete: boolean;
}

const ASIDS = 6;

class Explorer {
  readonly #site: Site;
  readonly #kernel: Kernel;
  readonly #layout = new Layout();
  readonly #start: State;

  constructor(private readonly cell: Cell) {
    const { policy: name, kernel, iommu, cpu } = cell;
    const policy = cellPolicies[name];
    if (policy === undefined) throw new Error(`no policy ${name}`);
    const l = this.#layout;
    const root = l.table("none");
    const other = l.table("none");
    this.#site = makeSite(cell.scenario, l, root, kernel);
    const { user, regions } = this.#site;
    if (iommu && policy.root === "user-only" && !user) for (const { addresses } of regions) this.#hide(root, addresses);
    // Process 1 has the kernel's half, too.
    if (!user) for (const at of regions[0].addresses) l.set(other, at, 4, l.memory[l.slot(root, at, 4)] ?? 0);
    const hardware: Hardware = {
      ...{ iommu, cpu, layout: l, roots: [root, other], user: iommu !== undefined || user, drain: cell.drain ?? "all" },
      addresses: regions.flatMap(({ addresses }) => addresses),
    };
    this.#kernel = { policy, hardware, broadcasts: cpu?.invlpgb === true && kernel.usesInvlpgb };
    this.#start = {
      ...{
        memory: [...l.memory],
        freed: l.marks.map(() => 0 as const),
        list: [],
        taken: [],
        requests: [],
        running: [],
      },
      ...{
        begun: { a: false, b: false, exit: false },
        paths: [],
        pages: [],
        device: [],
        walk: undefined,
        other: undefined,
        hazard: false,
      },
      ...{ bound: policy.root !== "none", pasidCached: false },
      cpu: {
        ...{ mm: 0, asid: 1, next: 1, userMode: false, othersStale: false, marked: [], generations: [0, 0] },
        asids: [{ mm: 0, generation: 0 }, ...new Array<undefined>(ASIDS - 1).fill(undefined)],
      },
    };
    if (cpu?.pti && user) enterUser(this.#start, this.#kernel);
  }

  /** The end of the process, whose user half is empty in the rows of the kernel's sites. */
  get #exit(): readonly Step[] {
    return [...clearPasid, free(0, "none")];
  }

  /** iommu_sva_unbind_device(), iommu_sva_bind_device(), exit_mmap(). */
  *#processMoves(s: State): Generator<State> {
    const ends = s.begun.exit || (this.cell.scenario === "exit" && s.begun.a);
    if (this.#kernel.policy.root === "none" || ends) return;
    const on = paused(s);
    if (s.bound) for (const step of clearPasid) step(on, this.#kernel);
    else bindPasid(on, this.#kernel);
    yield on;
    if (!this.#site.user) yield this.#started(s, "exit");
  }

  /** A root without the kernel half. */
  #hide(root: number, addresses: readonly bigint[]): void {
    for (const at of addresses) this.#layout.set(root, at, 4, 0);
  }

  run(): Explored {
    const seen = new Set<string>();
    let frontier: State[] = [this.#start];
    for (let moves = 0; ; moves++) {
      // What a move leads to has been seen when it was made, and what costs nothing follows from it at once.
      const reached = frontier;
      const next: State[] = [];
      const add = (s: State, to: State[]): boolean => {
        if (s.hazard) return true;
        const text = textOf(s);
        if (!seen.has(text)) {
          seen.add(text);
          to.push(s);
        }
        return false;
      };
      for (let s = reached.pop(); s !== undefined; s = reached.pop()) {
        for (const free of this.#free(s))
          if (add(free, reached)) return { fewest: moves, states: seen.size, complete: false };
        next.push(s);
      }
      if (moves === this.cell.depth) return { fewest: undefined, states: seen.size, complete: false };
      const made: State[] = [];
      for (const s of next) {
        for (const moved of this.#moves(s))
          if (add(moved, made)) return { fewest: moves + 1, states: seen.size, complete: false };
      }
      if (made.length === 0) return { fewest: undefined, states: seen.size, complete: true };
      frontier = made;
    }
  }

  /** What goes on by itself: the walk that is going, the kernel. */
  *#free(s: State): Generator<State> {
    if (s.walk?.going) {
      const on = clone(s);
      step(on, this.#kernel.hardware);
      yield on;
    }
    const innermost = s.running.length - 1;
    for (const place of s.running.keys()) {
      if (place !== innermost && !(this.cell.concurrent && this.cell.race)) continue;
      const on = paused(s);
      this.#stepThread(on, place);
      yield on;
    }
    if (s.running.length > 0) return;
    if (!s.begun.a && this.#canBegin(s)) yield this.#started(s, "a");
    if (hasWork(s)) yield this.#started(s, "work");
  }

  /** The end of a process is refused while the CPU runs it. */
  #canBegin(s: State): boolean {
    return this.cell.scenario !== "exit" || this.cell.cpu === undefined || s.cpu.mm !== 0;
  }

  #started(s: State, thread: Thread): State {
    const on = paused(s);
    if (thread !== "work") on.begun = { ...on.begun, [thread]: true };
    on.running = [...on.running, { thread, at: 0 }];
    if (thread === "a" && this.cell.scenario === "exit") on.cpu.generations = [-1, on.cpu.generations[1]];
    return on;
  }

  #stepThread(s: State, place: number): void {
    const it = s.running[place] as State["running"][number];
    if (it.thread === "work") {
      this.#goOn(s, place, stepWork(s, this.#kernel, it.at));
      return;
    }
    const steps = it.thread === "exit" ? this.#exit : this.#site.regions[it.thread === "a" ? 0 : 1].free;
    steps[it.at]?.(s, this.#kernel);
    this.#goOn(s, place, it.at + 1 < steps.length ? it.at + 1 : "done");
  }

  #goOn(s: State, place: number, at: number | "done"): void {
    const it = s.running[place] as State["running"][number];
    s.running = at === "done" ? s.running.toSpliced(place, 1) : s.running.with(place, { ...it, at });
  }

  *#moves(s: State): Generator<State> {
    const { hardware } = this.#kernel;
    if (s.walk && !s.walk.going) {
      const on = clone(s);
      if (on.walk) on.walk.going = true;
      step(on, hardware);
      yield on;
    }
    if (s.other) {
      const on = paused(s);
      [on.walk, on.other] = [on.other, on.walk];
      if (on.walk) on.walk.going = true;
      step(on, hardware);
      yield on;
    }
    for (const address of hardware.addresses.keys()) {
      for (const write of this.#site.user && hardware.iommu ? [false, true] : [false]) {
        const on = clone(s);
        const waiting = on.walk;
        on.walk = undefined;
        begin(on, hardware, address, write);
        // A second walk goes to its end at once.
        if (waiting) {
          while (on.walk) step(on, hardware);
          on.walk = waiting;
          on.walk.going = false;
        }
        yield on;
        if (!this.cell.wide || !waiting || s.other) continue;
        const both = paused(s);
        [both.walk, both.other] = [undefined, both.walk];
        if (begin(both, hardware, address, write)) yield both;
      }
    }
    if (this.cell.wide && hardware.iommu) yield* this.#processMoves(s);
    // Programs of CPUs have no other free: the site flushes the CPU itself.
    if (!s.begun.b && hardware.iommu && this.#site.regions[1].free.length > 0) yield this.#started(s, "b");
    const works = s.running.some(({ thread }) => thread === "work");
    if (this.cell.race && s.running.length > 0 && !works && hasWork(s)) yield this.#started(s, "work");
    if (hardware.cpu) {
      const mm = s.cpu.mm === 0 ? 1 : 0;
      if (s.cpu.generations[mm] >= 0) {
        const on = paused(s);
        switchMm(on, this.#kernel, mm);
        yield on;
      }
    }
  }
}

/** Something else happens: the walk, if there is one, has come to wait. */
function paused(s: State): State {
  const on = clone(s);
  if (on.walk) on.walk.going = false;
  return on;
}

/** All that may happen in a cell. */
export const explore = (cell: Cell): Explored => new Explorer(cell).run();
