// `npm run fuzz -- TARGET …` ends here, bundled and without a test runner: one target on mutated inputs, and its figures. An
// input that breaks the target ends the run with its seed; shrunk and kept, it is a test from then on (readers.test.ts).
import { parseArgs } from "node:util";
import { fuzz } from "./run.js";
import { folderOf, targets } from "./targets.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string" }, inputs: { type: "string" }, seed: { type: "string", default: "1" } },
});
const target = targets.find((it) => folderOf(it) === positionals[0]);
const seconds = Number(values.seconds ?? (values.inputs === undefined ? 60 : Number.POSITIVE_INFINITY));
const inputs = Number(values.inputs ?? Number.POSITIVE_INFINITY);
const seed = Number(values.seed);
if (!target || positionals.length > 1 || !(seconds > 0) || !(inputs > 0) || !Number.isSafeInteger(seed)) {
  const names = targets.map(folderOf).join(", ");
  console.error(`usage: npm run fuzz -- TARGET [--seconds N] [--inputs N] [--seed N]; targets: ${names}`);
  process.exit(2);
}

const result = await fuzz(target, { inputs, seconds, seed });
const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
console.log(
  `${target.name}: ${result.inputs} inputs from seed ${seed}, ${result.read} read, ${result.refused} refused, ` +
    `${mebibytes(result.memory)} resident at most (${mebibytes(result.memoryBefore)} before)`,
);
for (const { seed, bytes, milliseconds, again } of result.slowest.slice(0, 3)) {
  const [first, alone] = [milliseconds, again].map((it) => it.toFixed(1));
  console.log(`  slow: seed ${seed}, ${bytes} bytes: ${first} ms in the run, ${alone} ms of processor time by itself`);
}
