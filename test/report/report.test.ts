// The document as text: what it says, that it is the same every time, and that nothing in it acts or fetches.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { bytesOfBase85 } from "../../src/base/base85.js";
import { type ReplayResult, toJson } from "../../src/replay/index.js";
import { costParts } from "../../src/report/costs.js";
import { unpackData } from "../../src/report/data.js";
import { witnessesOf } from "../../src/report/hazards.js";
import { renderReport } from "../../src/report/index.js";
import { STYLE } from "../../src/report/style.js";
import { type VerdictRecord, verdicts } from "../../src/verdicts/index.js";
import { PAGE_FILE } from "../support/page-browser.js";
import { damaged, HOSTILE, hostile, large, replayOf } from "../support/report-results.js";

let vmap: ReplayResult;
let hotplug: ReplayResult;
let records: VerdictRecord[];
let page: string;

beforeAll(async () => {
  [vmap, hotplug] = await Promise.all([replayOf("hugevmap"), replayOf("hotplug")]);
  records = [];
  const policies = ["none", "deferred-free"] as const;
  const options = { policies, scenarios: ["pmd_free_pte_page", "remove_pagetable"], hardware: "usual" } as const;
  for await (const record of verdicts(options)) records.push(record);
  page = await renderReport(vmap, {
    verdicts: records,
    command: "stalewalk report 'a b.txt'",
    versions: { Node: "v1" },
  });
});

/** The rows of the table with this label, as texts. */
function rowsOf(document: string, label: string): string[][] {
  const start = document.indexOf(`aria-label="Table: ${label}"><table`);
  expect(start, label).toBeGreaterThan(0);
  const table = document.slice(start, document.indexOf("</table>", start));
  return [...table.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
    [...row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => plain(cell!)),
  );
}

/** All numbered stories. */
function storiesOf(document: string): string[][] {
  // A list that begins later goes on from the first one of its place.
  let first: string[] | undefined;
  return [...document.matchAll(/<h4>|<ol class="steps"(?: start="(\d+)")?>(.*?)<\/ol>/gs)].flatMap(
    ([, start, list]) => {
      if (list === undefined) first = undefined;
      if (list === undefined) return [];
      const told = [...list.matchAll(/<li>(.*?)<\/li>/gs)].map(([, step]) => plain(step!));
      const whole = start === undefined ? told : [...first!.slice(0, Number(start) - 1), ...told];
      first ??= whole;
      return [whole];
    },
  );
}

/** The report's own part of a document, without what says whether there is an application. */
function bodyOf(document: string): string {
  const start = document.indexOf('<div id="report"');
  return document.slice(start, document.indexOf("<footer>", start));
}

/** Which of these texts a document does not hold. */
function missing(document: string, texts: readonly string[]): string[] {
  const text = plain(document);
  return texts.filter((one) => !text.includes(one));
}

