// The door through which everything leaves: results to stdout, messages and progress to stderr. No other file of the
// command writes to either. Names and texts come from anybody, so nothing that a terminal would obey or that a reader would
// not see gets through: it is spelled out here, once, for every command. Node-only.
import { jsonText } from "../base/notation.js";
import { timeLeft } from "../base/pace.js";
import type { Progress } from "../base/progress.js";
import { visible } from "../report/html.js";
import { OutputError, type Sink, standardSink } from "./streams.js";
import { type Cell, formatTable, textWidth, wrapLine } from "./table.js";

/** Where a run writes. */
export interface Output {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** What a progress line leaves of its label at least, before it leaves out the pace. */
const LEAST_LABEL = 8;
/** A pace of less time than this says nothing. */
const MS_BEFORE_PACE = 1000;

let current: Output | undefined;
let asked: number | undefined;
let messageLost = false;

function output(): Output {
  current ??= { stdout: standardSink(1), stderr: standardSink(2) };
  return current;
}

/** Makes this module write elsewhere (tests do); without an argument, to the process's own streams again. */
export function redirectOutput(to?: Output): void {
  current = to;
}

/** Begins a run: forgets what an earlier one asked for. */
export function beginOutput(): void {
  asked = undefined;
  messageLost = false;
}

/** Columns of a text result, from `--width`; undefined: those of the terminal. */
export function setWidth(columns: number | undefined): void {
  asked = columns;
}

/** Columns that a line of text may have; no limit if stdout is no terminal. */
export function outputWidth(): number {
  return asked ?? output().stdout.columns ?? Number.POSITIVE_INFINITY;
}

/** Whether a text result is looked at on a terminal: pictures of lines are for that, and a reader that is a program gets none. */
export function isShown(): boolean {
  return output().stdout.isTerminal && process.env["TERM"] !== "dumb";
}

/** Whether something that was to be said on stderr could not be written. */
export function isMessageLost(): boolean {
  return messageLost;
}

/** One line as it may reach a terminal: control characters, line ends and what changes the direction of text spelled out. */
export function oneLine(text: string): string {
  return visible(text.replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t"));
}

/** Writes one line of a result to stdout; a longer one than the terminal is wide goes on below, indented. */
export function print(line = ""): void {
  output().stdout.write(`${wrapLine(oneLine(line), outputWidth()).join("\n")}\n`);
}

/** Writes a table: see {@link formatTable}. */
export function printTable(rows: readonly (readonly Cell[])[], right: readonly number[] = [], keys = 1): void {
  const clean = rows.map((row) => row.map((cell) => oneLine(String(cell))));
  output().stdout.write(`${formatTable(clean, right, outputWidth(), keys)}\n`);
}

/** Writes a text of our own lines (a script, CSV), whatever the width. */
export function printText(text: string): void {
  const lines = text.replace(/\r?\n$/, "").split(/(\r?\n)/);
  output().stdout.write(`${lines.map((part, i) => (i % 2 === 0 ? oneLineButTabs(part) : part)).join("")}\n`);
}

/** Writes CSV: lines that end in CR LF. A line feed inside a cell is spelled out, as every other control character is. */
export function printCsv(text: string): void {
  const lines = text.replace(/\r\n$/, "").split("\r\n");
  output().stdout.write(lines.map((line) => `${oneLine(line)}\r\n`).join(""));
}

/** Writes a result to stdout as indented JSON. Bigints become strings like `"0x1a2b"`. */
export function printJson(value: unknown): void {
  printJsonText(jsonText(value));
}

/** Writes a text that is JSON: what is spelled out in it is the same JSON still. */
export function printJsonText(json: string): void {
  output().stdout.write(`${visible(json)}\n`);
}

/** Says one line on stderr. If it cannot be written, the run goes on, and ends with an exit code that says so. */
export function say(message: string): void {
  try {
    output().stderr.write(`${oneLine(message)}\n`);
  } catch (error) {
    // Nobody reads it any more: ended as by SIGPIPE, like any other program.
    if (!(error instanceof OutputError) || error.code === "EPIPE") throw error;
    messageLost = true;
  }
}

/** Progress of one long piece of work. */
export interface ProgressLine {
  /** Tells how far the work is; redrawn at most ten times a second. For `onProgress`. */
  readonly update: (progress: Progress) => void;
  /** Removes the line. */
  end(): void;
}

/** A line on stderr that is written over: `draw` and `end`; undefined if stderr is no terminal, or one that cannot clear a line. */
function overwritten() {
  const { stderr } = output();
  if (!stderr.isTerminal || process.env["TERM"] === "dumb") return undefined;
  let shown = false;
  const write = (text: string): void => {
    try {
      stderr.write(`\r\x1b[K${text}`);
    } catch (error) {
      // A terminal that is gone takes nothing with it: the result goes elsewhere.
      if (!(error instanceof OutputError)) throw error;
    }
  };
  return {
    /** `optional` is what a narrow terminal has no room for beside some of the label. */
    draw(label: string, before: string, optional = "", after = ""): void {
      shown = true;
      const columns = stderr.columns ?? 80;
      const whole = `${before}${optional}${after}`;
      const figures = columns - whole.length - 1 >= LEAST_LABEL ? whole : `${before}${after}`;
      write(`${cut(oneLine(label), columns - figures.length - 1)}${figures}`);
    },
    end(): void {
      if (shown) write("");
      shown = false;
    },
  };
}

/** A progress line on stderr, with `size` where a call does not know its total; does nothing if nobody would see it. */
export function startProgress(label: string, size?: number): ProgressLine {
  const line = overwritten();
  if (!line) return { update() {}, end() {} };
  const start = performance.now();
  let next = 0;
  return {
    update({ done, total = size ?? 0, unit }) {
      const now = performance.now();
      if (now < next) return;
      next = now + 100;
      const percent = total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : 0;
      line.draw(label, `: ${percent}% (${done} of ${total}`, paceOf(done, total, unit, now - start), ")");
    },
    end: line.end,
  };
}

/** What is done in a second, and the time that is left at this pace; nothing before it can be told. */
function paceOf(done: number, total: number, unit: Progress["unit"], ms: number): string {
  if (done === 0 || ms < MS_BEFORE_PACE) return "";
  const rate = (1000 * done) / ms;
  const words = timeLeft({ done, total, elapsed: ms });
  const left = words === undefined ? "" : `, ${words}`;
  if (unit === "bytes") return `, ${(rate / 1e6).toFixed(1)} MB a second${left}`;
  if (rate >= 1e4) return `, ${(rate / 1e6).toFixed(2)} million a second${left}`;
  return `, ${rate >= 100 ? Math.round(rate) : rate.toFixed(1)} a second${left}`;
}

/** The same for work whose progress is told in words, `figures` first; too long a rest is cut. */
export function startNotes(): { show(figures: string, rest: string): void; end(): void } {
  const line = overwritten();
  if (!line) return { show() {}, end() {} };
  return { show: (figures, rest) => line.draw(rest, ` (${figures})`), end: line.end };
}

/** Tables on stderr that are drawn over themselves; nothing if nobody would see it. What does not fit on the screen is left out. */
export function startTables(): { draw(tables: readonly (readonly (readonly Cell[])[])[]): void; end(): void } {
  const { stderr } = output();
  if (!stderr.isTerminal || process.env["TERM"] === "dumb") return { draw() {}, end() {} };
  let lines = 0;
  const write = (text: string): void => {
    try {
      stderr.write(`${lines > 0 ? `\x1b[${lines}A` : ""}\r\x1b[J${text}`);
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
    }
  };
  return {
    draw(tables) {
      const width = stderr.columns ?? 80;
      const text = tables
        .flatMap((rows) =>
          formatTable(
            rows.map((row) => row.map((cell) => oneLine(String(cell)))),
            [],
            Infinity,
            1,
          ).split("\n"),
        )
        .slice(0, (stderr.rows ?? 24) - 1);
      // A line that the terminal wraps could not be drawn over.
      write(text.map((line) => `${cutEnd(line, width - 1)}\n`).join(""));
      lines = text.length;
    },
    end() {
      if (lines > 0) write("");
      lines = 0;
    },
  };
}

function cutEnd(text: string, most: number): string {
  let rest = text;
  while (textWidth(rest) > Math.max(most, 1)) rest = `${rest.slice(0, -2)}…`;
  return rest;
}

// A line longer than the terminal could not be cleared again: its end is what tells one file from another.
function cut(text: string, most: number): string {
  let rest = text;
  while (textWidth(rest) > Math.max(most, 1)) rest = `…${rest.slice(2)}`;
  return rest;
}

function oneLineButTabs(text: string): string {
  return text.split("\t").map(oneLine).join("\t");
}
