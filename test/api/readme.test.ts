// The README is true: its commands run, its terminal sessions show what is printed, its library example prints what it says.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { runCli } from "../cli/run-cli.js";
import { ROOT } from "../support/pack-package.js";

const readme = readFileSync(join(ROOT, "README.md"), "utf8");

/** Fenced blocks of a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter((it) => it[1] === language)
    .map((it) => it[2] ?? "");
}

/** Arguments of `npx stalewalk …`. */
const argumentsOf = (line: string): string[] => line.replace(/^(\$ )?npx stalewalk /, "").split(" ");

describe("README.md", () => {
  const commands = blocks("sh").flatMap((block) =>
    block.split("\n").filter((line) => line.startsWith("npx stalewalk ")),
  );

  it("has commands to run", () => {
    expect(commands.length).toBeGreaterThan(3);
    expect(blocks("console").length).toBeGreaterThan(0);
  });

  it.each(commands)("%s", async (line) => {
    const { code, out, err } = await runCli(...argumentsOf(line));
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).not.toBe("");
  });

  it.each(blocks("console").map((block) => [block.slice(2, block.indexOf("\n")), block]))(
    "shows what %s prints",
    async (_, block) => {
      const [line = "", ...output] = block.split("\n");
      const { out } = await runCli(...argumentsOf(line));
      expect(out).toBe(output.join("\n"));
    },
  );

  it("names only scripts that are there", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm (?:run )?([\w:]+)/g)]
      .map((it) => it[1]!)
      .filter((name) => name !== "ci" && name !== "run");
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it("links to files that are there", () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((it) => it[1]!);
    expect(links.length).toBeGreaterThan(2);
    expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
  });

  it("has a library example that prints what it says", () => {
    expect(existsSync(join(ROOT, "dist/index.js")), "dist is not there: run npm run build first").toBe(true);
    const [example = ""] = blocks("js");
    const [printed] = blocks("text");
    const file = join(ROOT, "build", `readme-example-${process.pid}.mjs`);
    writeFileSync(
      file,
      example.replace('"stalewalk"', JSON.stringify(pathToFileURL(join(ROOT, "dist/index.js")).href)),
    );
    try {
      expect(execFileSync(process.execPath, [file], { encoding: "utf8" })).toBe(printed);
    } finally {
      rmSync(file);
    }
  });
});
