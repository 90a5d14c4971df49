// What a user hands in and how it is refused: policies that can't be told apart (K18, K19), inputs in which nothing was read
// (T12), and mistyped names, with the nearest known one.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nearest } from "../../src/base/suggest.js";
import { policies } from "../../src/kernel/policies.js";
import { replay } from "../../src/replay/index.js";
import { verdicts } from "../../src/verdicts/index.js";
import { bash, CORE, noShell, quoted, TRACE, VECTORS } from "./process.js";
import { runCli, runJson } from "./run-cli.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-input-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const refused = async (...args: string[]): Promise<string> => {
  const { code, out, err } = await runCli(...args);
  expect({ code, out, lines: err.split("\n").length }, err).toEqual({ code: 2, out: "", lines: 2 });
  return err;
};

describe.each([
  ["verdicts", ["verdicts", "--quick", "--site", "munmap"]],
  ["replay", ["replay", TRACE]],
  ["report", ["report", TRACE, "--no-verdicts", "--html", "nowhere.html"]],
])("policies of %s", (command, args) => {
  it("K18: two files with one name are refused, and both are named", async () => {
    const one = file("one.json", '{"name": "mine", "hooks": {"kernelRange": true}}');
    const two = file("two.json", '{"name": "mine"}');
    expect(await refused(...args, "--policy", one, "--policy", two)).toBe(
      `stalewalk: ${two}: policy.name is "mine", as in ${one}; expected a name of its own\n`,
    );
  });

  it("K18: a file with the name of a preset is refused, whether the preset is asked for or not", async () => {
    const none = file("none.json", '{"name": "none", "free": "deferred"}');
    for (const more of [[], ["--policy", "none"], ["--policy", "all"]]) {
      expect(await refused(...args, "--policy", none, ...more)).toMatch(
        /none\.json: policy\.name is "none", a preset's; expected a name of its own\n$/,
      );
    }
  });

  it.each(["{}", '{"hooks": {"kernelRange": true}}', '{"name": ""}', '{"name": null}', '"none"', "null", "[]", "3"])(
    "K19: a file with %s has no name for its row",
    async (text) => {
      const policy = file("unnamed.json", text);
      expect(await refused(...args, "--policy", policy)).toMatch(/unnamed\.json: policy(\.name)? is .*; expected /);
    },
  );

  it("the same preset or file twice is one row", async () => {
    if (command === "report") return;
    const mine = file("mine.json", '{"name": "mine", "root": "none"}');
    const twice = ["--policy", "sva-off", "--policy", mine, "--policy", "sva-off", "--policy", mine];
    const { code, value } = await runJson(...args, ...twice);
    expect(code).toBe(0);
    const rows = command === "replay" ? (value as { policies: object[] }).policies : (value as object[]);
    const names = new Set(rows.map((row) => JSON.stringify((row as { policy: unknown }).policy)));
    expect(names.size).toBe(2);
    if (command === "replay") expect(rows).toHaveLength(2);
  });

  it.each(["toString", "constructor", "__proto__", "hasOwnProperty"])("%s is no preset", async (name) => {
    expect(await refused(...args, "--policy", name)).toMatch(/--policy is .*; expected none, /);
  });
});

describe("K18: the library", () => {
  it("refuses policies with one name, by their place", async () => {
    const two = [{ ...policies.none, name: "x" }, "none" as const, { ...policies["user-root"], name: "x" }];
    const message = 'policies[2].name is "x"; expected a name of its own (policies[0] has this one)';
    await expect(verdicts({ policies: two, scenarios: ["munmap"] }).next()).rejects.toThrow(message);
    await expect(replay([], { policies: two })).rejects.toThrow(message);
    await expect(replay([], { policies: [{}, { root: "none" }] })).rejects.toThrow(/policies\[1\]\.name is "none"/);
  });
});

