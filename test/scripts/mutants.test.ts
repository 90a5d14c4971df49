// The mutants that scripts/mutate.mjs makes: which places of a file are changed and how, and what is left alone.

import { describe, expect, it } from "vitest";

interface Mutant {
  number: number;
  line: number;
  what: string;
  source: string;
}
type Mutate = (
  path: string,
  text: string,
  first: number,
  skip?: (number: number) => boolean,
) => { text: string; mutants: Mutant[] };

const { mutate } = (await import(new URL("../../scripts/mutation/mutants.mjs", import.meta.url).href)) as {
  mutate: Mutate;
};

const SOURCE = `// A file.
import { a } from "./a";

const AT: usize = memory.data(8 + 8, 8);
if (AT == 0) ERROR("left alone");

export function f(x: u32): bool {
  assert(x > 1, "left alone");
  for (let i: u32 = 0; i < x; i++) {
    if (i == 3) continue;
    store<u32>(AT + 4, i, 4 + 4);
  }
  if (a(x)) {
    store<u32>(AT, 1);
  } else return false;
  return true;
}
`;

describe("mutants of a file", () => {
  const { text, mutants } = mutate("assembly/kernel/pool.ts", SOURCE, 1);

  it("are removed statements and altered expressions of functions, each once", () => {
    expect(mutants.map(({ line, what, source }) => `${line} ${what}: ${source}`)).toEqual([
      "9 < -> <=: i < x",
      "9 never: i < x",
      "10 == -> !=: i == 3",
      "10 always: i == 3",
      "10 removed: continue;",
      "11 + -> -: AT + 4",
      "11 removed: store<u32>(AT + 4, i, 4 + 4);",
      "13 never: a(x)",
      "13 always: a(x)",
      "14 removed: store<u32>(AT, 1);",
      "15 true: false",
      "16 false: true",
    ]);
    expect(mutants.map(({ number }) => number)).toEqual(mutants.map((_, i) => i + 1));
  });

  it("leave alone that a loop has no end: without it the function would not return what it says", () => {
    const source = "function f(x: u32): u32 {\n  while (true) {\n    if (g(x)) return x;\n    x++;\n  }\n}\n";
    expect(mutate("assembly/kernel/pool.ts", source, 1).mutants.map(({ line, what }) => `${line} ${what}`)).toEqual([
      ...["3 never", "3 always", "4 removed"],
    ]);
  });

  it("stand behind their numbers in a text of as many lines, whose loops are bounded", () => {
    const lines = text.split("\n");
    expect(lines).toHaveLength(SOURCE.split("\n").length);
    expect(lines[0]).toBe('import { MUTANT, spend } from "../base/mutant"; // A file.');
    expect(lines[4]).toBe('if (AT == 0) ERROR("left alone");');
    expect(lines[7]).toBe('  assert(x > 1, "left alone");');
    expect(lines[8]).toContain("(MUTANT == 1 ? (i) <= (x) : i < x)");
    expect(lines[8]).toContain("spend();");
    expect(lines[10]).toBe("    { if (MUTANT != 7) { store<u32>((MUTANT == 6 ? (AT) - (4) : AT + 4), i, 4 + 4); } }");
  });

  it("keep their numbers when some are left out", () => {
    const without = mutate("assembly/kernel/pool.ts", SOURCE, 1, (number) => number === 7);
    expect(without.mutants).toEqual(mutants);
    expect(without.text).not.toContain("MUTANT != 7");
  });
});
