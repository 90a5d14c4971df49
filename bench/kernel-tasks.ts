// Kernel programs as tasks: each policy with hazard detection on and off, and in version 0.1.0.
import type { PolicyName } from "stalewalk";
import { type kernelTables, kernelTask } from "./kernel-work.js";
import { type Library, NotPlayedError, present } from "./library.js";
import type { PiecewiseTask } from "./task.js";
import { yardstick } from "./yardstick/index.js";

/** Kernel programs of so many operations. */
export interface KernelSpec {
  kind: "kernel";
  operations: number;
  /** How accesses choose their pages. */
  pattern: (typeof kernelTables)[string];
}

/** The contestants: hazard detection, version. */
export const kernelField: Readonly<Record<string, readonly [boolean, Library]>> = {
  stalewalk: [true, present],
  "detection off": [false, present],
  "0.1.0": [true, yardstick],
};

/** A contestant under a policy, or another build. */
export function openKernelTask(
  { operations, pattern }: KernelSpec,
  policy: string,
  contestant: string,
  other?: Library,
): PiecewiseTask {
  const [detect, library] = other ? [true, other] : (kernelField[contestant] as (typeof kernelField)[string]);
  const isOld = library === yardstick;
  if (isOld && pattern !== "uniform") throw new NotPlayedError("its kernel programs have no locality");
  return kernelTask(operations, policy as PolicyName, detect, library, isOld ? undefined : pattern);
}
