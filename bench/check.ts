// Check values: what a contestant computed, small enough to compare before anything is timed.
import { agentCounters, cacheCounters, type Piece, type Player } from "./contestants/contestant.js";

/** Hash over all outcomes in order, and every counter. */
export interface Check {
  /** Hexadecimal digits. */
  hash: string;
  counters: Record<string, number>;
  /** What only some contestants count: not compared. */
  notes?: Record<string, number>;
}

/** Hash of anything that is JSON, or would be without its bigints, 8 hexadecimal digits (FNV-1a over its text). */
export function hashOf(value: unknown): string {
  let hash = 0x811c9dc5;
  const text = JSON.stringify(value, (_, it) => (typeof it === "bigint" ? `0x${it.toString(16)}` : it));
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** Thrown when two contestants disagree. */
export class MismatchError extends Error {
  override name = "MismatchError";
}

/** Plays some programs in turn, `times` times, on a machine on which nothing has been played before. */
export function checkOf(player: Player, programs: readonly (readonly Piece[])[], times: number): Check {
  let low = 0;
  let high = 0;
  const take = (words: Uint32Array): void => {
    for (let i = 0; i < words.length; i += 2) {
      low = Math.imul(low ^ (words[i] as number), 0x9e3779b1);
      low = (low << 13) | (low >>> 19);
      high = Math.imul(high ^ (words[i + 1] as number) ^ low, 0x85ebca6b);
      high = (high << 11) | (high >>> 21);
    }
  };
  for (let i = 0; i < times; i++) {
    for (const piece of programs.flat()) {
      piece.play();
      take(piece.outcomes());
    }
  }
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
  return { hash: hex(low) + hex(high), counters: namedCounters(player.counters()) };
}

const AGENT = ["translations", "faults", "walks", "entry reads", "A/D writes", "invalidations"];
const CACHE = ["lookups", "hits", "fills", "evictions", "invalidated"];

/** The counters of a {@link Player} by name. */
export function namedCounters(values: readonly number[]): Record<string, number> {
  return Object.fromEntries(values.map((value, i) => [counterName(i), value]));
}

function counterName(index: number): string {
  if (index < agentCounters) return AGENT[index] as string;
  const which = index - agentCounters;
  return `${CACHE[which % cacheCounters]} of cache ${Math.floor(which / cacheCounters)}`;
}

/** Hash of a check: the digest of a row. */
export function digestOf({ hash, counters }: Check): string {
  return `${hash}${hashOf(counters)}`;
}

/**
 * Compares two checks.
 * @throws MismatchError naming the case, both contestants and the first thing that differs
 */
export function compareChecks(where: string, [nameA, a]: [string, Check], [nameB, b]: [string, Check]): void {
  const differs = (what: string, x: unknown, y: unknown) =>
    new MismatchError(`${where}: ${nameA} and ${nameB} disagree about ${what}: ${x} and ${y}`);
  for (const name of new Set([...Object.keys(a.counters), ...Object.keys(b.counters)])) {
    if (a.counters[name] !== b.counters[name]) throw differs(name, a.counters[name], b.counters[name]);
  }
  if (a.hash !== b.hash) throw differs("the outcomes (hash)", a.hash, b.hash);
}
