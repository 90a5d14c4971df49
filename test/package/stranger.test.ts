// The package as published: packed, installed in an empty folder without a registry, and used by a stranger.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { measureEntries } from "../../scripts/measure-entries.mjs";
import { type BenchResult, usualSuites } from "../../src/benchmark/result.js";
import { installAsStranger, ROOT, type Stranger } from "../support/pack-package.js";

let stranger: Stranger;
beforeAll(() => {
  stranger = installAsStranger();
}, 120_000);
afterAll(() => {
  if (stranger) rmSync(stranger.folder, { recursive: true });
});

/** Runs a module in the stranger's folder and parses what it prints. */
function runModule(name: string, text: string): unknown {
  writeFileSync(join(stranger.folder, name), text);
  return JSON.parse(stranger.run(process.execPath, name));
}

/** Two tables levels deep: page 0 of the user half at frame 0x1234. */
const MAP = `
  function map(frames) {
    for (const [frame, next] of [[1, 2], [2, 3], [3, 4], [4, 0x1234]]) {
      const entries = new BigUint64Array(512);
      entries[0] = (BigInt(next) << 12n) | 7n;
      frames.setTable(frame, entries);
    }
  }
`;

describe("the tarball", () => {
  it("holds what a user needs and nothing of the workshop", () => {
    expect(stranger.packed).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "package.json",
        "dist/index.js",
        "dist/index.d.ts",
        "dist/stalewalk.wasm",
        "dist/cli/main.js",
        "dist/bench/main.js",
        "dist/bench/worker.js",
        "dist/bench/native/cpu.c",
        "dist/page/index.html",
        "docs/architecture.md",
        "docs/rules.md",
      ]),
    );
    expect(
      stranger.packed.filter((path) => /^(src|test|assembly|bench|scripts|build|node_modules)\//.test(path)),
    ).toEqual([]);
    // A trace for `bench`, where there are no recorded ones.
    expect(stranger.packed.filter((path) => /\.(tgz|map|gz)$/.test(path))).toEqual([
      "dist/bench/linux618-frees.trace.txt.gz",
    ]);
  });

  it("has every file that its manifest names", () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      exports: Record<string, string | Record<string, string>>;
      bin: Record<string, string>;
      main: string;
      types: string;
    };
    const targets = Object.values(manifest.exports).flatMap((it) =>
      typeof it === "string" ? [it] : Object.values(it),
    );
    for (const target of [...targets, ...Object.values(manifest.bin), manifest.main, manifest.types]) {
      const [before = "", after] = target.replace("./", "").split("*");
      if (after === undefined) expect(stranger.packed).toContain(before);
      else expect(stranger.packed.some((path) => path.startsWith(before) && path.endsWith(after))).toBe(true);
    }
  });
});

