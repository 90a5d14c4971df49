// The modules as they are shipped: small, self-contained, one and the same in all forms.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WASM_BASE64 } from "../../src/engine/wasm-bytes.js";
import { WASM_BASE64 as MEMORY_BASE64 } from "../../src/memory/wasm-bytes.js";
import { WASM_BASE64 as TRACE_BASE64 } from "../../src/trace/wasm-bytes.js";

import { WASM_BASE64 as PROVE_BASE64 } from "../../src/verdicts/prove/wasm-bytes.js";
import { ROOT } from "../support/pack-package.js";

const LIMIT = 64 * 1024;
/** What browsers compile on their main thread while a script waits. */
const AT_ONCE = 4 * 1024;
const read = (path: string): Buffer => readFileSync(join(ROOT, path));

/** Files of the package that a module of the sources became part of. */
function carriersOf(module: string): string[] {
  const bundle = JSON.parse(read("build/bundle.json").toString()) as Record<string, string[]>;
  return Object.keys(bundle).filter((file) => bundle[file]?.includes(module));
}

describe("stalewalk.wasm", () => {
  const bytes = read("dist/stalewalk.wasm");
  const module = new WebAssembly.Module(Uint8Array.from(bytes));

  it(`has less than ${LIMIT} bytes`, () => {
    expect(bytes.length).toBeLessThan(LIMIT);
  });

  it("imports nothing, exports one memory that it owns, and carries no names or debug sections", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const memories = WebAssembly.Module.exports(module).filter(({ kind }) => kind === "memory");
    expect(memories).toEqual([{ name: "memory", kind: "memory" }]);
    for (const name of ["name", "sourceMappingURL", ".debug_info"]) {
      expect(WebAssembly.Module.customSections(module, name)).toEqual([]);
    }
  });

  it("is the module that the library carries", () => {
    const carriers = carriersOf("engine/wasm-bytes.js");
    expect(carriers).toHaveLength(1);
    expect(read(`dist/${carriers[0]}`).includes(bytes.toString("base64"))).toBe(true);
    expect(bytes.toString("base64") === WASM_BASE64).toBe(true);
    expect(bytes.equals(read("build/release.wasm"))).toBe(true);
  });

  it("exports exactly what the TypeScript side declares", () => {
    const declared = read("src/engine/exports.ts")
      .toString()
      .matchAll(/^ {2}(?:readonly )?(\w+)(?:\(|: )/gm);
    const names = [...declared].map(([, name]) => name);
    expect(
      WebAssembly.Module.exports(module)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(names.toSorted());
  });
});

describe("memory.wasm", () => {
  const bytes = read("dist/memory.wasm");
  const module = new WebAssembly.Module(Uint8Array.from(bytes));
  const names = (of: WebAssembly.Module) => WebAssembly.Module.exports(of).map(({ name }) => name);

  it("is hardly larger than stalewalk.wasm, and the module that stalewalk/memory carries", () => {
    expect(bytes.length).toBeLessThan(read("dist/stalewalk.wasm").length + 2048);
    expect(bytes.toString("base64") === MEMORY_BASE64).toBe(true);
    expect(carriersOf("memory/wasm-bytes.js")).toEqual(["memory.js"]);
  });

  it("imports two functions, and exports what stalewalk.wasm does and one more", () => {
    expect(WebAssembly.Module.imports(module)).toEqual(
      ["load", "compareExchange"].map((name) => ({ module: "memory", name, kind: "function" })),
    );
    const usual = names(new WebAssembly.Module(Uint8Array.from(read("dist/stalewalk.wasm"))));
    expect(names(module).toSorted()).toEqual([...usual, "setHostFrames"].toSorted());
  });
});

describe("the module that reads lines of traces", () => {
  const bytes = read("build/trace.wasm");
  const module = new WebAssembly.Module(Uint8Array.from(bytes));

  it(`has less than ${AT_ONCE} bytes`, () => {
    expect(bytes.length).toBeLessThan(AT_ONCE);
  });

  it("imports nothing, and exports what its host calls", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const exports = WebAssembly.Module.exports(module).map(({ name, kind }) => `${kind} ${name}`);
    expect(exports.toSorted()).toEqual([
      "function addPiece",
      "function beginForm",
      "function endForm",
      "function know",
      "function read",
      "global BLOCK",
      "memory memory",
    ]);
  });

  it("is carried once, by the reader of traces", () => {
    const carriers = carriersOf("trace/wasm-bytes.js");
    expect(carriers).toHaveLength(1);
    expect(read(`dist/${carriers[0]}`).includes(bytes.toString("base64"))).toBe(true);
    expect(bytes.toString("base64") === TRACE_BASE64).toBe(true);
  });
});

describe("the module that compares states", () => {
  const bytes = read("build/prove.wasm");
  const module = new WebAssembly.Module(Uint8Array.from(bytes));

  it("has less than 1024 bytes, imports the engine's memory alone, and exports what its host calls", () => {
    expect(bytes.length).toBeLessThan(1024);
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
    const exports = WebAssembly.Module.exports(module).map(({ name, kind }) => `${kind} ${name}`);
    expect(exports.toSorted()).toEqual(["function copy", "function copyRanges", "function differences"]);
  });

  it("is carried once", () => {
    const carriers = carriersOf("verdicts/prove/wasm-bytes.js").filter((file) => !file.startsWith("page/"));
    expect(carriers).toHaveLength(1);
    expect(bytes.toString("base64") === PROVE_BASE64).toBe(true);
  });
});
