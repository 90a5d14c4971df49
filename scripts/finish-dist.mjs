// From build/js/, what tsc made, to dist/, what is shipped: the JavaScript of every entry point over shared chunks, so that a
// command or an import reads a dozen files instead of two hundred; the types of every entry point in the same way, with nothing
// that no entry point exports or needs; the raw .wasm for hosts that bring their own module; JSON Schema files; the benchmark; the page. Libraries
// that are no `dependencies` are built in, with their licences.
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";
import { dts } from "rolldown-plugin-dts";
import { bundleBench } from "./bundle-bench.mjs";
import { bundlePage } from "./bundle-page.mjs";
import { COMPACT } from "./compact.mjs";
import { makeSchemas } from "./json-schemas.mjs";

const JS = "build/js";
/** What the pool's library starts its threads with: it looks there, from where it stands itself. */
const POOL = "entry/worker";
/** What a host gives that imports `.wasm` files. */
const WASM_TYPES = `import type { WasmModule } from "./index.js";
/** The engine, compiled by whoever imports this file. */
declare const engine: WasmModule;
export default engine;
`;
const of = (pattern) => new RegExp(`build.js.${pattern}\\.js$`);
/**
 * What is one file, although some entry points use only part of it: every file that an import reads costs as much as 20 kB more of JavaScript
 * (scripts/measure-start.mjs). Listed with what it stands on first; the engine's bytes stay apart, as `stalewalk/slim` has none.
 */
const GROUPS = [
  { name: "base", test: of("base.(errors|suggest|notation|kernel-version)") },
  { name: "compiler", test: of("(engine.compiler|base.base64)") },
  { name: "schema", test: /node_modules.valibot|build.js.base.schema\.js$/ },
  { name: "vtd", test: of("queue.(fields|amd|vtd)") },
  {
    name: "walker",
    test: of(
      "(engine.(?!compile\\.|wasm-bytes|state)[\\w-]+|paging.(?!ram)[\\w-]+|hardware.(context|geometry|geometries|walker))",
    ),
  },
  {
    name: "machine",
    test: of(
      "(program.[\\w-]+|kernel.[\\w-]+|hardware.(?!make-walker)[\\w-]+|engine.state|paging.ram|machine|machine-config)",
    ),
  },
  { name: "compile", test: of("engine.(compile|wasm-bytes)") },
  { name: "tinypool", test: /node_modules.tinypool.dist.index/ },
].map((group, i, { length }) => ({ ...group, priority: length - i }));
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

const entries = [
  ...Object.values(manifest.exports).flatMap(({ default: usual, workerd }) => [usual ?? [], workerd ?? []].flat()),
  ...Object.values(manifest.bin),
  // What scripts/run-check.mjs runs; main.js loads it when it has set itself up.
  "./dist/cli/program.js",
  // What threads of the pool import.
  "./dist/verdicts/worker.js",
  "./dist/replay/worker.js",
  "./dist/sweep/worker.js",
]
  .filter((file) => file.endsWith(".js"))
  .map((file) => file.replace(/^\.\/dist\/(.+)\.js$/, "$1"));

/** What is not built in: Node, and what a user installs. */
const external = [/^node:/, ...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];

rmSync("dist", { recursive: true, force: true });
const bundle = await rolldown({
  input: {
    ...Object.fromEntries(entries.map((name) => [name, `${JS}/${name}.js`])),
    [`chunks/${POOL}`]: `node_modules/tinypool/dist/${POOL}.js`,
  },
  external,
  plugins: [
    {
      name: "the module as a file",
      // It lies beside the entry points.
      resolveId: (id) => (id.endsWith("/stalewalk.wasm") ? { id: "./stalewalk.wasm", external: "relative" } : null),
    },
  ],
  platform: "neutral",
  logLevel: "warn",
});
const { output } = await bundle.write({
  dir: "dist",
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "chunks/[name].js",
  minify: COMPACT,
  codeSplitting: { groups: GROUPS },
});
await bundle.close();

const typed = Object.values(manifest.exports).flatMap(({ types, default: usual }) =>
  usual?.endsWith(".js") ? types : [],
);
const types = await rolldown({
  input: Object.fromEntries(
    typed.map((file) => file.replace(/^\.\/dist\/(.+)\.d\.ts$/, "$1")).map((name) => [name, `${JS}/${name}.d.ts`]),
  ),
  external,
  plugins: [dts({ dtsInput: true })],
  // It works on text and takes most of the time: no news.
  checks: { pluginTimings: false },
  logLevel: "warn",
});
const declarations = await types.write({ dir: "dist", format: "esm", chunkFileNames: "types/[name].d.ts" });
await types.close();
for (const { fileName, moduleIds = [] } of declarations.output) {
  // What a module asks of the compiler stands in comments, which bundling drops.
  const asked = moduleIds.flatMap((id) => readFileSync(id, "utf8").match(/^\/\/\/ <reference .*$/gm) ?? []);
  if (asked.length === 0) continue;
  const path = `dist/${fileName}`;
  writeFileSync(path, `${[...new Set(asked)].join("\n")}\n${readFileSync(path, "utf8")}`);
}

const beside = [...(await bundleBench()), ...(await bundlePage())];

cpSync("build/release.wasm", "dist/stalewalk.wasm");
cpSync("build/memory.wasm", "dist/memory.wasm");
writeFileSync("dist/stalewalk.wasm.d.ts", WASM_TYPES);
chmodSync("dist/cli/main.js", 0o755);

mkdirSync("dist/schemas");
const schemas = await makeSchemas((module) => import(`../${JS}/${module}.js`));
for (const [name, schema] of Object.entries(schemas)) {
  // For editors and validators, in one line: whoever reads it has one of these. Less than half of what it would take otherwise.
  writeFileSync(`dist/schemas/${name}.json`, `${JSON.stringify(schema)}\n`);
}

const builtIn = new Set([...output, ...beside].flatMap(({ modules = {} }) => Object.keys(modules).flatMap(libraryOf)));
const notices = [...builtIn].sort().map((library) => {
  const { version } = JSON.parse(readFileSync(`node_modules/${library}/package.json`, "utf8"));
  const licence = ["LICENSE", "LICENSE.md"].map((file) => `node_modules/${library}/${file}`).find(existsSync);
  if (!licence) throw new Error(`${library} is built in, and its licence is not in its package`);
  return `${library} ${version}\n\n${readFileSync(licence, "utf8").trim()}\n`;
});
writeFileSync("dist/THIRD-PARTY.txt", `Parts of these libraries are built into this package.\n\n${notices.join("\n")}`);

/** For the tests: which modules of src/ became which file. */
const contents = [...output, ...beside].map(({ fileName, modules = {} }) => [
  fileName,
  Object.keys(modules).map(shorten),
]);
writeFileSync("build/bundle.json", JSON.stringify(Object.fromEntries(contents), undefined, 2));

function libraryOf(module) {
  const [, name] = module.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//) ?? [];
  return name ? [name] : [];
}

function shorten(module) {
  const at = module.lastIndexOf(`/${JS}/`);
  return at < 0 ? module.slice(module.lastIndexOf("node_modules/")) : module.slice(at + JS.length + 2);
}
