// How fast something goes, and when it will be done, in words.

import { type Pace, spanText, timeLeft } from "../../src/base/pace.js";

/** `12 of 60 cells in 34 s, about 2 min left`; nothing of the rest before there is something to judge it by. */
export function paceText(pace: Pace, what: string): string {
  const so = `${pace.done} of ${pace.total} ${what} in ${spanText(pace.elapsed)}`;
  const left = timeLeft(pace);
  return left === undefined ? so : `${so}, about ${left}`;
}
