// `stalewalk check-vectors`: what it prints, its exit codes, and how it refuses.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { runCli, runJson } from "../cli/run-cli.js";
import { riscvFixture } from "../support/riscv.js";
import { vectorFixture } from "../support/vectors.js";

const folder = mkdtempSync(join(tmpdir(), "check-vectors-"));
afterAll(() => rmSync(folder, { recursive: true }));

const lines = gunzipSync(readFileSync(vectorFixture)).toString().trimEnd().split("\n");

/** A file of the excerpt with one line changed; returns its path and the line's number. */
function withLine(name: string, test: RegExp, by: (line: string) => string): { path: string; line: number } {
  const at = lines.findIndex((line) => test.test(line));
  expect(at).toBeGreaterThanOrEqual(0);
  const changed = lines.with(at, by(lines[at]!));
  const path = join(folder, name);
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(changed.join("\n")) : changed.join("\n"));
  return { path, line: at + 1 };
}

describe("check-vectors", () => {
  it("says that everything is equal, and exits with 0", async () => {
    const { code, out, err } = await runCli("check-vectors", vectorFixture);
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toContain(`${vectorFixture}: equal\n`);
    for (const part of ["outcome", "entries", "probe", "explain"]) {
      expect(out).toMatch(new RegExp(`${part} +${lines.length} compared, equal\\n`));
    }
    expect(out).not.toContain("DIFFERENT");
  });

  it("shows a vector that differs in full, and exits with 1", async () => {
    const falsify = (line: string) => line.replace(/"pa":"0x[0-9a-f]+","pageSize"/, '"pa":"0x123000","pageSize"');
    const { path, line } = withLine("falsified.jsonl", /"ok":true/, falsify);
    const { code, out } = await runCli("check-vectors", path, vectorFixture);
    expect(code).toBe(1);
    expect(out).toContain(`${path}: DIFFERENT\n`);
    expect(out).toContain(`outcome  ${lines.length} compared, 1 DIFFERENT\n`);
    expect(out).toContain(`  line ${line}, id `);
    expect(out).toMatch(
      /outcome {2}expected 0x123000, page of \d+ bytes\n +got {6}0x[0-9a-f]+, page of \d+ bytes, level/,
    );
    expect(out).toMatch(/level 4 {2}frame 0x[0-9a-f]+ index +\d+ {2}0x[0-9a-f]{16} -> 0x[0-9a-f]{16}\n/);
    expect(out).toContain(`${vectorFixture}: equal\n`);
  });

  it("shows no more differences than asked for", async () => {
    const path = join(folder, "many.jsonl");
    writeFileSync(path, lines.map((line) => line.replace(/"errorCode":\d+/g, '"errorCode":64')).join("\n"));
    const { code, out } = await runCli("check-vectors", path, "--differences", "2");
    expect(code).toBe(1);
    expect(out.match(/ {2}line \d+, id/g)).toHaveLength(2);
    expect(out).toMatch(/and \d+ more vectors that differ/);
  });

  it("prints JSON", async () => {
    const { code, value } = await runJson("check-vectors", vectorFixture);
    expect(code).toBe(0);
    expect(value).toMatchObject([{ file: vectorFixture, equal: true, vectors: lines.length, differing: 0, first: [] }]);
  });

  it.each([
    ["bad.jsonl", (line: string) => line.replace('"levels":4', '"levels":6'), "levels = 6: expected 4 or 5"],
    ["bad.jsonl.gz", (line: string) => line.slice(0, -3), "expected a JSON object"],
  ])("refuses %s with file and line, and exits with 2", async (name, by, message) => {
    const { path, line } = withLine(name, /"levels":4/, by);
    const { code, err, out } = await runCli("check-vectors", path);
    expect(code).toBe(2);
    expect(err).toContain(`stalewalk: ${path}:${line}: `);
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain("\n");
    expect(out).toBe("");
  });

  it.each([
    [[join(folder, "missing.gz")], "no such file or directory"],
    [[folder], "illegal operation on a directory"],
    [[], "missing required argument"],
    [[vectorFixture, "--differences", "x"], "Expected a whole number"],
    [[vectorFixture, "--max-line", "10"], "a line of more than 10 characters"],
  ])("exits with 2 for %j", async (args, message) => {
    const { code, err } = await runCli("check-vectors", ...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe("check-vectors of RISC-V accesses", () => {
  const riscv = gunzipSync(readFileSync(riscvFixture)).toString().trimEnd().split("\n");

  it("says that everything is equal, beside a file of the other form", async () => {
    const { code, out, err } = await runCli("check-vectors", riscvFixture, vectorFixture);
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toContain(`${riscvFixture}: equal\n`);
    expect(out).toMatch(/ {2}\d+ vectors in [\d.]+ s \(RISC-V: \d+ of Sv39, \d+ of Sv48, \d+ of Sv57\)\n/);
    for (const part of ["outcome", "entries", "probe", "explain", "cached"]) {
      expect(out).toMatch(new RegExp(`${part} +${riscv.length} compared, equal\\n`));
    }
    expect(out).toContain(`${vectorFixture}: equal\n`);
  });

  it("shows a vector that differs in full, and exits with 1", async () => {
    const at = riscv.findIndex((line) => /"pageSize":281474976710656/.test(line));
    expect(at).toBeGreaterThanOrEqual(0);
    const path = join(folder, "riscv.jsonl");
    writeFileSync(path, riscv.with(at, riscv[at]!.replace(/"result":{"ok":true,"pa":"0x/, "$&f")).join("\n"));
    const { code, out } = await runCli("check-vectors", path);
    expect(code).toBe(1);
    expect(out).toContain(`${path}: DIFFERENT\n`);
    expect(out).toContain(`outcome  ${riscv.length} compared, 1 DIFFERENT\n`);
    expect(out).toMatch(new RegExp(` {2}line ${at + 1}, id \\d+: (user|supervisor) (read|write|fetch) of 0x`));
    expect(out).toMatch(/ {4}sv57, root frame 0x[0-9a-f]+, controls [A-Z ]+, via (mprv|direct|fetch)\n/i);
    expect(out).toMatch(/ {4}level 5 {2}frame 0x[0-9a-f]+ index +\d+ {2}0x[0-9a-f]{16} -> 0x[0-9a-f]{16}\n/);
    expect(out).toContain("    recorded: 256 TiB page\n");
  });

  it("prints JSON", async () => {
    const { code, value } = await runJson("check-vectors", riscvFixture);
    expect(code).toBe(0);
    expect(value).toMatchObject([{ file: riscvFixture, equal: true, vectors: riscv.length, differing: 0, first: [] }]);
  });

  it.each([
    ["a field that cannot be", (line: string) => line.replace('"sum":', '"som":'), "sum = undefined: expected 0 or 1"],
    ["a line of the other form", () => lines[0]!, "mode = undefined: expected sv39 or sv48 or sv57"],
    ["a line that is cut", (line: string) => line.slice(0, -3), "expected a JSON object"],
  ])("refuses %s with file and line, and exits with 2", async (_, by, message) => {
    const path = join(folder, "riscv-bad.jsonl");
    writeFileSync(path, riscv.with(100, by(riscv[100]!)).join("\n"));
    const { code, err, out } = await runCli("check-vectors", path);
    expect(code).toBe(2);
    expect(err).toContain(`stalewalk: ${path}:101: `);
    expect(err).toContain(message);
    expect(out).toBe("");
  });

  it("refuses a mode that is none by RISC-V's reader", async () => {
    const path = join(folder, "sv32.jsonl");
    writeFileSync(path, riscv[0]!.replace(/"mode":"\w+"/, '"mode":"sv32"'));
    const { code, err } = await runCli("check-vectors", path);
    expect(code).toBe(2);
    expect(err).toContain(`${path}:1: mode = "sv32": expected sv39 or sv48 or sv57`);
  });
});

describe("check-vectors of device requests on VT-d", () => {
  const [walks, sequences] = ["walks", "sequences"].map((name) => {
    return fileURLToPath(new URL(`../fixtures/vtd/${name}.jsonl.gz`, import.meta.url));
  }) as [string, string];

  it("says that everything is equal", async () => {
    const { code, out, err } = await runCli("check-vectors", walks, sequences);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain(`${walks}: equal\n`);
    expect(out).toMatch(/ {2}\d+ vectors in [\d.]+ s \(device requests on VT-d\)\n/);
    expect(out).toMatch(/ {2}expected: \d+ translated, \d+ faults, \d+ blocked without a record\n/);
    expect(out).toContain(`${sequences}: equal\n`);
    expect(out).toMatch(/ {2}\d+ sequences on VT-d in [\d.]+ s: \d+ requests, \d+ invalidations\n/);
    expect(out).toMatch(/ {2}expected: \d+ translated, \d+ faults; 0 requests differ\n/);
  });

  it("shows what differs in full, and exits with 1", async () => {
    const falsified = (path: string, from: RegExp, to: string): string => {
      const text = gunzipSync(readFileSync(path)).toString().replace(from, to);
      const changed = join(folder, path === walks ? "vtd-walks.jsonl" : "vtd-sequences.jsonl");
      writeFileSync(changed, text);
      return changed;
    };
    const walk = await runCli("check-vectors", falsified(walks, /"ok":true,"pa":"0x/, '"ok":true,"pa":"0x7'));
    expect(walk.code).toBe(1);
    expect(walk.out).toMatch(/ {2}line \d+, id \d+: device (read|write) of 0x/);
    expect(walk.out).toMatch(/ {4}48 physical bits, FS1GP=[01], root 0x[0-9a-f]+, PASID-table entry/);
    const sequence = await runCli("check-vectors", falsified(sequences, /"ok":true,"pa":"0x/, '"ok":true,"pa":"0x7'));
    expect(sequence.code).toBe(1);
    expect(sequence.out).toMatch(/ {2}line \d+, id \d+: \d+ steps, PASID 0, domain \d+\n/);
    expect(sequence.out).toMatch(/outcome {2}expected step \d+, (read|write) of 0x[0-9a-f]+: 0x7/);
  });

  it("refuses a line of another form by name", async () => {
    const path = join(folder, "vtd-mixed.jsonl");
    const text = (file: string): string => gunzipSync(readFileSync(file)).toString().split("\n")[0] ?? "";
    writeFileSync(path, `${text(walks)}\n${text(sequences)}\n`);
    const { code, err } = await runCli("check-vectors", path);
    expect(code).toBe(2);
    expect(err).toContain(`${path}:2: haw = undefined: expected the field to be there`);
  });
});
