// README and docs are true: their commands run, their terminal sessions show what is printed, library examples print what
// they say, tables list what there is, and JSON examples are accepted.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { commands as registered } from "../../src/cli/commands.js";
import { checkCostModel, costKinds, defaultCostModel, notModelled } from "../../src/cost/index.js";
import { checkPolicy, policies } from "../../src/kernel/policies.js";
import { checkHardware } from "../../src/replay/index.js";
import { joinMapping } from "../../src/trace/index.js";
import { resultOf, rowOf } from "../benchmark/results.js";
import { runCli } from "../cli/run-cli.js";
import { ROOT } from "../support/pack-package.js";
import { sharedData } from "../support/shared-data.js";

const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md"],
  ...readdirSync(join(ROOT, "docs"), { encoding: "utf8", recursive: true })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
/** Commands of npm itself that the pages name. */
const NPM = ["audit", "ci", "install", "outdated", "pack", "publish", "run", "version"];
const textOf = (page: string): string => readFileSync(join(ROOT, page), "utf8");
const readme = textOf("README.md");

/** Where files that the pages name are written. */
const SCRATCH = join(ROOT, "build", `readme-${process.pid}`);
const RECORDED = "../shared/data";

mkdirSync(SCRATCH, { recursive: true });
afterAll(() => rmSync(SCRATCH, { recursive: true }));

