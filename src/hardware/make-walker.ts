// Making a walker with the engine that is inside this package.

import { compileEngine, compileEngineSync } from "../engine/compile.js";
import { checkWalker, Walker, type WalkerOptions } from "./walker.js";

/**
 * Makes a walker.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 */
export async function createWalker(options: WalkerOptions = {}): Promise<Walker> {
  const checked = checkWalker(options);
  return new Walker(checked.module ?? (await compileEngine()), checked);
}

/** The same without waiting; see `compileEngineSync` for where that is refused. */
export function createWalkerSync(options: WalkerOptions = {}): Walker {
  const checked = checkWalker(options);
  return new Walker(checked.module ?? compileEngineSync(), checked);
}
