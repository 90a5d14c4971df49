// Findings as SARIF 2.1.0 (OASIS, 27 March 2020), which code hosts and editors show: of an audit what user mode reaches in the kernel half
// and what is both writable and executable, of verdicts a result for every hazard, with its story as a code flow.
import { jsonText } from "../base/notation.js";
import type { ImageAudit, LeafFinding } from "../image/index.js";
import type { VerdictRecord, Witness } from "../verdicts/index.js";
import { witnessOf } from "./story-svg.js";
import { packageVersion } from "./version.js";

interface Rule {
  readonly id: string;
  readonly text: string;
  readonly level: "error" | "warning";
}

interface Result {
  readonly rule: Rule;
  readonly text: string;
  readonly location: object;
  readonly properties?: object;
  readonly codeFlows?: readonly object[];
}

function log(results: readonly Result[], rules: readonly Rule[]): string {
  const driver = {
    name: "stalewalk",
    version: packageVersion(),
    semanticVersion: packageVersion(),
    rules: rules.map(({ id, text, level }) => ({
      id,
      shortDescription: { text },
      defaultConfiguration: { level },
    })),
  };
  const all = results.map(({ rule, text, location, properties, codeFlows }) => ({
    ruleId: rule.id,
    ruleIndex: rules.indexOf(rule),
    level: rule.level,
    message: { text },
    locations: [location],
    ...(codeFlows && { codeFlows }),
    ...(properties && { properties }),
  }));
  return `${jsonText({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver }, columnKind: "utf16CodeUnits", results: all }],
  })}\n`;
}

const AUDIT = {
  reachable: { id: "user-reachable-kernel-page", text: "User mode reaches a page of the kernel half", level: "error" },
  user: {
    id: "user-writable-executable",
    text: "A page of the user half is both writable and executable",
    level: "warning",
  },
  kernel: {
    id: "kernel-writable-executable",
    text: "A page of the kernel half is both writable and executable",
    level: "error",
  },
} as const satisfies Record<string, Rule>;

/** An audit's findings. The audit lists some pages of each; its counts are in the results' properties. */
export function auditSarif(file: string, audit: ImageAudit): string {
  const of = (rule: Rule, { count, examples }: LeafFinding): Result[] =>
    examples.map(({ address, level, entry, visits }) => ({
      rule,
      text: `${rule.text}: ${digits(address)}, level ${level}, entry ${digits(entry)}`,
      location: {
        physicalLocation: { artifactLocation: { uri: uriOf(file) } },
        logicalLocations: [{ fullyQualifiedName: digits(address), kind: "address" }],
      },
      properties: { level, entry: digits(entry), addresses: visits, foundInAll: count },
    }));
  const { user, kernel } = audit.writableExecutable;
  const results = [
    ...of(AUDIT.reachable, audit.userReachableKernelLeaves),
    ...of(AUDIT.user, user),
    ...of(AUDIT.kernel, kernel),
  ];
  return log(results, Object.values(AUDIT));
}

const VERDICTS = {
  hazard: { id: "walk-through-freed-table", text: "A walk goes through a freed page table", level: "error" },
  race: {
    id: "walk-through-freed-table-by-race",
    text: "A walk goes through a freed page table if deferred work runs inside the operation that frees",
    level: "warning",
  },
} as const satisfies Record<string, Rule>;

/** Hazards of verdicts, each with its story. */
export function verdictsSarif(records: readonly VerdictRecord[]): string {
  const results = records.flatMap((record): Result[] => {
    const found = witnessOf(record);
    if (!found) return [];
    const { kernel, policy, scenario, site, agent, options } = record;
    const who = agent === "cpu" ? "a CPU" : "an IOMMU";
    return [
      {
        rule: record.verdict === "hazard" ? VERDICTS.hazard : VERDICTS.race,
        text: `Policy ${policy}, ${scenario}, Linux ${kernel}, walks of ${who}: ${found.kind}, in ${found.witness.steps.length} steps`,
        location: { logicalLocations: [{ name: site, fullyQualifiedName: scenario, kind: "function" }] },
        codeFlows: [flow(found.witness, site)],
        properties: { policy, kernel, agent, hardware: options },
      },
    ];
  });
  return log(results, Object.values(VERDICTS));
}

function flow({ steps }: Witness, site: string): object {
  const locations = steps.map(({ number, actor, text }) => ({
    executionOrder: number,
    kinds: [actor],
    location: { message: { text }, logicalLocations: [{ name: site, kind: "function" }] },
  }));
  return { threadFlows: [{ locations }] };
}

function digits(value: bigint): string {
  return `0x${value.toString(16).padStart(16, "0")}`;
}

/** A path as a URI reference: what means something in URIs is spelled out. */
function uriOf(path: string): string {
  return path.split(/[/\\]/).map(encodeURIComponent).join("/");
}
