// `stalewalk verdicts`: the matrix, the JSON, policies from files, and what it says to bad input.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli, runJson } from "../cli/run-cli.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function policyFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Rows of the matrix that between them have every kind of cell. */
const MATRIX = ["none", "flush-range", "flush-on-table-free", "deferred-free"].flatMap((name) => ["--policy", name]);

describe("stalewalk verdicts", () => {
  it("prints matrix, what was tried, hardware, occupancy and stories", async () => {
    // What the whole matrix says is held by the README's copy of it.
    const { code, out, err } = await runCli("verdicts", "--quick", "--depth", "2", ...MATRIX);
    expect([code, err]).toEqual([1, ""]);
    const line = (start: string): string => out.split("\n").find((text) => text.startsWith(start)) ?? "";
    expect(out.split("\n")[0]).toBe("kernel: Linux 7.3; by itself it has deferred-free");
    expect(out).toMatch(/^policy +pmd_free +pmd_free, split +pud_free +unplug +unplug, boot +unplug, HVO/m);
    expect(
      line("flush-range ")
        .match(/hazard|safe/g)
        ?.slice(0, 4),
    ).toEqual(["safe", "safe", "hazard", "hazard"]);
    expect(line("deferred-free ")).toMatch(/○ safe +○ safe +○ safe +● hazard +● hazard +◐ safe; race/);
    expect(line("stop-at-supervisor ")).toMatch(/● hazard +○ safe +● hazard +● hazard +● hazard +● hazard/);
    expect(out).toMatch(
      /^156 cells, [\d,]+ programs of [\d,]+ operations tried; each safe cell: [\d,]+ to [\d,]+ programs$/m,
    );
    expect(out).toMatch(/walks stop at U\/S = 0: \d+ of 52 pairs differ/);
    expect(out).toMatch(
      /supervisor leaves cached: +48 supervisor and 16 user entries of 64; 0 of 384 own requests hit/,
    );
    expect(out).toMatch(/^pud_free_pmd_page, IOMMU, forged-translation: flush-range, flush-on-table-free$/m);
    expect(out).toMatch(/^ +\d+ {2}device \(PASID 42\) reads .*a cached PD entry leads to frame 0x/m);
    expect(out.split("\n").some((text) => /^.{0,40}\bundefined\b/.test(text))).toBe(false);
  });

  it("gives one JSON record a cell", async () => {
    const { code, value } = await runJson(
      "verdicts",
      "--policy",
      "flush-range",
      "--site",
      "pud_free_pmd_page",
      "--option",
      "device-tlb",
    );
    expect(code).toBe(1);
    const records = value as Record<string, unknown>[];
    expect(records).toHaveLength(2);
    expect(records[0]).toMatchObject({
      policy: "flush-range",
      scenario: "pud_free_pmd_page",
      site: "pud_free_pmd_page",
      agent: "iommu",
      options: {
        cacheSupervisorLeaves: false,
        supervisorEntries: "cache",
        pagingStructureCaches: true,
        deviceTlb: true,
      },
      verdict: "hazard",
      kind: "forged-translation",
      tried: { depth: 3 },
      witness: { hazard: { address: "0xffffc90000a00000" } },
    });
    expect(Object.keys(records[0]?.["tried"] as object)).toEqual(["programs", "operations", "depth"]);
    expect(records[1]).toMatchObject({ agent: "cpu", options: { invlpgScope: "pcid" } });
  });

  it("judges a policy from a file; exit code 0 if it is safe, 1 if not", async () => {
    const safe = policyFile("safe.json", `{ "name": "mine", "hooks": { "kernelRange": true }, "scope": "pasid" }`);
    const site = ["--site", "pud_free_pmd_page", "--quick"];
    const good = await runCli("verdicts", "--policy", safe, ...site);
    expect([good.code, good.err]).toEqual([0, ""]);
    expect(good.out).toMatch(/^mine +○ safe$/m);
    const open = policyFile("open.json", `{ "name": "open" }`);
    expect((await runCli("verdicts", "--policy", open, ...site)).code).toBe(1);
  });

  it("takes a kernel by version or as uname -r prints it, says what it was taken for, and refuses one too old", async () => {
    const of = (version: string) =>
      runCli("verdicts", "--kernel", version, "--quick", "--policy", "sva-off", "--site", "munmap");
    const { code, out } = await of("6.18.15+deb14-amd64");
    expect(code).toBe(0);
    expect(out.split("\n")[0]).toBe(
      "kernel: Linux 6.18.15+deb14-amd64 (taken for 6.18.7); by itself it has deferred-free",
    );
    const old = await of("5.15");
    expect([old.code, old.out]).toEqual([2, ""]);
    expect(old.err).toBe('stalewalk: --kernel is "5.15"; expected 6.1 or later: nothing is known of older kernels\n');
  });

  it("names file and field of a bad policy, in one line", async () => {
    const cases: [string, string, RegExp][] = [
      [
        "scope.json",
        `{ "name": "x", "scope": "page" }`,
        /scope\.json: policy\.scope is "page"; expected one of range, pasid, all\n$/,
      ],
      ["key.json", `{ "name": "x", "hook": {} }`, /key\.json: policy\.hook is .*expected one of name, hooks/],
      ["name.json", "{}", /name\.json: policy\.name is undefined; expected a name/],
      ["list.json", "[]", /list\.json: policy is .*expected the name of a preset/],
      ["text.json", "{", /text\.json: .*JSON/],
    ];
    for (const [name, text, message] of cases) {
      const { code, out, err } = await runCli("verdicts", "--policy", policyFile(name, text));
      expect([code, out]).toEqual([2, ""]);
      expect(err).toMatch(message);
      expect(err.split("\n")).toHaveLength(2);
    }
    const missing = await runCli("verdicts", "--policy", join(folder, "no.json"));
    expect(missing.code).toBe(2);
    expect(missing.err).toMatch(/no\.json: neither a preset \(none, .*\) nor a file/);
  });

  it.each([
    [["--site", "pmd"], /pmd_free_pte_page/],
    [["--option", "psc"], /no-paging-structure-caches/],
    [["--depth", "9"], /Expected 1 to 5/],
  ])("refuses %j and says what there is", async (args, message) => {
    const { code, err } = await runCli("verdicts", ...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});
