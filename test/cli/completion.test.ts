// Completion: what the command says may follow, and what the shells make of it.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { suiteNames } from "../../src/benchmark/result.js";
import { createProgram } from "../../src/cli/program.js";
import { policies } from "../../src/kernel/policies.js";
import { profiles } from "../../src/replay/profiles.js";
import { scenarioNames } from "../../src/verdicts/scenarios.js";
import { MAIN, noShell } from "./process.js";
import { runCli, runJson } from "./run-cli.js";

async function complete(...words: string[]): Promise<string[]> {
  const { code, out, err } = await runCli("__complete", "--", ...words);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out.trim() === "" ? [] : out.trimEnd().split("\n");
}
const values = async (...words: string[]) => (await complete(...words)).map((line) => line.split("\t")[0]);
const presets = Object.keys(policies);
const NAMES = (await createProgram()).commands.map((command) => command.name());

describe("candidates", () => {
  it("are the commands first, each with what it does", async () => {
    const lines = await complete("");
    expect(lines.map((line) => line.split("\t")[0])).toEqual([...NAMES, "help"]);
    for (const line of lines) expect(line).toMatch(/^[\w-]+\t\S.+$/);
    expect(await values("re")).toEqual(["replay", "report", "record-help"]);
    expect(await values("--width", "80", "re")).toEqual(["replay", "report", "record-help"]);
  });

  it("are every option of a command, and the program's own", async () => {
    for (const command of (await createProgram()).commands) {
      const found = await values(command.name(), "-");
      for (const { long, hidden } of command.options) if (!hidden) expect(found).toContain(long);
      expect(found).toEqual(expect.arrayContaining(["--help", "--width", "--json"]));
    }
    expect(await values("replay", "--ge")).toEqual(["--geometry"]);
    expect(await values("--wi")).toEqual(["--width"]);
    // Behind a word -- of the user's own there are no options.
    expect(await values("--", "--wi")).toEqual([]);
    expect(await values("replay", "trace.txt", "--policy", "none", "--geo")).toEqual(["--geometry"]);
  });

  it.each<[string[], string[]]>([
    [
      ["verdicts", "--policy", ""],
      [...presets, "all", ":files"],
    ],
    [
      ["replay", "--policy", "fl"],
      ["flush-range", "flush-async", "flush-on-table-free", ":files"],
    ],
    [
      ["replay", "--policy=fl"],
      ["--policy=flush-range", "--policy=flush-async", "--policy=flush-on-table-free", ":files"],
    ],
    [
      ["replay", "--policy", "=", "fl"],
      ["flush-range", "flush-async", "flush-on-table-free", ":files"],
    ],
    [
      ["replay", "--policy", "="],
      [...presets, "all", ":files"],
    ],
    [
      ["report", "--geometry", "z"],
      ["zen2", ":files"],
    ],
    [
      ["simulate", "--profile", ""],
      [...Object.keys(profiles), ":files"],
    ],
    [
      ["simulate", "--profile=vmalloc-m"],
      ["--profile=vmalloc-mix", ":files"],
    ],
    [["simulate", "--operations", ""], []],
    [["simulate", ""], []],
    [["verdicts", "--site", ""], [...scenarioNames]],
    [["verdicts", "--site", "pmd_free_pte_page", "--site", "pu"], ["pud_free_pmd_page"]],
    [["verdicts", "--option", "d"], ["device-tlb"]],
    [
      ["walk", "--access", "user-"],
      ["user-read", "user-write", "user-fetch"],
    ],
    [
      ["record-help", "--kernel", "6.1"],
      ["6.1", "6.12", "6.15", "6.18"],
    ],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [
      ["bench", ""],
      [...suiteNames, "compare", "show"],
    ],
    [["bench", "compare", ""], [":files"]],
    [["bench", "compare", "a.json", "--th"], ["--threshold"]],
    [
      ["bench", "compare", "--estimator", ""],
      ["least", "median"],
    ],
    [["bench", "flush", "ver"], ["verdicts"]],
    [["bench", "--json", ""], [":files"]],
    [["replay", ""], [":files"]],
    [["replay", "--html", ""], [":files"]],
    [["replay", "--seed", ""], []],
    [["replay", "trace.txt", ""], []],
    [["check-image", "a.core", "b.core", ""], [":files"]],
    [["walk", "a.core", ""], []],
    [["walk", "--", "--acc"], [":files"]],
    [["replay", "--nosuch", ""], [":files"]],
    [
      ["nosuch", "--policy", "none", ""],
      [...NAMES, "help"],
    ],
    [[], [...NAMES, "help"]],
  ])("for %j", async (words, expected) => {
    expect(await values(...words)).toEqual(expected);
  });
});

