// Compiling the native contestant: with the compiler that is there, with one that does not know this processor, with none.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { compileNative, nativeNames } from "../../bench/contestants/compile.js";

const folder = mkdtempSync(join(tmpdir(), "stalewalk-compile-"));
const before = process.env["CC"];
const there = before || "cc";
afterEach(() => {
  if (before === undefined) delete process.env["CC"];
  else process.env["CC"] = before;
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The compiler that is there, behind a script that refuses some of its arguments. */
function compilerWithout(pattern: string): string {
  const script = join(folder, "cc-that-refuses");
  const refuse = `echo "cc: error: unknown: $flag" >&2; exit 1`;
  writeFileSync(
    script,
    `#!/bin/sh\nfor flag; do case "$flag" in ${pattern}) ${refuse};; esac; done\nexec ${there} "$@"\n`,
  );
  chmodSync(script, 0o755);
  return script;
}

describe.skipIf(spawnSync(there, ["--version"]).status !== 0)(
  "the native contestant (skipped without a C compiler)",
  () => {
    it("is built twice: with the compiler's defaults and for this processor", async () => {
      const compiled = await compileNative(folder);
      if ("missing" in compiled) throw new Error(compiled.missing);
      const { builds, compiler, refused } = compiled;
      expect(builds.length + refused.length).toBe(2);
      expect(builds.map(({ name }) => name)).toEqual(nativeNames.slice(0, builds.length));
      for (const { program } of builds) {
        const simd = spawnSync(program, ["simd"], { encoding: "utf8" }).stdout.trim();
        expect(simd).not.toBe("");
        expect(compiler).toContain(`(${simd})`);
      }
      // What may be used on every x86-64, and no more.
      if (process.arch === "x64") expect(compiler).toContain("-std=gnu11 -O3 (SSE2)");
    });

    it("is built once where the compiler does not know -march=native, and that is said", async () => {
      process.env["CC"] = compilerWithout("-march=native");
      const compiled = await compileNative(folder);
      if ("missing" in compiled) throw new Error(compiled.missing);
      expect(compiled.builds.map(({ name }) => name)).toEqual(["native C"]);
      expect(compiled.refused).toEqual(["native C, -march=native: cc: error: unknown: -march=native"]);
      expect(compiled.compiler).not.toContain("march");
    });

    it("does not hide what a compiler says that fails", async () => {
      process.env["CC"] = compilerWithout("-O3");
      await expect(compileNative(folder)).rejects.toThrow(
        /cannot compile the native contestant:\ncc: error: unknown: -O3$/,
      );
    });

    it("is missing where there is no compiler", async () => {
      process.env["CC"] = join(folder, "nonexistent");
      expect(await compileNative(folder)).toEqual({ missing: "no C compiler" });
    });
  },
);
