// What the library's entry points pull in: no Node built-in, nothing that only Node has, and no other package.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/pack-package.js";

const DIST = join(ROOT, "dist");

/** Entry points that any host can load. */
const ENTRIES = [
  "index",
  "slim",
  "memory",
  "image/index",
  "trace/index",
  "verdicts/index",
  "replay/index",
  "advice/index",
  "cost/index",
  "queue/index",
  "report/index",
];

/** What became of each file of dist/: the modules that it was made of, written down by the build. */
const bundle = JSON.parse(readFileSync(join(ROOT, "build/bundle.json"), "utf8")) as Record<string, string[]>;

/** Every module that an entry point reaches, and every import that leaves the package. */
function graphOf(entry: string): { modules: string[]; foreign: string[] } {
  const seen = new Set<string>();
  const foreign = new Set<string>();
  const pending = [join(DIST, entry)];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    // preProcessFile finds static, dynamic and re-exported imports alike.
    for (const { fileName } of ts.preProcessFile(readFileSync(file, "utf8")).importedFiles) {
      if (fileName.endsWith(".wasm")) continue;
      if (fileName.startsWith(".")) pending.push(resolve(dirname(file), fileName));
      else foreign.add(fileName);
    }
  }
  const files = [...seen].map((file) => relative(DIST, file).replaceAll("\\", "/"));
  return {
    modules: files.flatMap((file) => bundle[file] ?? [`${file}, which the build did not make`]),
    foreign: [...foreign],
  };
}

/** Names that an entry point of the sources exports, types included. */
function exportsOf(file: string): string[] {
  const path = join(ROOT, "src", file);
  const program = ts.createProgram([path, join(ROOT, "src/engine/wasm-files.d.ts")], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: [],
  });
  const checker = program.getTypeChecker();
  const symbol = checker.getSymbolAtLocation(program.getSourceFile(path)!);
  return checker
    .getExportsOfModule(symbol!)
    .map(({ name }) => name)
    .sort();
}

describe("imports of the packed library", () => {
  it.each(ENTRIES)("%s.js imports modules of its own alone", (name) => {
    const entry = `${name}.js`;
    expect(existsSync(join(DIST, entry)), `dist/${entry} is not there: run npm run build first`).toBe(true);
    const { modules, foreign } = graphOf(entry);
    expect(foreign).toEqual([]);
    expect(modules).toContain(entry);
    expect(modules.filter((module) => !/^(cli|.*, which the build did not make$)/.test(module))).toEqual(modules);
  });

  it("what inflates is built in where files are read, and nowhere else", () => {
    const withIt = ENTRIES.filter((name) =>
      graphOf(`${name}.js`).modules.some((module) => module.includes("/fflate/")),
    );
    expect(withIt).toEqual(["image/index", "trace/index", "replay/index", "advice/index", "report/index"]);
  });

  it("the command does import from outside: the search sees it", () => {
    const { foreign } = graphOf("cli/main.js");
    expect(foreign).toContain("commander");
    expect(foreign.some((it) => it.startsWith("node:"))).toBe(true);
  });

  it("stalewalk/slim carries no module, in bytes or as a file; stalewalk carries it once", () => {
    expect(graphOf("slim.js").modules.filter((module) => /wasm-bytes|base64|compile\.js/.test(module))).toEqual([]);
    expect(graphOf("slim.js").modules).toContain("machine.js");
    expect(graphOf("index.js").modules.filter((module) => module === "engine/wasm-bytes.js")).toHaveLength(1);
  });

  it("stalewalk/memory carries its own module and not the other; stalewalk carries nothing of it", () => {
    const of = (entry: string) => graphOf(entry).modules.filter((module) => /wasm-bytes|^memory/.test(module));
    expect(of("memory.js")).toContain("memory/wasm-bytes.js");
    expect(of("memory.js")).not.toContain("engine/wasm-bytes.js");
    expect(of("index.js")).toEqual(["engine/wasm-bytes.js"]);
    // The same names, but for the walker, which has tables of its own.
    const names = exportsOf("memory.ts");
    expect(exportsOf("index.ts").filter((name) => !names.includes(name))).toEqual(["createWalker", "createWalkerSync"]);
  });

  it("stalewalk in workerd imports the module as a file that lies beside it, and has the names that it has elsewhere", () => {
    const text = readFileSync(join(DIST, "workerd.js"), "utf8");
    expect(text).toMatch(/from ?"\.\/stalewalk\.wasm"/);
    expect(graphOf("workerd.js").modules.filter((module) => /wasm-bytes|base64/.test(module))).toEqual([]);
    expect(exportsOf("workerd.ts")).toEqual(exportsOf("index.ts"));
  });

  it("the engine and the machine know nothing of readers and commands", () => {
    const outside = graphOf("index.js").modules.filter((module) =>
      /^(cli|image|trace|vectors|verdicts|replay|cost|report)\//.test(module),
    );
    expect(outside).toEqual([]);
  });
});
