// What a mapping file may hold, as far as each value can be judged by itself. What must fit to something else (a field to its
// event, an argument to its operation) is looked at in mapping-check.ts.
import {
  anyText,
  boolean,
  either,
  exactly,
  fileObject,
  integer,
  list,
  object,
  omissible,
  oneOf,
  record,
  someOf,
  textLike,
} from "../base/schema.js";
import { FIELD_TYPES, MAX_FIELDS } from "./events.js";
import { OPERATION_NAMES } from "./operations.js";

const WHOLE = "a whole number up to 2^53";
const EVENT = "the name of a built-in event or of one under events";

const name = textLike(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "a name of letters, digits and _, at most 64");
const whole = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, WHOLE);
const eventName = anyText(EVENT);

const field = object({
  name,
  type: omissible(oneOf(FIELD_TYPES)),
  optional: omissible(boolean()),
});

const LAYOUT = '"probe" or at least one text';
const layoutText = textLike(/^[^\r\n]+$/, "a text without line breaks");

const event = object({
  name,
  system: omissible(name),
  fields: omissible(list(field, `an array of at most ${MAX_FIELDS} fields`, 0, MAX_FIELDS)),
  layout: omissible(either(exactly("probe", LAYOUT), list(layoutText, LAYOUT, 1))),
});

/** A field's name, or a fixed value: a number, or a text. */
const source = either(
  anyText("the name of a field"),
  someOf({ value: omissible(whole), text: omissible(anyText()) }, "value or text in it"),
);

const PLAIN = "a text or a whole number up to 2^53";
const plain = [anyText(PLAIN), whole] as const;

const condition = either(
  ...plain,
  someOf(
    {
      not: omissible(either(...plain)),
      function: omissible(either(anyText("a function name, or several"), list(anyText("a function name")))),
    },
    "not or function in it",
  ),
);

const conditions = record(condition);

const last = object({
  event: eventName,
  when: conditions,
  until: omissible(list(eventName, "an array")),
  same: omissible(list(anyText("the name of a field"), "an array")),
});

const rule = object({
  event: eventName,
  operation: oneOf([...OPERATION_NAMES, "ignore"]),
  args: omissible(record(source)),
  when: omissible(conditions),
  last: omissible(last),
  reason: omissible(anyText()),
});

/** A mapping, as a file has it. @internal */
export const mappingSchema = fileObject({
  version: exactly(1, "1"),
  events: omissible(list(event, "an array")),
  rules: omissible(list(rule, "an array")),
});
