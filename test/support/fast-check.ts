// fast-check, as every test here uses it: properties start from STALEWALK_SEED unless they name a seed made from it, and a
// property that fails says how to play it again. Biome refuses an import of fast-check itself in any other file.
import fc, { type RunDetails } from "fast-check";
import { SEED } from "./seed.js";

function explain(details: RunDetails<unknown>): string {
  return `${fc.defaultReportMessage(details)}\n\nAgain: STALEWALK_SEED=${SEED} npx vitest run FILE`;
}

fc.configureGlobal({
  seed: SEED,
  reporter: (details) => {
    if (details.failed) throw new Error(explain(details), { cause: details.errorInstance });
  },
});

export * from "fast-check";
export default fc;
