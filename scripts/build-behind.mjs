// Builds the engine with a seam of its sources exchanged as it is read: the file at `seam` reads as `behind` says.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";

export async function buildBehind({ entry, seam, behind, out, target = "release" }) {
  let exchanged = false;
  const readFile = (name, base) => {
    if (name === seam) {
      exchanged = true;
      return behind;
    }
    const path = join(base, name);
    return existsSync(path) ? readFileSync(path, "utf8") : null;
  };
  const options = ["--config", "asconfig.json", "--target", target];
  const files = ["--outFile", out, "--textFile", out.replace(/wasm$/, "wat")];
  const transform = target === "release" ? ["--transform", "./scripts/drop-assertions.mjs"] : [];
  const { error, stderr } = await asc.main([...(entry ? [entry] : []), ...options, ...files, ...transform], {
    readFile,
  });
  if (error) {
    process.stderr.write(stderr.toString());
    throw error;
  }
  if (!exchanged) throw new Error(`${seam}: the compiler did not ask for it; expected that the seam is there`);
}
