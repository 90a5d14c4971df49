// `npm run lint` over assembly/. AssemblyScript is TypeScript but for decorators on functions, which no parser of TypeScript
// takes: Biome is given a copy in which they are comments, line for line, so that it reports places as they are. Beside its
// rules (assembly.biome.json) two of our own: lines of at most 140 characters, no exported function that nobody uses.
//
// Off in Biome for what AssemblyScript means otherwise: == compares numbers (there is no ===), large literals are 64-bit
// integers, a type is imported as any other name, and the engine's loops over lists load and test in one expression.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Where the sources are: assembly/ of this checkout, or of the folder that is named. */
const HOME = process.argv[2] ?? ROOT;
const COPY = join(HOME, "build/lint");
const MAX_LINE = 140;
/** What stands behind a seam is taken through it, whichever of its files a build puts there. */
const SEAMS = [
  { seam: "assembly/paging/format.ts", behind: /^assembly\/paging\/[^/]+\/(entry|rights)\.ts$/ },
  { seam: "assembly/paging/contents.ts", behind: /^assembly\/paging\/[^/]+\/contents\.ts$/ },
];
const DECORATOR = /^(\s*)(@\w+(\(.*\))?)$/gm;

const sources = new Map(
  readdirSync(join(HOME, "assembly"), { recursive: true })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => posix.join("assembly", name.replaceAll("\\", "/")))
    .sort()
    .map((path) => [path, readFileSync(join(HOME, path), "utf8")]),
);

/** Biome's findings on the copy, printed by itself. */
function runBiome() {
  rmSync(COPY, { recursive: true, force: true });
  for (const [path, text] of sources) {
    mkdirSync(dirname(join(COPY, path)), { recursive: true });
    writeFileSync(join(COPY, path), text.replace(DECORATOR, "$1//$2"));
  }
  const biome = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
  const config = join(ROOT, "scripts/assembly.biome.json");
  const { status, error } = spawnSync(
    process.execPath,
    [biome, "lint", "--error-on-warnings", `--config-path=${config}`, "assembly"],
    { cwd: COPY, stdio: "inherit" },
  );
  if (error) throw error;
  return status === 0;
}

const longLines = ([path, text]) =>
  text
    .split("\n")
    .flatMap((line, i) =>
      line.length > MAX_LINE ? [`${path}:${i + 1}: a line of ${line.length} characters; at most ${MAX_LINE}`] : [],
    );

/** Every function that a file exports, and every name of another file that it imports or exports again. */
function borders(path, text) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const functions = [];
  const taken = [];
  for (const statement of file.statements) {
    const from = statement.moduleSpecifier && posix.join(posix.dirname(path), `${statement.moduleSpecifier.text}.ts`);
    const clause = statement.importClause?.namedBindings ?? statement.exportClause;
    if (from && clause?.elements)
      taken.push(...clause.elements.map((it) => `${from} ${(it.propertyName ?? it.name).text}`));
    else if (from) taken.push(`${from} *`);
    const exported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!exported || !ts.isFunctionDeclaration(statement)) continue;
    const line = ts.getLineAndCharacterOfPosition(file, statement.name.getStart(file)).line + 1;
    functions.push({ path, line, name: statement.name.text });
  }
  return { functions, taken };
}

/** The functions that the compiler puts in the place of its own: "abort=assembly/debug/abort". */
const replacements = () =>
  Object.values(JSON.parse(readFileSync(join(ROOT, "asconfig.json"), "utf8")).targets)
    .flatMap(({ use = [] }) => use)
    .map((it) => it.split("=")[1])
    .map((it) => `${posix.dirname(it)}.ts ${posix.basename(it)}`);

/** What the host calls by itself. */
const ENTRIES = new Set(["assembly/index.ts", "assembly/prove/index.ts"]);

/** Exported functions that no other file takes and their own file does not call. */
function unused() {
  const all = [...sources].map(([path, text]) => borders(path, text));
  const taken = new Set([...all.flatMap((it) => it.taken), ...replacements()]);
  const isTaken = ({ path, name }) => {
    const through = SEAMS.find(({ behind }) => behind.test(path));
    return taken.has(`${path} ${name}`) || taken.has(through ? `${through.seam} ${name}` : `${path} *`);
  };
  return all
    .flatMap(({ functions }) => functions)
    .filter((it) => !ENTRIES.has(it.path) && !isTaken(it))
    .filter(({ path, name }) => sources.get(path).match(new RegExp(`\\b${name}\\b`, "g")).length === 1)
    .map(({ path, line, name }) => `${path}:${line}: nobody uses the exported function ${name}`);
}

if (sources.size === 0) throw new Error(`${join(HOME, "assembly")}: no sources`);
const findings = [...[...sources].flatMap(longLines), ...unused()];
for (const finding of findings) console.error(finding);
const clean = runBiome();
if (findings.length > 0 || !clean) process.exitCode = 1;
