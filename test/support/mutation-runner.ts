// Compares builds of the engine with the model, on the same random programs each time: the model's side is made once. Forked by
// scripts/mutate.mjs, which bundles this file, each message is the bytes of a module, each answer how it fails, if it does.
// Started by itself, it says the same of the module that STALEWALK_MODULE names. STALEWALK_SEED says which programs,
// STALEWALK_OPERATIONS how many operations of each sort: with a kernel and without.

import { readFileSync } from "node:fs";
import { type KernelProgram, playKernel } from "../model/kernel/operations.js";
import { kernelPrograms } from "../model/kernel/programs.js";
import { type Program, playOnModel, programs } from "../model/programs.js";
import { contentsOf, Follower, type Step, seenOf } from "./agreement.js";
import { OPERATIONS } from "./effort.js";
import { placesOf } from "./engine-player.js";
import fc from "./fast-check.js";
import { KernelFollower, type KernelStep, kernelStepOf } from "./kernel-agreement.js";
import { SEED } from "./seed.js";

const LENGTH = 60;

/** Programs of an arbitrary, about as many operations in all. */
function draw<T extends { operations: unknown[] }>(arbitrary: fc.Arbitrary<T>): T[] {
  const drawn = fc.sample(arbitrary, { seed: SEED, numRuns: Math.ceil((OPERATIONS / LENGTH) * 4) });
  let operations = 0;
  return drawn.filter((program) => {
    const wanted = operations < OPERATIONS;
    if (wanted) operations += program.operations.length;
    return wanted;
  });
}

/** Plays a module along a program that the model has played; throws where it does something else. */
type Case = (module: WebAssembly.Module) => void;

function kernelCase(program: KernelProgram): Case {
  const steps: KernelStep[] = [];
  const end = playKernel(program, (_index, _operation, result, model) => steps.push(kernelStepOf(result, model)));
  const contents = contentsOf(end.memory);
  return (module) => {
    const engine = new KernelFollower(program, module);
    for (const [index, step] of steps.entries()) engine.follow(index, step);
    engine.finish(contents);
  };
}

function plainCase(program: Program): Case {
  const places = placesOf(program);
  const steps: Step[] = [];
  playOnModel(program.config, program.operations, (_index, _operation, outcome, model) =>
    steps.push({ outcome, seen: seenOf(model, places) }),
  );
  return (module) => {
    const engine = new Follower(program, { module });
    for (const [index, step] of steps.entries()) engine.follow(index, step);
  };
}

const kernel = draw(kernelPrograms(LENGTH)).map(kernelCase);
const plain = draw(programs(LENGTH, "come and go")).map(plainCase);
/** What found the latest failures stands first: neighbouring mutants often fail in the same programs. */
const cases = [...kernel, ...plain];

/** Where a module does something else than the model; undefined if it agrees everywhere. */
function failure(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  const module = new WebAssembly.Module(bytes);
  let current = 0;
  try {
    for (const play of cases) {
      play(module);
      current++;
    }
  } catch (error) {
    cases.unshift(...cases.splice(current, 1));
    return error instanceof Error ? (error.message.split("\n")[0] ?? error.name) : String(error);
  }
  return undefined;
}

if (process.send) {
  process.on("message", (bytes: Uint8Array<ArrayBuffer>) => process.send!({ failure: failure(bytes) }));
  process.send({ ready: cases.length });
} else {
  const path = process.env["STALEWALK_MODULE"];
  if (path === undefined) throw new Error("STALEWALK_MODULE names no module to compare with the model");
  const found = failure(readFileSync(path));
  console.log(`${path}: ${found ?? `agrees with the model in ${cases.length} programs`}`);
  if (found !== undefined) process.exitCode = 1;
}
