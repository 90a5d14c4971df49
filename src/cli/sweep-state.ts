// How a sweep over a queue stands, as tables that are drawn again and again. A pure function.
import type { QueueState } from "../sweep/node.js";

/** Tables of text: how far the sweep is, and who works. */
export function stateTables(state: QueueState, ms: number): string[][][] {
  const { jobs, done, failed, queued, retried, takenOver, workers } = state;
  const percent = jobs === 0 ? 100 : Math.floor((100 * done) / jobs);
  const here = workers.filter((it) => it.here);
  const threads = here.reduce((sum, it) => sum + it.threads, 0);
  const head = [
    ["jobs", "done", "in the queue", "failed", "tried again", "taken over", "workers", "threads", "seconds"],
    [
      jobs,
      `${done} (${percent}%)`,
      queued,
      failed,
      retried,
      takenOver,
      here.length,
      threads,
      Math.round(ms / 1000),
    ].map(String),
  ];
  if (workers.length === 0) return [head, [["no worker yet: stalewalk work --queue URL, on any machine"]]];
  const crew = workers.map(({ host, pid, threads, active, done, failed, here }) => [
    host,
    `${pid}${here ? "" : ", gone"}`,
    ...[threads, active, done, failed].map(String),
  ]);
  return [head, [["worker", "process", "threads", "at work", "done", "failed"], ...crew]];
}
