// The part of a line before the event: task, CPU, flags, time. One grammar covers the four writers:
//   tracefs trace, trace_pipe   "%16s-%-7d [%03d] flags seconds.micros: "   (kernel/trace/trace_output.c)
//   trace-cmd report            "%16s-%-5d [%03d] (flags) seconds.micros: "
//   perf script                 "%16s %7d [%03d] seconds.micros: "
// The task name may hold any byte, "-", "/", ":" and "[" included, but is at most 15 bytes: so the separator has a fixed
// column. Lines with trimmed blanks are searched for the last "-" before "[cpu]" instead.

/** Where the parts of a line are; reused from line to line. */
export interface Prefix {
  pid: number;
  cpu: number;
  /** Seconds, or ticks if {@link fractionDigits} is 0. */
  seconds: number;
  nanoseconds: number;
  /** Digits after the point; 0 for trace clocks that count (`counter`, `x86-tsc`). */
  fractionDigits: number;
  /** Byte between task name and pid: "-" (45), or " " (32) in perf script. */
  separator: number;
  /** Index of the first byte of the event's name. */
  body: number;
  /** True if the task name has bytes above 127. */
  highBytes: boolean;
}

/** A prefix record with nothing in it. */
export function emptyPrefix(): Prefix {
  return { pid: 0, cpu: 0, seconds: 0, nanoseconds: 0, fractionDigits: 0, separator: 0, body: 0, highBytes: false };
}

const SPACE = 32;
const DASH = 45;
const OPEN = 91;
const NAME_WIDTH = 16;
const SCALE = [0, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1];

/**
 * Reads the prefix of the line at `start`; `bytes` must hold a newline at or behind it.
 * @returns an empty text, or what was expected where the line went wrong
 */
export function parsePrefix(bytes: Uint8Array, start: number, out: Prefix): string {
  let seen = 0;
  let p = start;
  for (const end = start + NAME_WIDTH; p < end; p++) {
    const c = bytes[p]!;
    if (c < SPACE) break;
    seen |= c;
  }
  if (p === start + NAME_WIDTH && (bytes[p] === DASH || bytes[p] === SPACE)) {
    out.highBytes = seen > 127;
    if (afterName(bytes, p, out)) return "";
  }
  return searchPrefix(bytes, start, out);
}

/** Reads on from the byte between name and pid; true if everything up to the event was there. */
function afterName(bytes: Uint8Array, separator: number, out: Prefix): boolean {
  const mark = bytes[separator]!;
  let p = separator + 1;
  if (mark === SPACE) while (bytes[p] === SPACE) p++;
  let c = bytes[p]! - 48;
  if (!(c >= 0 && c <= 9)) return false;
  let pid = 0;
  while (c >= 0 && c <= 9) {
    pid = pid * 10 + c;
    c = bytes[++p]! - 48;
  }
  if (mark === SPACE && bytes[p] === 47) {
    // perf script -F pid,tid: "pid/tid"; the thread is what the other writers call pid.
    pid = 0;
    c = bytes[++p]! - 48;
    if (!(c >= 0 && c <= 9)) return false;
    while (c >= 0 && c <= 9) {
      pid = pid * 10 + c;
      c = bytes[++p]! - 48;
    }
  }
  if (pid > 0x7fffffff) return false;
  while (bytes[p] === SPACE) p++;
  if (bytes[p] === 40) {
    // Option print-tgid: "(  123)" or "(-----)".
    do p++;
    while (bytes[p] === SPACE || bytes[p] === DASH || (bytes[p]! >= 48 && bytes[p]! <= 57));
    if (bytes[p] !== 41) return false;
    do p++;
    while (bytes[p] === SPACE);
  }
  if (bytes[p] !== OPEN) return false;
  out.pid = pid;
  out.separator = mark;
  return afterBracket(bytes, p + 1, out);
}

/** Reads CPU number, flags and time behind the "[". */
function afterBracket(bytes: Uint8Array, at: number, out: Prefix): boolean {
  let p = at;
  let c = bytes[p]! - 48;
  if (!(c >= 0 && c <= 9)) return false;
  let cpu = 0;
  while (c >= 0 && c <= 9) {
    cpu = cpu * 10 + c;
    c = bytes[++p]! - 48;
  }
  if (bytes[p] !== 93 || bytes[p + 1] !== SPACE || cpu > 65535) return false;
  p += 2;
  while (bytes[p] === SPACE) p++;
  c = bytes[p]! - 48;
  if (!(c >= 0 && c <= 9)) {
    // Flag characters, four or five of them: "d..1." and the like.
    const flags = p;
    while (bytes[p]! > SPACE) p++;
    if (p - flags > 8 || bytes[p] !== SPACE) return false;
    while (bytes[p] === SPACE) p++;
    c = bytes[p]! - 48;
    if (!(c >= 0 && c <= 9)) return false;
  }
  let seconds = 0;
  while (c >= 0 && c <= 9) {
    seconds = seconds * 10 + c;
    c = bytes[++p]! - 48;
  }
  let fraction = 0;
  let digits = 0;
  if (bytes[p] === 46) {
    const point = p;
    c = bytes[++p]! - 48;
    while (c >= 0 && c <= 9) {
      fraction = fraction * 10 + c;
      c = bytes[++p]! - 48;
    }
    digits = p - point - 1;
    if (digits === 0 || digits > 9) return false;
  }
  if (bytes[p] !== 58 || bytes[p + 1] !== SPACE || seconds > Number.MAX_SAFE_INTEGER) return false;
  p += 2;
  while (bytes[p] === SPACE) p++;
  out.cpu = cpu;
  out.seconds = seconds;
  out.nanoseconds = fraction * SCALE[digits]!;
  out.fractionDigits = digits;
  out.body = p;
  return true;
}

/** A line whose name is not in a field of 16: find a "[", the pid before it, and the rest behind it. */
function searchPrefix(bytes: Uint8Array, start: number, out: Prefix): string {
  const newline = bytes.indexOf(10, start);
  let open = bytes.indexOf(OPEN, start);
  let expected = "a task name, pid and [cpu]";
  while (open >= 0 && open < newline) {
    const separator = separatorBefore(bytes, start, open);
    if (separator > start) {
      expected = "[cpu], flags and a time like 24.029708: after the pid";
      out.highBytes = false;
      for (let i = start; i < separator; i++) if (bytes[i]! > 127) out.highBytes = true;
      if (afterName(bytes, separator, out)) return "";
    }
    open = bytes.indexOf(OPEN, open + 1);
  }
  return expected;
}

/** Index of the "-" (or blank) before the pid that stands before the "[" at `open`; -1 if there is no pid. */
function separatorBefore(bytes: Uint8Array, start: number, open: number): number {
  let p = open - 1;
  while (p > start && bytes[p] === SPACE) p--;
  if (bytes[p] === 41) {
    while (p > start && bytes[p] !== 40) p--;
    p--;
    while (p > start && bytes[p] === SPACE) p--;
  }
  const isPid = (c: number) => (c >= 48 && c <= 57) || c === 47;
  const last = p;
  while (p > start && isPid(bytes[p]!)) p--;
  if (p === last || (bytes[p] !== DASH && bytes[p] !== SPACE)) return -1;
  return p;
}
