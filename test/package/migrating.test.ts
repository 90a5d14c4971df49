// docs/migrating.md against both versions: the yardstick is 0.1.0 as it was built. What that exported is there today; a name that the page
// calls new is in today's types, one that it calls old is in none of them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as library from "../../src/index.js";
import { ROOT } from "../support/pack-package.js";

const page = readFileSync(join(ROOT, "docs/migrating.md"), "utf8");
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };

/** Sources without their comments: those may name what was; and without the engine's own numbers, which are no API. */
const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !/wasm-bytes|engine.abi\.ts$/.test(name))
  .map((name) => readFileSync(join(ROOT, "src", name), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ""))
  .join("\n");

/** Names of a cell of the table, each by its last part. */
function namesOf(cell: string): string[] {
  const spans = [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
  return spans.map((code) =>
    code.startsWith("--")
      ? code.split(" ")[0]!
      : code
          .replace(/[:(].*$/, "")
          .split(".")
          .at(-1)!,
  );
}

describe("docs/migrating.md", () => {
  const rows = [...page.matchAll(/^\| (`[^|]*) \| ([^|]*) \| ([^|]*) \|$/gm)];

  it("names this version, as the changelog does", () => {
    expect(page).toMatch(new RegExp(`^# From 0\\.1\\.0 to ${version.replaceAll(".", "\\.")}\n`));
    const changelog = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8");
    expect(/^## \[([^\]]+)\]/m.exec(changelog)?.[1]).toBe(version);
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as { version: string };
    expect(lock.version).toBe(version);
  });

  it("has old names that are gone and new names that are there", () => {
    expect(rows.length).toBeGreaterThan(6);
    const has = (name: string) => new RegExp(`(?<![\\w.-])${name}(?![\\w-])`).test(sources);
    const old = rows.flatMap(([, cell = ""]) => namesOf(cell));
    // In other places they are names of today's: of controls, of a purge.
    const elsewhere = ["nxe", "most"];
    expect(old.filter((name) => !elsewhere.includes(name) && has(name))).toEqual([]);
    const today = rows.flatMap(([, , cell = ""]) => (cell === "none" ? [] : namesOf(cell)));
    expect(today.filter((name) => !has(name))).toEqual([]);
  });

  it("need not name more of the entry point stalewalk: what 0.1.0 exported is exported", async () => {
    const before = (await import("../../bench/yardstick/stalewalk-0.1.0.mjs" as string)) as Record<string, unknown>;
    expect(Object.keys(before).length).toBeGreaterThan(20);
    expect(Object.keys(before).filter((name) => !(name in library))).toEqual([]);
  });
});
