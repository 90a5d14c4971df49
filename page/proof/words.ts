// What a proof says, in words and rows. No drawing here: tests read the same.

import type { Proof, ProofBounds } from "../../src/verdicts/index.js";
import type { Cell } from "../search/cell.js";

/** What proofs are about, each with what it says. */
export function boundRows(bounds: ProofBounds): [string, string][] {
  const { frames, regions, addresses, cpus, devices, pasids, processes, walks, cacheEntries } = bounds;
  return [
    ["Length of programs", "any"],
    ["Regions whose tables are freed, once each", String(regions)],
    ["Addresses that are accessed", String(addresses)],
    ["Frames, none free at the begin", String(frames)],
    ["CPUs", String(cpus)],
    ["Devices, PASIDs", `${devices}, ${pasids}`],
    ["Processes", String(processes)],
    ["Walks under way at once", walks === 0 ? "none: walks are whole" : `${walks}, read by read`],
    ["Entries of each cache; none is displaced", String(cacheEntries)],
  ];
}

/** How far an exploration went, in a sentence. */
export function reachText({ closed, states, transitions, moves, ended }: Proof): string {
  const count = `${states.toLocaleString("en")} states and ${transitions.toLocaleString("en")} steps between them`;
  if (closed) return `${count}: all that there are.`;
  const limit = ended === "time" ? "time" : "states";
  return `${count}, then the limit of ${limit} ended it. Every program of fewer than ${moves} moves was gone through.`;
}

/** The command that proves the same cell. */
export function commandOf({ policy, scenario, kernel, agent, changes, cpu }: Cell): string {
  const options = agent === "iommu" ? changes.map((name) => `--option ${name}`) : cpu ? [`--cpu ${cpu}`] : [];
  const hardware = options.length > 0 ? options.join(" ") : "--quick";
  const cell = `--kernel ${kernel} --policy ${policy} --site ${scenario}`;
  return `stalewalk verdicts --prove --explain-safe ${hardware} ${cell}`;
}
