// The part of a line before the event: task, CPU, flags, time. One grammar covers the four writers:
//   tracefs trace, trace_pipe   "%16s-%-7d [%03d] flags seconds.micros: "   (kernel/trace/trace_output.c)
//   trace-cmd report            "%16s-%-5d [%03d] (flags) seconds.micros: "
//   perf script                 "%16s %7d [%03d] seconds.micros: "; with call chains "%s %7d ..."; without comm "%7d ..."
// The task name may hold any byte, a whole prefix included, but is at most 15 bytes. So in a field of 16 the separator
// has a fixed column, and in other lines it is the last place within a name's length behind which everything fits:
// what stands further left is the name, what stands further right is the event.

/** Where the parts of a line are; reused from line to line. */
export interface Prefix {
  pid: number;
  cpu: number;
  /** Seconds; for trace clocks that count, ticks / 10^9. */
  seconds: number;
  /** Nanoseconds; for trace clocks that count, the last nine digits of the ticks. */
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

const NEWLINE = 10;
const SPACE = 32;
const DASH = 45;
const SLASH = 47;
const OPEN = 91;
const NAME_WIDTH = 16;
/** TASK_COMM_LEN without its zero. */
const MAX_NAME = 15;
const NO_PID = -2;
/** Bytes of "(-------)" and "1234567/1234567" at most. */
const MAX_TGID = 16;
const MAX_PID = 24;
const SCALE = [0, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1];

/**
 * Reads the prefix of the line at `start`; `bytes` must hold a newline at or behind it.
 * @returns an empty text, or what was expected where the line went wrong
 */
export function parsePrefix(bytes: Uint8Array, start: number, out: Prefix): string {
  const column = start + NAME_WIDTH;
  const mark = bytes[column];
  if (mark === DASH || mark === SPACE) {
    let seen = 0;
    let p = start;
    for (; p < column; p++) {
      const c = bytes[p]!;
      if (c < SPACE) break;
      seen |= c;
    }
    if (p === column && afterName(bytes, column, out)) {
      out.highBytes = seen > 127;
      return "";
    }
  }
  return searchPrefix(bytes, start, out);
}

/**
 * Reads on from the byte between name and pid (or from before the line, where it begins with the pid).
 * @returns true if everything up to the event was there
 */
function afterName(bytes: Uint8Array, separator: number, out: Prefix): boolean {
  let p = separator + 1;
  const dash = bytes[separator] === DASH;
  if (!dash) while (bytes[p] === SPACE) p++;
  let c = bytes[p]! - 48;
  if (!(c >= 0 && c <= 9)) return false;
  let pid = 0;
  while (c >= 0 && c <= 9) {
    pid = pid * 10 + c;
    c = bytes[++p]! - 48;
  }
  if (!dash && bytes[p] === SLASH) {
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
  out.separator = dash ? DASH : SPACE;
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
    // Flag characters, four or five of them: "d..1." and the like; perf script -F misc: "K", "U" and others.
    const flags = p;
    while (bytes[p]! > SPACE && p - flags <= 8) p++;
    if (p - flags > 8 || bytes[p] !== SPACE) return false;
    while (bytes[p] === SPACE) p++;
    c = bytes[p]! - 48;
    if (!(c >= 0 && c <= 9)) return false;
  }
  if (bytes[p + 4] === DASH && bytes[p + 7] === DASH) {
    p = afterDate(bytes, p);
    c = bytes[p]! - 48;
    if (!(c >= 0 && c <= 9)) return false;
  }
  const digits = p;
  let seconds = 0;
  while (c >= 0 && c <= 9) {
    seconds = seconds * 10 + c;
    c = bytes[++p]! - 48;
  }
  if (bytes[p] === 46) {
    if (p - digits > 15) return false;
    const point = p;
    let fraction = 0;
    c = bytes[++p]! - 48;
    while (c >= 0 && c <= 9) {
      fraction = fraction * 10 + c;
      c = bytes[++p]! - 48;
    }
    const places = p - point - 1;
    if (places === 0 || places > 9) return false;
    out.seconds = seconds;
    out.nanoseconds = fraction * SCALE[places]!;
    out.fractionDigits = places;
  } else if (!readTicks(bytes, digits, p, out)) return false;
  if (bytes[p] !== 58 || bytes[p + 1] !== SPACE) return false;
  p += 2;
  while (bytes[p] === SPACE) p++;
  out.cpu = cpu;
  out.body = p;
  return true;
}

/** Ticks may have all of 64 bits: more than a number holds, so the last nine digits are kept apart. */
function readTicks(bytes: Uint8Array, start: number, end: number, out: Prefix): boolean {
  if (end - start > 20) return false;
  const split = Math.max(start, end - 9);
  let high = 0;
  for (let p = start; p < split; p++) high = high * 10 + bytes[p]! - 48;
  let low = 0;
  for (let p = split; p < end; p++) low = low * 10 + bytes[p]! - 48;
  out.seconds = high;
  out.nanoseconds = low;
  out.fractionDigits = 0;
  return true;
}

/** perf script -F tod puts the date and time of day before the time: "2026-11-26 12:34:56.123456 ". */
function afterDate(bytes: Uint8Array, at: number): number {
  let p = at;
  for (let part = 0; part < 2; part++) {
    while (p - at < 40 && (bytes[p] === DASH || bytes[p] === 46 || (bytes[p]! >= 48 && bytes[p]! <= 58))) p++;
    while (bytes[p] === SPACE) p++;
  }
  return p;
}

/**
 * A line whose name is not in a field of 16. Every "[" with a pid before it may end the name; the last one within a
 * name's length counts. Each byte is looked at a fixed number of times, whatever the line holds.
 */
function searchPrefix(bytes: Uint8Array, start: number, out: Prefix): string {
  let first = start;
  while (bytes[first] === SPACE) first++;
  const limit = Math.max(start + NAME_WIDTH, first + MAX_NAME);
  let expected = "a task name, pid and [cpu]";
  let found = NO_PID;
  for (let open = first; bytes[open] !== NEWLINE; open++) {
    if (bytes[open] !== OPEN) continue;
    const separator = separatorBefore(bytes, start, open);
    if (separator === NO_PID) continue;
    // Names longer than the kernel's are somebody else's doing: the first place that fits.
    if (separator > limit && found !== NO_PID) break;
    expected = "[cpu], flags and a time like 24.029708: after the pid";
    if (!afterName(bytes, separator, out)) continue;
    found = separator;
    if (separator > limit) break;
  }
  if (found === NO_PID) return expected;
  afterName(bytes, found, out);
  out.highBytes = false;
  for (let i = start; i < found; i++) if (bytes[i]! > 127) out.highBytes = true;
  return "";
}

/** Index of the byte before the pid that stands before the "[" at `open`, `start - 1` if the pid begins the line; or {@link NO_PID}. */
function separatorBefore(bytes: Uint8Array, start: number, open: number): number {
  let p = open - 1;
  while (p >= start && bytes[p] === SPACE) p--;
  if (bytes[p] === 41) {
    const least = Math.max(start, p - MAX_TGID);
    while (p > least && bytes[p] !== 40) p--;
    if (bytes[p] !== 40) return NO_PID;
    p--;
    while (p >= start && bytes[p] === SPACE) p--;
  }
  const last = p;
  const least = Math.max(start, p - MAX_PID);
  while (p >= least && isPid(bytes[p]!)) p--;
  if (p === last) return NO_PID;
  return p < start || bytes[p] === DASH || bytes[p] === SPACE ? p : NO_PID;
}

function isPid(c: number): boolean {
  return (c >= 48 && c <= 57) || c === SLASH;
}
