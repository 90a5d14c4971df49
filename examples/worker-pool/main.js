// How often TLBs of several sizes miss, each with several seeds, on all cores: node examples/worker-pool/main.js
import { availableParallelism } from "node:os";
import { compileEngine } from "stalewalk";
import { Tinypool } from "tinypool";

const SIZES = [16, 64, 256, 1024];
const SEEDS = [1, 2, 3, 4];

const pool = new Tinypool({
  filename: new URL("worker.js", import.meta.url).href,
  maxThreads: availableParallelism(),
  // Compiled here, and sent: no thread compiles it again.
  workerData: { module: await compileEngine(), pages: 2048, accesses: 500_000 },
});
const tasks = SIZES.map((entries) => SEEDS.map((seed) => pool.run({ entries, seed })));
for (const [i, entries] of SIZES.entries()) {
  const results = await Promise.all(tasks[i]);
  const shares = results.map(({ translations, walks }) => `${((100 * walks) / translations).toFixed(2)} %`);
  console.log(`TLB of ${String(entries).padStart(4)} entries misses ${shares.join(", ")}`);
}
await pool.destroy();
