// Compiling the native contestant with whatever C compiler is there: once for any processor of the kind, where vectors have
// 128 bits, and once for this one.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { benchFolder } from "../root.js";

/** The builds' names, in the order of the report. */
export const nativeNames = ["native C", "native C, -march=native"] as const;

/** A build of the native contestant. */
export interface NativeBuild {
  name: (typeof nativeNames)[number];
  /** The executable. */
  program: string;
}

/** The builds, with what made them and what is missing of them; or why there is none. */
export type Compiled = { builds: NativeBuild[]; compiler: string; refused: string[] } | { missing: string };

const STANDARD = ["-std=gnu11", "-O3"];
const NATIVE = "-march=native";

const run = promisify(execFile);

/**
 * Compiles native/*.c with $CC, or with `cc`.
 * @param folder where the programs are put; it must be there
 * @throws Error with the compiler's own words if there is a compiler but it fails
 */
export async function compileNative(folder: string): Promise<Compiled> {
  const cc = process.env["CC"] || "cc";
  const version = await run(cc, ["--version"]).catch(() => undefined);
  if (!version) return { missing: "no C compiler" };
  const [forAll, forThis] = await Promise.allSettled([
    build(cc, STANDARD, join(folder, "contestant")),
    build(cc, [...STANDARD, NATIVE], join(folder, "contestant-march-native")),
  ]);
  if (forAll.status === "rejected")
    throw new Error(`${cc} cannot compile the native contestant:\n${wordsOf(forAll.reason)}`);
  const [first, second] = nativeNames;
  const builds: NativeBuild[] = [{ name: first, program: forAll.value.program }];
  const made = [`${STANDARD.join(" ")} (${forAll.value.simd})`];
  const refused: string[] = [];
  if (forThis.status === "fulfilled") {
    builds.push({ name: second, program: forThis.value.program });
    made.push(`${NATIVE} too (${forThis.value.simd})`);
  } else {
    // Not every compiler knows this flag on every processor.
    refused.push(`${second}: ${wordsOf(forThis.reason).split("\n")[0]}`);
  }
  return { builds, compiler: `${version.stdout.split("\n")[0]}, ${made.join(", ")}`, refused };
}

async function build(
  cc: string,
  flags: readonly string[],
  program: string,
): Promise<{ program: string; simd: string }> {
  const source = join(benchFolder, "native");
  const files = readdirSync(source).filter((name) => name.endsWith(".c"));
  // All at once: on a busy machine as many processes get as many shares of it.
  const objects = files.map((name) => `${program}-${name.replace(/c$/, "o")}`);
  const made = files.map((name, i) => run(cc, [...flags, "-c", "-o", objects[i] as string, join(source, name)]));
  for (const one of await Promise.allSettled(made)) if (one.status === "rejected") throw one.reason;
  await run(cc, [...flags, "-o", program, ...objects]);
  return { program, simd: (await run(program, ["simd"])).stdout.trim() };
}

/** What a program said before it failed; or why it could not be run. */
function wordsOf(reason: Error & { stderr?: string }): string {
  return reason.stderr?.trim() || reason.message;
}
