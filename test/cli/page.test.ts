// `stalewalk page` as a command: what it writes and where. What the page does is tested in test/page/.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "./run-cli.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-page-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("stalewalk page", () => {
  it("writes one file into a folder that it makes, and again over it", async () => {
    const out = join(folder, "a", "b");
    for (let i = 0; i < 2; i++) {
      const { code, out: said, err } = await runCli("page", "--out", out);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(said).toMatch(/index\.html: \d+ KiB\n$/);
    }
    expect(readdirSync(out)).toEqual(["index.html"]);
    expect(readFileSync(join(out, "index.html"), "utf8")).toBe(readFileSync("dist/page/index.html", "utf8"));
  });

  it("tells name and size as JSON", async () => {
    const { out } = await runCli("page", "--out", folder, "--json");
    const { file, bytes } = JSON.parse(out) as { file: string; bytes: number };
    expect([file, bytes]).toEqual([join(folder, "index.html"), readFileSync(file).length]);
  });

  it.each<[string, () => string[], RegExp]>([
    ["no folder named", () => [], /required option '--out <folder>' not specified/],
    ["a file in the way", () => ["--out", join(folder, "file", "x")], /^stalewalk: --out .*file.x: /],
  ])("ends with 2 and one line: %s", async (_, args, message) => {
    writeFileSync(join(folder, "file"), "");
    const { code, out, err } = await runCli("page", ...args());
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err.trimEnd()).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});
