// Builds everything: the engine, then what is made of it; the engine for RISC-V's tables beside that, since nothing waits for it.
import { spawn } from "node:child_process";

/** Runs scripts of package.json one after the other. */
async function inOrder(...names) {
  for (const name of names) await run(name);
}

function run(name) {
  return new Promise((resolve, reject) => {
    const child = spawn("npm", ["run", "--silent", name], { stdio: "inherit", shell: process.platform === "win32" });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`npm run ${name} ended with ${signal ?? code}`));
    });
  });
}

const ended = await Promise.allSettled([inOrder("build:wasm", "build:js"), inOrder("build:riscv")]);
for (const { reason } of ended) {
  if (reason === undefined) continue;
  console.error(reason.message);
  process.exitCode = 1;
}
