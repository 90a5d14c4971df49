// The modules of a source tree, and what each imports from it.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import ts from "typescript";
import { ROOT } from "./pack-package.js";

/** Files by path from the tree's root (`paging/frames.ts`), each with the files of the tree that it imports, types included. */
export type Modules = ReadonlyMap<string, readonly string[]>;

/** The `.ts` files below a folder of the repository, by path from there. */
export function filesOf(tree: string): string[] {
  const names = readdirSync(join(ROOT, tree), { recursive: true, encoding: "utf8" });
  return names
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".ts"))
    .toSorted();
}

/** Imports of a module's text that stay in the tree. Sources of the engine name files without an ending, others with `.js`. */
export function importsIn(text: string, file: string): string[] {
  return (
    ts
      .preProcessFile(text)
      .importedFiles.map(({ fileName }) => fileName)
      // The engine as a file is nobody's source.
      .filter((name) => name.startsWith(".") && !name.endsWith(".wasm"))
      .map((name) => `${posix.join(posix.dirname(file), name).replace(/\.js$/, "")}.ts`)
  );
}

/** @throws Error naming an import of a file that is not there */
export function modulesOf(tree: "assembly" | "src"): Map<string, readonly string[]> {
  const files = filesOf(tree);
  const known = new Set(files);
  return new Map(
    files.map((file) => {
      const imports = importsIn(readFileSync(join(ROOT, tree, file), "utf8"), file);
      for (const name of imports) {
        if (!known.has(name)) throw new Error(`${tree}/${file}: imports ${name}, which is not in ${tree}/`);
      }
      return [file, imports] as const;
    }),
  );
}

/** The first circle of imports, as the files on it with the first once more at the end; empty if there is none. */
export function circleIn(modules: Modules): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] => {
    if (done.has(file)) return [];
    const at = path.indexOf(file);
    if (at >= 0) return [...path.slice(at), file];
    path.push(file);
    for (const name of modules.get(file) ?? []) {
      const circle = visit(name);
      if (circle.length > 0) return circle;
    }
    path.pop();
    done.add(file);
    return [];
  };
  for (const file of modules.keys()) {
    const circle = visit(file);
    if (circle.length > 0) return circle;
  }
  return [];
}

/** A row of the table of storeys: a folder (`hardware/`, with a slash) or a file of the tree's root, and what it may import. */
export interface Storey {
  part: string;
  allowed: readonly string[];
}

/** The part that a file belongs to: the longest folder among the storeys that holds it, or the file itself. */
export function partOf(file: string, storeys: readonly Storey[]): string | undefined {
  const parts = storeys.map(({ part }) => part);
  for (let folder = dirname(file); folder !== "."; folder = dirname(folder)) {
    if (parts.includes(`${folder}/`)) return `${folder}/`;
  }
  return parts.includes(file) ? file : undefined;
}

/** Everything that does not agree with the storeys: parts that are in no row, imports that no row allows, rows that allow too much. */
export function offences(modules: Modules, storeys: readonly Storey[]): string[] {
  const found = new Set<string>();
  const used = new Set<string>();
  for (const [file, imports] of modules) {
    const from = partOf(file, storeys);
    if (from === undefined) {
      found.add(`${file} is in no row of the table`);
      continue;
    }
    const row = storeys.find(({ part }) => part === from);
    for (const name of imports) {
      const to = partOf(name, storeys);
      if (to === from || to === undefined) continue;
      used.add(`${from} ${to}`);
      if (!row?.allowed.includes(to)) found.add(`${file} imports ${name}: ${from} may not import ${to}`);
    }
  }
  for (const [i, { part, allowed }] of storeys.entries()) {
    const above = storeys.slice(0, i).map((it) => it.part);
    for (const name of allowed) {
      if (!above.includes(name)) found.add(`${part} may import ${name}, which is no row above it: an arrow up`);
      else if (!used.has(`${part} ${name}`)) found.add(`${part} may import ${name}, and does not`);
    }
    if (![...modules.keys()].some((file) => partOf(file, storeys) === part)) found.add(`${part} holds no file`);
  }
  return [...found];
}
