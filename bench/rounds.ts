// Rounds over everything that is measured. In each, every contestant is a fresh process, since the same code differs by more between
// processes than within one; at every case contestants take turns. A round goes through all cases before the next begins, so that the
// rounds of a case are as far apart as the run is long: what disturbs one of them has gone by the next. A run that must be over in time
// gives every block its share of what is left, and leaves out what does not fit.
import type { BenchRow, BenchSample } from "../src/benchmark/result.js";
import { makeRow, type RowHead } from "../src/benchmark/row.js";
import type { Block } from "./blocks.js";
import { type Check, compareChecks, digestOf } from "./check.js";
import type { Contender, Entrant } from "./contender.js";
import { calmest, figureOf, joinTimes } from "./figure.js";
import { NotPlayedError } from "./library.js";
import type { PieceTimes } from "./pieces.js";
import type { Limits } from "./stopwatch.js";

/** How long a run goes on. */
export interface Effort {
  /** Rounds: at least, whatever time they take; and at most. */
  leastRounds: number;
  mostRounds: number;
  /** Turns of each contestant at a case, and how long one is. */
  turns: number;
  turn: Omit<Limits, "calm">;
}

interface Player {
  entrant: Entrant;
  contender: Contender;
}

interface Running {
  head: RowHead;
  check: Check;
  samples: BenchSample[];
}

/** The rounds of a run. */
export class Rounds {
  private readonly rows = new Map<string, Running>();
  /** The least time of the fixed work, by who did it. */
  private readonly calm = new Map<string, number>();
  private done = 0;
  /** Which contestants cannot play which case, and why. */
  private readonly notPlayed = new Map<string, string>();
  /** Milliseconds that a case took at most, by block. */
  private readonly longest = new Map<Block, number>();

  constructor(
    private readonly blocks: readonly Block[],
    private readonly effort: Effort,
    /** Told before each case. */
    private readonly onCase: (block: Block, name: string, round: number) => void,
  ) {}

  /** Plays rounds until the next one would end after `end` (performance.now()). @throws MismatchError */
  async play(end: number): Promise<void> {
    const { leastRounds, mostRounds } = this.effort;
    let longest = 0;
    while (this.done < mostRounds && (this.done < leastRounds || performance.now() + longest < end)) {
      const start = performance.now();
      for (const block of this.blocks) await this.playBlock(block);
      this.done++;
      longest = Math.max(longest, performance.now() - start);
    }
  }

  /** All rows, block by block, in the order of cases and contestants. */
  get all(): BenchRow[] {
    const order = this.blocks.flatMap((block) =>
      block.cases.flatMap((name) => block.entrants.map((entrant) => keyOf(block, name, entrant))),
    );
    return order.flatMap((key) => {
      const row = this.rows.get(key);
      // Who was lost before its first time has no row.
      return row && row.samples.length > 0 ? [makeRow(row.head, row.samples)] : [];
    });
  }

  /** Plays what fits before `end` (performance.now()); of the first block one case, whatever time that takes. @throws MismatchError */
  async playInTime(end: number): Promise<void> {
    const now = () => performance.now();
    for (let played = 1; played > 0 && this.done < this.effort.mostRounds; this.done++) {
      played = 0;
      for (const [i, block] of this.blocks.entries()) {
        const share = now() + (end - now()) / (this.blocks.length - i);
        // How long a case takes is not known before the first.
        const begins = (first: boolean) => first && this.done === 0 && (i === 0 || now() < end);
        played += await this.playBlock(block, (first) => begins(first) || now() + this.longestOf(block) < share);
      }
    }
  }

  /** What could not be played, in words. */
  get missing(): string[] {
    const left = this.blocks.flatMap((block) => {
      const names = block.cases.filter((name) => this.samplesOf(block, name) === 0);
      return names.length === 0 ? [] : [`${block.table}, for want of time (--seconds): ${names.join("; ")}`];
    });
    return [...this.notPlayed.values(), ...left];
  }

  /** Starts all contestants at once: on a busy machine as many processes get as many shares of it. */
  private async start(block: Block, players: Player[]): Promise<void> {
    const started = await Promise.allSettled(block.entrants.map((entrant) => entrant.start()));
    for (const [i, it] of started.entries()) {
      if (it.status === "fulfilled") players.push({ entrant: block.entrants[i] as Entrant, contender: it.value });
    }
    for (const it of started) if (it.status === "rejected") throw it.reason;
  }

  /** Those that were played least first. */
  private inOrder(block: Block): string[] {
    // Another order every time: what the case before leaves behind belongs to no case.
    const first = this.done % block.cases.length;
    const turned = [...block.cases.slice(first), ...block.cases.slice(0, first)];
    return turned.sort((a, b) => this.samplesOf(block, a) - this.samplesOf(block, b));
  }

  private samplesOf(block: Block, name: string): number {
    const row = this.rows.get(keyOf(block, name, block.entrants[0] as Entrant));
    return row?.samples.length ?? 0;
  }

