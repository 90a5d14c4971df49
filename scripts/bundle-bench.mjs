// From bench/ to dist/bench/: the benchmark as the command loads it, with Benchmark.js built in, and what it needs beside its code:
// the C sources of the native contestant, version 0.1.0, and a trace. It uses the package as others do, by name; in the bundle by place,
// since a browser that measures gets the same files, and its workers look no names up.
import { cpSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { SMALL } from "./compact.mjs";

const FOLDER = "dist/bench";
const manifest = JSON.parse(readFileSync("package.json", "utf8"));
/** How Benchmark.js looks for the globals: in a module of a worker it finds none. */
const LOOKS_AROUND = "var root = (objectTypes[typeof window] && window) || this;";
const FINDS_ALL = "var root = globalThis;";
/** How Benchmark.js looks for its libraries: by a function that a bundler does not see through. */
const LOOKS = "var freeRequire = typeof require == 'function' && require;";
const FINDS = `var builtIn = { lodash: require("lodash"), platform: require("platform"), process: globalThis.process };
  var freeRequire = function (id) { return builtIn[id]; };`;

/** Writes dist/bench/ and returns what became of which module, as rolldown tells it. */
export async function bundleBench() {
  const bundle = await rolldown({
    input: {
      ...{ main: "bench/main.ts", worker: "bench/worker.ts", "read-traces": "bench/read-traces.ts" },
      browser: "bench/browser/browser.ts",
      "browser-page": "bench/browser/browser-page.ts",
      "browser-worker": "bench/browser/browser-worker.ts",
    },
    external: [/^node:/],
    platform: "node",
    // The same library, a fifth of the size.
    resolve: { alias: { lodash: fileURLToPath(import.meta.resolve("lodash/lodash.min.js")) } },
    plugins: [
      { name: "built-in libraries of Benchmark.js", transform: findLibraries },
      { name: "the package by place", resolveId: placeOf },
    ],
    logLevel: "warn",
  });
  const { output } = await bundle.write({ dir: FOLDER, format: "esm", chunkFileNames: "[name].js", minify: SMALL });
  await bundle.close();
  cpSync("bench/native", `${FOLDER}/native`, { recursive: true });
  cpSync("bench/yardstick/stalewalk-0.1.0.mjs", `${FOLDER}/yardstick/stalewalk-0.1.0.mjs`);
  cpSync("test/fixtures/traces/linux618-frees.trace.txt.gz", `${FOLDER}/linux618-frees.trace.txt.gz`);
  return output.map((file) => ({ ...file, fileName: `bench/${file.fileName}`, modules: file.modules }));
}

/** All files of the bundle lie in one folder. */
function placeOf(id) {
  const [own, entry = ""] = id.match(/^stalewalk(\/.+)?$/) ?? [];
  if (own === undefined) return null;
  const { default: file } = manifest.exports[`.${entry}`];
  return { id: file.replace("./dist/", "../"), external: "absolute" };
}

function findLibraries(code, id) {
  if (!id.replaceAll("\\", "/").endsWith("/benchmark/benchmark.js")) return null;
  if (!code.includes(LOOKS) || !code.includes(LOOKS_AROUND))
    throw new Error("Benchmark.js looks for its libraries or the globals in another way than it did");
  return { code: code.replace(LOOKS, FINDS).replace(LOOKS_AROUND, FINDS_ALL) };
}
