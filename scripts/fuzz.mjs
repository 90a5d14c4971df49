// `npm run fuzz -- TARGET --seconds N [--seed N]`: one target of test/fuzz/ on mutated inputs for so long. An input that breaks it
// is shrunk, kept in test/fuzz/corpus/ and from then on a test. Without a target it names them.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const folder = new URL("../test/fuzz/targets/", import.meta.url);
const names = readdirSync(folder)
  .flatMap((file) => [...readFileSync(new URL(file, folder), "utf8").matchAll(/(?:name: |Target\(\s*)"([^"]+)"/g)])
  .map(([, name]) => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"));
const [target] = positionals;
if (!names.includes(target) || !(Number(values.seconds) > 0)) {
  console.error(`usage: npm run fuzz -- TARGET --seconds N [--seed N]; targets: ${names.join(", ")}`);
  process.exit(2);
}
const { status } = spawnSync("npx", ["vitest", "run", "test/fuzz", "--reporter=default"], {
  stdio: "inherit",
  env: {
    ...process.env,
    STALEWALK_FUZZ_TARGET: target,
    STALEWALK_FUZZ_SECONDS: values.seconds,
    ...(values.seed !== undefined && { STALEWALK_SEED: values.seed }),
  },
});
process.exit(status ?? 1);
