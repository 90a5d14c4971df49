// Table sets of real kernels: the recorded images beside the checkout if they are there, else the small ones cut out of
// them for the tests.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Access } from "stalewalk";
import { loadImage, openCore } from "stalewalk/image";
import { dataFolder, packageRoot } from "../root.js";
import type { Page, TableSet } from "../world.js";

const RW = 2n;
const US = 4n;

/** Paths of the images to measure, recorded ones first choice; none in an installed package. */
export function findImages(): string[] {
  const folders = [
    ...(dataFolder ? [join(dataFolder, "images")] : []),
    join(packageRoot, "test", "fixtures", "images"),
  ];
  for (const folder of folders.filter((path) => existsSync(path))) {
    const cores = readdirSync(folder).filter((name) => /\.core(\.gz)?$/.test(name));
    if (cores.length > 0) return cores.sort().map((name) => join(folder, name));
  }
  return [];
}

/** What an image's table is called. */
export function nameOfImage(path: string): string {
  return (path.split(/[\\/]/).at(-1) as string).replace(/\.core(\.gz)?$/, "");
}

/** Loads an image's tables and lists its pages. */
export async function imageTables(path: string): Promise<TableSet> {
  const image = await openCore(readFileSync(path), { file: path });
  const { context, graph, walker } = await loadImage(image);
  const pages: Page[] = [];
  for (const { count, virtualAddress, rights, level } of walker.mappings()) {
    for (let i = 0; i < count; i++) {
      const right = rights[i] as bigint;
      const access = (right & US) !== 0n ? Access.userRead : Access.supervisorRead;
      const writable = (right & RW) !== 0n;
      pages.push({ va: virtualAddress[i] as bigint, level: level[i] as number, access, writable });
    }
  }
  const tables = [...graph.tables.keys()].map((frame) => ({
    frame,
    entries: (walker.frames.view(frame) as BigUint64Array).slice(),
  }));
  const name = nameOfImage(path);
  const { levels, maxPhyAddr } = context.rules;
  return { name, levels, maxPhyAddr, root: context.root, controls: context.controls, tables, pages };
}
