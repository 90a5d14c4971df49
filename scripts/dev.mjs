// `npm run dev [-- FILTER…]`: builds and tests once, then builds on every change and tests what it touches. Three parts, each
// at its own pace: assembly/ changes -> the engine is built again and embedded; src/ changes -> tsc writes dist; a file that
// tests import changes, the embedded engine included -> these tests run (vitest). Amounts are those of a quick run, unless
// STALEWALK_TESTS says otherwise; a filter chooses test files. Tests that run dist do not import it and are not started by a
// change: `npm test` has them. Ends with q or Ctrl-C.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { watch } from "chokidar";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** An editor writes several files at once: one build for all of them. */
const QUIET_MS = 100;
const say = (text) => console.log(`[dev] ${text}`);

/** What runs now: it ends with us, however we end. */
const children = new Set();
process.on("exit", () => {
  for (const child of children) child.kill();
});
process.on("SIGTERM", () => process.exit(143));

/** Runs a program of the checkout in this Node; its exit code. */
function run(file, args, options = {}) {
  const child = spawn(process.execPath, [file, ...args], { cwd: ROOT, stdio: "inherit", ...options });
  children.add(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      children.delete(child);
      resolve(code ?? 1);
    });
  });
}

const NPM = process.env["npm_execpath"];
if (!NPM) throw new Error("start it with npm run dev");

/** Builds the engine; a change that comes meanwhile builds it again afterwards. */
const engine = { building: false, again: false, timer: undefined };
async function buildEngine() {
  if (engine.building) {
    engine.again = true;
    return;
  }
  engine.building = true;
  do {
    engine.again = false;
    const code = await run(NPM, ["run", "--silent", "build:wasm"]);
    say(code === 0 ? "the engine is built" : "the engine could not be built: the tests go on with the last one");
  } while (engine.again);
  engine.building = false;
}

if ((await run(NPM, ["run", "--silent", "build"])) !== 0) {
  console.error("[dev] the first build failed: nothing to watch yet");
  process.exit(1);
}

const watcher = watch("assembly", { cwd: ROOT, ignoreInitial: true });
watcher.on("all", () => {
  clearTimeout(engine.timer);
  engine.timer = setTimeout(() => void buildEngine(), QUIET_MS);
});
watcher.on("error", (error) => {
  console.error(`[dev] watching assembly/: ${error.message}`);
  process.exitCode = 1;
});

say("watching assembly/, src/ and test/");
const compiler = run("node_modules/typescript/bin/tsc", [
  "-p",
  "tsconfig.build.json",
  "--watch",
  "--preserveWatchOutput",
]);
const env = { STALEWALK_TESTS: "quick", ...process.env };
const tests = run("node_modules/vitest/vitest.mjs", ["--watch", ...process.argv.slice(2)], { env });

// Whichever ends first (vitest by q or Ctrl-C) ends the others.
process.exitCode = await Promise.race([compiler, tests]);
await watcher.close();
process.exit();
