// How fast trace files are read, beside `zcat FILE | wc -l` as the yardstick of the machine. As the command reads them: Node
// inflates in a thread of its own, and both work from the page cache. Node-only.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseTrace } from "stalewalk/trace";
import { openTrace } from "stalewalk/trace/node";

/** What reads. */
export interface Reader {
  parseTrace: typeof parseTrace;
  openTrace: typeof openTrace;
}

/** The reader of this build, or of another in a folder. */
export async function readerOf(library: string): Promise<Reader> {
  if (library === "") return { parseTrace, openTrace };
  const load = async (file: string) => (await import(pathToFileURL(join(library, "trace", file)).href)) as Reader;
  return { parseTrace: (await load("index.js")).parseTrace, openTrace: (await load("node.js")).openTrace };
}

/** Result of {@link traceThroughput}: sums over all files. */
export interface TraceThroughput {
  /** Lines of text, header lines included. */
  lines: number;
  /** Bytes of text, after decompression. */
  bytes: number;
  /** Events parsed. */
  events: number;
  /** Sum over the files of the best of the repetitions. */
  seconds: number;
  linesPerSecond: number;
  /** The same for `zcat FILE | wc -l`; undefined if there is no zcat. */
  zcatSeconds: number | undefined;
  /** zcatSeconds / seconds: 1 means as fast as zcat; undefined if there is no zcat. */
  ratio: number | undefined;
}

/**
 * Measures the reader on gzip-compressed traces.
 * @param paths files
 * @param repetitions each file is read this often, the best time counts; the first pass also warms the code up
 * @throws Error if a trace is damaged, or if zcat counts other lines than the reader
 */
export async function traceThroughput(
  paths: string[],
  repetitions = 5,
  own: Reader = { parseTrace, openTrace },
): Promise<TraceThroughput> {
  const sum = { lines: 0, bytes: 0, events: 0, seconds: 0 };
  // zcat refuses what is not compressed.
  let zcatSeconds: number | undefined = paths.every((path) => path.endsWith(".gz")) ? 0 : undefined;
  for (const path of paths) {
    let best = Number.POSITIVE_INFINITY;
    let lines = 0;
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const start = performance.now();
      const reader = own.parseTrace(own.openTrace(path), { name: path });
      let events = 0;
      for await (const batch of reader) events += batch.count;
      best = Math.min(best, (performance.now() - start) / 1000);
      if (repetition > 0) continue;
      const { summary } = reader;
      if (summary.damaged) throw new Error(`${path}: damaged, not a fair measure: ${summary.diagnostics[0]?.message}`);
      lines = summary.lines;
      sum.lines += lines;
      sum.bytes += summary.bytes;
      sum.events += events;
    }
    sum.seconds += best;
    if (zcatSeconds !== undefined) {
      const zcat = timeZcat(path, lines, repetitions);
      zcatSeconds = zcat === undefined ? undefined : zcatSeconds + zcat;
    }
  }
  const ratio = zcatSeconds === undefined ? undefined : zcatSeconds / sum.seconds;
  return { ...sum, linesPerSecond: sum.lines / sum.seconds, zcatSeconds, ratio };
}

/** Best time of `zcat FILE | wc -l` in seconds, process start included; undefined if it cannot be run. */
function timeZcat(path: string, lines: number, repetitions: number): number | undefined {
  let best = Number.POSITIVE_INFINITY;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const start = performance.now();
    const run = spawnSync("sh", ["-c", 'command -v zcat >/dev/null || exit 127; zcat "$1" | wc -l', "sh", path], {
      encoding: "utf8",
    });
    const seconds = (performance.now() - start) / 1000;
    if (run.error || run.status === 127) return undefined;
    if (run.status !== 0 || Number(run.stdout) !== lines) {
      throw new Error(`zcat ${path} | wc -l: ${run.stdout.trim()} lines, the reader has ${lines} ${run.stderr.trim()}`);
    }
    best = Math.min(best, seconds);
  }
  return best;
}
