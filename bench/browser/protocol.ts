// What the page in a browser and the process beside it say to each other, by requests of the page. Nothing here needs Node.
import type { Request } from "../session.js";

/** A line that the process beside a browser takes: what any contestant is asked, or a fresh worker, for this contestant, which says hello. */
export type Line = Request | { fresh: string };

/** The files that a request names: the page may ask for these, by their places in the list. */
export function filesOf(request: Line): string[] {
  if (!("open" in request)) return [];
  const { open: spec, case: name } = request;
  if (spec.kind === "trace") return [spec.path];
  return spec.kind === "tables" ? [spec.files[name] ?? []].flat() : [];
}

/** What a browser says first. */
export interface Hello {
  agent: string;
  /** Nanoseconds of the clock's smallest step. */
  step: number;
  /** Whether nothing of another origin can be in the page: what clocks are finer for. */
  isolated: boolean;
}

/** Addresses, below the token. */
export const paths = {
  /** GET: a {@link Line}, when there is one; 204 if there is none for a while. */
  next: "next",
  /** POST: a {@link Hello}. */
  hello: "hello",
  /** POST: the answer to it, JSON. */
  answer: "answer",
  /** POST: that the page is there, while its worker is at work. */
  alive: "alive",
  /** POST: why the worker cannot go on, JSON too. */
  failed: "failed",
  /** GET: a file of {@link filesOf}, by its place. */
  file: "file/",
} as const;

/** Milliseconds between two signs of life. */
export const BEAT = 5000;
