// L7: the types of the tarball, as a stranger compiles them: Node's types, no DOM, nothing skipped; and no internals in them.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installAsStranger, ROOT, type Stranger } from "../support/pack-package.js";

let stranger: Stranger;
beforeAll(() => {
  stranger = installAsStranger();
  const modules = join(stranger.folder, "node_modules");
  mkdirSync(join(modules, "@types"), { recursive: true });
  for (const name of ["@types/node", "undici-types"]) {
    if (!existsSync(join(modules, name))) symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
}, 300_000);
afterAll(() => {
  if (stranger) rmSync(stranger.folder, { recursive: true });
});

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { exports: Record<string, unknown> };
const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === "object" ? [name.replace(".", "stalewalk")] : [],
);

describe("L7: the types of the tarball", () => {
  it('compile under lib: ["es2022"] with Node\'s types and skipLibCheck: false', { timeout: 600_000 }, () => {
    const imports = entries.map((entry, i) => `import * as m${i} from "${entry}";`);
    const use = `
      ${imports.join("\n")}
      export const all = [${entries.map((_, i) => `m${i}`).join(", ")}];
      using machine = m0.createMachineSync({});
      export const bytes: number = machine.memoryBytes;
    `;
    writeFileSync(join(stranger.folder, "use.ts"), use);
    const compilerOptions = {
      ...{ target: "es2022", lib: ["es2022"], types: ["node"], module: "nodenext", moduleResolution: "nodenext" },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
    };
    writeFileSync(join(stranger.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
    expect(stranger.run(process.execPath, join(ROOT, "node_modules/typescript/bin/tsc"))).toBe("");
  });

  it("say nothing that is marked as internal", () => {
    const home = join(stranger.folder, "node_modules/stalewalk/dist");
    const types = readdirSync(home, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".d.ts"));
    expect(types.length).toBeGreaterThan(10);
    expect(types.filter((path) => readFileSync(join(home, path), "utf8").includes("@internal"))).toEqual([]);
  });

  it("are those of the entry points, and hold no other declarations than these export or need", () => {
    const home = join(stranger.folder, "node_modules/stalewalk/dist");
    const types = readdirSync(home, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".d.ts"));
    const own = Object.values(manifest.exports).flatMap((target) => {
      const { types: path } = target as { types?: string };
      return path === undefined ? [] : [path.replace("./dist/", "")];
    });
    const others = types.filter((path) => !own.includes(path) && !path.startsWith("types/"));
    expect(others).toEqual([]);
    const texts = types.map((path) => readFileSync(join(home, path), "utf8"));
    expect(texts.filter((text) => /valibot|fflate|commander/.test(text))).toEqual([]);
    for (const [i, text] of texts.entries()) {
      const declared = [
        ...text.matchAll(/^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|function) (\w+)/gm),
      ];
      // A declaration that nobody exports stands there for one that is: it is named once more.
      for (const [, name = ""] of declared) {
        const named = texts.reduce((sum, it) => sum + [...it.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length, 0);
        expect(named, `${name} in ${types[i]}`).toBeGreaterThan(1);
      }
    }
    // What the engine, the readers' insides and the command are made of.
    const inside = ["class Engine", "class LineParser", "class Templates", "class ByteQueue", "class GzipReader"];
    expect(inside.filter((name) => texts.some((text) => text.includes(name)))).toEqual([]);
  });
});
