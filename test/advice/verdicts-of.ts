// One cell of an IOMMU, proved with whole walks.
import type { Policy } from "../../src/index.js";
import type { ScenarioName, VerdictRecord } from "../../src/verdicts/index.js";
import { collect } from "../verdicts/collect.js";

export type { Policy };

export async function verdictsOf(policy: Partial<Policy>, row: ScenarioName): Promise<VerdictRecord> {
  const policies = [{ name: "of the test", ...policy }];
  const [record] = await collect({
    policies,
    scenarios: [row],
    hardware: "usual",
    agents: ["iommu"],
    prove: true,
    walks: "atomic",
  });
  if (!record) throw new Error(`no cell of ${row}`);
  return record;
}