describe("T12: inputs in which nothing is read end with 2, and nothing is written", () => {
  const inputs: [string, string | Uint8Array][] = [
    ["empty", ""],
    ["empty.gz", gzipSync("")],
    ["hello", "hello\n"],
    ["lines", "\n\n\n"],
    ["header", "# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:2\n#\n"],
    ["zeros", new Uint8Array(5000)],
    ["others", "            job-4677    [001] d...  1118.654183: sched_foo: a=1\n"],
  ];
  it.each(inputs)("%s", async (name, content) => {
    const path = file(name, content);
    for (const form of [[], ["--json"], ["--csv"], ["--policy", "none"], ["--html", join(folder, "page.html")]]) {
      expect(await refused("replay", path, ...form)).toMatch(
        name === "others" ? /none of its 1 events .*sched_foo/ : /\S/,
      );
    }
    expect(await refused("report", path, "--no-verdicts", "--html", join(folder, "page.html"))).toMatch(/\S/);
    if (name !== "others") expect(await refused("check-vectors", path)).toMatch(/\S/);
    expect(await refused("check-image", path)).toMatch(/\S/);
    expect(await refused("audit", path)).toMatch(/\S/);
    expect(await refused("walk", path, "0")).toMatch(/\S/);
    expect(readdirSync(folder)).not.toContain("page.html");
  });

  it("a trace with one known event is enough, whatever else is in it", async () => {
    const line = "            job-1    [001] .....     1.700000: vfree: (vfree+0x4/0x50) addr=0xffffc90000480000\n";
    const path = file("one-event", `            job-1    [001] d...  1.654183: sched_foo: a=1\n${line}`);
    expect((await runCli("replay", path)).code).toBe(0);
  });

  it.skipIf(noShell)(`${noShell ?? ""}also from standard input`, () => {
    for (const args of [
      ["replay", "-"],
      ["report", "-", "--html", "page.html"],
      ["check-vectors", "-"],
    ]) {
      const { status, stdout, stderr } = bash(`: | ${quoted(args)}`, folder);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(/^stalewalk: -: [^\n]+\n$/);
    }
  });
});

describe("what cannot be read is named", () => {
  it.each<string[]>([["replay"], ["report"], ["check-vectors"], ["audit"], ["check-image"]])(
    "a folder in place of a file: %s",
    async (command) => {
      expect(await refused(command, folder)).toContain(`${folder}: `);
    },
  );

  it.each(["policy", "geometry", "cost", "mapping"])("a folder as the file of --%s, and no file", async (option) => {
    expect(await refused("replay", TRACE, `--${option}`, folder)).toBe(
      `stalewalk: ${folder}: illegal operation on a directory\n`,
    );
    const nowhere = join(folder, "nowhere.json");
    expect(await refused("replay", TRACE, `--${option}`, nowhere)).toMatch(
      /nowhere\.json: (no such file or directory|neither a preset .* nor a file)\n$/,
    );
  });

  it("an empty name", async () => {
    expect(await refused("replay", "")).toBe('stalewalk: "": no such file or directory\n');
  });

  it.each(["-1", "nan", "inf", "1e400", "1,5", ""])("--rate %j: what is expected", async (rate) => {
    expect(await refused("replay", TRACE, "--rate", rate)).toMatch(/--rate.* Expected a number of 0 or more\.\n$/);
  });
});

describe("JSON files", () => {
  it("may begin with a byte order mark", async () => {
    const path = file("mark.json", '\ufeff{"name": "mine"}');
    const { value } = await runJson("replay", TRACE, "--policy", path);
    expect(value).toMatchObject({ configuration: { policies: [{ name: "mine" }] } });
  });

  it.each([
    ['{"name": "a", "name": "b"}', "name"],
    ['{"name": "a", "hooks": {"kernelRange": true, "kernelAll": true, "kernelRange": false}}', "kernelRange"],
    ['{"name": "a", "n\\u0061me" : "b"}', "name"],
    ['{"name": "{\\"a\\": 1", "scope" :"all", "scope":"all"}', "scope"],
  ])("%s: a member that is given twice is refused", async (text, name) => {
    const path = file("twice.json", text);
    expect(await refused("replay", TRACE, "--policy", path)).toBe(`stalewalk: ${path}: "${name}" is given twice\n`);
  });

  it("may have equal names in different objects, and say no name twice themselves", async () => {
    const path = file("equal.json", '{"name": "name", "hooks": {"kernelRange": true}}');
    expect((await runCli("replay", TRACE, "--policy", path)).err).toBe("");
    expect(await refused("replay", TRACE, "--policy", file("none.json", "{"))).toMatch(
      /^stalewalk: \S+none\.json: no JSON: /,
    );
  });
});

