// What a sweep and its workers agree on: names of keys, what a job is in the queue, and which build does it. Node-only.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { InvalidOptionError } from "../../base/errors.js";
import { builtFile } from "../../pool/node.js";
import type { SweepJob } from "../plan.js";

/** Of BullMQ's keys. */
export const PREFIX = "stalewalk";
/** The queue's name unless another is asked for. */
export const QUEUE = "sweep";
/** BullMQ's name of every job: they are told apart by their ids. */
export const JOB = "job";

/** A job as it lies in the queue. */
export interface QueuedJob {
  /** The job. */
  readonly job: SweepJob;
  /** The plan that it is of. */
  readonly plan: string;
  /** The build that it was made for: another one could come to other results. */
  readonly build: string;
  /** The trace's digest, of a replay. */
  readonly trace?: string;
}

/** The id of a job in the queue; BullMQ takes no id that is a number. */
export const queuedId = (id: string): string => `j${id}`;

/** Keys beside BullMQ's. */
export const keysOf = (queue: string) => {
  const key = (name: string): string => `${PREFIX}-sweep:${queue}:${name}`;
  return {
    /** Which sweep has the queue. */
    owner: key("owner"),
    /** Workers, by their ids. */
    workers: key("workers"),
    /** Sizes of traces, by their digests. */
    traces: key("traces"),
    /** A portion of a trace. */
    portion: (digest: string, i: number): string => key(`trace:${digest}:${i}`),
    /** Who is fetching a trace for a machine. */
    fetching: (machine: string, digest: string): string => key(`fetching:${machine}:${digest}`),
  };
};

/** @throws InvalidOptionError */
export function checkQueueName(name: string): string {
  if (/^[\w.-]{1,64}$/.test(name)) return name;
  throw new InvalidOptionError("queueName", name, "1 to 64 letters, digits, dots, dashes or underscores");
}

let build: string | undefined;

/** The build that runs here, by a digest of its files: the same package gives the same on every machine. */
export function thisBuild(): string {
  if (build !== undefined) return build;
  const hash = createHash("sha256");
  const chunks = readdirSync(builtFile("chunks/"), { withFileTypes: true }).filter((it) => it.isFile());
  for (const name of ["sweep/worker.js", ...chunks.map((it) => `chunks/${it.name}`).toSorted()]) {
    hash.update(name).update(readFileSync(builtFile(name)));
  }
  build = hash.digest("hex").slice(0, 16);
  return build;
}
