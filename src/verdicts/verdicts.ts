// The matrix policy x site x hardware option: for every cell a search for a program with a hazard.

import { checkInteger, checkOneOf, InvalidOptionError } from "../base/errors.js";
import { finishInTurns, type RunOptions, Turns } from "../base/progress.js";
import { compileEngine } from "../engine/compile.js";
import type { EngineOptions } from "../engine/instance.js";
import type { HazardKind } from "../kernel/hazards.js";
import { checkPolicy, type PolicyName, policies } from "../kernel/policies.js";
import { type CheckedPolicy, checkNames, noticedByCpus, type Policy } from "../kernel/policy.js";
import { type KernelRecord, type KernelVersion, resolveKernel } from "../kernel/versions.js";
import type { Site } from "../program/sites.js";
import { worst } from "./harm.js";
import { hasWork } from "./moves.js";
import {
  type CpuOptions,
  everyCpu,
  everyIommu,
  fewIommus,
  type IommuOptions,
  usualCpu,
  usualIommu,
} from "./options.js";
import type { Wanted } from "./prove/choices.js";
import { Explainer, type Support } from "./prove/explain.js";
import { Explorer, type Limits } from "./prove/explore.js";
import { boundsOf, type Proof, type ProofBounds, proofAssumptions, proveCell } from "./prove/prove.js";
import { type Scenario, type ScenarioName, scenarioNames, scenariosOf } from "./scenarios.js";
import { type Found, search } from "./search.js";
import { type AgentKind, Stage, type Walking } from "./stage.js";
import { tell, type Witness } from "./story.js";

/** What is to be judged. */
export interface VerdictsOptions extends EngineOptions, RunOptions {
  /** Which Linux frees, as `kernel.version` of a machine. Default: the newest that is known. */
  kernel?: string;
  /** Presets by name, or policies, each with a name of its own. Default: every preset. */
  policies?: readonly (PolicyName | Partial<Policy>)[];
  /** Rows; Default: all that the kernel has. */
  scenarios?: readonly ScenarioName[];
  /** Hardware: `all` combinations of options, each option changed by itself (`few`), the `usual` hardware only, or a list. Default `all`. */
  hardware?: "all" | "few" | "usual" | readonly IommuOptions[];
  /** CPUs: a list of options; default, with `hardware` `all` or `few`, every one that has a name in `cpuChanges`, else the usual one. */
  cpus?: readonly CpuOptions[];
  /** Whose walks: default both. */
  agents?: readonly AgentKind[];
  /**
   * Most moves of a program (a probe, a reuse, another free); 1 to 5, default 3. Programs of CPUs get one move more, for the
   * switch away and back that an inactive PCID needs. Every move more costs about thirty times the time.
   */
  depth?: number;
  /**
   * Whether walks are made step by step (default) or whole. Step by step a walk begins at one point, holds the pointer that it has read,
   * and goes on at another.
   */
  walks?: "atomic" | "stepwise";
  /** Which walks an invalidation waits for: `all` (default) of the PASID or CPU, those to a `page` that it names, or `none`. */
  drain?: "all" | "page" | "none";
  /**
   * Which moves are searched: `usual` (default), or `wide`, which takes many times as long and adds, on IOMMUs, bind, unbind and the end of
   * the process as moves, a second walk under way, and accesses whose page request is still on its way.
   */
  moves?: "usual" | "wide";
  /**
   * Whether cells are explored state by state until there is no new one, in place of the search: then a verdict says *hazard*, with fewest
   * moves of all programs, or *proved safe* for programs of any length, or *no hazard found* where a limit ended it. `depth` is not asked.
   */
  prove?: boolean;
  /**
   * With `prove`: what is proved safe is proved again without each thing that the policy does, and without the wait for walks; records have
   * `restsOn`. Takes several times as long.
   */
  explainSafe?: boolean;
  /** Most states of a cell that is proved; default 2,000,000, which takes about 100 MB. */
  maxStates?: number;
  /** Most milliseconds for a cell that is proved; default without limit. What it ends may differ from run to run. */
  maxMs?: number;
}

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
  /** Of a proof: what was explored with deferred work between operations, and also inside them. */
  proof?: Proof & { bounds: ProofBounds; assumptions: string[] };
  /** See `proof`. */
  raceProof?: Proof;
  /** Of what is proved safe, if that was asked for: what was taken away in turn, and what the cell is without it. */
  restsOn?: Support[];
}

