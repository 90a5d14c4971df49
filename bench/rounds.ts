// Rounds over everything that is measured. In each, every contestant is a fresh process, since the same code differs by more between
// processes than within one; at every case contestants take turns. A round goes through all cases before the next begins, so that the
// rounds of a case are as far apart as the run is long: what disturbs one of them has gone by the next.
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
  private readonly calm = { js: Number.POSITIVE_INFINITY, native: Number.POSITIVE_INFINITY };
  private done = 0;
  /** Which contestants cannot play which case, and why. */
  private readonly notPlayed = new Map<string, string>();

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
      return row ? [makeRow(row.head, row.samples)] : [];
    });
  }

  /** What could not be played, in words. */
  get missing(): string[] {
    return [...this.notPlayed.values()];
  }

  private async playBlock(block: Block): Promise<void> {
    const players: Player[] = [];
    try {
      for (const entrant of block.entrants) players.push({ entrant, contender: await entrant.start() });
      // Another order every time: what the case before leaves behind belongs to no case.
      const first = this.done % block.cases.length;
      for (const name of [...block.cases.slice(first), ...block.cases.slice(0, first)]) {
        this.onCase(block, name, this.done + 1);
        await this.playCase(block, name, players);
      }
    } finally {
      for (const { contender } of players) await contender.close();
    }
  }

  private async playCase(block: Block, name: string, all: readonly Player[]): Promise<void> {
    const operations: number[] = [];
    const players: Player[] = [];
    for (const player of all) {
      const played = await this.open(block, name, player, all[0]?.contender);
      if (played === undefined) continue;
      operations.push(played);
      players.push(player);
    }
    const times = players.map((): PieceTimes[] => []);
    for (let turn = 0; turn < this.effort.turns; turn++) {
      for (const [i, { entrant, contender }] of players.entries()) {
        const calm = this.calm[entrant.calibration];
        const taken = await contender.time({ ...this.effort.turn, calm: Number.isFinite(calm) ? calm : null });
        this.calm[entrant.calibration] = calmest(taken, calm);
        times[i]?.push(taken);
      }
    }
    for (const [i, { entrant }] of players.entries()) {
      const joined = joinTimes(times[i] as PieceTimes[]);
      const row = this.rows.get(keyOf(block, name, entrant)) as Running;
      row.samples.push(figureOf(joined, operations[i] as number, this.calm[entrant.calibration]));
    }
  }

  /** Makes a contestant ready and compares it; how much it plays, undefined if it cannot play this. */
  private async open(
    block: Block,
    name: string,
    { entrant, contender }: Player,
    own: Contender | undefined,
  ): Promise<number | undefined> {
    const key = keyOf(block, name, entrant);
    if (this.notPlayed.has(key)) return undefined;
    try {
      const operations = await contender.open(name);
      await this.compare(block, name, entrant, operations, contender, own);
      return operations;
    } catch (error) {
      if (!(error instanceof NotPlayedError)) throw error;
      this.notPlayed.set(key, `${entrant.name} at ${block.table}: ${name}: ${error.message}`);
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
    const { suite, table, unit } = block;
    const counters = { ...check.counters, ...check.notes };
    const head = { suite, table, case: name, contestant, unit, operations, digest: digestOf(check), counters };
    this.rows.set(key, { head, check, samples: [] });
  }
}

function keyOf({ suite, table }: Block, name: string, { name: contestant }: Entrant): string {
  return JSON.stringify([suite, table, name, contestant]);
}
