// What starting costs: the import and the first machine, each in a fresh process, beside two packages that carry WebAssembly as this one does.
// Medians, with the least and the greatest, and the import's processor time, which tells more than the clock on a machine that does
// other things: node scripts/measure-start.mjs [processes]. The other packages come from where
// test/support/hosts.ts has installed them (build/hosts, or STALEWALK_HOSTS).
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const HOSTS = process.env.STALEWALK_HOSTS ?? join(ROOT, "build/hosts");
const own = (file) => pathToFileURL(join(ROOT, "dist", file)).href;

/** What is imported, and what makes it ready for its first use. */
const rows = [
  ["stalewalk", own("index.js"), "const ready = await it.createMachine();"],
  ["stalewalk, createMachineSync", own("index.js"), "const ready = it.createMachineSync();"],
  ["stalewalk/slim", own("slim.js"), ""],
  [
    "stalewalk/memory",
    own("memory.js"),
    "const ready = await it.createMachine({ memory: it.guestMemory(new Uint8Array(4096)) });",
  ],
  ["stalewalk/trace", own("trace/index.js"), ""],
  ["stalewalk/verdicts", own("verdicts/index.js"), ""],
  ["stalewalk/replay", own("replay/index.js"), ""],
  ["stalewalk/advice", own("advice/index.js"), ""],
  ["stalewalk/report", own("report/index.js"), ""],
  ["xxhash-wasm", undefined, "const ready = (await it.default()).h64('a');"],
  ["es-module-lexer", undefined, "await it.init; const ready = it.parse('import a from \"a\"');"],
];

/** Where an installed package's module is. */
function installed(name) {
  const manifest = join(HOSTS, "node_modules", name, "package.json");
  if (!existsSync(manifest)) {
    console.error(
      `${name} is not in ${HOSTS}: run STALEWALK_TESTS=rest npx vitest run test/package/runtimes.test.ts first`,
    );
    process.exit(2);
  }
  const require = createRequire(manifest);
  const { exports: map, module, main } = require(manifest);
  const usual = map?.["."] ?? map;
  const target =
    typeof usual === "string" ? usual : (usual?.import?.default ?? usual?.import ?? usual?.default ?? module ?? main);
  return pathToFileURL(join(HOSTS, "node_modules", name, target)).href;
}

function once(url, use) {
  const script = `const before = process.cpuUsage(); const a = performance.now(); const it = await import(${JSON.stringify(url)});
const b = performance.now(); const { user, system } = process.cpuUsage(before);
${use} const c = performance.now(); process.stdout.write(JSON.stringify([b - a, c - b, (user + system) / 1000]));`;
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }));
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const shown = (values) => {
  const [least, middle, most] = [Math.min(...values), median(values), Math.max(...values)].map((it) => it.toFixed(1));
  return `${middle.padStart(6)} ms (${least} to ${most})`.padEnd(26);
};

const processes = Number(process.argv[2] ?? 31);
const measured = rows.map(([name, url, use]) => ({
  name,
  url: url ?? installed(name),
  use,
  imports: [],
  uses: [],
  cpu: [],
}));
for (let i = 0; i < processes; i++) {
  // By turns, so that what else the machine does meets all of them.
  for (const { url, use, imports, uses, cpu } of measured) {
    const [imported, used, processor] = once(url, use);
    imports.push(imported);
    uses.push(used);
    cpu.push(processor);
  }
}
console.log(`${processes} processes each, Node ${process.version}`);
for (const { name, use, imports, uses, cpu } of measured) {
  console.log(
    `${name.padEnd(30)} import ${shown(imports)} processor ${shown(cpu)} ${use === "" ? "" : `first use ${shown(uses)}`}`,
  );
}
