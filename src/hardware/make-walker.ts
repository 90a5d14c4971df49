// Making a walker with the engine that is inside this package.

import { compileEngine, compileEngineSync } from "../engine/compile.js";
import { checkWalker, Walker, type WalkerOptions } from "./walker.js";

/**
 * Makes a walker.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { Access, createWalker } from "stalewalk";
 *
 * const walker = await createWalker({ tables: 1 });
 * const root = new BigUint64Array(512);
 * root[256] = 0x2003n; // present, writable, for the supervisor alone; the PDPT at 0x2000 is not there
 * walker.setTable(1, root);
 * walker.setRoot(0x1000n);
 * console.log(walker.translate(0n, Access.userRead)); // { kind: 'fault', reason: 'not-present', errorCode: 4, level: 4 }
 * const { chain, outcome } = walker.explain(0xffff_8000_0000_0000n, Access.supervisorRead);
 * console.log(chain.map(({ level, index }) => `level ${level}, index ${index}`), outcome.kind); // [ 'level 4, index 256' ] absent
 * ```
 */
export async function createWalker(options: WalkerOptions = {}): Promise<Walker> {
  const checked = checkWalker(options);
  return new Walker(checked.module ?? (await compileEngine()), checked);
}

/**
 * The same without waiting; see `compileEngineSync` for where that is refused.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { Access, createWalkerSync } from "stalewalk";
 *
 * const walker = createWalkerSync({ tables: 1, levels: 5 });
 * // Frame 0, the root, is not in the store.
 * console.log(walker.translate(0n, Access.userRead).kind); // absent
 * ```
 */
export function createWalkerSync(options: WalkerOptions = {}): Walker {
  const checked = checkWalker(options);
  return new Walker(checked.module ?? compileEngineSync(), checked);
}
