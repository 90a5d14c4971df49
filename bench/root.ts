// Where the files are that the benchmark needs beside its own code: seen from the package (dist/bench/) or from the source (bench/, in tests).
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of package.json. */
export const packageRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

const source = join(packageRoot, "bench");
const isCheckout = existsSync(join(source, "native"));

/** The folder of native/ and yardstick/: that of the source in a checkout, else that of the package. */
export const benchFolder: string = isCheckout ? source : join(packageRoot, "dist", "bench");

/** A file beside this code: what a process is started with. */
export const besideCode = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Where recorded data may be: where STALEWALK_DATA says, or beside a checkout. */
export const dataFolder: string | undefined =
  process.env["STALEWALK_DATA"] ?? (isCheckout ? join(packageRoot, "..", "shared", "data") : undefined);

function findRoot(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("no package.json above the benchmark's own files");
  return findRoot(parent);
}
