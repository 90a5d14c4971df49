// What the library's entry points pull in: no Node built-in, nothing that only Node has, and one dependency: fflate, where
// files are read.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/pack-package.js";

const DIST = join(ROOT, "dist");

/** Entry points that any host can load, and what each imports from outside; `report` draws charts with a library. */
const INFLATE = ["formats/inflate.js: fflate"];
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  index: [],
  "image/index": INFLATE,
  "trace/index": INFLATE,
  "vectors/index": INFLATE,
  "verdicts/index": [],
  "replay/index": INFLATE,
  "cost/index": [],
  "queue/index": [],
};
const ENTRIES = Object.keys(FOREIGN);

/** Every module that an entry point reaches, and every import that leaves the package. */
function graphOf(entry: string): { modules: string[]; foreign: string[] } {
  const seen = new Set<string>();
  const foreign: string[] = [];
  const pending = [join(DIST, entry)];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    // preProcessFile finds static, dynamic and re-exported imports alike.
    for (const { fileName } of ts.preProcessFile(readFileSync(file, "utf8")).importedFiles) {
      if (fileName.startsWith(".")) pending.push(resolve(dirname(file), fileName));
      else foreign.push(`${relative(DIST, file)}: ${fileName}`);
    }
  }
  return { modules: [...seen].map((file) => relative(DIST, file)), foreign };
}

describe("imports of the packed library", () => {
  it.each(ENTRIES)("%s.js imports modules of its own, and fflate where it reads files", (name) => {
    const entry = `${name}.js`;
    expect(existsSync(join(DIST, entry)), `dist/${entry} is not there: run npm run build first`).toBe(true);
    const { modules, foreign } = graphOf(entry);
    expect(foreign).toEqual(FOREIGN[name]);
    expect(modules.length).toBeGreaterThan(3);
    expect(modules.filter((module) => module.startsWith("cli/"))).toEqual([]);
  });

  it("the report imports its charts' library, and no Node built-in", () => {
    const packages = new Set(graphOf("report/index.js").foreign.map((it) => it.split(": ")[1]));
    expect([...packages].sort()).toEqual(["vega", "vega-interpreter"]);
  });

  it("the command does import from outside: the search sees it", () => {
    const { foreign } = graphOf("cli/main.js");
    expect(foreign.some((it) => it.endsWith(": commander"))).toBe(true);
    expect(foreign.some((it) => it.includes(": node:"))).toBe(true);
  });

  it("the engine and the machine know nothing of readers and commands", () => {
    const outside = graphOf("index.js").modules.filter((module) =>
      /^(cli|image|trace|vectors|verdicts|replay|cost|queue|report)\//.test(module),
    );
    expect(outside).toEqual([]);
  });

  it("the library compiles without Node's types: it uses nothing that only Node has", () => {
    const folder = mkdtempSync(join(tmpdir(), "stalewalk-types-"));
    try {
      const config = {
        extends: join(ROOT, "tsconfig.json"),
        compilerOptions: { types: [], rootDir: join(ROOT, "src") },
        include: [],
        files: ENTRIES.map((name) => join(ROOT, `src/${name}.ts`)),
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
      const compile = () =>
        execFileSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "pipe"],
        });
      let problems = "";
      try {
        compile();
      } catch (error) {
        problems = (error as { stdout: string }).stdout;
      }
      expect(problems).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
