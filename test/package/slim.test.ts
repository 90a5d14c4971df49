// The entry points that bring no bytes of the engine: `stalewalk/slim`, whose caller has the module, and `stalewalk` in workerd, which
// imports the file; here with a loader that gives for a `.wasm` file what workerd gives, the module.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import * as slim from "../../src/slim.js";
import { ROOT } from "../support/pack-package.js";

const DIST = join(ROOT, "dist");
const module = new WebAssembly.Module(readFileSync(join(DIST, "stalewalk.wasm")));
const missing = "module is undefined; expected a WebAssembly.Module of `stalewalk/stalewalk.wasm`";

/** What a module of Node prints that is run with further options. */
function run(text: string, ...options: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "stalewalk-slim-"));
  try {
    writeFileSync(join(folder, "run.mjs"), text);
    return execFileSync(process.execPath, [...options, join(folder, "run.mjs")], { encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A page mapped in guest RAM, and translated. */
const USE = (library: string, options: string) => `
  import { Access, createMachine, createMachineSync, createWalkerSync } from ${JSON.stringify(pathToFileURL(join(DIST, library)).href)};
  import { readFileSync } from "node:fs";
  const bytes = readFileSync(${JSON.stringify(join(DIST, "stalewalk.wasm"))});
  const machine = await createMachine({ ram: { bytes: 65536 }, ${options} });
  const memory = new DataView(machine.ram.buffer, machine.ram.byteOffset);
  for (const [at, entry] of [[0x1000, 0x2007n], [0x2000, 0x3007n], [0x3000, 0x4007n], [0x4038, 0x5007n]]) memory.setBigUint64(at, entry, true);
  machine.cpus[0].movToCr3(0x1000n);
  console.log(machine.cpus[0].translate(0x7123n, Access.userWrite).physicalAddress.toString(16));
  console.log(createMachineSync({ ${options} }).levels, createWalkerSync({ ${options} }).levels);
`;

describe("stalewalk/slim", () => {
  it("makes machines and walkers of a module that it is given, packed as it is shipped too", async () => {
    expect((await slim.createMachine({ module })).levels).toBe(4);
    expect((await slim.createWalker({ module, levels: 5 })).levels).toBe(5);
    expect(run(USE("slim.js", "module: new WebAssembly.Module(bytes)"))).toBe("5123\n4 4\n");
  });

  it("says what is missing without one, and what else is wrong", async () => {
    const none = {} as { module: WebAssembly.Module };
    expect(() => slim.createMachineSync(none)).toThrow(missing);
    expect(() => slim.createWalkerSync(none)).toThrow(missing);
    await expect(slim.createMachine(none)).rejects.toThrow(missing);
    await expect(slim.createWalker(none)).rejects.toThrow(missing);
    expect(() => slim.createMachineSync({ module: {} as WebAssembly.Module })).toThrow("expected a WebAssembly.Module");
    expect(() => slim.createMachineSync({ module, tables: 0 })).toThrow("tables is 0");
  });
});

describe("stalewalk in workerd", () => {
  it("takes the module from the file beside it", () => {
    const load = `
      import { readFileSync } from "node:fs";
      import { fileURLToPath } from "node:url";
      export async function load(url, context, next) {
        if (!url.endsWith(".wasm")) return next(url, context);
        const bytes = JSON.stringify([...readFileSync(fileURLToPath(url))]);
        return { format: "module", shortCircuit: true, source: "export default new WebAssembly.Module(Uint8Array.from(" + bytes + "));" };
      }
    `;
    const hooks = `data:text/javascript,${encodeURIComponent(load)}`;
    const register = `import { register } from "node:module"; register(${JSON.stringify(hooks)});`;
    const options = ["--import", `data:text/javascript,${encodeURIComponent(register)}`];
    expect(run(USE("workerd.js", ""), ...options)).toBe("5123\n4 4\n");
  });
});
