// Does jobs of a sweep inside a worker of the pool, or on the thread of who has no others. Node-only.
import { replay, simulate } from "../replay/index.js";
import { openTrace } from "../trace/node.js";
import { changedIommu, verdicts } from "../verdicts/index.js";
import { policyOf, type SweepJob } from "./plan.js";
import type { SweepResult } from "./result.js";

/** A job, and where its trace is on this machine, if elsewhere than the job says. */
export interface Task {
  readonly job: SweepJob;
  readonly file?: string | undefined;
}

/** Does one job. The same job gives the same result, wherever and whenever. */
export default async function doJob({ job, file }: Task): Promise<SweepResult> {
  const policies = [policyOf(job)];
  if (job.kind === "verdict") {
    const { kernel, site, hardware, prove, depth, walks, maxStates } = job;
    const asked = {
      ...{ kernel, policies, scenarios: [site], hardware: [changedIommu(hardware)], agents: ["iommu"] as const, prove },
      ...(depth !== undefined && { depth }),
      ...(walks !== undefined && { walks }),
      ...(maxStates !== undefined && { maxStates }),
    };
    for await (const { says, kind, race, raceProof, proof, witness } of verdicts(asked)) {
      return {
        says,
        ...(kind !== undefined && { hazard: kind }),
        ...(witness && { story: witness.steps.map(({ text }) => text) }),
        ...(race !== undefined && { race: race?.kind ?? null }),
        ...(proof && { states: proof.states, transitions: proof.transitions }),
        ...(raceProof && { raceStates: raceProof.states, raceTransitions: raceProof.transitions }),
      };
    }
    throw new Error("a job of one cell has none");
  }
  const { geometry: hardware, seed } = job;
  const common = { policies, hardware: hardware as "skylake", devices: { seed } };
  const result =
    job.kind === "replay"
      ? await replay(openTrace(file ?? job.trace), { ...common, name: job.trace })
      : await simulate({
          ...{ ...common, profile: job.profile, operations: job.operations, seed },
          ...(job.kernel !== undefined && { kernel: job.kernel }),
        });
  const [played] = result.policies;
  if (!played) throw new Error("a job of one policy has none");
  const { lostNs, invalidations, hazards, cost, held } = played;
  return { lostNs, totalNs: cost.totalNs, invalidations, hazards: hazards.byAgent, heldPeak: held.peak };
}
