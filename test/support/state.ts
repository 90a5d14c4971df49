// Everything that can be observed of a machine, and programs played twice from one snapshot.

import type { EngineExports } from "../../src/engine/exports.js";
import type { Machine, Snapshot } from "../../src/index.js";
import type { KernelProgram } from "../model/kernel/operations.js";
import type { Program } from "../model/programs.js";
import { dumpEngine, engineMachine, stepEngine } from "./engine-player.js";
import { dumpKernel, KernelPlayer, kernelMachine } from "./kernel-player.js";

/** Exports without a parameter that act. All others tell something, and are looked at. */
const ACTING = ["clearHazards", "createRequesters", "createUnlinked", "forgetTouched", "ignorePoints"];

export const exportsOf = (machine: Machine): EngineExports =>
  (machine as unknown as { engine: { exports: EngineExports } }).engine.exports;

/** What every export without a parameter says. */
function countersOf(machine: Machine): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(exportsOf(machine) as unknown as Record<string, unknown>)) {
    if (typeof value !== "function" || value.length > 0 || ACTING.includes(name)) continue;
    found[name] = (value as () => unknown)();
  }
  return found;
}

/** The parts of memory that a snapshot holds, as they are now. */
function partsNow(machine: Machine, { image }: Snapshot): Snapshot["image"]["parts"] {
  const { memory } = exportsOf(machine);
  return image.parts.map(({ at, bytes }) => ({ at, bytes: new Uint8Array(memory.buffer, at, bytes.length).slice() }));
}

/** Counters, contents and registers, by every way there is to look at them. */
function observe(machine: Machine): Record<string, unknown> {
  const { kernel } = machine;
  return {
    counters: countersOf(machine),
    cpus: machine.cpus.map((cpu) => [cpu.counters, cpu.pcid, cpu.root, cpu.controls]),
    iommus: machine.iommus.map((iommu) => iommu.counters),
    kernel: kernel && [kernel.counters, kernel.tablesFreed, kernel.hazardCounts, kernel.hazards(), kernel.freeFrames()],
  };
}

/** What was seen: results and dumps step by step, and the memory at the end. */
export interface Seen {
  steps: readonly unknown[];
  memory: Snapshot["image"]["parts"];
}

/** Something that can be played from a snapshot on, as often as one likes. */
export interface Replay {
  machine: Machine;
  /** Plays up to where the snapshot is taken. */
  begin(): void;
  /** Plays on from the snapshot to the end, and says what is to be seen. */
  finish(start: Snapshot): Seen;
}

/** A kernel program, cut in the middle. */
export function kernelReplay(program: KernelProgram): Replay {
  const machine = kernelMachine(program.config);
  const player = new KernelPlayer(machine, program);
  const cut = program.operations.length >> 1;
  return {
    machine,
    begin() {
      for (let i = 0; i < cut; i++) player.next();
    },
    finish(start) {
      const again = player.copy();
      const steps = program.operations
        .slice(cut)
        .map(() => [again.next(), dumpKernel(machine, program.config), observe(machine)]);
      return { steps, memory: partsNow(machine, start) };
    },
  };
}

/** A program of a machine without a kernel, cut in the middle. */
export function plainReplay({ config, operations }: Program): Replay {
  const machine = engineMachine(config, operations);
  const cut = operations.length >> 1;
  return {
    machine,
    begin() {
      for (const operation of operations.slice(0, cut)) stepEngine(machine, config, operation);
    },
    finish(start) {
      const steps = operations
        .slice(cut)
        .map((operation) => [stepEngine(machine, config, operation), dumpEngine(machine, config), observe(machine)]);
      return { steps, memory: partsNow(machine, start) };
    },
  };
}

/** Plays to the end, goes back, and plays again: what was seen both times. */
export function twice({ machine, begin, finish }: Replay): [first: Seen, again: Seen] {
  begin();
  const start = machine.snapshot({ ram: true });
  const first = finish(start);
  machine.restore(start);
  return [first, finish(start)];
}