const MAX_STATES = 2_000_000;
/** States are numbered with 31 bits. */
const MOST_STATES = 2 ** 30;
const DEPTH = 3;
const MAX_DEPTH = 5;

/**
 * The matrix, cell by cell: by policy, then hardware, then row; IOMMUs before CPUs. Deterministic.
 * @throws InvalidOptionError naming the option, the value and what is allowed; or the signal's reason
 */
export async function* verdicts(options: VerdictsOptions = {}): AsyncGenerator<VerdictRecord, void, void> {
  const asked = options.policies ?? (Object.keys(policies) as PolicyName[]);
  const judged = checkNames(
    asked.map((policy, i) => namedPolicy(policy, `policies[${i}]`)),
    "policies",
  );
  const { version, record } = resolveKernel(options.kernel, "kernel");
  const rows = rowsOf(record, options.scenarios);
  const depth = checkInteger("depth", options.depth ?? DEPTH, 1, MAX_DEPTH);
  const hardware = hardwareOf(options);
  const walking: Walking = {
    walks: checkOneOf("walks", options.walks ?? "stepwise", ["atomic", "stepwise"]),
    drain: checkOneOf("drain", options.drain ?? "all", ["all", "page", "none"]),
  };
  const moves = checkOneOf("moves", options.moves ?? "usual", ["usual", "wide"]);
  if (options.explainSafe && !options.prove) throw new InvalidOptionError("explainSafe", true, "together with prove");
  const limits: Limits | undefined = options.prove
    ? {
        states: checkInteger("maxStates", options.maxStates ?? MAX_STATES, 1, MOST_STATES),
        ms: options.maxMs === undefined ? Infinity : checkInteger("maxMs", options.maxMs, 1, Number.MAX_SAFE_INTEGER),
      }
    : undefined;
  const module = options.module ?? (await compileEngine());
  const total = judged.length * hardware.length * rows.length;
  const known = new Map<string, VerdictRecord[]>();
  let done = 0;
  const turns = new Turns(options.signal);
  for (const policy of judged) {
    for (const [agent, hardwareOptions] of hardware) {
      // CPUs notice little of a policy: those that are the same to them are judged once.
      const key = agent === "cpu" ? `${JSON.stringify(hardwareOptions)} ${noticedByCpus(policy)}` : "";
      const before = known.get(key);
      const stage = before ? undefined : new Stage(policy, agent, hardwareOptions, version, walking, module, moves);
      const explorer = stage && limits ? new Explorer(stage) : undefined;
      const explainer = stage && options.explainSafe ? new Explainer(stage) : undefined;
      const records: VerdictRecord[] = [];
      for (const [i, scenario] of rows.entries()) {
        options.signal?.throwIfAborted();
        const record = stage
          ? await finishInTurns(
              explorer && limits
                ? prove(explorer, scenario, limits, turns, explainer)
                : judge(stage, scenario, depth, turns),
              turns,
            )
          : { ...(before?.[i] as VerdictRecord), policy: policy.name };
        records.push(record);
        options.onProgress?.({ done: ++done, total, unit: "cells" });
        yield record;
      }
      if (key !== "") known.set(key, records);
    }
  }
}

/**
 * Checks a policy that is to be a row: it must have a name of its own. @internal
 * @throws InvalidOptionError
 */
export function namedPolicy(value: unknown, field: string): CheckedPolicy {
  const policy = checkPolicy(value, field);
  if (typeof value === "object" && (value as Partial<Policy>).name === undefined) {
    throw new InvalidOptionError(`${field}.name`, undefined, "a name");
  }
  return policy;
}

/** What search and proof have found, as a record. */
function recordOf(
  stage: Stage,
  scenario: Scenario,
  found: Found | undefined,
  race: Found | undefined,
): Omit<VerdictRecord, "says" | "tried"> {
  const { policy, agent, options, version, walking, moves } = stage;
  const told = (hazard: Found): HazardVerdict => ({ kind: hazard.hazard.kind, witness: tell(stage, scenario, hazard) });
  const cell = { kernel: version, policy: policy.name, scenario: scenario.name, site: scenario.site };
  const base = { ...cell, agent, options, ...walking, moves };
  if (!found) {
    const worstRace = race && worst(stage, scenario, race);
    return { ...base, verdict: "safe", ...(hasWork(stage) && { race: worstRace ? told(worstRace) : null }) };
  }
  const worse = worst(stage, scenario, found);
  const { witness } = told(found);
  return {
    ...base,
    verdict: "hazard",
    kind: worse.hazard.kind,
    witness,
    ...(worse !== found && { worst: told(worse) }),
  };
}

