// An instance of the engine. One compiled module serves every machine, and every machine has an instance (so a memory) of its own.

import { instanceOf, optional } from "../base/schema.js";
import { type EngineExports, type Pointer, unsignedResults } from "./exports.js";
import type { WasmModule } from "./wasm-module.js";

/** How the engine's module is come by. */
export interface EngineOptions {
  /**
   * A compiled `stalewalk.wasm`, for hosts that may not compile from bytes (edge runtimes) or that share one module
   * between workers. Default: the copy inside this package, compiled once.
   */
  module?: WasmModule;
}

/** The same where the package brings no module along. */
export interface OwnModule {
  /** A compiled `stalewalk.wasm`. */
  module: WasmModule;
}

/** Fields of the options above. @internal */
export const engineFields = {
  module: optional(instanceOf(WebAssembly.Module, "a WebAssembly.Module")),
};

/** The same function, with a result that is never negative. Those that are called most have no list of arguments made for them. */
function withoutSign(call: (...args: unknown[]) => number): (...args: unknown[]) => number {
  if (call.length === 0) return () => call() >>> 0;
  if (call.length === 1) return (argument) => call(argument) >>> 0;
  const without = (...args: unknown[]): number => call(...args) >>> 0;
  return Object.defineProperty(without, "length", { value: call.length });
}

/** The exports of an instance, with pointers and counts as numbers without a sign, whatever memory they lie in. */
function unsigned(given: EngineExports): EngineExports {
  const exports: Record<string, unknown> = { ...given };
  for (const name of unsignedResults) {
    exports[name] = withoutSign(given[name] as (...args: unknown[]) => number);
  }
  return exports as unknown as EngineExports;
}

/**
 * Exports in an object of their own: the object of all of them has so many properties that the host keeps it as a table, where
 * finding one takes longer than a hit.
 */
export type AccessCalls = Pick<EngineExports, "access" | "physical" | "translate">;

function disposed(): never {
  throw new Error("this machine has been disposed of");
}

/** What the module imports that walks memory of its host's; the other imports nothing. @internal */
export type EngineImports = Record<string, Record<string, (...args: never[]) => bigint>>;

/** One instance of the engine and views of its memory. Memory does not grow once everything has been created. */
export class Engine {
  private instance: EngineExports | undefined;

  /** The exports that are called once per access. */
  calls: AccessCalls;

  constructor(module: WasmModule, imports: EngineImports = {}) {
    this.instance = unsigned(new WebAssembly.Instance(module, imports).exports as unknown as EngineExports);
    const { access, physical, translate } = this.instance;
    this.calls = { access, physical, translate };
  }

  /** @throws Error after {@link dispose} */
  get exports(): EngineExports {
    return this.instance ?? disposed();
  }

  /** A view of memory that is kept. @throws Error after {@link dispose} */
  whileAlive<T>(view: T): T {
    return this.instance ? view : disposed();
  }

  get disposed(): boolean {
    return this.instance === undefined;
  }

  /** Lets go of the instance and its memory; whatever is built on it throws from now on. */
  dispose(): void {
    this.instance = undefined;
    this.calls = { access: disposed, physical: disposed, translate: disposed };
  }

  /**
   * Makes sure that a creator found memory.
   * @throws RangeError naming what did not fit
   */
  made(pointer: Pointer | boolean, what: string): Pointer {
    if (!pointer) throw new RangeError(`${what} does not fit into the engine's memory (4 GiB at most)`);
    return Number(pointer);
  }

  /** A view of `count` 64-bit words. */
  words(at: Pointer, count: number): BigUint64Array<ArrayBuffer> {
    return new BigUint64Array(this.exports.memory.buffer as ArrayBuffer, at, count);
  }

  /** A view of `length` bytes, field by field. */
  view(at: Pointer, length: number): DataView {
    return new DataView(this.exports.memory.buffer, at, length);
  }

  /** A view of `length` bytes. */
  bytes(at: Pointer, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.exports.memory.buffer as ArrayBuffer, at, length);
  }
}
