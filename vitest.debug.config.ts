// The tests that play most, on the debug build of the engine (npm run test:debug): assertions are compiled in and name their place.
// STALEWALK_NIGHTLY adds all others that play on an engine, and engines that are broken on purpose.
import { defineConfig } from "vitest/config";

const nightly = process.env["STALEWALK_NIGHTLY"] !== undefined;

const short = [
  "test/debug/*.debug.ts",
  "test/engine/{agreement,kernel-agreement,flush,caches,clock,frames,golden,lane,program,queues,state}.test.ts",
  "test/scenarios/*.test.ts",
  "test/verdicts/{history,snapshot}.test.ts",
];
const full = [
  "test/debug/*.debug.ts",
  "test/{engine,kernel,scenarios,replay,vectors,image,queue}/*.test.ts",
  "test/verdicts/{history,snapshot,search,nested}.test.ts",
  "test/debug/*.nightly.ts",
];

export default defineConfig({
  test: {
    include: nightly ? full : short,
    setupFiles: ["test/debug/engine.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
  },
});
