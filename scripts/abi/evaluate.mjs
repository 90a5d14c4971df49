// Values of constants as the compiler knows them: a module of nothing but these constants is compiled, and read.
import { readFileSync } from "node:fs";
import asc from "assemblyscript/asc";
import { constantsOf } from "./sources.mjs";

const ENTRY = "abi.ts";
const OUT = "abi.wasm";

/**
 * Values of the constants that groups name, by `file:NAME`; 64-bit ones are bigints, the others numbers, none is negative.
 * `calls` are functions of one small number, tried for 0 to `below` - 1: under `file:name`, the arguments for which each holds.
 */
export async function evaluate(groups, calls) {
  const files = [...new Set(groups.map(({ file }) => file))];
  const types = new Map(files.flatMap((file) => constantsOf(file).map(({ name, type }) => [`${file}:${name}`, type])));
  const wanted = [...new Set(groups.flatMap(({ file, constants }) => constants.map((name) => `${file}:${name}`)))];
  const all = [...wanted, ...calls.map(({ file, name }) => `${file}:${name}`)];
  const entry = all.map((id, i) => `export { ${id.split(":")[1]} as x${i} } from "./${id.split(":")[0]}";`).join("\n");
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(await compile(entry)));
  const values = new Map();
  for (const [i, id] of wanted.entries()) {
    const type = types.get(id);
    if (!type) throw new Error(`assembly/${id.replace(":", ".ts: ")} is not an exported constant`);
    const value = exports[`x${i}`].value;
    values.set(id, typeof value === "bigint" ? BigInt.asUintN(64, value) : type.startsWith("i") ? value : value >>> 0);
  }
  for (const [i, { file, name, below }] of calls.entries()) {
    const holds = exports[`x${wanted.length + i}`];
    values.set(
      `${file}:${name}`,
      Array.from({ length: below }, (_, n) => n).filter((n) => holds(n) !== 0),
    );
  }
  return values;
}

async function compile(entry) {
  let wasm;
  const { error, stderr } = await asc.main([ENTRY, "--runtime", "stub", "--enable", "simd", "--outFile", OUT, "-O0"], {
    readFile: (name) => {
      if (name === ENTRY) return entry;
      try {
        return readFileSync(`assembly/${name}`, "utf8");
      } catch (problem) {
        // The compiler asks for `x.ts`, then for `x/index.ts`.
        if (problem.code === "ENOENT") return null;
        throw problem;
      }
    },
    writeFile: (name, data) => {
      if (name === OUT) wasm = data;
    },
    listFiles: () => [],
  });
  if (error || !wasm) throw new Error(`the constants of assembly/ do not compile:\n${stderr}`);
  return wasm;
}
