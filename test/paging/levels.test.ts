// Which entry is a leaf: the rule of docs/rules.md, one for all who read entries outside of the engine.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isLeaf } from "../../src/paging/levels.js";

const PS = 0x80n;

describe("isLeaf", () => {
  it.each([
    [1, 0n, true],
    [1, PS, true],
    [2, 0x1007n, false],
    [2, 0x1007n | PS, true],
    [3, 0x1007n | PS, true],
    [3, 0x1007n, false],
    // PS is reserved there, and never makes a page.
    [4, 0x1007n | PS, false],
    [5, 0x1007n | PS, false],
    // Of an entry that is not present the rule says what it would map.
    [2, PS, true],
  ])("level %i, entry %i: %s", (level, entry, expected) => {
    expect(isLeaf(entry, level)).toBe(expected);
  });

  it("is the only place in page/ and src/ that asks for the bit", () => {
    const root = join(import.meta.dirname, "../..");
    const files = ["page", "src"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => /\.tsx?$/.test(name))
        .map((name) => join(folder, name)),
    );
    const asking = files.filter((name) => /\b0x80n\b/.test(readFileSync(join(root, name), "utf8")));
    expect(asking).toEqual([join("src", "paging", "levels.ts")]);
  });
});