  private longestOf(block: Block): number {
    return this.longest.get(block) ?? 0;
  }

  /** Plays the cases of a block for which there is time; how many. */
  private async playBlock(block: Block, hasTime: (first: boolean) => boolean = () => true): Promise<number> {
    const players: Player[] = [];
    let played = 0;
    try {
      for (const name of this.inOrder(block)) {
        if (!hasTime(played === 0)) break;
        const start = performance.now();
        if (played === 0) {
          await this.start(block, players);
        }
        this.onCase(block, name, this.done + 1);
        await this.playCase(block, name, players);
        this.longest.set(block, Math.max(this.longestOf(block), performance.now() - start));
        played++;
      }
      return played;
    } finally {
      for (const { contender } of players) await contender.close();
    }
  }

  private async playCase(block: Block, name: string, all: readonly Player[]): Promise<void> {
    const own = all[0]?.contender;
    const open = async (player: Player) => ({ player, played: await this.open(block, name, player, own) });
    // The first says what the others must come to; these are made ready at once.
    const ready = await Promise.all(all.slice(0, 1).map(open));
    ready.push(...(await Promise.all(all.slice(1).map(open))));
    const players = ready.flatMap(({ player, played }) => (played === undefined ? [] : player));
    const operations = ready.flatMap(({ played }) => played ?? []);
    const times = players.map((): PieceTimes[] => []);
    for (let turn = 0; turn < this.effort.turns; turn++) {
      for (const [i, { entrant, contender }] of players.entries()) {
        const calm = this.calm.get(entrant.calibration) ?? Number.POSITIVE_INFINITY;
        const limits = { ...this.effort.turn, calm: Number.isFinite(calm) ? calm : null };
        const taken = await this.unlessLost(block, name, entrant, () => contender.time(limits));
        if (!taken) continue;
        this.calm.set(entrant.calibration, calmest(taken, calm));
        times[i]?.push(taken);
      }
    }
    for (const [i, { entrant }] of players.entries()) {
      if (times[i]?.length === 0) continue;
      const joined = joinTimes(times[i] as PieceTimes[]);
      const row = this.rows.get(keyOf(block, name, entrant)) as Running;
      row.samples.push(figureOf(joined, operations[i] as number, this.calm.get(entrant.calibration) as number));
    }
  }

  /** Makes a contestant ready and compares it; how much it plays, undefined if it cannot play this. */
  private async open(
    block: Block,
    name: string,
    { entrant, contender }: Player,
    own: Contender | undefined,
  ): Promise<number | undefined> {
    if (this.notPlayed.has(keyOf(block, name, entrant))) return undefined;
    return this.unlessLost(block, name, entrant, async () => {
      const operations = await contender.open(name);
      await this.compare(block, name, entrant, operations, contender, own);
      return operations;
    });
  }

  /** What a contestant answers; undefined, and named, if it cannot play this, or is lost in the middle of it, as a browser may be. */
  private async unlessLost<T>(
    block: Block,
    name: string,
    entrant: Entrant,
    act: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof NotPlayedError)) throw error;
      this.notPlayed.set(keyOf(block, name, entrant), `${entrant.name} at ${block.table}: ${name}: ${error.message}`);
      return undefined;
    }
  }

  /** In its first round a contestant is compared with the first one, in later rounds with itself. */
  private async compare(
    block: Block,
    name: string,
    entrant: Entrant,
    operations: number,
    contender: Contender,
    own: Contender | undefined,
  ): Promise<void> {
    const where = `${block.table}: ${name}`;
    const key = keyOf(block, name, entrant);
    const check = await contender.check();
    const before = this.rows.get(key);
    if (before) {
      compareChecks(where, [entrant.name, before.check], [`${entrant.name} in another process`, check]);
      return;
    }
    const [firstEntrant] = block.entrants;
    const first = firstEntrant && this.rows.get(keyOf(block, name, firstEntrant));
    let contestant = entrant.name;
    if (first && own && own !== contender && !block.otherWork?.includes(entrant.name)) {
      const mine = operations === first.head.operations ? first.check : await own.check(operations);
      const differs = mine.hash !== check.hash;
      if (differs && block.otherRules?.includes(entrant.name)) contestant = `${entrant.name} (other rules)`;
      else compareChecks(where, [firstEntrant.name, mine], [entrant.name, check]);
    }
    const { suite, table, unit, grows } = block;
    const size = grows?.sizes[name];
    const at = grows && size !== undefined ? { grows: { of: grows.of, size } } : {};
    const counters = { ...check.counters, ...check.notes };
    const head = { suite, table, case: name, contestant, unit, operations, digest: digestOf(check), counters, ...at };
    this.rows.set(key, { head, check, samples: [] });
  }
}

function keyOf({ suite, table }: Block, name: string, { name: contestant }: Entrant): string {
  return JSON.stringify([suite, table, name, contestant]);
}
