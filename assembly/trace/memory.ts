// What host and module share: one block of columns, numbers and text. The module's memory never grows, so that views of the host
// stay valid. The host writes text, clock and state, and reads columns; src/trace/abi.ts is made of these constants.

/** Events of a batch, and words of their fields: most have few; those with many make a batch full before it has all its events. */
export const BATCH_EVENTS: i32 = 4096;
/** Most fields an event has. */
export const MAX_FIELDS: i32 = 16;
export const BATCH_WORDS: i32 = BATCH_EVENTS * MAX_FIELDS;
/** Bytes of text that are held at a time. */
export const TEXT_BYTES: i32 = 1 << 18;
/** What vectors are aligned to. */
export const VECTOR: i32 = 16;
/** How far beyond the last line vectors may be read. */
const OVERREAD: i32 = 4 * VECTOR;

// Places in the block. Columns first: EventBatch of src/trace/batch.ts says what they hold.
export const TIME_AT: usize = 0;
export const EVENT_AT: usize = TIME_AT + 8 * BATCH_EVENTS;
export const CPU_AT: usize = EVENT_AT + 2 * BATCH_EVENTS;
export const PID_AT: usize = CPU_AT + 2 * BATCH_EVENTS;
export const LINE_AT: usize = PID_AT + 4 * BATCH_EVENTS;
export const PRESENT_AT: usize = LINE_AT + 4 * BATCH_EVENTS;
/** One entry more than events. */
export const OFFSET_AT: usize = PRESENT_AT + 4 * BATCH_EVENTS;
export const WORDS_AT: usize = OFFSET_AT + 4 * (BATCH_EVENTS + 2);
export const CLOCK_AT: usize = WORDS_AT + 4 * BATCH_WORDS;
export const STATE_AT: usize = CLOCK_AT + 48;
/** Whole lines. */
export const TEXT_AT: usize = STATE_AT + 16;
const BLOCK_BYTES: i32 = <i32>TEXT_AT + TEXT_BYTES + OVERREAD;

/** The block. */
export const BLOCK: usize = memory.data(BLOCK_BYTES, VECTOR);

// Numbers of the clock, by index: TraceClock of src/trace/clock.ts.
export const ORIGIN: i32 = 0;
export const MAX_GAP: i32 = 1;
export const PREVIOUS: i32 = 2;
export const FIRST: i32 = 3;
export const LAST: i32 = 4;

// Words of the state, by index.
/** Events in the batch. */
export const COUNT: i32 = 0;
/** Lines read so far. */
export const LINES: i32 = 1;
/** 1 if the clock counts something else than time. */
export const IN_TICKS: i32 = 2;
/** Why reading stopped. */
export const WHY: i32 = 3;

/** The text is read, or the batch is full. */
export const DONE: u32 = 0;
/** The next line has no form that is known. */
export const NO_FORM: u32 = 1;
/** It has one, but a text that is not known. */
export const NO_TEXT: u32 = 2;
/** It is no event with a padded name, or its time is wrong. */
export const ODD: u32 = 3;
