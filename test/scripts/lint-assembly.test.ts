// scripts/lint-assembly.mjs: what it finds in sources of the engine, where, and that the engine's own have none.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/pack-package.js";

const folder = mkdtempSync(join(tmpdir(), "stalewalk-lint-"));
afterAll(() => rmSync(folder, { recursive: true }));

const CLEAN = {
  "index.ts": 'export { twice } from "./base/numbers";\n',
  "base/numbers.ts": `// @ts-ignore: decorator
@inline
export function twice(value: u32): u32 {
  return value == 0 ? 0 : 2 * value;
}
`,
};

/** Lints the clean sources with some files put in place of theirs or added. */
function lint(files: Record<string, string> = {}): { code: number | null; text: string } {
  rmSync(join(folder, "assembly"), { recursive: true, force: true });
  for (const [path, text] of Object.entries({ ...CLEAN, ...files })) {
    const file = join(folder, "assembly", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const script = join(ROOT, "scripts/lint-assembly.mjs");
  const env = { ...process.env, NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder], { encoding: "utf8", env });
  return { code: status, text: stdout + stderr };
}

describe("the linter of the engine", () => {
  it("takes decorators on functions", () => {
    expect(lint()).toMatchObject({ code: 0 });
  });

  it.each([
    [
      "an unused import",
      'import { twice } from "./numbers";\n\nexport const STATE: u32 = 0;\n',
      "assembly/base/points.ts:1:8 lint/correctness/noUnusedImports",
    ],
    [
      "an unused constant",
      "const LIMIT: u32 = 4;\n\nexport const STATE: u32 = 0;\n",
      "assembly/base/points.ts:1:7 lint/correctness/noUnusedVariables",
    ],
    [
      "a function that nobody calls",
      "// @ts-ignore: decorator\n@inline\nfunction half(value: u32): u32 {\n  return value / 2;\n}\n",
      "assembly/base/points.ts:3:10 lint/correctness/noUnusedVariables",
    ],
    [
      "an exported function that nobody uses",
      "export function half(value: u32): u32 {\n  return value / 2;\n}\n",
      "assembly/base/points.ts:1: nobody uses the exported function half",
    ],
    [
      "a default export",
      "export default function half(value: u32): u32 {\n  return value / 2;\n}\n",
      "lint/style/noDefaultExport",
    ],
    [
      "a line that is too long",
      `// ${"long ".repeat(30)}\nexport const STATE: u32 = 0;\n`,
      "assembly/base/points.ts:1: a line of 153 characters; at most 140",
    ],
  ])("finds %s, at its place", (_, text, finding) => {
    const { code, text: printed } = lint({ "base/points.ts": text });
    expect(code).toBe(1);
    expect(printed).toContain(finding);
  });

  it("takes a function of a file that is imported whole for used", () => {
    const numbers = "export function half(value: u32): u32 {\n  return value / 2;\n}\n";
    const index = `${CLEAN["index.ts"]}import * as more from "./base/more";\nexport const HALF: u32 = more.half(4);\n`;
    expect(lint({ "index.ts": index, "base/more.ts": numbers })).toMatchObject({ code: 0 });
  });
});
