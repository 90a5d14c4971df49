// Last probes at one point are played together first (docs/decisions/03-search-by-deepening.md): whatever is searched, the program
// that is found, and how much has been tried, are those of a search that plays them one by one.
import { describe, expect, it } from "vitest";
import { Turns } from "../../src/base/progress.js";
import { type PolicyName, policies } from "../../src/index.js";
import { checkPolicy } from "../../src/kernel/policies.js";
import { resolveKernel } from "../../src/kernel/versions.js";
import { type CpuOptions, everyCpu, fewIommus, type IommuOptions, usualIommu } from "../../src/verdicts/options.js";
import { scenariosOf } from "../../src/verdicts/scenarios.js";
import { search } from "../../src/verdicts/search.js";
import { Stage, type Walking } from "../../src/verdicts/stage.js";
import { amount, EFFORT } from "../support/effort.js";

const everyPolicy = Object.keys(policies) as PolicyName[];
const some: readonly PolicyName[] = ["flush-range", "deferred-free-unlocked"];
const JUDGED = amount({ quick: some, full: some, nightly: everyPolicy });
/** By day the hardware whose leaves cover several probes. */
const IOMMUS = EFFORT === "nightly" ? fewIommus : fewIommus.filter((it) => it.cacheSupervisorLeaves || it.deviceTlb);
const CPUS = EFFORT === "nightly" ? everyCpu : everyCpu.filter((it) => it.invlpgScope === "path" && !it.invlpgb);
const USUAL: Walking = { walks: "stepwise", drain: "all" };
const { version, record } = resolveKernel(undefined, "kernel");

interface Searched {
  options: IommuOptions | CpuOptions;
  depth: number;
  walking?: Walking;
  moves?: "usual" | "wide";
}

/** What comes of every row of a policy, and how much was tried for it. */
function searched(
  policy: PolicyName,
  { options, depth, walking = USUAL, moves }: Searched,
  oneByOne: boolean,
): unknown[] {
  const agent = "invlpgScope" in options ? "cpu" : "iommu";
  const stage = new Stage(checkPolicy(policy), agent, options, version, walking, undefined, moves);
  return scenariosOf(record).map((scenario) => {
    stage.enter(scenario);
    const results = [false, true].map((race) => {
      const run = search(stage, scenario, { depth, race, turns: new Turns(undefined), oneByOne });
      let step = run.next();
      while (!step.done) step = run.next();
      return step.value;
    });
    const found = results.map(
      (it) => it && { placed: it.attempt.placed.map(({ point, move }) => [point, move.text]), hazard: it.hazard },
    );
    return { scenario: scenario.name, found, programs: stage.programs, operations: stage.operations };
  });
}

describe.each(JUDGED)("last probes together and one by one are the same under %s", (policy) => {
  const same = (what: Searched): void => {
    const together = searched(policy, what, false);
    expect(together).toEqual(searched(policy, what, true));
    expect(together.length).toBeGreaterThan(8);
  };
  const depth = amount({ quick: 2, full: 2, nightly: 3 });

  it("on the usual hardware, and with walks that nobody waits for", () => {
    same({ options: usualIommu, depth });
    same({ options: usualIommu, depth: 2, walking: { walks: "stepwise", drain: "none" } });
  });

  it.each(IOMMUS)("on %j", (options) => same({ options, depth }));

  it.each(CPUS)("on the CPU %j", (options) => same({ options, depth }));

  it("with more moves", () =>
    same({ options: { ...usualIommu, pagingStructureCaches: false }, depth: 2, moves: "wide" }));
});
