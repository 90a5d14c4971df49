// From bench/ to dist/bench/: the benchmark as the command loads it, with Benchmark.js built in, and what it needs beside its code:
// the C sources of the native contestant, version 0.1.0, and a trace. It uses the package by name, as others do.
import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { COMPACT } from "./compact.mjs";

const FOLDER = "dist/bench";
/** How Benchmark.js looks for its libraries: by a function that a bundler does not see through. */
const LOOKS = "var freeRequire = typeof require == 'function' && require;";
const FINDS = `var builtIn = { lodash: require("lodash"), platform: require("platform"), process: globalThis.process };
  var freeRequire = function (id) { return builtIn[id]; };`;

/** Writes dist/bench/ and returns what became of which module, as rolldown tells it. */
export async function bundleBench() {
  const bundle = await rolldown({
    input: { main: "bench/main.ts", worker: "bench/worker.ts", "read-traces": "bench/read-traces.ts" },
    external: [/^node:/, /^stalewalk(\/|$)/],
    platform: "node",
    // The same library, a fifth of the size.
    resolve: { alias: { lodash: fileURLToPath(import.meta.resolve("lodash/lodash.min.js")) } },
    plugins: [{ name: "built-in libraries of Benchmark.js", transform: findLibraries }],
    logLevel: "warn",
  });
  const { output } = await bundle.write({ dir: FOLDER, format: "esm", chunkFileNames: "[name].js", minify: COMPACT });
  await bundle.close();
  cpSync("bench/native", `${FOLDER}/native`, { recursive: true });
  cpSync("bench/yardstick/stalewalk-0.1.0.mjs", `${FOLDER}/yardstick/stalewalk-0.1.0.mjs`);
  cpSync("test/fixtures/traces/linux618-frees.trace.txt.gz", `${FOLDER}/linux618-frees.trace.txt.gz`);
  return output.map((file) => ({ ...file, fileName: `bench/${file.fileName}`, modules: file.modules }));
}

function findLibraries(code, id) {
  if (!id.replaceAll("\\", "/").endsWith("/benchmark/benchmark.js")) return null;
  if (!code.includes(LOOKS)) throw new Error("Benchmark.js looks for its libraries in another way than it did");
  return { code: code.replace(LOOKS, FINDS) };
}
