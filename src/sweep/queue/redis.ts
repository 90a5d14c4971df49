// A connection to the Redis or Valkey that holds a queue, and what it must be set to so that no job is lost. Node-only.
import type { Redis } from "ioredis";
import { InvalidOptionError } from "../../base/errors.js";
import { loadLibraries, QueueError } from "./libraries.js";

/** The lines of docs/sweeps.md, in short. */
const START = "redis-server --appendonly yes --maxmemory-policy noeviction";
const LONGEST_WAIT_MS = 2000;
const CONNECT_MS = 10_000;
const OLDEST = 5;

/** Told in words: that Redis went away, that it is back. */
export type OnNote = (text: string) => void;

/** A URL as it may be shown: without its password. */
export function shown(url: string): string {
  const parsed = new URL(url);
  if (parsed.password !== "") parsed.password = "…";
  return decodeURIComponent(parsed.href);
}

function checkUrl(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  if (protocol === "redis:" || protocol === "rediss:") return;
  throw new InvalidOptionError("queue", url, "a URL like redis://HOST:6379 or rediss://USER:PASSWORD@HOST:6379/0");
}

/**
 * Connects, and checks what Redis is set to. After this a connection that breaks is made again for as long as it takes; commands wait.
 * @throws QueueError if nobody answers, or if jobs could get lost there
 */
export async function connect(url: string, onNote: OnNote): Promise<Redis> {
  checkUrl(url);
  const { Redis } = await loadLibraries();
  let connected = false;
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: null,
    // The first attempt is the only one: a wrong address is said at once.
    retryStrategy: (times) => (connected ? Math.min(100 * times, LONGEST_WAIT_MS) : null),
  });
  let reason = "no answer";
  client.on("error", (error: Error) => {
    reason = reasonOf(error);
  });
  try {
    await client.connect();
    await check(client, url);
  } catch (error) {
    client.disconnect();
    if (error instanceof QueueError) throw error;
    const why = error instanceof Error && !/closed/.test(error.message) ? reasonOf(error) : reason;
    throw new QueueError(`${shown(url)}: ${why}; expected a Redis or Valkey, started like: ${START}`);
  }
  connected = true;
  let away = false;
  client.on("close", () => {
    // A "close" comes for every attempt that fails, too.
    if (!away && client.status !== "end") onNote(`${shown(url)} is away (${reason}): waiting until it is back`);
    away = true;
  });
  client.on("ready", () => {
    if (away) onNote(`${shown(url)} is back`);
    away = false;
  });
  return client;
}

function reasonOf(error: Error): string {
  // Node tries every address of a name, and says nothing of its own then.
  const { code, message } = error as NodeJS.ErrnoException;
  return message || (code ?? error.name);
}

/** A restart must not lose jobs, and a full memory must not take them away. */
async function check(client: Redis, url: string): Promise<void> {
  const info = factsOf(await client.info());
  const version = info.get("redis_version") ?? "";
  if (Number.parseInt(version, 10) < OLDEST) {
    throw new QueueError(`${shown(url)}: is Redis ${version}; expected ${OLDEST}.0 or later`);
  }
  if (info.get("aof_enabled") !== "1") {
    throw new QueueError(
      `${shown(url)}: appendonly is "no"; expected "yes", since a restart would lose jobs: start it with --appendonly yes, ` +
        "or redis-cli CONFIG SET appendonly yes",
    );
  }
  const policy = info.get("maxmemory_policy") ?? "unknown";
  if (policy !== "noeviction") {
    throw new QueueError(
      `${shown(url)}: maxmemory-policy is "${policy}"; expected "noeviction", since a full memory would lose jobs: start it with ` +
        "--maxmemory-policy noeviction, or redis-cli CONFIG SET maxmemory-policy noeviction",
    );
  }
}

/** Bytes that are free under Redis' limit; infinite without one. */
export async function roomIn(client: Redis): Promise<number> {
  const info = factsOf(await client.info("memory"));
  const most = Number(info.get("maxmemory") ?? 0);
  return most === 0 ? Number.POSITIVE_INFINITY : most - Number(info.get("used_memory") ?? 0);
}

function factsOf(info: string): Map<string, string> {
  return new Map(
    info.split(/\r?\n/).flatMap((line): [string, string][] => {
      const at = line.indexOf(":");
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}
