// The engine's module as it is shipped: small, self-contained, one and the same in both forms.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WASM_BASE64 } from "../../src/engine/wasm-bytes.js";
import { ROOT } from "../support/pack-package.js";

const LIMIT = 64 * 1024;
const read = (path: string): Buffer => readFileSync(join(ROOT, path));

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
    const bundle = JSON.parse(read("build/bundle.json").toString()) as Record<string, string[]>;
    const carriers = Object.keys(bundle).filter((file) => bundle[file]?.includes("engine/wasm-bytes.js"));
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