/** The cell by its states. */
function* prove(
  explorer: Explorer,
  scenario: Scenario,
  limits: Limits,
  turns: Turns,
  explainer: Explainer | undefined,
): Generator<void, VerdictRecord, void> {
  const { stage } = explorer;
  const wide = stage.moves === "wide";
  const wanted: Wanted = { race: false, walks: stage.walking.walks === "atomic" ? 0 : wide ? 2 : 1, wide };
  const plain = yield* proveCell(explorer, scenario, wanted, limits, turns);
  const raced =
    !plain.found && hasWork(stage)
      ? yield* proveCell(explorer, scenario, { ...wanted, race: true }, limits, turns)
      : undefined;
  const record = recordOf(stage, scenario, plain.found, raced?.found);
  return {
    ...record,
    says: plain.found ? "hazard" : plain.proof.closed ? "proved safe" : "no hazard found",
    tried: { programs: 0, operations: 0, depth: 0 },
    proof: {
      ...plain.proof,
      bounds: boundsOf(stage, scenario, wanted),
      assumptions: proofAssumptions(stage.walking.drain),
    },
    ...(raced && { raceProof: raced.proof }),
    ...(explainer &&
      plain.proof.closed && {
        restsOn: yield* explainer.explain(scenario, wanted, raced?.proof.closed === true, limits, turns),
      }),
  };
}

function* judge(stage: Stage, scenario: Scenario, most: number, turns: Turns): Generator<void, VerdictRecord, void> {
  const { agent } = stage;
  const depth = agent === "cpu" ? most + 1 : most;
  const programs = stage.programs;
  const operations = stage.operations;
  stage.enter(scenario);
  const found = yield* search(stage, scenario, { depth, race: false, turns });
  const race =
    !found && hasWork(stage) ? yield* search(stage, scenario, { depth: most, race: true, turns }) : undefined;
  const record = recordOf(stage, scenario, found, race);
  const tried = { programs: stage.programs - programs, operations: stage.operations - operations, depth };
  return { ...record, says: found ? "hazard" : "no hazard found", tried };
}

function rowsOf(kernel: KernelRecord, names: readonly ScenarioName[] | undefined): readonly Scenario[] {
  for (const [i, name] of (names ?? []).entries()) {
    if (!scenarioNames.includes(name)) {
      throw new InvalidOptionError(`scenarios[${i}]`, name, `one of ${scenarioNames.join(", ")}`);
    }
  }
  const rows = scenariosOf(kernel);
  for (const [i, name] of (names ?? []).entries()) {
    if (!rows.some((row) => row.name === name)) {
      const known = rows.map((row) => row.name).join(", ");
      throw new InvalidOptionError(`scenarios[${i}]`, name, `a site that Linux ${kernel.version} has: ${known}`);
    }
  }
  return rows.filter(({ name }) => !names || names.includes(name));
}

function hardwareOf({
  hardware = "all",
  agents = ["iommu", "cpu"],
  cpus: given,
}: VerdictsOptions): [AgentKind, IommuOptions | CpuOptions][] {
  const named = { all: everyIommu, few: fewIommus, usual: [usualIommu] };
  if (typeof hardware === "string" && !(hardware in named)) {
    throw new InvalidOptionError("hardware", hardware, `one of ${Object.keys(named).join(", ")}, or a list of options`);
  }
  const iommus = typeof hardware === "string" ? named[hardware] : hardware;
  const cpus = given ?? (hardware === "all" || hardware === "few" ? everyCpu : [usualCpu]);
  for (const [i, { invlpgb, invlpgScope }] of cpus.entries()) {
    if (invlpgb && invlpgScope === "pcid") {
      throw new InvalidOptionError(`cpus[${i}].invlpgScope`, invlpgScope, "all or path: CPUs with INVLPGB are AMD's");
    }
  }
  for (const agent of agents) {
    if (agent !== "iommu" && agent !== "cpu") throw new InvalidOptionError("agents", agent, "iommu or cpu");
  }
  return [
    ...(agents.includes("iommu") ? iommus.map((o) => ["iommu", o] as [AgentKind, IommuOptions]) : []),
    ...(agents.includes("cpu") ? cpus.map((o) => ["cpu", o] as [AgentKind, CpuOptions]) : []),
  ];
}
