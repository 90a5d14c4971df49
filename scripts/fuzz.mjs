// `npm run fuzz -- TARGET [--seconds N] [--inputs N] [--seed N]`: one target of test/fuzz/ on mutated inputs. Bundled and run by
// Node itself: a test runner's modules make every call between files dear, and its own memory hides the reader's.
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

const OUTPUT = "build/fuzz/main.mjs";

const bundle = await rolldown({
  input: "test/fuzz/main.ts",
  // Libraries stay what they are; sources are bundled, and know where they were.
  external: (id) => !/^[./]/.test(id),
  platform: "node",
  logLevel: "warn",
  plugins: [
    {
      name: "where sources are",
      transform: (code, id) => code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href)),
    },
  ],
});
await bundle.write({ file: OUTPUT, format: "esm" });
await bundle.close();
const { status } = spawnSync(process.execPath, ["--enable-source-maps", OUTPUT, ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exit(status ?? 1);
