// Every `@example` in the comments of src/ compiles against the types as they are shipped, runs on the built package and prints what
// it says: after each console.log() a comment has the line. Every entry point's main names have one.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/pack-package.js";

/** What a reader of the reference meets first. */
const MAIN: Readonly<Record<string, readonly string[]>> = {
  ".": [
    ...["createMachine", "createMachineSync", "createWalker", "createWalkerSync", "compileEngine", "compileEngineSync"],
    ...["checkPolicy", "resolveKernel", "unpackOutcome", "ProgramBuilder", "refusalOf"],
  ],
  "./slim": ["createMachine"],
  "./memory": ["createMachine", "compileEngine", "guestMemory"],
  "./image": ["openCore", "readCore", "loadImage", "auditTables", "checkImage"],
  "./image/node": ["openCoreFile"],
  "./trace": ["parseTrace", "compileTrace", "summarizeTrace", "recordHelp"],
  "./trace/node": ["openTrace"],
  "./verdicts": ["verdicts", "machineAt", "retell"],
  "./verdicts/node": ["verdicts"],
  "./replay": ["replay", "simulate", "toJson", "toCsv", "toPerfetto", "witnesses"],
  "./replay/node": ["simulate"],
  "./cost": ["cost", "checkCostModel"],
  "./queue": ["encodeVtd", "decodeVtd", "encodeAmd", "decodeAmd", "QueueCounter"],
  "./advice": ["advise", "simulatedCosts"],
  "./sweep/node": ["sweep"],
  "./report": ["renderReport"],
};

/** Recorded files under the names that the examples have for their own. */
const FILES = {
  "vm.core.gz": "images/reduced-4level.core.gz",
  "vm.info-tlb.txt.gz": "images/reduced-4level.info-tlb.txt.gz",
  "kernel.trace.txt": "traces/hugevmap.trace.txt",
  "frees.trace.txt.gz": "traces/linux618-frees.trace.txt.gz",
};

interface Example {
  /** File and line. */
  place: string;
  code: string;
  /** What it says that it prints. */
  says: string[];
}

function examplesIn(file: string): Example[] {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), "utf8"), ts.ScriptTarget.ES2022, true);
  const found: Example[] = [];
  const visit = (node: ts.Node): void => {
    for (const doc of ts.getJSDocCommentsAndTags(node)) {
      if (!ts.isJSDoc(doc) || doc.parent !== node) continue;
      for (const tag of doc.tags ?? []) {
        if (tag.tagName.text !== "example") continue;
        const place = `${file}:${source.getLineAndCharacterOfPosition(tag.getStart()).line + 1}`;
        const text = ts.getTextOfJSDocComment(tag.comment) ?? "";
        const [, code] = /^\s*```ts\n([\s\S]*)\n```\s*$/.exec(text) ?? [];
        if (code === undefined) throw new Error(`${place}: expected one block of ts after @example`);
        const logs = code.split("\n").filter((line) => line.includes("console.log("));
        const says = logs.map((line) => /\); \/\/ (.*)$/.exec(line)?.[1] ?? `${place}: nothing behind ${line}`);
        found.push({ place, code, says });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !/wasm-bytes|exports\.ts$/.test(name))
  .map((name) => `src/${name.replaceAll("\\", "/")}`)
  .sort();
const examples = sources.flatMap(examplesIn);

describe("examples in the comments of src/", () => {
  // Inside the checkout, whose package they import by its name.
  const folder = join(ROOT, "build", `comment-examples-${process.pid}`);
  const fileOf = (i: number, extension: string): string => join(folder, `example-${i}.${extension}`);
  beforeAll(() => {
    if (!existsSync(join(ROOT, "dist/index.js"))) throw new Error("dist is not there: run npm run build first");
    mkdirSync(folder, { recursive: true });
    for (const [name, from] of Object.entries(FILES))
      copyFileSync(join(ROOT, "test/fixtures", from), join(folder, name));
    for (const [i, { code }] of examples.entries()) writeFileSync(fileOf(i, "mts"), `${code}\nexport {};\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("stand at the main names of every entry point", () => {
    const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      exports: Record<string, { types?: string }>;
    };
    const entries = Object.entries(exports).flatMap(([name, { types }]) =>
      types && !name.endsWith(".wasm")
        ? [[name, types.replace("./dist/", "src/").replace(/\.d\.ts$/, ".ts")] as const]
        : [],
    );
    expect(Object.keys(MAIN).sort()).toEqual(entries.map(([name]) => name).sort());
    const program = ts.createProgram(
      [...entries.map(([, file]) => join(ROOT, file)), join(ROOT, "src/engine/wasm-files.d.ts")],
      {
        ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
        ...{ target: ts.ScriptTarget.ES2022, types: ["node"] },
      },
    );
    const checker = program.getTypeChecker();
    const without = entries.flatMap(([name, file]) => {
      const names = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(join(ROOT, file))!)!);
      return (MAIN[name] ?? []).filter((main) => {
        const symbol = names.find((it) => it.name === main);
        const real = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
        return !real?.getJsDocTags().some((tag) => tag.name === "example");
      });
    });
    expect(without).toEqual([]);
  });

  it("compile, strictly, against the types as they are shipped", () => {
    const options = { strict: true, noEmit: true, module: ts.ModuleKind.NodeNext, types: ["node"], skipLibCheck: true };
    const program = ts.createProgram(
      examples.map((_, i) => fileOf(i, "mts")),
      { ...options, target: ts.ScriptTarget.ES2022, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    );
    const wrong = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
      const line = file?.getLineAndCharacterOfPosition(start).line;
      const [, number = ""] = /example-(\d+)\.mts$/.exec(file?.fileName ?? "") ?? [];
      return `${examples[Number(number)]?.place}, line ${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
    expect(wrong).toEqual([]);
  });

  it("print what they say", () => {
    for (const [i, { code }] of examples.entries()) {
      const { outputText } = ts.transpileModule(code, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      });
      writeFileSync(fileOf(i, "mjs"), outputText);
    }
    // One process for all, so that starting Node is paid once.
    const all = examples.map((_, i) => `console.log("-- ${i}");\nawait import("./example-${i}.mjs");\n`);
    writeFileSync(join(folder, "all.mjs"), all.join(""));
    const out = execFileSync(process.execPath, ["all.mjs"], { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 26 });
    const printed = out.split(/^-- \d+\n/m).slice(1);
    expect(printed).toHaveLength(examples.length);
    const told = examples.map(({ place }, i) => `${place}\n${printed[i]}`);
    expect(told).toEqual(examples.map(({ place, says }) => `${place}\n${says.map((line) => `${line}\n`).join("")}`));
  });
});
