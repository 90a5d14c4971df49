// `npm run mutate -- [options] FILE…`: which changes of the engine no test notices. One statement is removed, or one expression
// altered, at a time (mutation/mutants.mjs); each such engine plays the same random programs as the reference model
// (test/support/mutation-runner.ts), and those that agree everywhere then meet the named tests. The survivors are printed with
// their places.
//
//   FILE…            files or folders of assembly/; all of assembly/kernel and assembly/hardware/queue if none is named
//   --count N        a sample of N mutants, drawn by STALEWALK_SEED; else all, in the order of the files
//   --minutes M      stop after so long; the same command goes on where it stopped
//   --tests FILE,…   named tests for those that agree, or "none"
//   --again          try the survivors of earlier runs again, and nothing else
//   --fresh          forget earlier runs
//
// Results are kept in build/mutation/results.jsonl by place and text, so that a change of a file makes its mutants new.
// STALEWALK_OPERATIONS (default 2,500) says how many operations of each sort every mutant plays.
import { execFileSync, fork, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";
import { buildMutants, engineFiles, livingIn } from "./mutation/build.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, "build/mutation");
const RESULTS = join(FOLDER, "results.jsonl");
const RUNNER = join(FOLDER, "runner.mjs");
const MODULE = join(FOLDER, "mutant.wasm");
/** What is about the engine and takes seconds. */
const TESTS = [
  ...["bookkeeping", "cases", "flush-cases", "table-cases"].map((name) => `test/kernel/${name}.test.ts`),
  ...["flush", "frames", "options", "program", "queues", "workload"].map((name) => `test/engine/${name}.test.ts`),
  ...["test/queue/queue.test.ts", "test/scenarios/scenarios.test.ts", "test/verdicts/snapshot.test.ts"],
  ...["cases", "fixtures", "lowering"].map((name) => `test/replay/${name}.test.ts`),
];
/** Far above what a mutant takes: loops in the engine end by themselves. */
const PATIENCE = 120_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string" },
    minutes: { type: "string" },
    tests: { type: "string" },
    again: { type: "boolean" },
    fresh: { type: "boolean" },
  },
});
const seed = Number(process.env.STALEWALK_SEED ?? 20261124);
process.env.STALEWALK_OPERATIONS ??= "2500";
const tests = values.tests === "none" ? [] : (values.tests?.split(",") ?? TESTS);
const started = Date.now();
const isOver = () => values.minutes !== undefined && Date.now() - started > Number(values.minutes) * 60_000;

function chosenFiles() {
  const named = positionals.length > 0 ? positionals : ["assembly/kernel", "assembly/hardware/queue"];
  const files = engineFiles();
  return named.flatMap((name) => {
    const path = name.replace(/\/$/, "");
    const found = files.filter((file) => file === path || file.startsWith(`${path}/`));
    if (found.length === 0) throw new Error(`${name}: no such file of the engine`);
    return found;
  });
}

/** A sample in the order of the whole; xorshift, so that the same seed draws the same. */
function sample(list, count) {
  let x = seed >>> 0 || 1;
  const weight = new Map(
    list.map((it) => {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      return [it, x >>> 0];
    }),
  );
  const chosen = new Set([...list].sort((a, b) => weight.get(a) - weight.get(b)).slice(0, count));
  return list.filter((it) => chosen.has(it));
}

const keyOf = ({ path, line, column, what, source }) => `${path}:${line}:${column} ${what}: ${source}`;

function readResults() {
  if (!existsSync(RESULTS)) return new Map();
  const lines = readFileSync(RESULTS, "utf8").trim().split("\n").filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).map((it) => [it.key, it]));
}

/** The runner in a process of its own; another one after a mutant that hangs. */
class Runner {
  async start() {
    this.child = fork(RUNNER, { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
    await this.answer(600_000);
  }

  answer(patience) {
    return new Promise((resolve, reject) => {
      const { child } = this;
      const done = (value) => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(value);
      };
      const timer = setTimeout(() => done({ failure: "hangs", gone: true }), patience);
      child.once("message", done);
      child.once("exit", (code) => done({ failure: `the process ended with ${code}`, gone: true }));
      child.once("error", reject);
    });
  }

  async failureOf(bytes) {
    if (!this.child) await this.start();
    this.child.send(bytes);
    const { failure, gone } = await this.answer(PATIENCE);
    if (gone) this.stop();
    return failure;
  }

  stop() {
    this.child?.kill("SIGKILL");
    this.child = undefined;
  }
}

/** The first named test that fails with a module; undefined if none does. */
function failingTest(bytes) {
  if (tests.length === 0) return undefined;
  writeFileSync(MODULE, bytes);
  const env = {
    ...process.env,
    STALEWALK_MODULE: MODULE,
    STALEWALK_NIGHTLY: "1",
    STALEWALK_TESTS: "quick",
    NO_COLOR: "1",
  };
  const args = ["vitest", "run", "--config", "vitest.debug.config.ts", "--bail", "1", "--reporter", "dot", ...tests];
  const { status, stdout, stderr } = spawnSync("npx", args, { cwd: ROOT, env, encoding: "utf8", timeout: 600_000 });
  if (status === 0) return undefined;
  return /FAIL +(.*)/.exec(`${stdout}${stderr}`)?.[1] ?? `the tests ended with ${status}`;
}

if (values.fresh) rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const files = chosenFiles();
const { bytes, mutants } = buildMutants(files, join(FOLDER, "engine"));
const results = readResults();
const usable = mutants.filter(({ dropped }) => !dropped);
const chosen = values.count === undefined ? usable : sample(usable, Number(values.count));
const due = chosen.filter((it) => {
  const known = results.get(keyOf(it));
  return values.again ? known && known.by === undefined : !known;
});
console.log(
  `${files.length} files, ${usable.length} mutants (${mutants.length - usable.length} do not compile), ${due.length} to try`,
);

const bundle = await rolldown({
  input: join(ROOT, "test/support/mutation-runner.ts"),
  platform: "node",
  logLevel: "warn",
  resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
});
await bundle.write({ file: RUNNER, format: "esm" });
await bundle.close();
execFileSync(process.execPath, ["--check", RUNNER]);

const runner = new Runner();
const whole = livingIn(bytes, 0);
const wrong = (await runner.failureOf(whole)) ?? failingTest(whole);
if (wrong !== undefined) throw new Error(`an engine without a mutant fails: ${wrong}`);

let tried = 0;
for (const mutant of due) {
  if (isOver()) break;
  const module = livingIn(bytes, mutant.number);
  const by = (await runner.failureOf(module)) ?? failingTest(module);
  const result = { key: keyOf(mutant), by };
  results.set(result.key, result);
  appendFileSync(RESULTS, `${JSON.stringify(result)}\n`);
  tried++;
  if (by === undefined) console.log(`survives: ${result.key}`);
}
runner.stop();

const known = chosen.filter((it) => results.has(keyOf(it)));
const survivors = known.filter((it) => results.get(keyOf(it)).by === undefined);
console.log(
  `\n${tried} tried now; of ${chosen.length} chosen, ${known.length} tried in all, ${survivors.length} survive:`,
);
for (const it of survivors) console.log(`  ${keyOf(it)}`);
if (known.length < chosen.length) console.log(`${chosen.length - known.length} are left: the same command goes on`);
