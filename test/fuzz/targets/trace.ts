// The trace reader: text of every form in the fixtures. However the bytes come, whole or in two pieces, and however lines are
// read, by forms that were learned or with care, the same must be read, every byte is accounted for, and no number is anything
// but a number.
import { readdirSync } from "node:fs";
import { parseTrace, summarizeTrace, TraceFormatError } from "../../../src/trace/index.js";
import { fixture } from "../../trace/support.js";
import { endingOf, type FuzzTarget } from "../target.js";

/** Read, and said to be damaged: counted as a refusal. */
class Damaged extends Error {}

function seeds(): Uint8Array[] {
  const names = readdirSync(new URL("../../fixtures/traces/", import.meta.url)).filter((name) => name.endsWith(".txt"));
  return names.map((name) => fixture(name).subarray(0, 3000));
}

async function figures(source: Iterable<Uint8Array>, learnAfter = 64) {
  const reader = parseTrace(source, { learnAfter });
  let sum = 0;
  let values = 0;
  let inexact: string | undefined;
  let events = 0;
  for await (const batch of reader) {
    for (let i = 0; i < batch.count; i++) {
      const time = batch.time[i]!;
      if (!Number.isSafeInteger(time)) inexact ??= `event ${events + i} is at ${time}`;
      sum = (sum * 31 + time + batch.pid[i]! + batch.cpu[i]! + batch.line[i]! + batch.present[i]!) % 2 ** 40;
    }
    for (let i = 0; i < batch.offset[batch.count]!; i++) values = (values * 31 + batch.words[i]!) % 2 ** 40;
    events += batch.count;
  }
  const { bytes, lines, damagedLines, damaged, format, lost, complete } = reader.summary;
  if (inexact && !damaged) throw new RangeError(inexact);
  return { events, sum, values, bytes, lines, damagedLines, damaged, format, lost, complete };
}

/** Other ways to read an input that was read whole; each throws if it comes to something else. */
const WAYS: readonly ((bytes: Uint8Array, whole: string) => Promise<unknown>)[] = [
  async (bytes, whole) => {
    const middle = bytes.length >> 1;
    const parted = JSON.stringify(await figures([bytes.subarray(0, middle), bytes.subarray(middle)]));
    if (whole !== parted) throw new RangeError(`whole: ${whole}; in two pieces: ${parted}`);
  },
  async (bytes) => {
    // Twice over: what the first half teaches, the second half is read by.
    const twice = [bytes, bytes];
    const ways = [await figures(twice, 0), await figures(twice, Number.POSITIVE_INFINITY)];
    const [byForm, careful] = ways.map((it) => JSON.stringify(it));
    if (byForm !== careful) throw new RangeError(`by forms: ${byForm}; with care: ${careful}`);
  },
];

export const traceTarget: FuzzTarget = {
  name: "trace",
  seeds,
  run: (bytes, turn) =>
    endingOf(async () => {
      const whole = await figures([bytes]);
      const ways = turn === undefined ? WAYS : [WAYS[turn % WAYS.length]!];
      for (const way of ways) await way(bytes, JSON.stringify(whole));
      if (whole.bytes !== bytes.length && bytes[0] !== 0x1f)
        throw new RangeError(`${whole.bytes} of ${bytes.length} bytes`);
      if (whole.damaged) throw new Damaged();
      // What is taken without a word in lenient mode, strict mode takes too.
      await summarizeTrace(bytes, { mode: "strict" });
    }, [TraceFormatError, Damaged]),
};
