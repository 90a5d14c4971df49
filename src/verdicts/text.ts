// The matrix as text: one table an agent, what hardware changes, the stories. Pure functions, for terminals of 120 columns.

import type { Occupancy } from "./occupancy.js";
import {
  type CpuOptions,
  changedIommu,
  describeOptions,
  type IommuOptions,
  iommuChangeNames,
  iommuChanges,
  iommuOptionNames,
  usualCpu,
  usualIommu,
} from "./options.js";
import { scenarios } from "./scenarios.js";
import type { Witness } from "./story.js";
import type { VerdictRecord } from "./verdict.js";

/** A cell in one word, or two. Of a proof it says *proved* where no state is left, else that none was found. */
export function cellText(record: VerdictRecord | undefined): string {
  if (!record) return "";
  const { verdict, race, proof, raceProof } = record;
  if (verdict === "hazard") return "● hazard";
  if (!proof) return race ? "◐ safe; race" : "○ safe";
  if (!proof.closed) return race ? "? none found; race" : "? none found";
  if (race) return "◐ proved; race";
  return raceProof && !raceProof.closed ? "◔ proved; race open" : "✓ proved";
}

/** Rows of a table of verdicts: policies down, sites across. `stop-at-supervisor` is policy `none` with that option. */
export function matrixRows(records: readonly VerdictRecord[], base: IommuOptions | CpuOptions): string[][] {
  const agent = "invlpgScope" in base ? "cpu" : "iommu";
  const mine = records.filter((record) => record.agent === agent);
  const usual = mine.filter(({ options }) => same(options, base));
  const columns = scenarios.filter(({ name }) => mine.some(({ scenario }) => scenario === name));
  const policies = [...new Set(usual.map(({ policy }) => policy))];
  const row = (name: string, from: readonly VerdictRecord[], policy: string): string[] => [
    name,
    ...columns.map((column) => cellText(from.find((r) => r.policy === policy && r.scenario === column.name))),
  ];
  const stopped = mine.filter(({ options }) => same(options, changedIommu(["stop-at-supervisor"])));
  const emulator =
    "supervisorEntries" in base && base.supervisorEntries !== "stop" && stopped.some(({ policy }) => policy === "none");
  return [
    ["policy", ...columns.map(({ heading }) => heading)],
    ...policies.map((policy) => row(policy, usual, policy)),
    ...(emulator ? [row("stop-at-supervisor", stopped, "none")] : []),
  ];
}

/** What each hardware option changes: pairs of cells that differ in nothing else. */
export function optionLines(records: readonly VerdictRecord[]): string[] {
  const iommu = records.filter(({ agent }) => agent === "iommu");
  const byKey = new Map(iommu.map((record) => [keyOf(record, record.options as IommuOptions), record]));
  const lines = iommuChangeNames.flatMap((change) => {
    const { name, value } = iommuChanges[change];
    let pairs = 0;
    const changed: VerdictRecord[] = [];
    for (const record of iommu) {
      const options = record.options as IommuOptions;
      if (options[name] !== usualIommu[name]) continue;
      const other = byKey.get(keyOf(record, { ...options, [name]: value }));
      if (!other) continue;
      pairs++;
      if (other.verdict !== record.verdict || !other.race !== !record.race) changed.push(other);
    }
    if (pairs === 0) return [];
    const hardware = changedIommu([change]);
    const title = describeOptions(hardware);
    if (changed.length === 0) return [`${title}: no verdict changes (${pairs} pairs of cells)`];
    // The changes on otherwise usual hardware, by policy.
    const plain = changed.filter(({ options }) => same(options, hardware));
    return [`${title}: ${changed.length} of ${pairs} pairs differ, all else being equal`, ...grouped(plain)];
  });
  return [...lines, ...cpuLines(records)];
}

