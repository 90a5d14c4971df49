import { configDefaults, defineConfig } from "vitest/config";
import type { Reporter } from "vitest/node";
import { EFFORT } from "./test/support/effort.js";
import { DEFAULT_SEED, SEED } from "./test/support/seed.js";

/**
 * Files that a quick run leaves out: those that need the package as it is packed or the whole search, the recorded data in
 * full, long runs whose memory is bounded, damaged images, and tests of the test material itself.
 * `npm test` has all.
 */
const NOT_QUICK = [
  "test/examples/*.test.ts",
  "test/image/{check,fuzz}.test.ts",
  "test/model/{programs,vectors}.test.ts",
  "test/package/{imports,slim}.test.ts",
  "test/report/command.test.ts",
  "test/{replay,trace}/{memory,recorded}.test.ts",
  "test/scripts/*.test.ts",
  "test/vectors/{cached,check}.test.ts",
  "test/verdicts/{cli,search,together}.test.ts",
  "test/verdicts/prove/cli.test.ts",
];

/**
 * Files that `npm test` leaves out too, to end within four minutes on two cores: the package installed by a stranger, a real
 * browser, what the README prints, contestants of the benchmark, caches of the greatest geometries, files that claim or hold much,
 * profiles against their recordings, commands whose pipes, terminals and files break in every way, what many machines or cells
 * are explored for, types under other compilers' options, tests of the workshop itself. `npm run test:rest` has these alone, which
 * `.ci/run` plays as well; so does the nightly run.
 */
const REST = [
  "test/advice/advise.test.ts",
  "test/sweep/{queue,sweep}.test.ts",
  "test/api/readme.test.ts",
  "test/bench/{agreement,baseline,browsers,compile,growth,measure,runtimes}.test.ts",
  "test/cli/{completion,input,open,pictures,output-file,pipes,terminal}.test.ts",
  "test/engine/caches.test.ts",
  "test/examples/pages.test.ts",
  "test/image/bounds.test.ts",
  "test/model/kernel/programs.test.ts",
  "test/model/promela/spin.test.ts",
  "test/package/{bundlers,comment-examples,memory,optional,python,runtimes,stranger,types}.test.ts",
  "test/page/{walk,story,matrix,report,trace,bench,firefox}.test.ts",
  "test/replay/{perfetto,profiles}.test.ts",
  "test/report/browser.test.ts",
  "test/scripts/{lint-assembly,mutation-build}.test.ts",
  "test/trace/files.test.ts",
  "test/verdicts/{follow,history,workers}.test.ts",
  "test/verdicts/prove/{alike,explain,prove}.test.ts",
];

const LEFT_OUT = { quick: [...NOT_QUICK, ...REST], full: REST, rest: [], nightly: [] };

/** The last line of a run that failed, or that did not take the usual seed: how to play the same again. */
const sayTheSeed: Reporter = {
  onTestRunEnd(_modules, errors, reason) {
    if (reason === "failed" || errors.length > 0 || SEED !== DEFAULT_SEED) {
      console.log(`seed ${SEED} (the same again: STALEWALK_SEED=${SEED} npx vitest run FILE)`);
    }
  },
};

export default defineConfig({
  test: {
    include: EFFORT === "rest" ? REST : ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...LEFT_OUT[EFFORT]],
    // Far above what anything takes: a limit is for what hangs, not for what is slow on a busy machine.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    teardownTimeout: 120_000,
    maxWorkers: 2,
    // The library is loaded once per worker, which saves a quarter of the time; at night each file gets a fresh one.
    isolate: EFFORT === "nightly",
    env: { STALEWALK_SEED: String(SEED) },
    // scripts/say-tests.mjs counts from the report in JSON.
    reporters: [
      "default",
      ["json", { outputFile: EFFORT === "rest" ? "build/rest-report.json" : "build/test-report.json" }],
      sayTheSeed,
    ],
    coverage: {
      include: ["src/**/*.ts"],
      exclude: ["src/{engine,trace,verdicts/prove}/wasm-bytes.ts"],
      reportsDirectory: "coverage",
      reporter: ["text-summary", "html", "json-summary"],
    },
  },
});