describe("completion", () => {
  it("prints a script for each shell, also as JSON, and names the shells to whoever mistypes one", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { out } = await runCli("completion", shell);
      expect(out).toContain(" __complete -- ");
      expect((await runJson("completion", shell)).value).toEqual({ shell, script: out });
    }
    const { code, err } = await runCli("completion", "bsh");
    expect(code).toBe(2);
    expect(err).toMatch(/Expected one of bash, zsh, fish; did you mean bash\?\n$/);
  });
});

/** What a shell itself offers for a line: its own completion machinery is asked. */
const shells = {
  bash: (line: string) => `
    source <(stalewalk completion bash)
    COMP_LINE=${JSON.stringify(line)}; COMP_POINT=\${#COMP_LINE}
    read -ra COMP_WORDS <<< "$COMP_LINE"; [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=("")
    COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
    _stalewalk; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // A terminal of its own, in which Tab is pressed; waits until the last candidate is there.
  zsh: (line: string, last: string) => `
    zmodload zsh/zpty; zpty z zsh -f -i
    zpty -w z 'PS1= ; autoload -U compinit; compinit -u -D; source <(stalewalk completion zsh); print -r -- "re""ady"'
    zpty -m -r z heard '*ready*'
    zpty -w z 'bindkey "^I" list-choices; zstyle ":completion:*" list-max 0; LISTMAX=0; stty cols 200; print -r -- "re""ady2"'
    zpty -m -r z heard '*ready2*'
    zpty -n -w z ${JSON.stringify(line)}$'\\t'
    zpty -m -r z heard '*'${JSON.stringify(last)}'*'; print -r -- "$heard"`,
  fish: (line: string) => `stalewalk completion fish | source; complete -C ${JSON.stringify(line)}`,
} as const;

describe.each(Object.keys(shells) as (keyof typeof shells)[])("in %s", (shell) => {
  const absent = noShell ?? (spawnSync(shell, ["-c", "true"]).status === 0 ? undefined : `SKIPPED, no ${shell}: `);
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stalewalk-completion-"));
    mkdirSync(join(folder, "bin"));
    symlinkSync(MAIN, join(folder, "bin/stalewalk"));
    writeFileSync(join(folder, "none of yours.json"), "{}");
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const ask = (line: string, last: string): string => {
    const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env["PATH"]}`, HOME: folder, TERM: "xterm" };
    const flags = shell === "zsh" ? ["-f"] : [];
    const { stdout, stderr } = spawnSync(shell, [...flags, "-c", shells[shell](line, last)], {
      cwd: folder,
      encoding: "utf8",
      env,
      timeout: 100_000,
    });
    expect(stderr).toBe("");
    return stdout;
  };

  it.skipIf(absent)(`${absent ?? ""}the script is one that the shell takes`, async () => {
    const { out } = await runCli("completion", shell);
    const file = join(folder, `script.${shell}`);
    writeFileSync(file, out);
    expect(spawnSync(shell, ["-n", file], { encoding: "utf8" })).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  it.skipIf(absent)(`${absent ?? ""}commands, options, names and files are offered`, () => {
    expect(ask("stalewalk re", "report")).toMatch(/replay[\s\S]*report|record-help[\s\S]*replay/);
    expect(ask("stalewalk replay --geo", "geometry")).toContain("--geometry");
    expect(ask("stalewalk verdicts --site pud", "pud_free_pmd_page")).toContain("pud_free_pmd_page");
    const policy = ask("stalewalk verdicts --policy no", "yours.json");
    expect(policy).toMatch(/none\s/);
    expect(policy).toMatch(/none(\\? )of(\\? )yours\.json/);
  });
});