function cpuLines(records: readonly VerdictRecord[]): string[] {
  const cpu = records.filter(({ agent }) => agent === "cpu");
  const usual = cpu.filter(({ options }) => same(options, usualCpu));
  const scopes = [...new Set(cpu.map(({ options }) => JSON.stringify(options)))].slice(1);
  return scopes.flatMap((scope) => {
    const changed = cpu.filter((record) => {
      if (JSON.stringify(record.options) !== scope) return false;
      const before = usual.find(({ policy, scenario }) => policy === record.policy && scenario === record.scenario);
      return before?.verdict !== record.verdict;
    });
    const title = describeOptions(JSON.parse(scope));
    if (changed.length === 0) return [`${title}: no verdict of CPUs changes`];
    return [`${title}: ${changed.length} of ${usual.length} verdicts of CPUs change`, ...grouped(changed)];
  });
}

function grouped(records: readonly VerdictRecord[]): string[] {
  const lines = new Map<string, string[]>();
  for (const record of records) {
    const now = `${cellText(record).slice(2)} under ${record.policy}`;
    lines.set(now, [...(lines.get(now) ?? []), record.scenario]);
  }
  return [...lines].map(([now, names]) => `  ${now}: ${names.join(", ")}`);
}

/** What cached supervisor leaves cost, in IOTLB entries and in hits. */
export function occupancyLines([cached, not]: readonly [Occupancy, Occupancy]): string[] {
  const line = ({ supervisor, user, entries, hits, requests, hazards }: Occupancy): string =>
    `${supervisor} supervisor and ${user} user entries of ${entries}; ` +
    `${hits} of ${requests} own requests hit (${Math.round((100 * hits) / requests)}%); ${hazards} hazards`;
  return [`supervisor leaves cached:     ${line(cached)}`, `supervisor leaves not cached: ${line(not)}`];
}

/** A story, numbered. */
export function storyLines({ steps }: Witness): string[] {
  const width = String(steps.length).length;
  return steps.map(({ number, text }) => `  ${String(number).padStart(width)}  ${text}`);
}

/** Lines of a story for every hazard, under the cells it is the story of; hardware is named where it is not the usual one. */
export function stories(records: readonly VerdictRecord[]): string[] {
  const shared = new Map<string, { lines: string[]; cells: Map<string, Set<string>> }>();
  const put = (record: VerdictRecord, what: string, witness: Witness): void => {
    const lines = storyLines(witness);
    const key = lines.join("\n");
    const { cells } = shared.get(key) ?? { cells: new Map<string, Set<string>>() };
    const cell = `${record.scenario}, ${record.agent === "cpu" ? "CPU" : "IOMMU"}, ${what}`;
    const usual = same(record.options, record.agent === "cpu" ? usualCpu : usualIommu);
    const hardware = usual ? "" : ` (${describeOptions(record.options)})`;
    // What holds on usual hardware needs no mention that it holds on other hardware too.
    const policies = cells.get(cell) ?? new Set();
    if (!policies.has(record.policy)) policies.add(record.policy + hardware);
    shared.set(key, { lines, cells: cells.set(cell, policies) });
  };
  for (const record of records) {
    const witness = record.worst?.witness ?? record.witness;
    if (witness) put(record, record.kind ?? "", witness);
    if (record.race) put(record, `safe but for a race, ${record.race.kind}`, record.race.witness);
  }
  return [...shared.values()].flatMap(({ lines, cells }) => [
    ...[...cells].map(([cell, names]) => `${cell}: ${[...names].join(", ")}`),
    ...lines,
    "",
  ]);
}

/** What the signs of {@link cellText} mean. */
export function signsLine(records: readonly VerdictRecord[]): string {
  if (!records.some(({ proof }) => proof)) {
    return "● hazard, ○ safe, ◐ safe unless deferred work runs inside the operation that frees";
  }
  const open = records.some(({ proof, raceProof }) => proof?.ended ?? raceProof?.ended);
  const signs = "● hazard, ✓ proved safe, ◐ proved safe unless deferred work runs inside the operation that frees";
  return open ? `${signs}, ? no hazard found before a limit, ◔ none such inside operations` : signs;
}

