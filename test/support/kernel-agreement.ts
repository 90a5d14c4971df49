// Plays a kernel program on the engine along with the model, and compares: after every operation its result, and the points that it
// reached, by name and with what each tells; after every n-th, and at the end, contents and counters of every cache, frames
// with states and generations, the stack of free frames, hazards with every field, and the kernel's counters; at the end what
// the frames hold, too.

import type { Machine } from "../../src/index.js";
import type { Kernel, KernelDump } from "../model/kernel/kernel.js";
import { type KernelProgram, type KernelResult, playKernel } from "../model/kernel/operations.js";
import type { Reached } from "../model/kernel/points.js";
import { agree } from "./agree.js";
import { contentsOf } from "./agreement.js";
import { type MakeMachine, ramEntries } from "./guest-memory.js";
import { dumpKernel, KernelPlayer, kernelMachine } from "./kernel-player.js";

/** What the model has after an operation; `dump` where that is compared. */
export interface KernelStep {
  result: KernelResult;
  points: readonly Reached[];
  dump: KernelDump | undefined;
}

export const kernelStepOf = (result: KernelResult, model: Kernel, isCompared = true): KernelStep => ({
  result,
  points: model.points.trail,
  dump: isCompared ? model.dump() : undefined,
});

/** The engine's side of the comparison. */
export class KernelFollower {
  readonly machine: Machine;
  private readonly player: KernelPlayer;

  /** `module`: another build of the engine; `make`: what makes its machine. */
  constructor(
    private readonly program: KernelProgram,
    module?: WebAssembly.Module,
    make?: MakeMachine,
  ) {
    this.machine = kernelMachine(program.config, module, make);
    this.player = new KernelPlayer(this.machine, program);
  }

  /** Plays an operation. @throws AssertionError if it does not do what the model does */
  follow(index: number, { result, points, dump }: KernelStep): void {
    const where = `operation ${index} (${this.program.operations[index]!.kind})`;
    agree(this.player.next(), result, where);
    agree(this.machine.reachedPoints(), points, `${where}: points`);
    if (dump) agree(dumpKernel(this.machine, this.program.config), dump, where);
    for (const { after, operations } of this.program.detours ?? []) if (after === index) this.player.detour(operations);
  }

  /** Compares what the frames hold. @throws AssertionError if they differ */
  finish(contents: ReadonlyMap<number, BigUint64Array>): void {
    const { ram } = this.program.config;
    const isRam = (frame: number): boolean => ram !== undefined && frame >= ram.first && frame < ram.first + ram.count;
    const own = [...contents.keys()].map((frame) => {
      const entries = isRam(frame) ? ramEntries(this.machine, frame, ram!.first) : this.machine.frames.view(frame);
      return [frame, entries?.slice()] as const;
    });
    agree(new Map(own), contents, "at the end: frames");
  }
}

/** Plays a program on both and compares, everything after every n-th operation; returns how many operations there were. */
export function expectKernelAgreement(program: KernelProgram, every = 1, make?: MakeMachine): number {
  const engine = new KernelFollower(program, undefined, make);
  const last = program.operations.length - 1;
  const end = playKernel(program, (index, _operation, result, model) =>
    engine.follow(index, kernelStepOf(result, model, index % every === 0 || index === last)),
  );
  engine.finish(contentsOf(end.memory));
  return program.operations.length;
}
