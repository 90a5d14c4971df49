// The house: which part may import which, as docs/architecture.md says it in one table; no circle between files; the seam of the
// page-table format; a reading order in each folder of the engine; and comments that name files which are there.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { circleIn, filesOf, importsIn, type Modules, modulesOf, offences, type Storey } from "../support/modules.js";
import { ROOT } from "../support/pack-package.js";

const TREES = ["assembly", "src"] as const;
const textOf = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const page = textOf("docs/architecture.md");

/** Names in backquotes. */
const namesIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((it) => it[1]!);

/** Rows of the one table of the page under this heading: their cells. */
function tableUnder(heading: string): string[][] {
  const lines = page.split("\n");
  const at = lines.indexOf(heading);
  expect(at, `no table "${heading}" in docs/architecture.md`).toBeGreaterThan(0);
  const rows = lines.slice(at + 2);
  const end = rows.findIndex((line) => !line.startsWith("| "));
  return rows.slice(0, end).map((row) => row.slice(2, -2).split(/ ?\| ?/));
}

/** The storeys of a tree, lowest first. */
function storeysOf(tree: (typeof TREES)[number]): Storey[] {
  return tableUnder("| part | holds | may import |").flatMap(([name = "", , allowed = ""]) => {
    const [path = ""] = namesIn(name);
    return path.startsWith(`${tree}/`) ? [{ part: path.slice(tree.length + 1), allowed: namesIn(allowed) }] : [];
  });
}

/** A tree with one import more. */
function planted(modules: Modules, file: string, name: string): Modules {
  expect(modules.has(file) && modules.has(name)).toBe(true);
  return new Map(modules).set(file, [...(modules.get(file) ?? []), name]);
}

describe.each(TREES)("imports in %s/", (tree) => {
  const modules = modulesOf(tree);
  const storeys = storeysOf(tree);

  it("are found", () => {
    expect(modules.size).toBeGreaterThan(50);
    expect([...modules.values()].flat().length).toBeGreaterThan(modules.size);
    expect(storeys.length).toBeGreaterThan(7);
  });

  it("are those that the table of docs/architecture.md allows, and point down", () => {
    expect(offences(modules, storeys)).toEqual([]);
  });

  it("make no circle between files", () => {
    expect(circleIn(modules)).toEqual([]);
  });
});

describe("the search for what must not be", () => {
  const engine = modulesOf("assembly");
  const library = modulesOf("src");

  it.each([
    [engine, "assembly", "base/points.ts", "program/play.ts", "base/ may not import program/"],
    [engine, "assembly", "cache/layout.ts", "hardware/agent.ts", "cache/ may not import hardware/"],
    [engine, "assembly", "hardware/agent.ts", "hardware/queue/vtd.ts", "hardware/ may not import hardware/queue/"],
    [engine, "assembly", "hardware/queue/execute.ts", "kernel/driver.ts", "hardware/queue/ may not import kernel/"],
    [library, "src", "program/program.ts", "kernel/policies.ts", "program/ may not import kernel/"],
    [library, "src", "hardware/cpu.ts", "machine.ts", "hardware/ may not import machine.ts"],
    [library, "src", "trace/parse.ts", "program/program.ts", "trace/ may not import program/"],
    [library, "src", "cost/cost.ts", "replay/result.ts", "cost/ may not import replay/"],
  ] as const)("%#: finds an import that no row allows", (modules, tree, file, name, says) => {
    expect(offences(planted(modules, file, name), storeysOf(tree))).toEqual([`${file} imports ${name}: ${says}`]);
  });

  it.each([
    [engine, "cache/layout.ts", "cache/living.ts"],
    [engine, "paging/x86-64/entry.ts", "paging/format.ts"],
    [engine, "kernel/counters.ts", "kernel/policy.ts"],
    [library, "cli/errors.ts", "cli/commands.ts"],
    [library, "trace/fields.ts", "trace/parse.ts"],
  ] as const)("%#: finds a circle inside one folder", (modules, file, name) => {
    const circle = circleIn(planted(modules, file, name));
    expect(circle.length).toBeGreaterThan(2);
    expect(circle[0]).toBe(circle.at(-1));
    expect(circle.join(" ")).toContain(`${file} ${name}`);
  });

  it("finds an arrow up in the table itself, an allowance that nothing uses, a part without a row", () => {
    const storeys = storeysOf("assembly");
    const wider = storeys.map((it) => (it.part === "base/" ? { ...it, allowed: ["cache/"] } : it));
    expect(offences(engine, wider)).toEqual(["base/ may import cache/, which is no row above it: an arrow up"]);
    const unused = storeys.map((it) => (it.part === "debug.ts" ? { ...it, allowed: ["base/"] } : it));
    expect(offences(engine, unused)).toEqual(["debug.ts may import base/, and does not"]);
    const grown: Modules = new Map(engine).set("stage2/walk.ts", []).set("loose.ts", []);
    expect(offences(grown, storeys)).toEqual([
      "stage2/walk.ts is in no row of the table",
      "loose.ts is in no row of the table",
    ]);
  });

  it("sees imports of every form", () => {
    const text = `
      import { a } from "./a"; import type { B } from "../b.js"; export * from "./c"; import * as d from "./d/e";
      export { f } from "./f"; const g = import("./g.js"); import "node:fs"; import "./h";`;
    expect(importsIn(text, "x/y.ts")).toEqual(["x/a.ts", "b.ts", "x/c.ts", "x/d/e.ts", "x/f.ts", "x/g.ts", "x/h.ts"]);
  });
});

