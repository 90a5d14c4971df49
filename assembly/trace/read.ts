// Lines by their form, one after the other, into the columns of a batch.

import { FIELD_WORDS, found, match, PRESENT_FIELDS, strange, TYPE } from "./forms";
import {
  BATCH_EVENTS, BATCH_WORDS, BLOCK, CLOCK_AT, COUNT, CPU_AT, DONE, EVENT_AT, FIRST, IN_TICKS, LAST, LINE_AT, LINES, MAX_FIELDS, MAX_GAP,
  NO_FORM, NO_TEXT, ODD, OFFSET_AT, ORIGIN, PID_AT, PRESENT_AT, PREVIOUS, STATE_AT, TIME_AT, WHY, WORDS_AT,
} from "./memory";
import { cpu, nanoseconds, pid, prefix, seconds, ticks } from "./prefix";

const CLOCK: usize = BLOCK + CLOCK_AT;
const STATE: usize = BLOCK + STATE_AT;
/** With more words than this, another event might not fit. */
const WORDS_LIMIT: i32 = BATCH_WORDS - 2 * MAX_FIELDS;

/**
 * Reads lines from `from` on, up to `end`, to the batch's room, or to a line that has to be read with care: WHY says which.
 * Returns the address of the first line that was not read.
 */
export function read(from: usize, end: usize): usize {
  const inTicks = load<u32>(STATE, 4 * IN_TICKS) != 0;
  const origin = load<f64>(CLOCK, 8 * ORIGIN);
  const maxGap = load<f64>(CLOCK, 8 * MAX_GAP);
  let previous = load<f64>(CLOCK, 8 * PREVIOUS);
  let first = load<f64>(CLOCK, 8 * FIRST);
  let last = load<f64>(CLOCK, 8 * LAST);
  let count = load<i32>(STATE, 4 * COUNT);
  let line = load<u32>(STATE, 4 * LINES);
  let words = load<i32>(BLOCK + (count << 2), OFFSET_AT);
  let why = DONE;
  let p = from;
  while (p < end && count < BATCH_EVENTS && words <= WORDS_LIMIT) {
    why = ODD;
    const body = prefix(p);
    if (body == 0 || ticks != inTicks) break;
    const time = (<f64>seconds - origin) * 1e9 + <f64>nanoseconds;
    // Without an event before, the step is no number, and neither below nor above anything.
    const step = time - previous;
    if (step < 0 || step > maxGap) break;
    why = NO_FORM;
    const newline = match(body, BLOCK + WORDS_AT + (<usize>words << 2));
    if (newline == 0) break;
    why = NO_TEXT;
    if (strange) break;
    why = DONE;
    previous = time;
    if (time < first) first = time;
    if (time > last) last = time;
    const form = found;
    store<f64>(BLOCK + (count << 3), time, TIME_AT);
    store<u16>(BLOCK + (count << 1), <u16>load<u32>(form, TYPE), EVENT_AT);
    store<u16>(BLOCK + (count << 1), <u16>cpu, CPU_AT);
    store<u32>(BLOCK + (count << 2), pid, PID_AT);
    store<u32>(BLOCK + (count << 2), ++line, LINE_AT);
    store<u32>(BLOCK + (count << 2), load<u32>(form, PRESENT_FIELDS), PRESENT_AT);
    words += load<i32>(form, FIELD_WORDS);
    store<i32>(BLOCK + (++count << 2), words, OFFSET_AT);
    p = newline + 1;
  }
  store<f64>(CLOCK, previous, 8 * PREVIOUS);
  store<f64>(CLOCK, first, 8 * FIRST);
  store<f64>(CLOCK, last, 8 * LAST);
  store<i32>(STATE, count, 4 * COUNT);
  store<u32>(STATE, line, 4 * LINES);
  store<u32>(STATE, why, 4 * WHY);
  return p;
}
