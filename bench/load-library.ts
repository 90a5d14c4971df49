// Loading another build of the library. Node-only.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createMachineSync } from "stalewalk";
import { replay } from "stalewalk/replay";
import { verdicts } from "stalewalk/verdicts";
import type { Library, LibrarySource } from "./library.js";

/** Loads a build. */
export async function loadLibrary({ kind, path }: LibrarySource): Promise<Library> {
  const load = async (file: string) => (await import(pathToFileURL(file).href)) as Library;
  if (kind === "file") return load(path);
  if (kind === "module") {
    const module = new WebAssembly.Module(readFileSync(path));
    return {
      createMachineSync: (config) => createMachineSync({ ...config, module }),
      replay: (source, options) => replay(source, { ...options, module }),
      verdicts: (options) => verdicts({ ...options, module }),
    };
  }
  const { createMachineSync: machineOf } = await load(join(path, "index.js"));
  const { replay: replayOf } = await load(join(path, "replay", "index.js"));
  const { verdicts: verdictsOf } = await load(join(path, "verdicts", "index.js"));
  return {
    createMachineSync: machineOf,
    ...(replayOf && { replay: replayOf }),
    ...(verdictsOf && { verdicts: verdictsOf }),
  };
}