const plain = (markup: string): string =>
  markup
    .replace(/<span aria-hidden="true">.*?<\/span>/g, "")
    .replace(/<[^>]*>/g, "")
    .replaceAll("\u00a0", " ")
    .replace(/\s+/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .trim();

const count = (value: number): string => value.toLocaleString("en");

describe("the document", () => {
  it("allows its own style sheet by its digest, and nothing else", () => {
    const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)!;
    const [, style] = /<style>(.*?)<\/style>/s.exec(page)!;
    const digest = createHash("sha256").update(style!).digest("base64");
    expect(policy).toBe(`default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`);
  });

  it("holds no script, no handler, no style attribute and no address to fetch", () => {
    for (const tag of page.match(/<[a-z][^>]*>/gi)!) {
      expect(tag).not.toMatch(/^<(script|iframe|object|embed|link|img|image|base|form|use|a [^>]*href="[^#])/i);
      expect(tag).not.toMatch(/\s(on\w+|style|src|srcset|action|xlink:href)=/i);
    }
    expect(/@import|url\(/.exec(page)).toBeNull();
  });

  it("leads from its contents to every section, by ids that are there once", () => {
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    const targets = [...page.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id!);
    expect(targets.filter((id) => !ids.includes(id))).toEqual([]);
    const named = [...page.matchAll(/aria-labelledby="([^"]*)"/g)].map(([, id]) => id!);
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
    const sections = [...page.matchAll(/<section id="([^"]*)"/g)].map(([, id]) => id!);
    expect(targets).toEqual(["main", ...sections]);
    expect(page.match(/<h1/g)).toHaveLength(1);
  });

  it("is the same text every time", async () => {
    const again = { verdicts: records, command: "stalewalk report 'a b.txt'", versions: { Node: "v1" } };
    expect(await renderReport(vmap, again)).toBe(page);
  });

  it("draws charts in the page's colours only", () => {
    const charts = page.match(/<svg.*?<\/svg>/gs)!;
    expect(charts).toHaveLength(4);
    for (const chart of charts) {
      const colours = new Set([...chart.matchAll(/(?:fill|stroke)="([^"]*)"/g)].map(([, colour]) => colour!));
      for (const colour of colours) expect(colour).toMatch(/^(none|transparent|var\(--[a-z0-9-]+\))$/);
      expect(colours.size).toBeGreaterThan(3);
      for (const colour of colours) {
        const name = /--[a-z0-9-]+/.exec(colour)?.[0];
        if (name) expect(STYLE).toContain(`${name}:`);
      }
    }
  });

  it("carries the application with its data if it is given the page, and the same text", async () => {
    const template = readFileSync(PAGE_FILE, "utf8");
    const text = await renderReport(vmap, { verdicts: records, page: template });
    expect(bodyOf(text)).toBe(bodyOf(await renderReport(vmap, { verdicts: records })));
    const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text)!;
    expect(policy).not.toMatch(/unsafe-(?!eval)|(?<!wasm-)unsafe-eval|https?:/);
    const digest = (part: string): string => `'sha256-${createHash("sha256").update(part).digest("base64")}'`;
    const styles = [...text.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style]) => digest(style!));
    expect(styles).toHaveLength(2);
    expect(policy).toContain(`style-src ${styles.join(" ")};`);
    const [, loader] = /<script id="loader">(.*?)<\/script>/s.exec(text)!;
    const [, packed] = /<script type="text\/plain" id="packed">(.*?)<\/script>/s.exec(text)!;
    const program = gunzipSync(bytesOfBase85(packed!)).toString();
    expect(policy).toContain(`script-src ${digest(loader!)} ${digest(program)} 'wasm-unsafe-eval';`);
    const [, data] = /<script type="text\/plain" id="data">(.*?)<\/script>/s.exec(text)!;
    const given = unpackData(data!);
    expect(given.result).toEqual(JSON.parse(toJson(vmap)));
    expect(given.verdicts).toHaveLength(records.length);
    expect(await renderReport(vmap, { verdicts: records, page: template })).toBe(text);
  });

  it("takes no other text for the page", async () => {
    await expect(renderReport(vmap, { page: "<!doctype html>" })).rejects.toThrow(
      /not the text of stalewalk\/page.html/,
    );
  });

  it("stays below 1.5 MB with as many frees, hazards and policies as a replay lists", async () => {
    const text = await renderReport(large(vmap), { verdicts: records });
    expect(Buffer.byteLength(text)).toBeLessThan(1.5e6);
    expect(Buffer.byteLength(text)).toBeGreaterThan(3e5);
  });
});

describe("what it says", () => {
  it("compares every policy with the result's own figures", () => {
    const [, ...rows] = rowsOf(page, "Policies compared");
    expect(rows.map((row) => row.slice(0, 9))).toEqual(
      vmap.policies.map(({ policy, hazards, invalidations, needlessRounds, kernel }) => [
        policy.name,
        count(hazards.byAgent.iommu),
        count(hazards.byKind["forged-translation"]),
        count(hazards.byFree.length),
        count(invalidations.pageSelective),
        count(invalidations.pasidSelective + invalidations.global),
        count(invalidations.pasidCache + invalidations.deviceTlb),
        count(needlessRounds),
        count(kernel.queueWaits),
      ]),
    );
    expect(vmap.policies.some(({ hazards }) => hazards.byAgent.iommu > 0)).toBe(true);
  });

  it("splits the time lost into parts that add up to it", () => {
    const { figures } = vmap.configuration.costModel;
    for (const result of [...vmap.policies, ...hotplug.policies]) {
      const parts = costParts.reduce((sum, part) => sum + part.of(result, figures), 0);
      expect(parts).toBeCloseTo(result.lostNs, 3);
    }
  });

  it("begins with a verdict: what was freed, who walked, which policies let it happen", () => {
    const [none] = vmap.policies;
    const text = plain(page.slice(page.indexOf('class="verdict"'), page.indexOf('<dl class="facts">')));
    expect(text).toContain("1 kernel page table freed in 12.20 ms (all by pmd_free_pte_page; none before the flush");
    expect(text).toContain(`Under none ${none!.hazards.byAgent.iommu} walks of the IOMMU went through freed tables`);
    expect(text).toContain("That is no proof");
  });

  it("says of a trace without frees that walks had nothing to go through", async () => {
    const text = await renderReport(await replayOf("drivers", { policies: ["none"] }));
    const sentences = ["This trace frees no kernel page table", "The trace frees no kernel page table."];
    expect(missing(text, sentences)).toEqual([]);
  });

  it("lists the frees as the trace has them, with the order of free and flush", async () => {
    const [, ...rows] = rowsOf(await renderReport(hotplug), "Table frees");
    expect(rows).toHaveLength(hotplug.frees.length);
    expect(hotplug.frees.length).toBeGreaterThan(0);
    for (const [i, free] of hotplug.frees.entries()) {
      const row = rows[i]!;
      expect([row[0], row[2], row.at(-1)]).toEqual([count(free.index), free.site, count(free.line)]);
      expect(row[3]).toBe(`PD of 0x${free.address.toString(16)}`);
      expect(row[5]).toMatch(free.flushTimeNs === undefined ? /^no flush$/ : free.beforeFlush ? /later$/ : /earlier$/);
    }
  });

  it("lists no more frees and records than asked for, and says how many there are", async () => {
    const text = await renderReport(large(vmap), { maxFrees: 20, maxHazards: 7 });
    expect(text.includes("The first 20 are listed.")).toBe(true);
    expect(rowsOf(text, "Walks on record under none")).toHaveLength(8);
    expect(missing(text, ["The first 7 of 5,000."])).toEqual([]);
  });

  it("tells a witness in the order of time: flush, free, walk; or free, walk, flush", async () => {
    const story = (text: string): string[] =>
      [.../<ol class="steps">(.*?)<\/ol>/s.exec(text)![1]!.matchAll(/<li>(.*?)<\/li>/gs)].map(([, step]) =>
        plain(step!),
      );
    const first = story(page);
    const [hazard] = witnessesOf(vmap.policies[0]!);
    expect(first).toHaveLength(4);
    expect(first[0]).toContain("the flush that belongs to the free by pmd_free_pte_page");
    expect(first[1]).toContain("pmd_free_pte_page frees the PT of 0x");
    expect(first[2]).toContain(
      `0x${hazard!.address.toString(16)} and is led to model frame 0x${hazard!.frame.toString(16)}`,
    );
    for (const kind of hazard!.kinds) expect(first[3]).toContain(kind);
    const second = storiesOf(await renderReport(hotplug))[0]!;
    expect(second[0]).toContain("remove_pagetable frees the PD of");
    expect(second[0]).toContain("before its flush");
    expect(second.at(-1)).toContain("after the free that it should precede");
  });

  it("shows the verdicts beside the replay, with the stories of their hazards", async () => {
    const [head, ...rows] = rowsOf(page, "Walks of the IOMMU");
    expect(head).toEqual(["policy", "pmd_free", "unplug"]);
    expect(rows).toEqual([
      ["none", "hazard", "hazard"],
      ["deferred-free", "safe", "hazard"],
    ]);
    const stories = records.flatMap(({ worst, witness, race }) => worst?.witness ?? witness ?? race?.witness ?? []);
    expect(stories.length).toBeGreaterThan(2);
    const told = storiesOf(page);
    for (const { steps } of stories) expect(told).toContainEqual(steps.map(({ text }) => text));
    expect((await renderReport(vmap)).includes('id="verdicts"')).toBe(false);
  });

  it("says how to repeat it: command, versions, configuration, assumptions with their numbers", () => {
    const sources = Object.values(vmap.configuration.costModel.figures).map(({ source }) => source);
    const configuration = `"workDelayNs": ${vmap.configuration.workDelayNs}`;
    const command = "stalewalk report 'a b.txt'";
    expect(missing(page, [...vmap.assumptions, ...sources, configuration, command])).toEqual([]);
    const versions = [...page.slice(page.indexOf(">Versions</h3>")).matchAll(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g)];
    expect(versions.slice(0, 3).map(([, name, version]) => `${name} ${version}`)).toEqual([
      "stalewalk 1.2.3",
      "Node v1",
      expect.stringMatching(/^caches /),
    ]);
  });

  it("counts ticks, not time, where the trace's clock does", async () => {
    const ticks = { ...vmap, trace: { ...vmap.trace, timeUnit: "ticks" } } as const;
    const texts = [`freed in ${count(vmap.trace.durationNs)} ticks`, "time from the first event, ticks"];
    expect(missing(await renderReport(ticks), texts)).toEqual([]);
  });
});

describe("damaged input", () => {
  it("is said before any figure, and in the title", async () => {
    const text = await renderReport(damaged(vmap));
    expect(text).toMatch(/<title>Damaged input: /);
    const banner = text.indexOf("Damaged input.</strong>");
    expect(banner).toBeGreaterThan(0);
    expect(banner).toBeLessThan(text.indexOf('id="summary"'));
    expect(plain(text)).toContain(
      "3 lines could not be read; the tracer lost 12 events; the tracer lost events at 1 place",
    );
    expect(page.includes("Damaged input")).toBe(false);
  });

  it("is said too when only the tracer lost events", async () => {
    const trace = { ...vmap.trace, lost: { counted: 1, uncounted: 0 } };
    expect((await renderReport({ ...vmap, trace })).includes("Damaged input.</strong>")).toBe(true);
  });
});

describe("hostile names", () => {
  it("stay text, wherever the trace or a file could have put them", async () => {
    const text = await renderReport(hostile(vmap), { command: HOSTILE, versions: { [HOSTILE]: HOSTILE } });
    const allowed = new Set(page.match(/<\/?[a-z][a-z0-9]*|<!DOCTYPE/gi));
    expect([...new Set(text.match(/<\/?[^\s>]*/g))].filter((tag) => !allowed.has(tag.replace(/>$/, "")))).toEqual([]);
    expect(text.match(/<style|<\/style/g)).toHaveLength(2);
    expect(["\u202e", "\u0007"].filter((char) => text.includes(char))).toEqual([]);
    expect(text.match(/&lt;img src=x onerror=/g)!.length).toBeGreaterThan(60);
    expect(text.includes("\\u202e")).toBe(true);
  });

  it("stay text in charts", async () => {
    const charts = (await renderReport(hostile(vmap))).match(/<svg.*?<\/svg>/gs)!;
    expect(charts).toHaveLength(4);
    expect(charts.filter((chart) => !chart.includes("&lt;/script&gt;&lt;img"))).toEqual([]);
  });
});

describe("colours", () => {
  const both = [...STYLE.matchAll(/(--[\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)];
  const print = STYLE.slice(STYLE.indexOf("@media print"));
  const schemes = {
    light: new Map(both.map(([, name, light]) => [name!, light!])),
    dark: new Map(both.map(([, name, , dark]) => [name!, dark!])),
    print: new Map([
      ...both.map(([, name, light]) => [name!, light!] as const),
      ...[...print.matchAll(/(--[\w-]+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [name!, value!] as const),
    ]),
  };
  const inks = ["--ink", "--soft", "--link", "--hazard", "--told", "--wait", "--free"];
  const parts = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];
  const pairs = [...inks, ...parts].map((name) => [name, "--paper"] as const);
  const all = [...pairs, ["--ink", "--raised"], ["--banner-ink", "--banner"]] as const;

  it.each(["light", "dark", "print"] as const)("have 4.5:1 against their ground: %s", (scheme) => {
    expect(schemes[scheme].size).toBeGreaterThan(15);
    for (const [ink, ground] of all) {
      const ratio = contrast(schemes[scheme].get(ink)!, schemes[scheme].get(ground)!);
      expect(ratio, `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("mean the same in the application: hazards, invalidations, waiting", () => {
    const base = readFileSync(new URL("../../page/styles/base.css", import.meta.url), "utf8");
    for (const name of ["--hazard", "--told", "--wait", "--ink"]) {
      expect(base).toContain(`${name}: light-dark(${schemes.light.get(name)}, ${schemes.dark.get(name)})`);
    }
  });
});

/** WCAG 2.2, contrast ratio. */
function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
