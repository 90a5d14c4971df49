// What is to be judged, as it is asked for, checked, and as a list of cells.

import { checkInteger, checkOneOf, InvalidOptionError } from "../base/errors.js";
import { checkFields, type FieldsOf, RUN_FIELDS } from "../base/known-fields.js";
import type { RunOptions } from "../base/progress.js";
import type { EngineOptions } from "../engine/instance.js";
import { checkPolicy, type PolicyName, policies } from "../kernel/policies.js";
import { type CheckedPolicy, checkNames, noticedByCpus, type Policy } from "../kernel/policy.js";
import { type KernelRecord, type KernelVersion, resolveKernel } from "../kernel/versions.js";
import {
  type CpuOptions,
  everyCpu,
  everyIommu,
  fewIommus,
  type IommuOptions,
  usualCpu,
  usualIommu,
} from "./options.js";
import { alikeKey } from "./prove/alike.js";
import type { Limits } from "./prove/explore.js";
import { type Scenario, type ScenarioName, scenarioNames, scenariosOf } from "./scenarios.js";
import type { AgentKind, MoveSet, Walking } from "./stage.js";

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

/** Fields of {@link VerdictsOptions}. */
export const VERDICTS_FIELDS: FieldsOf<VerdictsOptions> = {
  ...RUN_FIELDS,
  ...{ module: true, kernel: true, policies: true, scenarios: true, hardware: true, cpus: true, agents: true },
  ...{
    depth: true,
    walks: true,
    drain: true,
    moves: true,
    prove: true,
    explainSafe: true,
    maxStates: true,
    maxMs: true,
  },
};

/** A cell of the matrix. */
export interface Cell {
  policy: CheckedPolicy;
  agent: AgentKind;
  hardware: IommuOptions | CpuOptions;
  scenario: Scenario;
  /** Cells with the same number can be judged on the same machine. */
  stage: number;
  /** The cell before this one that is the same to its agent. CPUs notice little of a policy: those that are the same to them are judged once. */
  same?: number;
  /** The cell before this one that a proof cannot tell from it (prove/alike.ts): they are explored once, and told each by itself. */
  like?: number;
}

/** How every cell is judged. */
export interface Plan {
  version: KernelVersion;
  depth: number;
  walking: Walking;
  moves: MoveSet;
  /** Of a proof; undefined: a search. */
  limits: Limits | undefined;
  explainSafe: boolean;
  /** By policy, then hardware, then row; IOMMUs before CPUs. */
  cells: readonly Cell[];
}

const MAX_STATES = 2_000_000;
/** States are numbered with 31 bits. */
const MOST_STATES = 2 ** 30;
const DEPTH = 3;
const MAX_DEPTH = 5;

/**
 * Checks what is asked for.
 * @throws InvalidOptionError naming the option, the value and what is allowed
 */
export function planOf(options: VerdictsOptions): Plan {
  checkFields(options, VERDICTS_FIELDS);
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
  const explainSafe = options.explainSafe === true;
  const cells = cellsOf(judged, hardware, rows);
  // What is taken away to explain a cell is its own.
  if (limits && !explainSafe) joinAlike(cells, record);
  return { version, depth, walking, moves, limits, explainSafe, cells };
}

function joinAlike(cells: readonly Cell[], record: KernelRecord): void {
  const known = new Map<string, number>();
  for (const [i, cell] of cells.entries()) {
    if (cell.same !== undefined) continue;
    const key = alikeKey(cell, record);
    const before = known.get(key);
    if (before === undefined) known.set(key, i);
    else cell.like = before;
  }
}

/** Numbers of the cells that are judged, those that are alike together, by the first of each group. */
export function groupsOf({ cells }: Plan): [number, ...number[]][] {
  const groups = new Map<number, [number, ...number[]]>();
  for (const [i, { same, like }] of cells.entries()) {
    if (same !== undefined) continue;
    if (like === undefined) groups.set(i, [i]);
    else groups.get(like)?.push(i);
  }
  return [...groups.values()];
}

/**
 * In which order groups are best begun where several threads share them, so that no thread is left with a long one at the end: those of CPUs
 * first. They have two CPUs and switches between address spaces, and so three times the states of an IOMMU's.
 */
export function longestFirst({ cells }: Plan, groups: readonly (readonly [number, ...number[]])[]): number[] {
  const isShort = (group: number): number => Number(cells[groups[group]?.[0] as number]?.agent === "iommu");
  return [...groups.keys()].sort((a, b) => isShort(a) - isShort(b));
}

function cellsOf(
  judged: readonly CheckedPolicy[],
  hardware: ReturnType<typeof hardwareOf>,
  rows: readonly Scenario[],
): Cell[] {
  const cells: Cell[] = [];
  const known = new Map<string, number>();
  let stage = 0;
  for (const policy of judged) {
    for (const [agent, options] of hardware) {
      const key = agent === "cpu" ? `${JSON.stringify(options)} ${noticedByCpus(policy)}` : "";
      const before = known.get(key);
      if (before === undefined && key !== "") known.set(key, cells.length);
      for (const [i, scenario] of rows.entries()) {
        const cell = { policy, agent, hardware: options, scenario, stage };
        cells.push(before === undefined ? cell : { ...cell, same: before + i });
      }
      stage++;
    }
  }
  return cells;
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
