// The verdict of one cell of the matrix, as data.

import type { HazardKind } from "../kernel/hazards.js";
import type { KernelVersion } from "../kernel/versions.js";
import type { Site } from "../program/sites.js";
import type { CpuOptions, IommuOptions } from "./options.js";
import type { Support } from "./prove/explain.js";
import type { Proof, ProofBounds } from "./prove/prove.js";
import type { ScenarioName } from "./scenarios.js";
import type { AgentKind } from "./stage.js";
import type { Witness } from "./story.js";

/** A hazard and how it comes about. */
export interface HazardVerdict {
  /** The worst kind that applies. */
  kind: HazardKind;
  /** A program that shows it. */
  witness: Witness;
}

/** One cell of the matrix. */
export interface VerdictRecord {
  /** The kernel: the one whose record was taken. */
  kernel: KernelVersion;
  /** Name of the policy. */
  policy: string;
  /** Row: a site, or a site with tables of another origin. */
  scenario: ScenarioName;
  /** The place in the kernel that frees. */
  site: Site;
  /** Whose walks. */
  agent: AgentKind;
  /** The hardware that was searched. */
  options: IommuOptions | CpuOptions;
  /** How walks were made, and which of them invalidations waited for. */
  walks: "atomic" | "stepwise";
  /** See {@link VerdictsOptions.drain}. */
  drain: "all" | "page" | "none";
  /** See {@link VerdictsOptions.moves}. */
  moves: "usual" | "wide";
  /** Deferred work ran between operations, everything else anywhere. What `safe` means `says` tells. */
  verdict: "hazard" | "safe";
  /** The same in words: what is safe was proved so, or among programs that were tried no hazard was found. */
  says: "hazard" | "proved safe" | "no hazard found";
  /** Worst kind that the shortest program leads to, once somebody takes the freed frame. */
  kind?: HazardKind;
  /** The shortest program with a hazard. */
  witness?: Witness;
  /** The same with whoever takes the freed frame, if that makes it worse. */
  worst?: HazardVerdict;
  /**
   * What deferred work that runs *inside* kernel operations adds to a safe cell: a hazard, or null if none was found. Only in
   * safe cells of policies with deferred work.
   */
  race?: HazardVerdict | null;
  /** Programs played for this cell, operations in them (set-up not counted), most moves of a program. Not of a proof. */
  tried: { programs: number; operations: number; depth: number };
  /** Of a proof: what was explored. Of a safe cell without `raceProof` that had deferred work inside operations, too. */
  proof?: Proof & { bounds: ProofBounds; assumptions: string[] };
  /** Of a proof, where work inside operations adds a hazard, or a limit ended that: what was explored with it; `proof` without. */
  raceProof?: Proof;
  /** Of what is proved safe, if that was asked for: what was taken away in turn, and what the cell is without it. */
  restsOn?: Support[];
}
