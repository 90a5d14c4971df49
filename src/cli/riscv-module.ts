// The engine's RISC-V build, where there is one: in a checkout, beside src/ and dist/. The package does not carry it. Node-only.
import { existsSync, readFileSync } from "node:fs";
import { InputError } from "./errors.js";

const BUILD = new URL("../../build/riscv.wasm", import.meta.url);

/**
 * Compiles it for the check of a file.
 * @throws InputError naming the file and what to do, if it is not there
 */
export function riscvModule(file: string): WebAssembly.Module {
  if (!existsSync(BUILD)) {
    throw new InputError(
      `${file}: RISC-V walk vectors need the engine's RISC-V build (build/riscv.wasm), which the package does not carry: ` +
        "in a checkout of stalewalk, run npm run build:riscv and check them there",
    );
  }
  return new WebAssembly.Module(readFileSync(BUILD));
}
