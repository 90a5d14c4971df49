// Opening a task where there is no Node: as bench/tasks.ts does, with files asked for, and stalewalk as the only contestant.
import type { PolicyName } from "stalewalk";
import { openApiTask } from "../api-tasks.js";
import { unpackCase } from "../case-bytes.js";
import { stalewalk } from "../contestants/stalewalk.js";
import { stalewalkInRam } from "../contestants/stalewalk-doors.js";
import { openGrowthTask } from "../growth-tasks.js";
import { kernelTask } from "../kernel-work.js";
import { present } from "../library.js";
import { caseTask } from "../table-case.js";
import type { Task } from "../task.js";
import type { OpenRequest } from "../tasks.js";
import { openTraceTask } from "../trace-tasks.js";
import { openVerdictTask } from "../verdict-tasks.js";

/** Opens stalewalk, or its other door, at a case. */
export async function openHere(
  { open: spec, case: name }: OpenRequest,
  contestant: string,
  read: (path: string) => Promise<Uint8Array>,
): Promise<Task> {
  switch (spec.kind) {
    case "tables": {
      const who = contestant === stalewalkInRam.name ? stalewalkInRam : stalewalk;
      return caseTask(unpackCase(await read(spec.files[name] as string)), who, "whole");
    }
    case "api":
      return openApiTask(spec, name);
    case "growth":
      return openGrowthTask(spec, name, contestant);
    case "kernel":
      return kernelTask(spec.operations, name as PolicyName, true, present, spec.pattern);
    case "trace":
      return openTraceTask(spec, await read(spec.path), contestant);
    case "verdicts":
      return openVerdictTask(name);
  }
}