describe("did you mean", () => {
  it.each<[string[], string]>([
    [["verdict"], "verdicts"],
    [["chek-image"], "check-image"],
    [["replay", TRACE, "--polcy", "none"], "--policy"],
    [["verdicts", "--policy", "defered-free"], "deferred-free"],
    [["verdicts", "--policy", "deferred_free"], "deferred-free"],
    [["replay", TRACE, "--policy", "user-rot"], "user-root"],
    [["report", TRACE, "--policy", "sva-of"], "sva-off"],
    [["verdicts", "--site", "pmd_free"], "pmd_free_pte_page"],
    [["verdicts", "--site", "munamp"], "munmap"],
    [["verdicts", "--option", "device-tbl"], "device-tlb"],
    [["replay", TRACE, "--geometry", "skylak"], "skylake"],
    [["report", TRACE, "--geometry", "icelake"], "iceLake"],
    [["walk", CORE, "0", "--access", "user-raed"], "user-read"],
    [["completion", "fihs"], "fish"],
  ])("%j", async (args, name) => {
    expect(await refused(...args)).toMatch(new RegExp(`; did you mean ${name}\\?\n$`));
  });

  it.each<[string, string, string]>([
    ["cost", '{"figures": {"queueWiat": 1}}', "queueWait"],
    ["cost", '{"figures": {"ipi": 1}}', "ipiBroadcast"],
    ["policy", '{"name": "x", "hook": {}}', "hooks"],
    ["policy", '{"name": "x", "scope": "rang"}', "range"],
    ["policy", '{"name": "x", "free": "defered"}', "deferred"],
    ["policy", '{"name": "x", "deferUnmarkedOf": ["cpa_colapse_large_pages"]}', "cpa_collapse_large_pages"],
    ["geometry", '{"cpu": "skylak"}', "skylake"],
    ["geometry", '{"dialct": "amd"}', "dialect"],
  ])("a %s file with %s", async (option, text, name) => {
    const path = file("mistyped.json", text);
    const err = await refused("replay", TRACE, `--${option}`, path);
    expect(err).toMatch(/mistyped\.json: /);
    expect(err).toMatch(new RegExp(`; did you mean ${name}\\?\n$`));
  });

  it("nothing where nothing is near", async () => {
    for (const args of [
      ["verdicts", "--policy", "best"],
      ["verdicts", "--site", "x"],
      ["walk", CORE, "0", "--access", "look"],
      ["replay", TRACE, "--geometry", ""],
      ["frobnicate"],
    ]) {
      expect(await refused(...args)).not.toMatch(/did you mean/i);
    }
    expect(nearest("", ["none"])).toBeUndefined();
    expect(nearest("x".repeat(1e6), ["none"])).toBeUndefined();
    expect(nearest("none", [])).toBeUndefined();
  });
});

describe("exit codes", () => {
  it("stand in --help", async () => {
    const { out } = await runCli("--help");
    for (const code of [0, 1, 2, 3, 141]) expect(out).toMatch(new RegExp(`^ {2}${code} +\\S`, "m"));
  });

  it("are 1 only for policies that were named", async () => {
    const site = ["--quick", "--site", "remove_pagetable", "--depth", "1"];
    expect((await runCli("verdicts", ...site)).code).toBe(0);
    expect((await runCli("verdicts", "--policy", "all", ...site)).code).toBe(0);
    expect((await runCli("verdicts", "--policy", "none", ...site)).code).toBe(1);
    expect((await runCli("check-vectors", VECTORS)).code).toBe(0);
  });
});
