// The other build that `--baseline` names: where it is, and whether it can be played at all.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { LibrarySource } from "./library.js";
import { packageRoot } from "./root.js";
import { YARDSTICK, yardstickFile } from "./yardstick/index.js";

/** A build that plays beside this one. */
export interface Baseline {
  /** What it is called as a contestant. */
  name: string;
  source: LibrarySource;
  /** What it is, for the report. */
  about: string;
}

/** What the contestant is called, unless it is one that plays anyway. */
export const BASELINE = "baseline";

const ABI_SECTION = "stalewalk.abi";
const SHORT = 16;

/**
 * The build that a path, or the name of the version that plays anyway, stands for.
 * @throws Error naming what is wrong with it
 */
export function findBaseline(asked: string): Baseline {
  if (asked === YARDSTICK)
    return { name: YARDSTICK, source: { kind: "file", path: yardstickFile }, about: `version ${YARDSTICK}` };
  const path = resolve(asked);
  const say = (text: string) => new Error(`--baseline ${asked}: ${text}`);
  if (!existsSync(path)) throw say("no such file or directory");
  if (statSync(path).isDirectory()) return fromFolder(path, say);
  const own = abiOf(readFileSync(join(packageRoot, "dist", "stalewalk.wasm")), say);
  const bytes = readFileSync(path);
  const theirs = abiOf(bytes, say);
  if (theirs !== own) {
    const has =
      theirs === undefined ? "carries no version of its ABI" : `has the ABI ${theirs}, and this package ${own}`;
    throw say(`this module ${has}: it needs its own wrapper, so give the folder of its package or checkout instead`);
  }
  return {
    name: BASELINE,
    source: { kind: "module", path },
    about: `engine ${digest(bytes)} under this wrapper, ${path}`,
  };
}

/** A built checkout, an installed package, a folder in which one is installed, or dist itself. */
function fromFolder(path: string, say: (text: string) => Error): Baseline {
  const places = [join(path, "dist"), path, join(path, "node_modules", "stalewalk", "dist")];
  const folder = places.find(
    (place) => existsSync(join(place, "index.js")) && existsSync(join(place, "stalewalk.wasm")),
  );
  if (!folder) throw say("no built package: there is no dist with index.js and stalewalk.wasm (npm run build)");
  const manifest = join(dirname(folder), "package.json");
  const { version } = existsSync(manifest)
    ? (JSON.parse(readFileSync(manifest, "utf8")) as { version: string })
    : { version: "of a version that nothing says" };
  const engine = digest(readFileSync(join(folder, "stalewalk.wasm")));
  return {
    name: BASELINE,
    source: { kind: "folder", path: folder },
    about: `stalewalk ${version}, engine ${engine}, ${folder}`,
  };
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, SHORT);
}

/** The ABI's version that a module carries. */
function abiOf(bytes: Uint8Array<ArrayBuffer>, say: (text: string) => Error): string | undefined {
  try {
    const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(bytes), ABI_SECTION);
    return section && new TextDecoder().decode(section);
  } catch (error) {
    throw say(`neither a folder nor a WebAssembly module: ${(error as Error).message}`);
  }
}
