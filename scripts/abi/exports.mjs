// The exports of the engine's module as TypeScript sees them, from assembly/index.ts and the declarations behind it.
import { exportOf, moduleExports } from "./sources.mjs";

const NUMBERS = ["u8", "i32", "u32", "f64"];

/** Type of a value that goes in (`parameter`) or comes out. */
function typed(type, where, parameter) {
  if (NUMBERS.includes(type)) return "number";
  if (type === "usize") return "Pointer";
  if (type === "u64") return "bigint";
  if (type === "bool") return parameter ? "boolean" : "number";
  if (type === "void" && !parameter) return "void";
  throw new Error(
    `assembly/${where} has type ${type}; expected one of ${[...NUMBERS, "usize", "u64", "bool"].join(", ")}`,
  );
}

function member(file, name) {
  const found = exportOf(file, name);
  const where = `${file}.ts: ${name}`;
  if (found.kind === "variable") {
    if (typed(found.type, where, false) === "bigint") throw new Error(`assembly/${where} has 64 bits; expected 32`);
    return `  readonly ${name}: { readonly value: number };\n`;
  }
  const parameters = found.parameters.map((it) => `${it.name}: ${typed(it.type, `${where}(${it.name})`, true)}`);
  return `  ${name}(${parameters.join(", ")}): ${typed(found.returns, where, false)};\n`;
}

/** Functions whose result is unsigned: what WebAssembly gives for it has a sign. */
function unsignedResults() {
  return moduleExports().flatMap(({ file, names }) =>
    names.filter((name) => ["u32", "usize"].includes(exportOf(file, name).returns)),
  );
}

/** The whole file. */
export function exportsText() {
  const groups = moduleExports().map(({ heading, file, names }) => {
    const members = names.map((name) => member(file, name));
    return `${heading === undefined ? "" : `\n  // ---- ${heading} ----\n`}${members.join("")}`;
  });
  return `/** A pointer into the engine's linear memory. */
export type Pointer = number;

/** Everything that the engine's module exports. i64 is bigint, a boolean comes out as 0 or 1. */
export interface EngineExports {
  readonly memory: { readonly buffer: ArrayBuffer };
${groups.join("")}}

/** Functions whose result is a pointer or another 32-bit number without a sign, which the module gives with one. */
export const unsignedResults = [
${unsignedResults()
  .map((name) => `  "${name}",\n`)
  .join("")}] as const satisfies readonly (keyof EngineExports)[];
`;
}
