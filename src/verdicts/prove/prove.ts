// A proof of a cell: what an exploration of all its states says, with the bounds and the assumptions that it rests on.

import type { Turns } from "../../base/progress.js";
import type { Scenario } from "../scenarios.js";
import { type Found, tidy } from "../search.js";
import type { Stage } from "../stage.js";
import type { Wanted } from "./choices.js";
import type { Explored, Explorer, Limits } from "./explore.js";
import { missProbability } from "./hash.js";

/** What an exploration of all states says beside a verdict. */
export interface Proof {
  /** Whether every state was gone on from: then what has no hazard is proved safe, within bounds and assumptions. */
  closed: boolean;
  /** States, and what leads from one to the next: each move that was made in a state, each step of the kernel to its next point. */
  states: number;
  /** See `states`. */
  transitions: number;
  /** Programs of fewer moves than this were all gone through; of a closed cell those of any length. */
  moves: number;
  /** Which limit ended it. */
  ended?: "states" | "time";
  /** How probable it is that a state was taken for another, so that what comes after it was left out. */
  missed: number;
}

/** What a proof is about: more of any of these is outside of it. */
export interface ProofBounds {
  /** Page-table frames, of which none is free when programs begin. */
  frames: number;
  /** Regions that tables are freed in, each once. */
  regions: number;
  /** Addresses that are accessed, in all regions. */
  addresses: number;
  /** CPUs; the kernel's operations run on the first. */
  cpus: number;
  /** Devices behind an IOMMU, each with every PASID. */
  devices: number;
  /** PASIDs of the IOMMU. */
  pasids: number;
  /** Processes that there may be. */
  processes: number;
  /** Walks that are under way at once, read by read; 0: walks are whole. */
  walks: number;
  /** Entries of each cache; none is ever displaced. */
  cacheEntries: number;
}

/** What comes of a cell: without work inside operations, and with it where the policy has any. */
export interface Proved {
  found: Found | undefined;
  proof: Proof;
}

/** Explores a cell once. */
export function* proveCell(
  explorer: Explorer,
  scenario: Scenario,
  wanted: Wanted,
  limits: Limits,
  turns: Turns,
): Generator<void, Proved, void> {
  const explored = yield* explorer.explore(scenario, wanted, limits, turns);
  return { found: explored.found && tidy(explorer.stage, explored.found), proof: proofOf(explored) };
}

/** What was found without work inside operations, and with it: one exploration where that comes to the same. */
export interface ProvedBoth {
  plain: Proved;
  raced: Proved;
}

/** Explores a cell with work between operations only and, `withRace`, with work inside them, too. */
export function* proveBoth(
  explorer: Explorer,
  scenario: Scenario,
  wanted: Wanted,
  withRace: boolean,
  limits: Limits,
  turns: Turns,
): Generator<void, ProvedBoth, void> {
  const explore = (race: boolean): Generator<void, Proved, void> =>
    proveCell(explorer, scenario, { ...wanted, race }, limits, turns);
  // Programs with work between operations only are among those with work anywhere: what is safe with all of these is safe.
  const raced = withRace ? yield* explore(true) : undefined;
  if (raced?.proof.closed) return { plain: raced, raced };
  const plain = yield* explore(false);
  return { plain, raced: plain.found || !raced ? plain : raced };
}

function proofOf({ states, transitions, depth, ended, found }: Explored): Proof {
  return {
    closed: ended === undefined && found === undefined,
    states,
    transitions,
    moves: depth,
    ...(ended && { ended }),
    missed: missProbability(states),
  };
}

/** The bounds of a stage's proofs. */
export function boundsOf({ machine }: Stage, scenario: Scenario, { walks }: Wanted): ProofBounds {
  const { iommus } = machine;
  const caches = [...machine.cpus, ...iommus].flatMap((agent) => agent.caches);
  return {
    frames: machine.frames.size,
    regions: scenario.regions.length,
    addresses: scenario.regions.reduce((sum, { addresses }) => sum + addresses.length, 0),
    cpus: machine.cpus.length,
    devices: iommus.reduce((sum, iommu) => sum + iommu.devices.length, 0),
    pasids: iommus.reduce((sum, iommu) => sum + iommu.pasids.length, 0),
    processes: 2,
    walks,
    cacheEntries: Math.max(...caches.map(({ entries }) => entries)),
  };
}

const DRAINS = {
  all: "an invalidation is complete only when the walks of its PASID or CPU that began before it have ended",
  page: "an invalidation is complete only when the walks to its pages that began before it have ended",
  none: "an invalidation waits for no walk",
} as const;

/** What every proof takes for granted, in sentences. `drain`: what invalidations wait for. */
export function proofAssumptions(drain: keyof typeof DRAINS): string[] {
  return [
    DRAINS[drain],
    "locks of the kernel are not modelled: what they exclude is allowed here",
    "operations of two CPUs nest: one that begins inside another ends first, and what others do inside it comes before or after it",
    "caches keep what they have until an invalidation drops it",
    "tables are read in program order: no memory model",
  ];
}
