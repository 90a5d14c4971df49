// The clock of a trace: one unit for all events, an origin where numbers would lose digits, and steps that are wrong.
import { clockNumber } from "./abi.js";
import type { Prefix } from "./prefix.js";

/** Seconds (or 10^9 ticks) up to which nanoseconds (ticks) since zero are exact in a number. */
const EXACT_SECONDS = 8_000_000;

/** What is wrong with the time of an event. */
export interface ClockComplaint {
  readonly kind: "clock-jump" | "clock-back";
  readonly message: string;
  readonly expected: string;
}

/** Turns the times of events into numbers on one axis. */
export class TraceClock {
  /** True if the clock counts something else than time. */
  ticks = false;
  /** Seconds, or 10^9 ticks, to add to all times. */
  origin = 0;
  first: number | undefined;
  last: number | undefined;
  /** What was wrong with the latest time. */
  complaint: ClockComplaint | undefined;
  readonly #maxGap: number;
  #unitKnown = false;
  /** Time of the event before; NaN if there is none. */
  #previous = Number.NaN;

  /** @param maxGap a step forward of more nanoseconds than this is a jump */
  constructor(maxGap: number) {
    this.#maxGap = maxGap;
  }

  /** The next event may have any time: another trace begins. */
  restart(): void {
    this.#previous = Number.NaN;
  }

  /** Time of an event; {@link complaint} says if it is wrong. */
  take(prefix: Prefix): number {
    const { seconds, nanoseconds, fractionDigits } = prefix;
    if (!this.#unitKnown) this.#begin(seconds, fractionDigits);
    const time = (seconds - this.origin) * 1e9 + nanoseconds;
    const step = time - this.#previous;
    this.complaint = undefined;
    // Without an event before, the step is NaN and neither below nor above anything.
    if (step < 0 || step > this.#maxGap || (fractionDigits === 0) !== this.ticks)
      this.#check(time, step, fractionDigits);
    this.#previous = time;
    if (this.first === undefined || time < this.first) this.first = time;
    if (this.last === undefined || time > this.last) this.last = time;
    return time;
  }

  /** Writes down what the module of {@link Templates} has to know; it goes on for lines that are not wrong. */
  lend(numbers: Float64Array): void {
    numbers[clockNumber.origin] = this.origin;
    numbers[clockNumber.maxGap] = this.#maxGap;
    numbers[clockNumber.previous] = this.#previous;
    numbers[clockNumber.first] = this.first ?? Number.POSITIVE_INFINITY;
    numbers[clockNumber.last] = this.last ?? Number.NEGATIVE_INFINITY;
  }

  /** Goes on from what was lent, after an event at least. */
  takeBack(numbers: Float64Array): void {
    this.#previous = numbers[clockNumber.previous]!;
    this.first = numbers[clockNumber.first];
    this.last = numbers[clockNumber.last];
  }

  #begin(seconds: number, fractionDigits: number): void {
    this.#unitKnown = true;
    this.ticks = fractionDigits === 0;
    if (seconds > EXACT_SECONDS) this.origin = seconds;
  }

  #check(time: number, step: number, fractionDigits: number): void {
    if ((fractionDigits === 0) !== this.ticks) {
      const expected = this.ticks ? "ticks" : "seconds";
      this.complaint = { kind: "clock-jump", message: "the unit of time changes", expected };
    } else if (step < 0) {
      const by = this.ticks ? `${-step} ticks` : `${-step / 1e9} s`;
      this.complaint = { kind: "clock-back", message: `time runs back by ${by}`, expected: "lines in order of time" };
    } else if (this.ticks && time > Number.MAX_SAFE_INTEGER) {
      const message = `${time} ticks after the first event, which no number keeps exactly`;
      this.complaint = { kind: "clock-jump", message, expected: "less than 2^53 ticks in one trace" };
    } else if (!this.ticks && step > this.#maxGap) {
      const message = `time jumps ahead by ${step / 1e9} s`;
      this.complaint = { kind: "clock-jump", message, expected: `at most ${this.#maxGap / 1e9} s` };
    }
  }
}