/** Fenced blocks of a language. */
function blocks(language: string, page = "README.md"): string[] {
  return [...textOf(page).matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter((it) => it[1] === language)
    .map((it) => it[2] ?? "");
}

/** JSON blocks by the file name that stands in the line above them. */
function jsonFiles(page: string): Map<string, string> {
  const found = textOf(page).matchAll(/^`([\w-]+\.json)`[^\n]*\n\n```json\n([\s\S]*?)^```$/gm);
  return new Map([...found].map((it) => [it[1] as string, it[2] as string]));
}

/** A command line as it can run here: arguments of `npx stalewalk …`, with recorded data and files where they are. */
function argumentsOf(line: string, page: string): { args: string[]; missing: boolean } {
  const files = jsonFiles(page);
  let missing = false;
  const words = line
    .replace(/^(\$ )?npx stalewalk /, "")
    .replace(/ >.*$/, "")
    .split(" ");
  const args = words.map((word, i) => {
    // Runs of the benchmark.
    if (/ bench (compare|show) /.test(line) && word.endsWith(".json")) {
      writeFileSync(join(SCRATCH, word), JSON.stringify(resultOf([rowOf("stalewalk", [10, 10.1, 10.2])])));
      return join(SCRATCH, word);
    }
    // A folder that is written to.
    if (words[i - 1] === "--out") return join(SCRATCH, word);
    if (word.startsWith(`${RECORDED}/`)) {
      const path = sharedData(word.slice(RECORDED.length + 1));
      missing ||= path === undefined;
      return path ?? word;
    }
    if (word.endsWith(".html") || files.has(word)) {
      if (files.has(word)) writeFileSync(join(SCRATCH, word), files.get(word) as string);
      return join(SCRATCH, word);
    }
    return word;
  });
  return { args, missing };
}

/** Compares printed lines with shown ones: a line … stands for any number of lines, … in a line for any text. */
function compare(shown: readonly string[], printed: readonly string[]): void {
  let at = 0;
  let free = false;
  for (let i = 0; i < shown.length; ) {
    if (shown[i] === "…") {
      free = true;
      i++;
      continue;
    }
    const next = shown.indexOf("…", i);
    const part = shown.slice(i, next === -1 ? shown.length : next);
    if (free) at = printed.indexOf(part[0] as string, at);
    expect(at, `not printed: ${part[0]}`).toBeGreaterThanOrEqual(0);
    const own = printed
      .slice(at, at + part.length)
      .map((line, n) => (matches(part[n] as string, line) ? part[n] : line));
    expect(own).toEqual(part);
    at += part.length;
    i += part.length;
    free = false;
  }
  if (!free) expect(printed.slice(at)).toEqual([]);
}

function matches(shown: string, line: string): boolean {
  const parts = shown.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return parts.length > 1 && new RegExp(`^${parts.join(".*")}$`).test(line);
}

const sessions = PAGES.flatMap((page) =>
  blocks("console", page).map((block) => {
    const [line = "", ...shown] = block.replace(/\n$/, "").split("\n");
    return { page, line: line.replace(/^\$ /, ""), shown, ...argumentsOf(line, page) };
  }),
);
const commandLines = PAGES.flatMap((page) =>
  blocks("sh", page)
    .flatMap((block) => block.split("\n").filter((line) => line.startsWith("npx stalewalk ")))
    .map((line) => ({ page, line })),
);

describe("README.md and docs", () => {
  it("have commands to run", () => {
    expect(commandLines.length).toBeGreaterThan(8);
    expect(sessions.length).toBeGreaterThan(4);
  });

  for (const { page, line } of commandLines) {
    it(`${page}: ${line}`, async () => {
      const { code, out, err } = await runCli(...argumentsOf(line, page).args);
      // Of a kernel without a record of its own it says which one stands for it.
      expect(err).toMatch(
        line.includes("record-help --kernel") ? /^stalewalk: the recorder for Linux \S+: taken for .*\n$/ : /^$/,
      );
      expect(code).toBe(0);
      expect(out).not.toBe("");
    });
  }

  for (const { page, line, shown, args, missing } of sessions) {
    const name = missing ? `SKIPPED, no recorded data in ${RECORDED}` : "shows what is printed";
    it.skipIf(missing)(`${page}: ${line}: ${name}`, async () => {
      const { out, err } = await runCli(...args);
      expect(err).toBe("");
      const root = sharedData("traces")?.replace(/\/traces$/, "") ?? RECORDED;
      compare(shown, out.replaceAll(root, RECORDED).replace(/\n$/, "").split("\n"));
    });
  }

  it.each(PAGES)("%s links to files that are there", (page) => {
    const folder = join(ROOT, page, "..");
    const links = [...textOf(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map((it) => it[1]!);
    expect(links.filter((link) => !existsSync(join(folder, link)))).toEqual([]);
  });

  it("name only scripts that are there", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
    const named = PAGES.flatMap((page) => [...textOf(page).matchAll(/npm (?:run )?([\w:]+)/g)].map((it) => it[1]!));
    const checked = named.filter((name) => !NPM.includes(name));
    expect(checked.length).toBeGreaterThan(1);
    expect(checked.filter((name) => !(name in scripts))).toEqual([]);
  });
});

/** Library examples, each with what it prints. */
const examples = ["README.md", "docs/embedding.md"].flatMap((page) =>
  blocks("js", page).map((example, i) => [page, i + 1, example, blocks("text", page)[i]] as const),
);

describe("README.md", () => {
  it("lists every command", () => {
    const listed = [...readme.matchAll(/^\| `([\w-]+)[^`]*` \|/gm)].map((it) => it[1]!);
    expect(Object.keys(registered).filter((name) => !listed.includes(name))).toEqual([]);
  });

  it("lists every entry point", () => {
    const { exports } = JSON.parse(textOf("package.json")) as { exports: Record<string, unknown> };
    const names = Object.keys(exports).filter((name) => name !== "./package.json");
    const missing = names.filter((name) => !readme.includes(`\`${name.replace(/^\./, "stalewalk")}\``));
    expect(missing).toEqual([]);
  });

  it.each(examples)("in %s, the library example %i prints what it says", (_page, _number, example, printed) => {
    expect(existsSync(join(ROOT, "dist/index.js")), "dist is not there: run npm run build first").toBe(true);
    const file = join(SCRATCH, "example.mjs");
    const library = JSON.stringify(pathToFileURL(join(ROOT, "dist/index.js")).href);
    writeFileSync(file, String(example).replace('"stalewalk"', library));
    expect(execFileSync(process.execPath, [file], { encoding: "utf8" })).toBe(printed);
  });
});

describe("docs/decisions", () => {
  const index = textOf("docs/decisions/README.md");
  const records = PAGES.filter((page) => /^docs\/decisions\/\d/.test(page)).sort();

  it("are numbered and indexed without a gap, by their titles", () => {
    const rows = records.map((page, i) => {
      const [, number, title] = /^# (\d+)\. (.*)$/m.exec(textOf(page)) ?? [];
      expect(number, page).toBe(String(i + 1));
      return `| ${number} | [${title}](${page.replace("docs/decisions/", "")}) |`;
    });
    expect(rows.length).toBeGreaterThan(5);
    expect(index.split("\n").filter((line) => /^\| \d/.test(line))).toEqual(rows);
  });

  it.each(records)("%s has the form", (page) => {
    const headings = textOf(page).match(/^## .*$/gm);
    expect(headings).toEqual([
      "## Context",
      expect.stringMatching(/^## What was (tried|weighed)$/),
      "## Numbers",
      "## Decision",
      "## Consequences",
    ]);
  });
});

describe("CONTRIBUTING.md", () => {
  it("names the scripts of package.json that a contributor runs", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
    const parts = ["clean", "prepack", "pretest", "build:wasm", "build:js"];
    const wanted = Object.keys(scripts).filter((name) => !parts.includes(name) && !/^(check|measure):/.test(name));
    const page = textOf("CONTRIBUTING.md");
    expect(wanted.filter((name) => !page.includes(`npm ${name === "test" ? name : `run ${name}`}`))).toEqual([]);
  });
});

describe("docs/policies.md", () => {
  it("lists the presets, each with what it is", () => {
    const rows = Object.values(policies).map(({ name, about }) => `| \`${name}\` | ${about} |`);
    expect(
      textOf("docs/policies.md")
        .split("\n")
        .filter((line) => /^\| `[\w-]+` \| [^|]+ \|$/.test(line)),
    ).toEqual(rows);
  });

  it("describes every field of a policy, with its default", () => {
    const { about: _, name: __, ...fields } = policies.none;
    for (const [field, value] of Object.entries(fields)) {
      const shown = field === "hooks" ? "both `false`" : `\`${JSON.stringify(value)}\``;
      expect(textOf("docs/policies.md")).toContain(`| \`${field}\` | ${shown} |`);
    }
  });

  it("has an example that is a policy", () => {
    const [[, text] = []] = jsonFiles("docs/policies.md");
    expect(checkPolicy(JSON.parse(text as string)).deferUnmarkedOf).toEqual(["cpa_collapse_large_pages"]);
  });
});

describe("docs/costs.md", () => {
  it("gives every figure, its source and how sure it is", () => {
    const rows = costKinds.map((kind) => {
      const { ns, confidence, source } = defaultCostModel.figures[kind];
      return `| \`${kind}\` | ${ns} | ${confidence} | ${source.replaceAll("|", "\\|")} |`;
    });
    expect(
      textOf("docs/costs.md")
        .split("\n")
        .filter((line) => /^\| `\w+` \| \d+ \|/.test(line)),
    ).toEqual(rows);
  });

  it("says what is not modelled", () => {
    expect(
      textOf("docs/costs.md")
        .split("\n")
        .filter((line) => line.startsWith("* ")),
    ).toEqual(notModelled.map((line) => `* ${line}`));
  });

  it("has an example that is a cost model", () => {
    const [[, text] = []] = jsonFiles("docs/costs.md");
    const model = checkCostModel(JSON.parse(text as string));
    expect(model.figures.queueWait).toEqual({
      ns: 900,
      source: "dmar_perf_latency, our machine",
      confidence: "verified",
    });
    expect(model.figures.ipiReceiver.ns).toBe(150);
  });
});

describe("docs/recording.md", () => {
  it("has examples that are a mapping and hardware", () => {
    const files = jsonFiles("docs/recording.md");
    const { events, rules } = joinMapping(JSON.parse(files.get("mapping.json") as string));
    expect(events.map(({ name }) => name)).toEqual(["my_table_free"]);
    expect(rules.at(-1)?.operation).toBe("table-free");
    expect(checkHardware(JSON.parse(files.get("hardware.json") as string)).name).toBe("mine");
  });
});
