// The results of a sweep as a file: a line of JSON for each job, read and written in portions, since there may be millions. Node-only.
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { SweepJob } from "../plan.js";
import { jobKey, type SweepLine } from "../result.js";

const FILE = "results.jsonl";
const PORTION = 1 << 20;
const LINE_END = 0x0a;

/** Where a folder's results are. */
export const resultsFile = (folder: string): string => join(folder, FILE);

/** What tells jobs apart, in 32 digits: half of a SHA-256, so that two of 10^9 jobs are the same with a probability of 10^-21. */
export const jobId = (job: SweepJob): string => createHash("sha256").update(jobKey(job)).digest("hex").slice(0, 32);

/** All whole lines of a folder's results, one by one. @throws Error that names the line if one is no JSON */
export function* eachLine(folder: string): Generator<SweepLine, void, void> {
  const file = resultsFile(folder);
  if (!existsSync(file)) return;
  const descriptor = openSync(file, "r");
  try {
    const portion = Buffer.alloc(PORTION);
    let rest = Buffer.alloc(0);
    let number = 0;
    for (let read = readSync(descriptor, portion); read > 0; read = readSync(descriptor, portion)) {
      const bytes = Buffer.concat([rest, portion.subarray(0, read)]);
      let from = 0;
      for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, from)) {
        number++;
        if (end > from) yield lineOf(file, number, bytes.toString("utf8", from, end));
        from = end + 1;
      }
      rest = bytes.subarray(from);
    }
  } finally {
    closeSync(descriptor);
  }
}

function lineOf(file: string, number: number, text: string): SweepLine {
  try {
    return JSON.parse(text) as SweepLine;
  } catch (error) {
    throw new Error(`${file}, line ${number}: expected a result as JSON: ${(error as Error).message}`);
  }
}

/** A folder's results, open for more of them. */
export interface Results {
  /** Their file. */
  readonly file: string;
  /** Jobs that have a line, by `jobId`. */
  readonly done: Set<string>;
  /** Adds a line; after this the job is done, whatever becomes of the process. */
  add(line: SweepLine): void;
  /** Has the disk take what was added: after this the job is done, whatever becomes of the machine. */
  keep(): void;
  /** To be called at the end. */
  close(): void;
}

/** Opens a folder's results, which need not be there yet. A last line that was cut off is taken away. */
export function openResults(folder: string): Results {
  mkdirSync(folder, { recursive: true });
  const file = resultsFile(folder);
  const descriptor = openSync(file, "a+");
  try {
    cutLastLine(descriptor);
    const done = new Set<string>();
    for (const { job } of eachLine(folder)) done.add(jobId(job));
    return {
      file,
      done,
      add(line) {
        writeWhole(descriptor, `${JSON.stringify(line)}\n`);
        done.add(jobId(line.job));
      },
      keep: () => fsyncSync(descriptor),
      close: () => closeSync(descriptor),
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** What follows the last line end was cut off by whatever ended an earlier sweep. */
function cutLastLine(descriptor: number): void {
  const { size } = fstatSync(descriptor);
  const portion = Buffer.alloc(PORTION);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - PORTION);
    const read = readSync(descriptor, portion, 0, end - from, from);
    const at = portion.subarray(0, read).lastIndexOf(LINE_END);
    if (at >= 0) {
      if (from + at + 1 < size) ftruncateSync(descriptor, from + at + 1);
      return;
    }
    end = from;
  }
  if (size > 0) ftruncateSync(descriptor, 0);
}

function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; ) from += writeSync(descriptor, bytes, from);
}