describe("imports of page/", () => {
  it("are of those parts of src/ that docs/architecture.md names, and of all of them", () => {
    const [line = ""] = /^Of `src\/` it imports .*$/m.exec(page) ?? [];
    const files = readdirSync(join(ROOT, "page"), { recursive: true, encoding: "utf8" });
    const named = files
      .filter((name) => /\.tsx?$/.test(name))
      .flatMap((name) =>
        [...textOf(`page/${name}`).matchAll(/from "(?:\.\.\/)+src\/([^"]+)\.js"/g)].map((it) => it[1]!),
      );
    const parts = named.map((name) => (name.includes("/") ? `${name.split("/")[0]}/` : `${name}.ts`));
    expect([...new Set(parts)].toSorted()).toEqual(namesIn(line).slice(1).toSorted());
  });
});

describe("the seam of the page-table format", () => {
  it("is where entries and rights are named; other files know an agent's controls at most", () => {
    const beyond = [...modulesOf("assembly")].flatMap(([file, imports]) =>
      file === "paging/format.ts" || file.startsWith("paging/x86-64/")
        ? []
        : imports.filter((name) => name.startsWith("paging/x86-64/")).map((name) => `${file} imports ${name}`),
    );
    expect(beyond.length).toBeGreaterThan(1);
    expect(beyond.filter((it) => !it.endsWith(" paging/x86-64/controls.ts"))).toEqual([]);
  });
});

describe("the reading order of the engine", () => {
  const modules = modulesOf("assembly");
  const folders = [...new Set([...modules.keys()].map((file) => file.replace(/\/?[^/]+$/, "")))].filter(
    (it) => it !== "",
  );

  it.each(folders)("assembly/%s/README.md lists each file once, after those that it uses", (folder) => {
    const readme = textOf(`assembly/${folder}/README.md`);
    const listed = [...readme.matchAll(/^- `([\w-]+\.ts)`: \S/gm)].map((it) => `${folder}/${it[1]}`);
    const files = readdirSync(join(ROOT, "assembly", folder)).filter((name) => name.endsWith(".ts"));
    expect(listed.toSorted()).toEqual(files.map((name) => `${folder}/${name}`).toSorted());
    const early = listed.flatMap((file, i) =>
      (modules.get(file) ?? []).filter((name) => listed.indexOf(name) > i).map((name) => `${file} uses ${name}`),
    );
    expect(early).toEqual([]);
  });

  it("covers every folder", () => {
    expect(folders.length).toBeGreaterThan(6);
  });
});

describe("docs/architecture.md", () => {
  const rows = tableUnder("| subject | `assembly/` | `src/` |");

  it("names each file of the engine once, by its subject", () => {
    expect(rows.flatMap(([, engine = ""]) => namesIn(engine)).toSorted()).toEqual(filesOf("assembly"));
  });

  it("names each file of the object API", () => {
    const own = /^(?:base|engine|paging|hardware|program|kernel|memory)\/|^[\w-]+\.ts$/;
    const named = rows.flatMap(([, , library = ""]) => namesIn(library)).filter((name) => name.endsWith(".ts"));
    expect([...new Set(named)].toSorted()).toEqual(filesOf("src").filter((file) => own.test(file)));
  });
});

describe("comments and pages", () => {
  it("name files of the repository that are there", () => {
    const places = ["assembly", "src", "page", "test", "bench", "docs", "scripts"].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
    );
    const texts = [...places, "README.md"].filter((path) => /\.(?:tsx?|mjs|md|c|h)$/.test(path));
    const own = "test/package/structure.test.ts";
    const named = texts.flatMap((path) =>
      [...textOf(path).matchAll(/\b(?:assembly|src)\/(?:[\w-]+\/)*[a-z][\w-]*\.ts\b/g)].map(([name]) => ({
        path,
        name,
      })),
    );
    expect(named.length).toBeGreaterThan(40);
    const missing = named.filter(({ path, name }) => path !== own && !existsSync(join(ROOT, name)));
    expect(missing.map(({ path, name }) => `${path}: ${name}`)).toEqual([]);
  });
});
