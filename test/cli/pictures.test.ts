// Pictures and findings for other tools: `walk --svg`, `verdicts --svg`, `--sarif`, `replay --perfetto`, as a user runs them.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verdictsSarif } from "../../src/cli/sarif.js";
import { storySvg, witnessOf } from "../../src/cli/story-svg.js";
import { wrapped } from "../../src/cli/svg.js";
import { verdicts } from "../../src/verdicts/index.js";
import { runCli, runJson } from "./run-cli.js";

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const CORE = fixture("images/reduced-4level.core.gz");
const TRACE = fixture("traces/hugevmap.trace.txt");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-pictures-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Every start tag closes in its order, attributes are quoted, and nothing acts or is loaded. */
function expectSvg(text: string): void {
  expect(text.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
  const open: string[] = [];
  for (const [tag, slash, name, self] of text.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (slash) expect(open.pop(), tag).toBe(name);
    else if (!self) open.push(name!);
  }
  expect(open).toEqual([]);
  expect(text).not.toMatch(/<(script|image|foreignObject|use)|\son\w+=|href=|url\(|NaN|undefined/);
}

/** Of SARIF 2.1.0 what these files use. */
const message = { type: "object", required: ["text"], properties: { text: { type: "string", minLength: 1 } } };
const logical = {
  type: "object",
  additionalProperties: false,
  properties: { name: { type: "string" }, fullyQualifiedName: { type: "string" }, kind: { type: "string" } },
};
const SARIF = {
  type: "object",
  required: ["version", "runs"],
  additionalProperties: false,
  properties: {
    $schema: { type: "string", format: "uri" },
    version: { const: "2.1.0" },
    runs: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        required: ["tool", "results"],
        additionalProperties: false,
        properties: {
          columnKind: { enum: ["utf16CodeUnits", "unicodeCodePoints"] },
          tool: {
            type: "object",
            required: ["driver"],
            properties: {
              driver: {
                type: "object",
                required: ["name", "version", "rules"],
                properties: {
                  rules: { type: "array", items: { type: "object", required: ["id", "shortDescription"] } },
                },
              },
            },
          },
          results: {
            type: "array",
            items: {
              type: "object",
              required: ["ruleId", "ruleIndex", "level", "message", "locations"],
              additionalProperties: false,
              properties: {
                ruleId: { type: "string" },
                ruleIndex: { type: "integer", minimum: 0 },
                level: { enum: ["none", "note", "warning", "error"] },
                message,
                locations: {
                  type: "array",
                  items: {
                    type: "object",
                    additionalProperties: false,
                    properties: {
                      physicalLocation: {
                        type: "object",
                        required: ["artifactLocation"],
                        properties: { artifactLocation: { type: "object", required: ["uri"] } },
                      },
                      logicalLocations: { type: "array", items: logical },
                    },
                  },
                },
                codeFlows: {
                  type: "array",
                  items: {
                    type: "object",
                    required: ["threadFlows"],
                    properties: {
                      threadFlows: {
                        type: "array",
                        minItems: 1,
                        items: {
                          type: "object",
                          required: ["locations"],
                          properties: {
                            locations: {
                              type: "array",
                              minItems: 1,
                              items: { type: "object", required: ["location", "executionOrder"] },
                            },
                          },
                        },
                      },
                    },
                  },
                },
                properties: { type: "object" },
              },
            },
          },
        },
      },
    },
  },
};

interface Sarif {
  runs: { tool: { driver: { rules: { id: string }[] } }; results: SarifResult[] }[];
}
interface SarifResult {
  ruleId: string;
  ruleIndex: number;
  message: { text: string };
  properties: Record<string, unknown>;
  codeFlows?: { threadFlows: { locations: { location: { message: { text: string } } }[] }[] }[];
}

function sarif(text: string): Sarif {
  const log = JSON.parse(text) as Sarif;
  const valid = new Ajv({ strict: false, formats: { uri: true } }).compile(SARIF);
  expect(valid(log), JSON.stringify(valid.errors)).toBe(true);
  for (const { results, tool } of log.runs) {
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  }
  return log;
}

describe("walk --svg", () => {
  it("draws the tables that it prints, and the page", async () => {
    const file = join(folder, "walk.svg");
    const { value } = await runJson("walk", CORE, "ffffffffff600000", "--access", "user-read", "--svg", file);
    const { chain } = value as { chain: { entry: string }[] };
    const text = readFileSync(file, "utf8");
    expectSvg(text);
    expect(chain).toHaveLength(4);
    for (const { entry } of chain) expect(text).toContain(`0x${entry.slice(2).padStart(16, "0")}`);
    expect(text.match(/class="box"/g)).toHaveLength(4);
    expect(text).toContain("physical address 0x0000000029e04000, 4 KiB page");
    expect(readdirSync(folder)).toEqual(["walk.svg"]);
  });

  it("draws a refusal as such, and an address that is none", async () => {
    const file = join(folder, "walk.svg");
    await runCli("walk", CORE, "ffffffffff600000", "--access", "supervisor-write", "--svg", file);
    const refused = readFileSync(file, "utf8");
    expectSvg(refused);
    expect(refused).toContain('class="refused"');
    await runCli("walk", CORE, "1234567890abcdef", "--svg", file);
    const text = readFileSync(file, "utf8");
    expectSvg(text);
    expect(text).toContain("not canonical");
  });
});

