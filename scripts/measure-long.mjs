// A billion operations in one process: whether memory stays flat, the rate of the last tenth is that of the first, and counters are exact;
// then hits until the 32-bit clock of the caches has run out and its times were replaced by ranks, after which the machine must still do
// what one does that has played next to nothing. `node scripts/measure-long.mjs [operations]`, after a build; prints lines for
// docs/performance.md, and fails if anything differs.
import { cpus } from "node:os";
import { Access, createMachineSync, geometries } from "../dist/index.js";

const OPERATIONS = Number(process.argv[2] ?? 1e9);
const TENTHS = 10;
const PAGES = 65_536;
const HOT = 48;
const ROUND = 4096 * HOT;
/** Where the engine replaces times (assembly/cache/living.ts). */
const CLOCK_LIMIT = 0xf000_0000;
/** Of a million operations. */
const flushes = { page: 2000, range: 500, space: 50, global: 10 };
/** P, R/W, U/S, A and D: nothing is left to be set that an older machine has set already. */
const FLAGS = 0x67n;

/** A CPU like a core of 2015, and 65,536 pages of 4 KiB in 131 tables. */
function makeMachine() {
  const machine = createMachineSync({
    tables: 3 + PAGES / 512,
    workloadPages: PAGES,
    cpus: [{ ...geometries.skylake, root: 0x1000n }],
  });
  const tables = PAGES / 512;
  const fill = (frame, count, target) => {
    const entries = new BigUint64Array(512);
    for (let i = 0; i < count; i++) entries[i] = (BigInt(target + i) << 12n) | FLAGS;
    machine.frames.setTable(frame, entries);
  };
  fill(1, 1, 2);
  fill(2, 1, 3);
  fill(3, tables, 4);
  for (let table = 0; table < tables; table++) fill(4 + table, 512, 0x10_0000 + table * 512);
  return machine;
}

const pages = Array.from({ length: PAGES }, (_, i) => ({
  va: BigInt(i) << 12n,
  access: Access.userRead,
  writable: true,
}));
const mixed = { pages, stream: "zipf", flushes };
const hot = { pages: pages.slice(0, HOT), stream: "sequential", writes: 0 };
const asText = (value) => JSON.stringify(value, (_, it) => (typeof it === "bigint" ? `${it}n` : it));
const countersOf = ({ cpus: [cpu] }) => [cpu.counters, ...cpu.caches.map(({ counters }) => counters)];

function fail(text) {
  console.error(text);
  process.exitCode = 1;
}

console.log(`${cpus()[0].model}, Node ${process.version}, ${OPERATIONS.toLocaleString("en")} operations`);
const machine = makeMachine();
const tenth = OPERATIONS / TENTHS;
machine.runWorkload({ ...mixed, seed: 99n }, 1e6);
const before = machine.cpus[0].counters.translations;
const rates = [];
let since = performance.now();
let from = 0;
machine.runWorkload({ ...mixed, seed: 1n }, OPERATIONS, {
  onProgress({ done }) {
    if (done - from < tenth && done < OPERATIONS) return;
    rates.push((done - from) / (performance.now() - since) / 1000);
    const mebibytes = (process.memoryUsage().rss / 2 ** 20).toFixed(1);
    console.log(
      `tenth ${rates.length}: ${rates.at(-1).toFixed(2)} million operations per second, ${mebibytes} MiB resident`,
    );
    since = performance.now();
    from = done;
  },
});
console.log(`the last tenth ran at ${(rates.at(-1) / rates[0]).toFixed(3)} of the first one's rate`);
const { translations, invalidations } = machine.cpus[0].counters;
const played = Number(translations - before);
console.log(`${played.toLocaleString("en")} translations, ${Number(invalidations).toLocaleString("en")} invalidations`);

// As many whole rounds as take the clock past its end, whatever it was.
const rounds = Math.ceil(CLOCK_LIMIT / ROUND) + 1;
const [long, short] = [machine, makeMachine()];
for (const it of [long, short]) it.cpus[0].flushAll();
const start = performance.now();
long.runWorkload({ ...hot, seed: 1n }, rounds * ROUND);
const seconds = (performance.now() - start) / 1000;
short.runWorkload({ ...hot, seed: 1n }, ROUND);
console.log(`${(rounds * ROUND).toLocaleString("en")} hits in ${seconds.toFixed(0)} s: the caches' clock has run out`);
// From here on both must do the same, to the last victim.
const then = [long, short].map((it) => {
  const base = countersOf(it);
  it.runWorkload({ ...mixed, seed: 7n }, 2e6);
  return asText(countersOf(it).map((now, i) => Object.entries(now).map(([key, value]) => [key, value - base[i][key]])));
});
if (then[0] !== then[1]) fail(`after the clock's end the machine counts otherwise:\n${then[0]}\n${then[1]}`);
else console.log("2,000,000 mixed operations after it: every counter as of a machine whose clock is young");
