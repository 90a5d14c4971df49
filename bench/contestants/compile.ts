// Compiling the native contestant with whatever C compiler is there.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { benchFolder } from "../root.js";

/** A compiled contestant; or why there is none. */
export type Compiled = { program: string; compiler: string } | { missing: string };

const STANDARD = ["-std=gnu11", "-O3"];

/**
 * Compiles native/*.c with $CC, or with `cc`.
 * @param folder where the program is put; it must be there
 * @throws Error with the compiler's own words if there is a compiler but it fails
 */
export function compileNative(folder: string): Compiled {
  const cc = process.env["CC"] || "cc";
  const version = spawnSync(cc, ["--version"], { encoding: "utf8" });
  if (version.error || version.status !== 0) return { missing: "no C compiler" };
  const source = join(benchFolder, "native");
  const files = readdirSync(source).filter((name) => name.endsWith(".c"));
  const program = join(folder, "contestant");
  let errors = "";
  // Not every compiler knows -march=native on every processor.
  for (const flags of [[...STANDARD, "-march=native"], STANDARD]) {
    const paths = files.map((name) => join(source, name));
    const run = spawnSync(cc, [...flags, "-o", program, ...paths], { encoding: "utf8" });
    if (run.status === 0) {
      return { program, compiler: `${version.stdout.split("\n")[0]}, ${flags.join(" ")}` };
    }
    errors = run.stderr || String(run.error);
  }
  throw new Error(`${cc} cannot compile the native contestant:\n${errors}`);
}
