// The tests that play most, on the debug build of the engine (npm run test:debug): assertions are compiled in and name their place.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      ...(process.env["STALEWALK_NIGHTLY"] ? ["test/debug/*.nightly.ts"] : []),
      "test/engine/{agreement,kernel-agreement,flush,caches,clock,frames,program,queues,state}.test.ts",
      "test/scenarios/*.test.ts",
      "test/verdicts/{history,snapshot}.test.ts",
    ],
    setupFiles: ["test/debug/engine.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
  },
});
