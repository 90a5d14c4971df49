// The version of the engine's ABI: a digest of what its host is generated from (src/engine/abi.ts, exports.ts), comments aside. The shipped
// module carries it in a custom section, so that whoever holds a module and a wrapper can tell whether they fit.
import { createHash } from "node:crypto";

/** Name of the section; its contents are the digits as text. */
export const ABI_SECTION = "stalewalk.abi";

const DIGITS = 16;
const CUSTOM = 0;

/** 16 hexadecimal digits: the same for modules that have the same exports, records and numbers. */
export function abiVersion(...generated) {
  const hash = createHash("sha256");
  for (const text of generated) hash.update(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "").replace(/\s+/g, " "));
  return hash.digest("hex").slice(0, DIGITS);
}

/** A module with its ABI's version behind it; one that carries a version already is as it was built, and is refused. */
export function withAbiVersion(bytes, version) {
  if (WebAssembly.Module.customSections(new WebAssembly.Module(bytes), ABI_SECTION).length > 0)
    throw new Error(`this module carries ${ABI_SECTION} already: build it anew`);
  const contents = [ABI_SECTION.length, ...Buffer.from(ABI_SECTION + version)];
  // A length below 128 is one byte of LEB128.
  return Buffer.concat([bytes, Buffer.from([CUSTOM, contents.length, ...contents])]);
}
