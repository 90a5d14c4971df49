// The verdict of one cell, with its story.

import type { VerdictRecord } from "../../src/verdicts/index.js";
import { type Cell, lacksProof, type Proving, proofOptions, searchOf } from "./cell.js";
import { searchVerdicts } from "./client.js";
import { lacksStory, recall, remember } from "./known.js";
import type { Search } from "./protocol.js";

/** The verdict of one cell: remembered, or searched, and proved where that is asked for. */
export async function judge(cell: Cell, signal: AbortSignal, proving?: Proving): Promise<VerdictRecord> {
  const search = { ...searchOf(cell, cell.kernel), policies: [cell.policy], scenarios: [cell.scenario] };
  const ask = (options: Search): Promise<void> => searchVerdicts(options, (found) => remember(cell, found), signal);
  const before = recall(cell);
  if (!before || lacksStory(before)) await ask(search);
  const searched = recall(cell);
  if (searched && proving && lacksProof(searched, proving)) await ask({ ...search, ...proofOptions(proving) });
  const record = recall(cell);
  if (!record) throw new Error(`no verdict of ${cell.scenario} under ${cell.policy}`);
  return record;
}
