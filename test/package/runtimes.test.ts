// The packed package in other runtimes than the one that runs the tests: every Node from 20 on, Deno, Bun, workerd.

import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostFile, hostsInstalled, hostsNote, importHost } from "../support/hosts.js";
import { installAsStranger, ROOT, type Stranger } from "../support/pack-package.js";

/** What is used of it. */
interface MiniflareModule {
  Miniflare: new (options: object) => { dispatchFetch(url: string): Promise<Response>; dispose(): Promise<void> };
}

if (!hostsInstalled) console.warn(`the package is not tried in other runtimes${hostsNote}`);

/** What is done everywhere: a walk that sets A and D, in the engine's memory and in the host's; a search; a trace. */
const USE = `
import { Access, createMachine } from "stalewalk";
import { createMachine as createOver, guestMemory } from "stalewalk/memory";
import { verdicts } from "stalewalk/verdicts";
import { decodeAmd } from "stalewalk/queue";

function map(words) {
  for (const frame of [1, 2, 3, 4]) words.setBigUint64(frame * 4096, BigInt(frame + 1) * 4096n + 7n, true);
}
export async function use() {
  const told = {};
  const machine = await createMachine({ ram: { bytes: 2 ** 16 }, cpus: [{ root: 0x1000n }] });
  const { ram } = machine;
  map(new DataView(ram.buffer, ram.byteOffset, ram.byteLength));
  told.ram = machine.cpus[0].translate(0x123n, Access.userWrite).physicalAddress.toString(16);
  told.leaf = machine.frames.readEntry(0x4000n).toString(16);
  for await (const { says } of verdicts({ policies: ["none"], scenarios: ["exit"], hardware: "usual", agents: ["iommu"] })) told.exit = says;
  told.command = decodeAmd(0x8n << 60n, 0n).type;
  return told;
}
export async function useOverMemory() {
  const memory = new WebAssembly.Memory({ initial: 1 });
  map(new DataView(memory.buffer));
  const machine = await createOver({ memory: guestMemory(memory), cpus: [{ root: 0x1000n }] });
  machine.cpus[0].translate(0x123n, Access.userWrite);
  return new DataView(memory.buffer).getBigUint64(0x4000, true).toString(16);
}
`;
const USED = { ram: "5123", leaf: "5067", exit: "no hazard found", command: "invalidate-all" };

describe.skipIf(!hostsInstalled)(`the packed package${hostsNote}`, () => {
  let stranger: Stranger;
  beforeAll(() => {
    stranger = installAsStranger();
    writeFileSync(join(stranger.folder, "use.mjs"), USE);
    const main = `import { use, useOverMemory } from "./use.mjs";
console.log(JSON.stringify({ ...(await use()), memory: await useOverMemory() }));
`;
    writeFileSync(join(stranger.folder, "main.mjs"), main);
    cpSync(join(ROOT, "test/fixtures/traces/hugevmap.trace.txt"), join(stranger.folder, "kernel.trace.txt"));
  });
  afterAll(() => rmSync(stranger.folder, { recursive: true }));

  it.each([
    ["Node 20", hostFile("node20/bin/node"), []],
    ["Node 22", hostFile("node22/bin/node"), []],
    ["Node 24", hostFile("node24/bin/node"), []],
    ["Node 26", hostFile("node26/bin/node"), []],
    ["Bun", hostFile(".bin/bun"), ["run"]],
    ["Deno", hostFile(".bin/deno"), ["run", "--quiet", "--no-prompt", "--node-modules-dir=manual"]],
  ])("walks, searches and marks in place in %s", (_name, program, args) => {
    expect(JSON.parse(stranger.run(program, ...args, "main.mjs"))).toEqual({ ...USED, memory: "5067" });
  });

  it.each(["20", "22", "24", "26"])("has a command, pools of threads and require() in Node %s", (major) => {
    const node = hostFile(`node${major}/bin/node`);
    expect(stranger.run(node, "-v")).toMatch(new RegExp(`^v${major}\\.`));
    const script = "const { createMachineSync } = require('stalewalk'); console.log(createMachineSync().cpus.length)";
    expect(stranger.run(node, "--disable-warning=ExperimentalWarning", "--input-type=commonjs", "-e", script)).toBe(
      "1\n",
    );
    const command = [node, "node_modules/stalewalk/dist/cli/main.js"] as const;
    const replayed = JSON.parse(
      stranger.run(...command, "replay", "kernel.trace.txt", "--policy", "user-root", "--json"),
    );
    expect(replayed.policies).toHaveLength(1);
    const judged = ["verdicts", "--quick", "--policy", "user-root", "--site", "exit", "--workers", "2"];
    expect(stranger.run(...command, ...judged)).toContain("user-root  ○ safe");
  });

  it("walks in workerd, which compiles nothing from bytes: its tools hand the module over as a file", async () => {
    const { build } = await importHost<{ build(options: object): Promise<unknown> }>("esbuild");
    const { Miniflare } = await importHost<MiniflareModule>("miniflare");
    const out = join(stranger.folder, "workerd");
    const worker = `import { Access, createMachine, createWalkerSync } from "stalewalk";
export default {
  async fetch() {
    const machine = await createMachine({ ram: { bytes: 4096 } });
    const walker = createWalkerSync({ tables: 1 });
    return Response.json({ ram: machine.ram.length, kind: walker.translate(0n, Access.userRead).kind });
  },
};
`;
    writeFileSync(join(stranger.folder, "edge.mjs"), worker);
    await build({
      ...{ absWorkingDir: stranger.folder, entryPoints: ["edge.mjs"], outdir: out, bundle: true, format: "esm" },
      ...{ conditions: ["workerd"], loader: { ".wasm": "copy" }, assetNames: "[name]" },
    });
    const miniflare = new Miniflare({
      compatibilityDate: "2026-01-01",
      modules: [
        { type: "ESModule", path: join(out, "edge.js") },
        { type: "CompiledWasm", path: join(out, "stalewalk.wasm") },
      ],
      modulesRoot: out,
    });
    try {
      const answer = await miniflare.dispatchFetch("http://localhost/");
      expect(await answer.json()).toEqual({ ram: 4096, kind: "absent" });
    } finally {
      await miniflare.dispose();
    }
  });

  it("compiles in TypeScript without DOM types, and without Node's", () => {
    writeFileSync(
      join(stranger.folder, "nodom.ts"),
      `import { Access, createMachine, type WasmModule } from "stalewalk";
import { guestMemory } from "stalewalk/memory";
import { replay } from "stalewalk/replay";
import { createMachine as slim } from "stalewalk/slim";
export const kind = async () => (await createMachine()).cpus[0]!.translate(0n, Access.userRead).kind;
export const bring = (module: WasmModule) => slim({ module });
export const all = [guestMemory, replay];
`,
    );
    const compilerOptions = {
      ...{ strict: true, noEmit: true, target: "es2022", lib: ["es2023"], types: [] },
      ...{ module: "nodenext", moduleResolution: "nodenext", skipLibCheck: true },
    };
    const config = { compilerOptions, files: ["nodom.ts"] };
    writeFileSync(join(stranger.folder, "tsconfig.json"), JSON.stringify(config));
    expect(stranger.run(process.execPath, hostFile("typescript/bin/tsc"), "-p", ".")).toBe("");
  });
});
