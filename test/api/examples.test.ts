// Case L8: examples in comments of src/ are run, not only read. Those under `@example` are whole programs in TypeScript, which
// test/package/comment-examples.test.ts compiles and runs on the built package; here are the others, in heads of files.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { fixtures } from "../image/images.js";
import { ROOT } from "../support/pack-package.js";

const SOURCES = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && !path.endsWith("wasm-bytes.ts"))
  .sort();

/** What an example takes as given: the bytes of a file, by the folder that the example stands in. */
const BYTES: Readonly<Record<string, string>> = {
  image: fixtures[0]!.path!,
  trace: join(ROOT, "test/fixtures/traces/hugevmap.trace.txt"),
};

interface Example {
  file: string;
  line: number;
  code: string;
}

/** Blocks between fences in a comment, of a file's head or of a declaration, without those under `@example`. */
function examplesOf(file: string): Example[] {
  const lines = readFileSync(join(ROOT, "src", file), "utf8").split("\n");
  const found: Example[] = [];
  for (let i = 0; i < lines.length; i++) {
    if (!/^\s*(\/\/|\*) ```ts$/.test(lines[i]!)) continue;
    const start = i + 1;
    for (i++; !/```$/.test(lines[i]!); i++);
    const code = lines.slice(start, i).map((line) => line.replace(/^\s*(\/\/|\*) ?/, ""));
    if (!/@example/.test(lines[start - 2] ?? "")) found.push({ file, line: start, code: code.join("\n") });
  }
  return found;
}

/** Plays an example with everything it imports, and the exports of the entry point of its folder, in scope. */
async function play({ file, code }: Example): Promise<number> {
  const folder = file.split("/")[0]!;
  const entries = existsSync(join(ROOT, "src", folder, "index.ts")) ? [`${folder}/index`] : [];
  const body = code.replace(/^import \{[^}]*\} from "stalewalk(?:\/(\w+))?";$/gm, (_, entry: string | undefined) => {
    entries.push(entry === undefined ? "index" : `${entry}/index`);
    return "";
  });
  const scope: Record<string, unknown> = {};
  if (BYTES[folder] !== undefined) scope["bytes"] = new Uint8Array(readFileSync(BYTES[folder]));
  for (const entry of entries) {
    Object.assign(scope, await import(pathToFileURL(join(ROOT, "src", `${entry}.ts`)).href));
  }
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  try {
    const AsyncFunction = (async () => {}).constructor as new (
      ...parts: string[]
    ) => (...values: unknown[]) => Promise<void>;
    await new AsyncFunction(...Object.keys(scope), `"use strict";\n${body}`)(...Object.values(scope));
    expect(error).not.toHaveBeenCalled();
    return log.mock.calls.length;
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
}

describe("L8: examples in comments", () => {
  const examples = SOURCES.flatMap(examplesOf);

  it("are found", () => {
    const files = new Set(examples.map(({ file }) => file));
    expect([...files]).toContain("image/index.ts");
  });

  it.each(examples)("$file:$line runs and prints something", async (example) => {
    expect(await play(example)).toBeGreaterThan(0);
  });

  it("have fences: code that stands in a comment without them would not be run", () => {
    for (const file of SOURCES) {
      const text = readFileSync(join(ROOT, "src", file), "utf8").replace(/```ts\n[\s\S]*?```\n/g, "");
      const unfenced = [...text.matchAll(/^\s*(?:\/\/|\*) {3,}(?:const|let|await|import|for) .*;$/gm)].map(
        ([line]) => line,
      );
      expect(unfenced, file).toEqual([]);
    }
  });
});
