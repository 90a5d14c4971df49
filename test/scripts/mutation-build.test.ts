// The engine with all mutants of a file: they compile, and one number in the module says which of them lives.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

interface Build {
  buildMutants(files: string[], folder: string): { bytes: Buffer; mutants: { number: number; dropped: boolean }[] };
  livingIn(bytes: Buffer, number: number): Buffer;
}

it("builds a module in which one mutant lives, or none", async () => {
  const { buildMutants, livingIn } = (await import(
    new URL("../../scripts/mutation/build.mjs", import.meta.url).href
  )) as Build;
  const folder = mkdtempSync(join(tmpdir(), "stalewalk-mutants-"));
  try {
    const { bytes, mutants } = buildMutants(["assembly/kernel/bindings.ts"], folder);
    expect(mutants.filter(({ dropped }) => !dropped).length).toBeGreaterThan(10);
    const modules = [0, 1, 2].map((number) => livingIn(bytes, number));
    expect(new Set(modules.map((it) => it.toString("base64"))).size).toBe(3);
    for (const module of modules) expect(WebAssembly.validate(new Uint8Array(module))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