describe("what an installation costs", () => {
  it("is at most 3 packages, and 3 MB", () => {
    const modules = join(stranger.folder, "node_modules");
    const packages = readdirSync(modules).filter((name) => !name.startsWith("."));
    expect(packages.sort()).toEqual(["commander", "stalewalk"]);
    const files = readdirSync(modules, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThan(3_000_000);
  });

  it("is at every entry point what it was, within a tenth: kB of its files, and of these in gzip", () => {
    const most: Record<string, [bytes: number, gzip: number]> = {
      stalewalk: [240, 85],
      "stalewalk/slim": [148, 44],
      "stalewalk/memory": [255, 88],
      "stalewalk/image": [212, 77],
      "stalewalk/image/node": [66, 19],
      "stalewalk/trace": [174, 53],
      "stalewalk/trace/node": [7, 3],
      "stalewalk/verdicts": [340, 115],
      "stalewalk/verdicts/node": [357, 120],
      "stalewalk/replay": [482, 161],
      "stalewalk/replay/node": [496, 164],
      "stalewalk/cost": [36, 10],
      "stalewalk/queue": [18, 6],
      "stalewalk/advice": [571, 188],
      "stalewalk/sweep/node": [619, 203],
      "stalewalk/report": [693, 231],
    };
    const measured = measureEntries(join(stranger.folder, "node_modules/stalewalk"));
    expect(measured.map(({ entry }) => entry).sort()).toEqual(Object.keys(most).sort());
    const above = measured.filter(({ entry, bytes, gzip }) => {
      const [mostBytes, mostGzip] = most[entry] ?? [0, 0];
      return bytes > 1000 * mostBytes || gzip > 1000 * mostGzip;
    });
    expect(above).toEqual([]);
  });
});

describe("a stranger", () => {
  it("imports every entry point, and nothing happens at import", () => {
    const names = runModule(
      "entries.mjs",
      `
      const compiled = [];
      for (const name of ["Module", "Instance"]) {
        WebAssembly[name] = new Proxy(WebAssembly[name], { construct() { compiled.push(name); throw new Error(name); } });
      }
      for (const name of ["compile", "instantiate"]) WebAssembly[name] = () => { compiled.push(name); };
      const names = {};
      for (const entry of ["stalewalk", "stalewalk/slim", "stalewalk/memory", "stalewalk/image", "stalewalk/image/node", "stalewalk/trace", "stalewalk/trace/node"]) {
        names[entry] = Object.keys(await import(entry)).length;
      }
      console.log(JSON.stringify({ compiled, names }));
      `,
    ) as { compiled: string[]; names: Record<string, number> };
    expect(names.compiled).toEqual([]);
    expect(Object.keys(names.names)).toHaveLength(7);
    expect(Math.min(...Object.values(names.names))).toBeGreaterThan(0);
  });

  it("makes machines, waited for and not, brings a module of his own, and disposes of them", () => {
    const result = runModule(
      "use.mjs",
      `
      import { readFileSync } from "node:fs";
      import { fileURLToPath } from "node:url";
      import { Access, createMachine, createMachineSync, createWalker, geometries } from "stalewalk";
      ${MAP}
      const module = new WebAssembly.Module(readFileSync(fileURLToPath(import.meta.resolve("stalewalk/stalewalk.wasm"))));
      const config = { tables: 8, workloadPages: 8, cpus: [{ ...geometries.skylake, root: 0x1000n }] };
      const machines = [await createMachine(config), createMachineSync(config), createMachineSync({ ...config, module })];
      const addresses = machines.map((machine, i) => {
        map(machine.frames);
        for (let j = 0; j <= i; j++) machine.cpus[0].translate(8n, Access.userRead);
        return machine.cpus[0].translate(8n, Access.userRead).physicalAddress.toString(16);
      });
      const counters = machines.map(({ cpus }) => cpus[0].counters.translations);
      const walker = await createWalker({ module, tables: 8 });
      map(walker.frames);
      walker.setRoot(0x1000n);
      const chain = walker.explain(8n, Access.userRead).chain.length;
      machines[0].dispose();
      let disposed = "";
      try { machines[0].play(new Uint8Array(16)); } catch (error) { disposed = error.message; }
      console.log(JSON.stringify({ addresses, counters, chain, disposed, imports: WebAssembly.Module.imports(module).length }));
      `,
    );
    expect(result).toEqual({
      addresses: ["1234008", "1234008", "1234008"],
      counters: [2, 3, 4],
      chain: 4,
      disposed: "this machine has been disposed of",
      imports: 0,
    });
  });

  it("uses it in a worker thread, sharing the compiled module", () => {
    writeFileSync(
      join(stranger.folder, "worker.mjs"),
      `
      import { parentPort, workerData } from "node:worker_threads";
      import { Access, createWalkerSync } from "stalewalk";
      const walker = createWalkerSync({ module: workerData, tables: 1 });
      parentPort.postMessage(walker.translate(0n, Access.userRead).kind);
      `,
    );
    const kinds = runModule(
      "workers.mjs",
      `
      import { Worker } from "node:worker_threads";
      import { compileEngine } from "stalewalk";
      const module = await compileEngine();
      const answers = [1, 2].map(() => new Promise((resolve, reject) => {
        const worker = new Worker(new URL("worker.mjs", import.meta.url), { workerData: module });
        worker.once("message", resolve);
        worker.once("error", reject);
      }));
      console.log(JSON.stringify(await Promise.all(answers)));
      `,
    );
    expect(kinds).toEqual(["absent", "absent"]);
  });

  it.each([
    ["NodeNext", "NodeNext"],
    ["ESNext", "Bundler"],
  ])(
    "compiles his TypeScript against its types, strictly, without Node's types (%s, %s)",
    (module, moduleResolution) => {
      writeFileSync(
        join(stranger.folder, "use.ts"),
        `
      import { Access, createMachine, type MachineConfig, type Outcome } from "stalewalk";
      import { openCore } from "stalewalk/image";
      import { parseTrace } from "stalewalk/trace";
      const config: MachineConfig = { cpus: [{ l1: [{ entries: 64, ways: 4, pageSizes: ["4K"] }] }] };
      export async function use(): Promise<Outcome | undefined> {
        const machine = await createMachine(config);
        return machine.cpus[0]?.translate(0n, Access.userRead);
      }
      // @ts-expect-error a number is no address
      export const wrong = async () => (await createMachine()).cpus[0]!.translate(0, Access.userRead);
      // @ts-expect-error there is no such page size
      export const size: MachineConfig = { cpus: [{ l1: [{ entries: 1, ways: 1, pageSizes: ["16K"] }] }] };
      export const readers = [openCore, parseTrace];
      `,
      );
      const options = {
        strict: true,
        noEmit: true,
        target: "ES2022",
        module,
        moduleResolution,
        lib: ["ES2023", "DOM"],
      };
      const config = { compilerOptions: { ...options, types: [], skipLibCheck: false }, files: ["use.ts"] };
      writeFileSync(join(stranger.folder, "tsconfig.json"), JSON.stringify(config));
      expect(stranger.run(process.execPath, join(ROOT, "node_modules/typescript/bin/tsc"), "-p", ".")).toBe("");
    },
  );

  it("runs the command", () => {
    const help = stranger.run("npx", "--offline", "stalewalk", "--help");
    expect(help).toMatch(/^Usage: stalewalk \[options\] \[command\]/);
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(stranger.run("npx", "--offline", "stalewalk", "--version").trim()).toBe(version);
    const fixture = join(ROOT, "test/fixtures/walks/walk-vectors.jsonl.gz");
    expect(stranger.run("npx", "--offline", "stalewalk", "check-vectors", fixture)).toContain(": equal\n");
  });

  it("runs the benchmark, in every suite, without a compiler, recorded data or a network", () => {
    const file = join(stranger.folder, "bench.json");
    const command = [process.execPath, "node_modules/stalewalk/dist/cli/main.js", "bench", "--quick", "--seconds", "0"];
    const only = "L1 hit|full flush|API|kernel programs: none|trace|verdicts.*none";
    const said = stranger.run("env", "CC=/nonexistent", ...command, "--filter", only, "--json", file);
    expect(said).toMatch(/^stalewalk \S+, engine [0-9a-f]{16}, Node \S+ \(V8 \S+\), Benchmark\.js 2\.1\.4\n.* cores, /);
    expect(said).toContain("native C: no C compiler\n");
    const { rows, missing, host } = JSON.parse(readFileSync(file, "utf8")) as BenchResult;
    expect(new Set(rows.map(({ suite }) => suite))).toEqual(new Set(usualSuites));
    for (const { table } of rows) expect(said).toContain(`: ${table}\n`);
    expect(missing.toSorted()).toEqual([
      "0.1.0 at through the API: cpu.physical(high, low), one at a time: it has no cpu.physical()",
      "native C: no C compiler",
      "recorded traces: there are none here; an excerpt, linux618-frees.trace.txt.gz, stands for them",
    ]);
    for (const line of missing) expect(said).toContain(`not measured: ${line}\n`);
    const module = readFileSync(join(stranger.folder, "node_modules/stalewalk/dist/stalewalk.wasm"));
    expect(host.engine).toBe(createHash("sha256").update(module).digest("hex"));
  });

  it.skipIf(spawnSync("cc", ["--version"]).status !== 0)(
    "has native C rows where there is a compiler",
    () => {
      const file = join(stranger.folder, "native.json");
      const takesNative = spawnSync("cc", ["-march=native", "-E", "-x", "c", "/dev/null"]).status === 0;
      const command = [process.execPath, "node_modules/stalewalk/dist/cli/main.js", "bench", "translate", "--quick"];
      stranger.run(...(command as [string]), "--seconds", "0", "--filter", "4-level: L1 hit", "--json", file);
      const { rows } = JSON.parse(readFileSync(file, "utf8")) as BenchResult;
      expect(rows.map(({ contestant }) => contestant)).toEqual([
        "stalewalk",
        "native C",
        ...(takesNative ? ["native C, -march=native"] : []),
        "0.1.0",
        "tuned JS",
        "naive JS",
      ]);
    },
    120_000,
  );

  it("is told that RISC-V walk vectors are checked in a checkout", () => {
    const fixture = join(ROOT, "test/fixtures/riscv/walk-vectors.jsonl.gz");
    let failure: Error | undefined;
    try {
      stranger.run("npx", "--offline", "stalewalk", "check-vectors", fixture);
    } catch (error) {
      failure = error as Error;
    }
    expect(failure?.message).toContain(`stalewalk: ${fixture}: RISC-V walk vectors need the engine's RISC-V build`);
    expect(failure?.message).toContain("run npm run build:riscv");
    expect(failure?.cause).toMatchObject({ status: 2 });
  });
});
