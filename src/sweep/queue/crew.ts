// Which workers there are: each says now and then what it has done, a sweep reads it. Node-only.
import type { Redis } from "ioredis";
import { keysOf } from "./names.js";

/** A worker says so this often. */
export const BEAT_MS = 2000;
/** Silent for this long it counts as gone, and then is forgotten. */
const GONE_MS = 10_000;
const FORGOTTEN_MS = 120_000;

/** A worker as a sweep sees it. */
export interface CrewMember {
  /** Its machine. */
  readonly host: string;
  /** Its process. */
  readonly pid: number;
  /** Its threads. */
  readonly threads: number;
  /** Jobs under way. */
  readonly active: number;
  /** Jobs done since it began. */
  readonly done: number;
  /** Jobs that failed there. */
  readonly failed: number;
  /** False: it has not been heard of for ten seconds. */
  readonly here: boolean;
}

/** What a worker says. */
export interface Beat extends Omit<CrewMember, "here"> {
  /** Counts up: clocks of machines differ. */
  readonly beat: number;
}

/** Says what a worker has done. */
export async function sayBeat(client: Redis, queue: string, id: string, beat: Beat): Promise<void> {
  await client.hset(keysOf(queue).workers, id, JSON.stringify(beat));
}

/** A worker ends. */
export async function sayEnd(client: Redis, queue: string, id: string): Promise<void> {
  await client.hdel(keysOf(queue).workers, id);
}

/** Reads what all workers say, again and again. */
export function watchCrew(client: Redis, queue: string): () => Promise<CrewMember[]> {
  const heard = new Map<string, { beat: number; at: number }>();
  return async () => {
    const { workers } = keysOf(queue);
    const now = performance.now();
    const crew: CrewMember[] = [];
    for (const [id, text] of Object.entries(await client.hgetall(workers))) {
      const { beat, ...rest } = JSON.parse(text) as Beat;
      const last = heard.get(id);
      if (last?.beat !== beat) heard.set(id, { beat, at: now });
      const silent = last?.beat === beat ? now - last.at : 0;
      if (silent > FORGOTTEN_MS) {
        await client.hdel(workers, id);
        heard.delete(id);
      } else crew.push({ ...rest, here: silent < GONE_MS });
    }
    return crew.toSorted((a, b) => (a.host === b.host ? a.pid - b.pid : a.host < b.host ? -1 : 1));
  };
}