describe("verdicts --svg and --sarif", () => {
  const cell = ["verdicts", "--quick", "--policy", "none", "--site", "pud_free_pmd_page"];

  it("draw and tell the story that is printed", async () => {
    const [svg, file] = [join(folder, "story.svg"), join(folder, "found.sarif")];
    const { code, out } = await runCli(...cell, "--svg", svg, "--sarif", file);
    expect(code).toBe(1);
    const steps = [...out.matchAll(/^ +(\d+) {2}(.+)$/gm)].map(([, , text]) => text!);
    const text = readFileSync(svg, "utf8");
    expectSvg(text);
    const words = text
      .replace(/<[^>]*>/g, " ")
      .replace(/\s+/g, " ")
      .replaceAll("&#39;", "'");
    const log = sarif(readFileSync(file, "utf8"));
    const told = log.runs[0]!.results.map(({ codeFlows }) =>
      codeFlows![0]!.threadFlows[0]!.locations.map(({ location }) => location.message.text),
    );
    expect(told.length).toBeGreaterThan(0);
    for (const step of told[0]!) {
      expect(words).toContain(step.replace(/\s+/g, " "));
      expect(steps).toContain(step);
    }
    expect(log.runs[0]!.results[0]!.properties).toMatchObject({ policy: "none", agent: "iommu" });
  });

  it("--svg says so if there is nothing to draw; --sarif then has no result", async () => {
    const [svg, file] = [join(folder, "story.svg"), join(folder, "found.sarif")];
    const args = ["verdicts", "--quick", "--policy", "sva-off", "--site", "munmap", "--sarif", file];
    expect((await runCli(...args)).code).toBe(0);
    expect(sarif(readFileSync(file, "utf8")).runs[0]!.results).toEqual([]);
    const { code, err } = await runCli(...args, "--svg", svg);
    expect(code).toBe(2);
    expect(err).toMatch(/--svg .*: no hazard/);
    expect(readdirSync(folder)).toEqual(["found.sarif"]);
  });

  it("tell a race apart from a hazard", async () => {
    const records = [];
    const options = {
      policies: ["deferred-free"],
      scenarios: ["kasan_remove_zero_shadow"],
      agents: ["iommu"],
    } as const;
    for await (const record of verdicts({ ...options, hardware: "usual" })) records.push(record);
    const { results } = sarif(verdictsSarif(records)).runs[0]!;
    expect(results.map(({ ruleId }) => ruleId)).toEqual(["walk-through-freed-table-by-race"]);
    const found = witnessOf(records[0]!)!;
    expectSvg(storySvg(records[0]!, found));
    expect(storySvg(records[0]!, found)).toContain("only by a race");
  });
});

describe("audit --sarif", () => {
  it("has the audit's findings with their addresses", async () => {
    const file = join(folder, "audit.sarif");
    const { value } = await runJson("audit", CORE, "--sarif", file);
    const audit = value as Record<string, { examples: { address: string }[] }> & {
      writableExecutable: Record<string, { examples: { address: string }[] }>;
    };
    const found = [
      ...audit["userReachableKernelLeaves"]!.examples,
      ...audit.writableExecutable["user"]!.examples,
      ...audit.writableExecutable["kernel"]!.examples,
    ];
    const { results } = sarif(readFileSync(file, "utf8")).runs[0]!;
    expect(results).toHaveLength(found.length);
    expect(results.length).toBeGreaterThan(0);
    for (const [i, { address }] of found.entries()) expect(results[i]!.message.text).toContain(address.slice(2));
  });
});

describe("replay --perfetto", () => {
  it("writes the events beside what is printed", async () => {
    const file = join(folder, "replay.json");
    const { value } = await runJson("replay", TRACE, "--policy", "none", "--perfetto", file);
    const { traceEvents } = JSON.parse(readFileSync(file, "utf8")) as {
      traceEvents: { name: string; args?: object }[];
    };
    const { frees } = value as { frees: { site: string }[] };
    expect(value).not.toHaveProperty("marks");
    expect(traceEvents.filter(({ name }) => name === frees[0]!.site)).toHaveLength(frees.length);
    expect(traceEvents.some(({ name }) => name === "walk through a freed table")).toBe(true);
  });
});

describe("text in pictures", () => {
  it("is broken between words, and loses none", () => {
    const text = "one two  three aVeryLongWordThatHasNoPlaceToBreak";
    expect(wrapped(text, 10).join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
    expect(wrapped(text, 10).every((line) => line.length <= 10)).toBe(true);
    expect(wrapped("", 10)).toEqual([]);
  });
});
