// Runs a matrix to its end and finds cells in it.
import { type ScenarioName, type VerdictRecord, type VerdictsOptions, verdicts } from "../../src/verdicts/index.js";

export async function collect(options: VerdictsOptions): Promise<VerdictRecord[]> {
  const records: VerdictRecord[] = [];
  for await (const record of verdicts(options)) records.push(record);
  return records;
}

export function cell(
  records: readonly VerdictRecord[],
  policy: string,
  scenario: ScenarioName,
  agent = "iommu",
): VerdictRecord {
  const found = records.filter((r) => r.policy === policy && r.scenario === scenario && r.agent === agent);
  if (found.length !== 1) throw new Error(`${found.length} cells for ${policy}, ${scenario}, ${agent}`);
  return found[0] as VerdictRecord;
}

/** The texts of the story of a cell's witness. */
export function story(record: VerdictRecord): string[] {
  return (record.worst?.witness ?? record.witness)?.steps.map(({ text }) => text) ?? [];
}
