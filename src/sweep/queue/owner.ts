// One sweep has a queue at a time: two would take each other's results. Node-only.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Redis } from "ioredis";
import { QueueError } from "./libraries.js";
import { keysOf } from "./names.js";

/** A sweep that does not say so again within this time has ended, however. */
const LEASE_MS = 15_000;
const RENEW_MS = 4000;
const ASK_AGAIN_MS = 500;

const RENEW =
  'if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("PEXPIRE", KEYS[1], ARGV[2]) end return 0';
const RELEASE = 'if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0';

/** What is known of the sweep that has a queue. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Its build. */
  readonly build: string;
  readonly token: string;
}

/** A hold on a queue. */
export interface Lease {
  /** To be called often. @throws QueueError if another sweep has the queue by now */
  renew(): Promise<void>;
  /** Gives the queue up. */
  release(): Promise<void>;
}

/** Who has the queue; undefined: nobody. */
export async function ownerOf(client: Redis, queue: string): Promise<Owner | undefined> {
  const text = await client.get(keysOf(queue).owner);
  return text === null ? undefined : (JSON.parse(text) as Owner);
}

/** Takes the queue; waits as long as a sweep that has just been killed may seem to have it. @throws QueueError if another has it */
export async function takeQueue(client: Redis, queue: string, build: string, signal?: AbortSignal): Promise<Lease> {
  const { owner } = keysOf(queue);
  const me: Owner = { host: hostname(), pid: process.pid, build, token: randomUUID() };
  const value = JSON.stringify(me);
  const since = performance.now();
  while ((await client.set(owner, value, "PX", LEASE_MS, "NX")) !== "OK") {
    signal?.throwIfAborted();
    const other = await ownerOf(client, queue);
    if (other && other.host === me.host && hasEnded(other.pid)) {
      await client.eval(RELEASE, 1, owner, JSON.stringify(other));
    } else if (other && performance.now() - since > LEASE_MS + RENEW_MS) {
      const who = `process ${other.pid} on ${other.host}`;
      throw new QueueError(
        `the queue "${queue}" has a sweep already, ${who}: wait for it, or take another with --queue-name`,
      );
    } else await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
  let renewed = performance.now();
  return {
    async renew() {
      if (performance.now() - renewed < RENEW_MS) return;
      renewed = performance.now();
      if ((await client.eval(RENEW, 1, owner, value, LEASE_MS)) === 1) return;
      // It ran out while Redis or this process was away: still ours, unless somebody came.
      if ((await client.set(owner, value, "PX", LEASE_MS, "NX")) === "OK") return;
      const other = await ownerOf(client, queue);
      throw new QueueError(`the queue "${queue}" was taken by process ${other?.pid} on ${other?.host} meanwhile`);
    },
    async release() {
      await client.eval(RELEASE, 1, owner, value);
    },
  };
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
