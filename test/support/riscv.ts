// The engine's RISC-V build, and the RISC-V walk vectors: the recorded ones, if this checkout has them, and the excerpt.

import { createReadStream, existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type NumberedVector, openVectors, type RiscvVector } from "../../src/vectors/index.js";
import { sharedData } from "./shared-data.js";

const BUILD = fileURLToPath(new URL("../../build/riscv.wasm", import.meta.url));

/** Compiles build/riscv.wasm. @throws Error if it has not been built */
export function riscvBuild(): WebAssembly.Module {
  if (!existsSync(BUILD)) throw new Error("build/riscv.wasm is not there: run npm run build:riscv first");
  return new WebAssembly.Module(readFileSync(BUILD));
}

/** All 15,000 recorded vectors; undefined without the recorded data. */
export const recordedRiscv = sharedData("riscv/walk-vectors.jsonl.gz");

/** The excerpt in this repository. */
export const riscvFixture = fileURLToPath(new URL("../fixtures/riscv/walk-vectors.jsonl.gz", import.meta.url));

/** The vectors of a file, which must be RISC-V's. */
export async function riscvVectorsOf(path: string): Promise<NumberedVector<RiscvVector>[]> {
  const opened = await openVectors(createReadStream(path), { file: path });
  if (opened.form !== "riscv") throw new Error(`${path}: expected RISC-V walk vectors`);
  const list: NumberedVector<RiscvVector>[] = [];
  for await (const it of opened.vectors) list.push(it);
  return list;
}
