// A trace of which nothing could be played has no result: figures of nothing would read as "safe". Node-only.
import type { ReplayResult } from "../replay/index.js";
import { InputError } from "./errors.js";

/**
 * Refuses a result without a single event that the reader knows.
 * @throws InputError that says what the input may be and what converts it
 */
export function refuseNothing({ trace }: ReplayResult): void {
  if (Object.values(trace.counts).some((count) => count > 0)) return;
  // What the text may be is the first finding.
  const finding = trace.findings.find(({ severity }) => severity === "damage");
  if (finding) throw new InputError(finding.text);
  const unknown = Object.keys(trace.unknown);
  if (unknown.length === 0) throw new InputError(`${trace.name}: the trace has no events`);
  const names = unknown.slice(0, 5).join(", ");
  throw new InputError(
    `${trace.name}: none of its ${trace.events} events is one that can be played (${names}${unknown.length > 5 ? ", …" : ""}); ` +
      "`stalewalk record-help` prints a script that records them",
  );
}
