// Builds the engine behind RISC-V's format of entries (Sv39, Sv48, Sv57), to build/riscv.wasm: the same sources, with the seam
// assembly/paging/format.ts exchanged as it is read. It is not shipped; `check-vectors` and tests use it in a checkout.
// Does nothing if the module is newer than everything it is made of; `--force` builds it all the same.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBehind } from "./build-behind.mjs";

const OUT = "build/riscv.wasm";
const SEAM = "assembly/paging/format.ts";
const FORMAT = 'export * from "./riscv/entry";\nexport * from "./riscv/rights";\n';

const sources = readdirSync("assembly", { recursive: true }).map((name) => join("assembly", name));
const newest = Math.max(
  ...[...sources, "asconfig.json", fileURLToPath(import.meta.url)].map((path) => statSync(path).mtimeMs),
);

if (process.argv.includes("--force") || !existsSync(OUT) || statSync(OUT).mtimeMs < newest) {
  await buildBehind({ seam: SEAM, behind: FORMAT, out: OUT });
}
