// examples/ that are commands, ci-policy and worker-pool: they print what their pages show, and CI's check fails where it must.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/pack-package.js";

/** The command and the text of an example's page. */
function shown(example: string): { command: string[]; text: string | undefined } {
  const page = readFileSync(join(ROOT, "examples", example, "README.md"), "utf8");
  const [, command = ""] = /^npm run build && node (.*)$/m.exec(page) ?? [];
  const [, text] = /^```text\n([\s\S]*?)^```$/m.exec(page) ?? [];
  return { command: command.split(" "), text };
}

function node(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  return { status, stdout, stderr };
}

describe.each(["ci-policy", "worker-pool"])("examples/%s", (example) => {
  it("prints what its page shows", () => {
    const { command, text } = shown(example);
    expect(node(...command)).toEqual({ status: 0, stdout: text, stderr: "" });
  });
});

describe("every example", () => {
  it("uses the package by its entry points, and has a line in the list", () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      exports: Record<string, unknown>;
    };
    const entries = Object.keys(manifest.exports).map((path) => path.replace(/^\./, "stalewalk"));
    const list = readFileSync(join(ROOT, "examples/README.md"), "utf8");
    const files = readdirSync(join(ROOT, "examples"), { recursive: true, encoding: "utf8" });
    const scripts = files.filter((file) => file.endsWith(".js"));
    expect(scripts.length).toBeGreaterThan(8);
    const wrong = scripts.flatMap((file) => {
      const imports = [...readFileSync(join(ROOT, "examples", file), "utf8").matchAll(/^import .* from "([^"]+)"/gm)];
      return imports.flatMap(([, name = ""]) =>
        entries.includes(name) || /^(node:[\w/]+|\.\/[\w-]+\.js|tinypool)$/.test(name) ? [] : [`${file}: ${name}`],
      );
    });
    expect(wrong).toEqual([]);
    for (const file of scripts) {
      const [folder = ""] = file.split(/[\\/]/);
      expect(list).toContain(`- [${folder}](${folder}/README.md): `);
    }
  });
});

describe("examples/ci-policy", () => {
  const known = "examples/ci-policy/known.json";
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stalewalk-ci-policy-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function file(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  const check = (policy: string, names: string) => node("examples/ci-policy/check.js", policy, names, "6.18.7");

  it("fails with 1 for a hazard that is not known, and tells its story", () => {
    const policy = file("merged.json", '{ "name": "merged", "free": "deferred", "scope": "pasid" }');
    const { status, stdout } = check(policy, known);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^HAZARD: remove_pagetable: forged-translation\n {2}1 iommu_sva_bind_device\(\): /m);
    expect(stdout).toMatch(/^known: remove_pagetable\/boot: /m);
    expect(stdout).toMatch(/^HAZARD: cpa_collapse_large_pages: /m);
    expect(stdout).toMatch(/^\d+ safe, \d+ not as known\n$/m);
  });

  it("fails with 1 for a known hazard that is gone", () => {
    const policy = file("refused.json", '{ "name": "refused", "root": "none" }');
    const { status, stdout } = check(policy, known);
    expect(stdout).toBe(
      `NOT SEEN: remove_pagetable/boot: ${known} names it, but it is safe or not there\n13 safe, 1 not as known\n`,
    );
    expect(status).toBe(1);
  });

  it("ends with 2 for bad input, and names it", () => {
    const wrong = check(file("wrong.json", '{ "name": "wrong", "free": "later" }'), known);
    expect(wrong).toMatchObject({ status: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/^check: policies\[0\]\.free is "later"; expected one of immediate, deferred/);
    const text = check(file("text.json", "{"), known);
    expect(text).toMatchObject({ status: 2, stdout: "" });
    expect(text.stderr).toContain(`check: ${join(folder, "text.json")}: `);
    expect(node("examples/ci-policy/check.js")).toMatchObject({ status: 2, stdout: "" });
  });
});
