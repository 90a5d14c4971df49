// The debug build of the engine in place of the shipped one, for every test that vitest.debug.config.ts runs: a failed assertion
// becomes an error that names its place. STALEWALK_MODULE names another module than build/debug.wasm.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { vi } from "vitest";
import type { EngineExports } from "../../src/engine/exports.js";

/** What assembly/debug.ts adds to the engine's exports. */
interface DebugExports extends EngineExports {
  readonly failedMessage?: WebAssembly.Global<"i32">;
  readonly failedFile: WebAssembly.Global<"i32">;
  readonly failedLine: WebAssembly.Global<"i32">;
  readonly failedColumn: WebAssembly.Global<"i32">;
}

/** An assertion of the engine's that did not hold: `assembly/cache/fill.ts(52,3): the way is not free`. */
export class AssertionFailed extends Error {
  override readonly name = "AssertionFailed";
}

/** A string of AssemblyScript's: UTF-16, its length in bytes before it. */
function textAt(memory: { readonly buffer: ArrayBuffer }, at: number): string {
  if (at === 0) return "an assertion without a message";
  const length = new DataView(memory.buffer).getUint32(at - 4, true);
  return new TextDecoder("utf-16le").decode(new Uint8Array(memory.buffer, at, length));
}

function place({ memory, failedMessage, failedFile, failedLine, failedColumn }: DebugExports): string {
  const [message, file] = [failedMessage?.value ?? 0, failedFile.value].map((at) => textAt(memory, at >>> 0));
  return `${file}(${failedLine.value},${failedColumn.value}): ${message}`;
}

/** The exports of an instance; a trap that an assertion made throws its place. Modules without assertions stay as they are. */
export function namingPlaces(exports: EngineExports): EngineExports {
  const debug = exports as DebugExports;
  if (!debug.failedMessage) return exports;
  const watched = Object.entries(exports).map(([name, value]) => {
    if (typeof value !== "function") return [name, value];
    const call = value as (...args: unknown[]) => unknown;
    const watching = (...args: unknown[]): unknown => {
      try {
        return call(...args);
      } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError) || debug.failedLine.value === 0) throw error;
        throw new AssertionFailed(place(debug), { cause: error });
      }
    };
    return [name, Object.defineProperty(watching, "length", { value: call.length })];
  });
  return Object.fromEntries(watched) as EngineExports;
}

/** Compiles a module from a file, build/debug.wasm if none is named. */
export function readModule(path = process.env["STALEWALK_MODULE"] ?? "build/debug.wasm"): WebAssembly.Module {
  if (!existsSync(path)) throw new Error(`${resolve(path)} is not there: run npm run build:wasm:debug first`);
  return new WebAssembly.Module(readFileSync(path));
}

let chosen: WebAssembly.Module | undefined;
let usual: WebAssembly.Module | undefined;

/** The module of the machines made from now on; undefined: the usual one again. */
export function useModule(module: WebAssembly.Module | undefined): void {
  chosen = module;
}

function moduleInUse(): WebAssembly.Module {
  if (chosen) return chosen;
  usual ??= readModule();
  return usual;
}

vi.mock("../../src/engine/instance.js", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../src/engine/instance.js")>();
  class DebugEngine extends original.Engine {
    private watched: EngineExports | undefined;

    override get exports(): EngineExports {
      this.watched ??= namingPlaces(super.exports);
      return this.watched;
    }

    override dispose(): void {
      super.dispose();
      this.watched = undefined;
    }
  }
  return { ...original, Engine: DebugEngine };
});

vi.mock("../../src/engine/compile.js", () => ({
  compileEngine: async () => moduleInUse(),
  compileEngineSync: moduleInUse,
}));
