// What perf script writes that is no part of an event: where a symbol is, and values behind the event's own fields.

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const CLOSE = 41;
const SLASH = 47;
const BRACKET = 91;
const decoder = new TextDecoder();

/** The index behind "(/path/of/module.ko)" or "([module])", whose parenthesis is at `open`; -1 if it is neither. */
export function moduleEnd(bytes: Uint8Array, open: number): number {
  if (bytes[open + 1] !== SLASH && bytes[open + 1] !== BRACKET) return -1;
  for (let p = open + 2; bytes[p] !== NEWLINE; p++) {
    if (bytes[p] !== CLOSE) continue;
    const c = bytes[p + 1];
    if (c === SPACE || c === NEWLINE || c === RETURN) return p + 1;
  }
  return -1;
}

/**
 * Values by how they begin, tools/perf/builtin-script.c process_event(): addresses and numbers, registers, the cgroup, sizes of pages,
 * bytes of an instruction, branches. None has a "=", as fields of an event have.
 */
const APPENDED =
  /^(?:[0-9a-f]{1,16}|ABI:\d+|\/[^=]*|unknown|N\/A|\d{1,4}[KMGTP]|insn:|0x[0-9a-f]{1,16}\/\S*)(?: [^=]*)?$/;

/** The end of the line, if such values stand at `pos`; -1 if not. */
export function appendedEnd(bytes: Uint8Array, pos: number): number {
  const newline = bytes.indexOf(NEWLINE, pos);
  const end = bytes[newline - 1] === RETURN ? newline - 1 : newline;
  return APPENDED.test(decoder.decode(bytes.subarray(pos, end))) ? end : -1;
}
