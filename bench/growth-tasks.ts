// Points of growth curves as tasks.
import { simulate } from "stalewalk/replay";
import { type Check, hashOf } from "./check.js";
import { stalewalk, stalewalkOf } from "./contestants/stalewalk.js";
import { curves, REPLAYS } from "./growth.js";
import { pointOf } from "./growth-curve.js";
import { type Library, NotPlayedError } from "./library.js";
import { caseTask } from "./table-case.js";
import type { Task, WholeTask } from "./task.js";

/** Points of a curve. */
export interface GrowthSpec {
  kind: "growth";
  /** The curve's table. */
  table: string;
}

/** This build at a point of a curve, or another one. */
export function openGrowthTask({ table }: GrowthSpec, name: string, contestant: string, other?: Library): Task {
  const curve = curves.find((it) => it.table === table);
  const size = curve?.sizes.find((it) => pointOf(curve, it) === name);
  if (!curve || size === undefined) throw new Error(`no curve ${table} has the point ${name}`);
  if (!curve.build) return replayTask(size, other);
  return caseTask(curve.build(size), other ? stalewalkOf(contestant, other) : stalewalk, "whole");
}

/** A whole synthetic replay: lowering, devices and engine. */
function replayTask(operations: number, other?: Library): WholeTask {
  if (other) throw new NotPlayedError(`${REPLAYS}: another build's simulate() is not played`);
  const play = () => simulate({ policies: ["none"], operations, seed: 1 });
  return {
    operations,
    processorTime: false,
    async check(): Promise<Check> {
      const { policies, throughput } = await play();
      const results = policies.map(({ seconds: _, ...rest }) => rest);
      return { hash: hashOf(results), counters: { operations: throughput.operations } };
    },
    async sample() {
      const { throughput } = await play();
      return (throughput.operations / throughput.operationsPerSecond) * 1e9;
    },
  };
}