/** What was explored, and what proofs rest on; nothing of records that were searched. */
export function proofLines(records: readonly VerdictRecord[]): string[] {
  const proofs = records.flatMap(({ proof, raceProof }) => [
    ...(proof ? [proof] : []),
    ...(raceProof ? [raceProof] : []),
  ]);
  const [first] = records.flatMap(({ proof }) => proof ?? []);
  if (!first) return [];
  const sum = (of: "states" | "transitions"): string =>
    proofs.reduce((total, proof) => total + proof[of], 0).toLocaleString("en");
  const count = (says: VerdictRecord["says"]): number => records.filter((record) => record.says === says).length;
  const ended = proofs.filter(({ ended }) => ended).length;
  const { frames, regions, addresses, cpus, devices, pasids, processes, walks, cacheEntries } = first.bounds;
  const missed = proofs.reduce((total, proof) => total + proof.missed, 0);
  return [
    `${records.length} cells: ${count("hazard")} hazards, ${count("proved safe")} proved safe, ${count("no hazard found")} with no hazard found; ` +
      `${sum("states")} states, ${sum("transitions")} transitions${ended > 0 ? `; ${ended} explorations ended by a limit` : ""}`,
    `a state was taken for another with a probability of at most ${missed.toExponential(0)} (two hashes of 64 bits)`,
    `bounds: ${frames} frames, ${regions} regions that are freed once each, ${addresses} addresses, ${cpus} CPUs, ` +
      `devices: ${devices}, PASIDs: ${pasids}, ${processes} processes, ${cacheEntries} entries a cache, ` +
      (walks === 0 ? "walks as a whole" : `${walks} walk${walks > 1 ? "s" : ""} read by read at a time`),
    ...first.assumptions.map((text) => `assumed: ${text}`),
  ];
}

/** What the safety of cells rests on, and what not, cells of equal lines together. */
export function supportLines(records: readonly VerdictRecord[]): string[] {
  const cells = new Map<string, string[]>();
  for (const { policy, scenario, agent, options, restsOn } of records) {
    if (!restsOn) continue;
    const needed = restsOn.filter(({ without }) => without === "hazard" || without === "race");
    const open = restsOn.filter(({ without }) => without === "no hazard found");
    const list = (supports: typeof restsOn): string =>
      supports.map(({ what, without }) => (without === "race" ? `${what} (else a race)` : what)).join("; ");
    const text =
      (needed.length > 0 ? `rests on ${list(needed)}` : "rests on nothing that was taken away") +
      (open.length > 0 ? `; a limit left open: ${list(open)}` : "");
    const usual = same(options, agent === "cpu" ? usualCpu : usualIommu);
    const cell = `${scenario}, ${agent === "cpu" ? "CPU" : "IOMMU"}, ${policy}${usual ? "" : ` (${describeOptions(options)})`}`;
    cells.set(text, [...(cells.get(text) ?? []), cell]);
  }
  return [...cells].flatMap(([text, names]) => [...names, `  ${text}`]);
}

/** What was tried where nothing was found. */
export function triedLine(records: readonly VerdictRecord[]): string {
  const sum = (of: (record: VerdictRecord) => number): string =>
    records.reduce((total, record) => total + of(record), 0).toLocaleString("en");
  const safe = records.filter(({ verdict }) => verdict === "safe");
  const least = Math.min(...safe.map(({ tried }) => tried.programs));
  const most = Math.max(...safe.map(({ tried }) => tried.programs));
  const each =
    safe.length === 0 ? "" : `; each safe cell: ${least.toLocaleString("en")} to ${most.toLocaleString("en")} programs`;
  return `${records.length} cells, ${sum(({ tried }) => tried.programs)} programs of ${sum(({ tried }) => tried.operations)} operations tried${each}`;
}

function keyOf({ policy, scenario }: VerdictRecord, options: IommuOptions): string {
  return [policy, scenario, ...iommuOptionNames.map((name) => options[name])].join(" ");
}

/** Whether options are the same hardware. */
export function same(one: object, other: object): boolean {
  const entries = Object.entries(one);
  const rest = other as Record<string, unknown>;
  return entries.length === Object.keys(other).length && entries.every(([name, value]) => rest[name] === value);
}
