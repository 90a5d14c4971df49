// `npm run dev [-- FILTER…]`: builds on every change and tests what it touches. Three parts, each at its own pace:
// assembly/ changes -> the engine is built again and embedded; src/ changes -> tsc writes dist; tests run again when a file
// that they import changes (vitest), the embedded engine included. Tests that run the packed command or dist do not import
// it and are not started by a change: `npm test` has them. Ends with Ctrl-C.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { watch } from "chokidar";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** An editor writes several files at once: one build for all of them. */
const QUIET_MS = 100;
const say = (text) => console.log(`[dev] ${text}`);

/** Runs a command of the checkout; its exit code. */
function run(command, args, options = {}) {
  const child = spawn(command, args, { cwd: ROOT, stdio: "inherit", ...options });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

const npx = (...args) => run("npx", ["--no-install", ...args]);

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
    const code = await run("npm", ["run", "--silent", "build:wasm"]);
    say(code === 0 ? "the engine is built" : "the engine could not be built: the tests go on with the last one");
  } while (engine.again);
  engine.building = false;
}

if ((await run("npm", ["run", "--silent", "build"])) !== 0) {
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

say("watching assembly/, src/ and test/; vitest starts tests at their first change, or all with a");
const compiler = npx("tsc", "-p", "tsconfig.build.json", "--watch", "--preserveWatchOutput");
const tests = npx("vitest", "--watch", "--standalone", ...process.argv.slice(2));

// Whichever ends first (vitest by q or Ctrl-C) ends the others.
process.exitCode = await Promise.race([compiler, tests]);
await watcher.close();
process.exit();
