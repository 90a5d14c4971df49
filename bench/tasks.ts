// Opening a task by what a line of JSON says of it; what it needs is loaded then.
import { readFileSync } from "node:fs";
import type { ApiSpec } from "./api-tasks.js";
import type { GrowthSpec } from "./growth-tasks.js";
import type { KernelSpec } from "./kernel-tasks.js";
import type { Library } from "./library.js";
import type { TableSpec } from "./table-tasks.js";
import type { Task } from "./task.js";
import type { TraceSpec } from "./trace-tasks.js";
import type { VerdictSpec } from "./verdict-tasks.js";

/** What the cases of a block are played on. */
export type Spec = TableSpec | ApiSpec | KernelSpec | TraceSpec | VerdictSpec | GrowthSpec;

/** A case of a block. */
export interface OpenRequest {
  open: Spec;
  case: string;
}

/** Opens a contestant at a case; `other` is the build that it is, if it is not this one. */
export async function openTask(
  { open: spec, case: name }: OpenRequest,
  contestant: string,
  other?: Library,
): Promise<Task> {
  switch (spec.kind) {
    case "tables":
      return (await import("./table-tasks.js")).openTableTask(spec, name, contestant, other);
    case "api":
      return (await import("./api-tasks.js")).openApiTask(spec, name, other);
    case "growth":
      return (await import("./growth-tasks.js")).openGrowthTask(spec, name, contestant, other);
    case "kernel":
      return (await import("./kernel-tasks.js")).openKernelTask(spec, name, contestant, other);
    case "trace":
      return (await import("./trace-tasks.js")).openTraceTask(spec, readFileSync(spec.path), contestant, other);
    case "verdicts":
      return (await import("./verdict-tasks.js")).openVerdictTask(name, other);
  }
}
