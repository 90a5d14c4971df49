// Traces on their way to workers: by the digest of their contents, in portions through Redis, once for each machine. Node-only.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { QueueError } from "./libraries.js";
import { keysOf } from "./names.js";
import { roomIn } from "./redis.js";

const PORTION = 1 << 20;
/** Whoever fetches says within this time that they still do. */
const FETCHING_MS = 30_000;
const ASK_AGAIN_MS = 200;

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const portion of createReadStream(file, { highWaterMark: PORTION })) hash.update(portion as Buffer);
  return hash.digest("hex");
}

/**
 * Puts traces where workers find them, and takes away those of earlier sweeps. Gives their digests by their files.
 * @throws QueueError if they do not fit
 */
export async function sendTraces(client: Redis, queue: string, files: Iterable<string>): Promise<Map<string, string>> {
  const keys = keysOf(queue);
  const digests = new Map<string, string>();
  for (const file of new Set(files)) digests.set(file, await digestOf(file));
  const there = new Set(await client.hkeys(keys.traces));
  const wanted = new Set(digests.values());
  await dropTraces(
    client,
    queue,
    [...there].filter((digest) => !wanted.has(digest)),
  );
  for (const [file, digest] of digests) {
    if (there.has(digest)) continue;
    there.add(digest);
    const { size } = statSync(file);
    const room = await roomIn(client);
    if (size > room) {
      throw new QueueError(
        `${file}: has ${size} bytes, and Redis has room for ${Math.max(0, room)}: raise its maxmemory`,
      );
    }
    const hash = createHash("sha256");
    let i = 0;
    for await (const portion of createReadStream(file, { highWaterMark: PORTION })) {
      hash.update(portion as Buffer);
      await client.set(keys.portion(digest, i++), portion as Buffer);
    }
    if (hash.digest("hex") !== digest) throw new QueueError(`${file}: changed while it was read`);
    // Last: who finds this finds the whole.
    await client.hset(keys.traces, digest, i);
  }
  return digests;
}

/** Takes traces away; all, unless some are named. */
export async function dropTraces(client: Redis, queue: string, digests?: readonly string[]): Promise<void> {
  const keys = keysOf(queue);
  for (const digest of digests ?? (await client.hkeys(keys.traces))) {
    const portions = Number(await client.hget(keys.traces, digest));
    await client.hdel(keys.traces, digest);
    for (let i = 0; i < portions; i++) await client.unlink(keys.portion(digest, i));
  }
}

/** The traces of a machine. */
export interface TraceCache {
  /** The file of a trace, fetched if it is not here. @throws QueueError */
  fileOf(digest: string): Promise<string>;
}

/** Where traces are kept unless said. */
export const usualCache = (): string =>
  join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "stalewalk", "traces");

/** Opens a folder of traces, which all workers of a machine share. */
export function openTraceCache(
  client: Redis,
  queue: string,
  folder: string,
  onFetch: (text: string) => void,
): TraceCache {
  mkdirSync(folder, { recursive: true });
  const machine = createHash("sha256")
    .update(`${hostname()}\0${realpathSync(folder)}`)
    .digest("hex")
    .slice(0, 16);
  const found = new Map<string, Promise<string>>();
  return {
    fileOf(digest) {
      const known = found.get(digest);
      if (known) return known;
      const file = find(client, queue, { folder, machine, digest, onFetch });
      found.set(digest, file);
      // What failed is tried again.
      file.catch(() => found.delete(digest));
      return file;
    },
  };
}

interface Wanted {
  readonly folder: string;
  readonly machine: string;
  readonly digest: string;
  readonly onFetch: (text: string) => void;
}

async function find(client: Redis, queue: string, wanted: Wanted): Promise<string> {
  const { folder, machine, digest, onFetch } = wanted;
  const file = join(folder, digest);
  const fetching = keysOf(queue).fetching(machine, digest);
  for (;;) {
    // What lies there may have been changed or cut since.
    if (existsSync(file)) {
      if ((await digestOf(file)) === digest) return file;
      rmSync(file, { force: true });
    }
    if ((await client.set(fetching, process.pid, "PX", FETCHING_MS, "NX")) !== "OK") {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      continue;
    }
    try {
      if (existsSync(file)) continue;
      const bytes = await fetchTrace(client, queue, file, digest, () => client.pexpire(fetching, FETCHING_MS));
      onFetch(`trace ${digest.slice(0, 16)}…: ${bytes} bytes fetched to ${file}`);
    } finally {
      await client.del(fetching);
    }
  }
}

async function fetchTrace(
  client: Redis,
  queue: string,
  file: string,
  digest: string,
  stillHere: () => Promise<unknown>,
): Promise<number> {
  const keys = keysOf(queue);
  const portions = await client.hget(keys.traces, digest);
  if (portions === null) throw new QueueError(`the trace ${digest} is not in the queue any more`);
  const temporary = `${file}.${randomUUID()}.tmp`;
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    const target = await open(temporary, "wx");
    try {
      for (let i = 0; i < Number(portions); i++) {
        const portion = await client.getBuffer(keys.portion(digest, i));
        if (portion === null) throw new QueueError(`portion ${i} of the trace ${digest} is not in the queue`);
        hash.update(portion);
        bytes += portion.length;
        await target.appendFile(portion);
        await stillHere();
      }
      await target.sync();
    } finally {
      await target.close();
    }
    if (hash.digest("hex") !== digest) throw new QueueError(`the trace ${digest} came with other contents`);
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
  return bytes;
}
