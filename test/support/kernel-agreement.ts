// Plays a kernel program on the engine along with the model, and compares after every operation: results, contents and counters
// of every cache, frames with states and generations, the stack of free frames, hazards with every field, the kernel's
// counters; and the points that the operation reached, by name and with what each tells.

import type { Machine } from "../../src/index.js";
import type { Kernel, KernelDump } from "../model/kernel/kernel.js";
import { type KernelProgram, type KernelResult, playKernel } from "../model/kernel/operations.js";
import type { Reached } from "../model/kernel/points.js";
import { agree } from "./agree.js";
import { dumpKernel, KernelPlayer, kernelMachine } from "./kernel-player.js";

/** What the model has after an operation. */
export interface KernelStep {
  result: KernelResult;
  points: readonly Reached[];
  dump: KernelDump;
}

export const kernelStepOf = (result: KernelResult, model: Kernel): KernelStep => ({
  result,
  points: model.points.trail,
  dump: model.dump(),
});

/** The engine's side of the comparison. */
export class KernelFollower {
  readonly machine: Machine;
  private readonly player: KernelPlayer;

  /** `module`: another build of the engine. */
  constructor(
    private readonly program: KernelProgram,
    module?: WebAssembly.Module,
  ) {
    this.machine = kernelMachine(program.config, module);
    this.player = new KernelPlayer(this.machine, program);
  }

  /** Plays an operation. @throws AssertionError if it does not do what the model does */
  follow(index: number, { result, points, dump }: KernelStep): void {
    const where = `operation ${index} (${this.program.operations[index]!.kind})`;
    agree(this.player.next(), result, where);
    agree(this.machine.reachedPoints(), points, `${where}: points`);
    agree(dumpKernel(this.machine, this.program.config), dump, where);
    for (const { after, operations } of this.program.detours ?? []) if (after === index) this.player.detour(operations);
  }
}

/** Plays a program on both and compares; returns how many operations there were. */
export function expectKernelAgreement(program: KernelProgram): number {
  const engine = new KernelFollower(program);
  playKernel(program, (index, _operation, result, model) => engine.follow(index, kernelStepOf(result, model)));
  return program.operations.length;
}
