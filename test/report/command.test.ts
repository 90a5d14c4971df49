// `stalewalk report` as a user runs it: the file as a whole or not at all, and errors of one line.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.js";
import { register } from "../../src/cli/report.js";
import { packageVersion } from "../../src/cli/version.js";
import { runCli, runJson } from "../cli/run-cli.js";
import { traceFile } from "../support/report-results.js";

const trace = traceFile("hugevmap");
const before = process.cwd();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-report-"));
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe("report", () => {
  it("is one of the commands", async () => {
    expect((await commands["report"]?.())?.register).toBe(register);
  });

  it("writes replay and verdicts of the policies asked for, and only the file", async () => {
    const file = join(folder, "out.html");
    const { code, out, err } = await runCli("report", trace, "--html", file, "--policy", "none", "--policy", "sva-off");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/out\.html: \d+ KiB\n$/);
    expect(readdirSync(folder)).toEqual(["out.html"]);
    const page = readFileSync(file, "utf8");
    expect(page.startsWith("<!DOCTYPE html>")).toBe(true);
    expect(page.endsWith("</html>\n")).toBe(true);
    expect(page.includes('id="verdicts"')).toBe(true);
    expect(page.includes(`<dt>stalewalk</dt><dd>${packageVersion()}</dd>`)).toBe(true);
    const [, command] = /aria-label="Command">(.*?)<\/pre>/.exec(page)!;
    expect(command).toBe(`stalewalk report ${trace} --html ${file} --policy none --policy sva-off`);
    expect(page.includes("flush-on-table-free")).toBe(false);
  });

  it("names the file after the trace, in the folder it is run in, and replaces what an earlier run left", async () => {
    process.chdir(folder);
    writeFileSync("hugevmap.report.html", "old");
    const { code, value } = await runJson("report", trace, "--no-verdicts", "--policy", "none");
    expect(code).toBe(0);
    expect(readdirSync(folder)).toEqual(["hugevmap.report.html"]);
    const page = readFileSync("hugevmap.report.html", "utf8");
    expect(value).toEqual({
      file: "hugevmap.report.html",
      bytes: Buffer.byteLength(page),
      damaged: false,
      policies: [{ policy: "none", iommuHazards: expect.any(Number), cpuHazards: 0, lostNs: expect.any(Number) }],
    });
    expect(page.includes('id="verdicts"')).toBe(false);
    expect(page.includes("--no-verdicts --policy none")).toBe(true);
  });

  it("quotes for a shell what needs it in the command", async () => {
    const copy = join(folder, "it's $HOME.trace.txt");
    writeFileSync(copy, readFileSync(trace));
    const file = join(folder, "a.html");
    await runCli("report", copy, "--html", file, "--no-verdicts", "--policy", "none");
    const [, command] = /aria-label="Command">(.*?)<\/pre>/.exec(readFileSync(file, "utf8"))!;
    expect(command!.replaceAll("&#39;", "'")).toContain(`'${folder}/it'\\''s $HOME.trace.txt'`);
  });

  it("says on stderr and in the page that the input was damaged; --strict writes nothing", async () => {
    const broken = join(folder, "broken.txt");
    writeFileSync(broken, `${readFileSync(trace, "utf8")}not an event at all\n`);
    const file = join(folder, "broken.html");
    const { code, err } = await runCli("report", broken, "--html", file, "--no-verdicts", "--policy", "none");
    expect(code).toBe(0);
    expect(err).toMatch(/^stalewalk: DAMAGED INPUT: 1 lines could not be read/);
    expect(readFileSync(file, "utf8").includes("Damaged input.</strong>")).toBe(true);
    rmSync(file);
    const strict = await runCli("report", broken, "--html", file, "--no-verdicts", "--strict");
    expect(strict.code).toBe(2);
    expect(strict.err).toContain("not an event at all");
    expect(readdirSync(folder)).toEqual(["broken.txt"]);
  });
});

describe("errors of report", () => {
  it("leave an earlier file as it was, and nothing beside it", async () => {
    const file = join(folder, "kept.html");
    writeFileSync(file, "kept");
    const { code, out, err } = await runCli("report", join(folder, "none.txt"), "--html", file);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^stalewalk: .*none\.txt: no such file or directory\n$/);
    expect(readFileSync(file, "utf8")).toBe("kept");
    expect(readdirSync(folder)).toEqual(["kept.html"]);
  });

  it("come before the work when there is no place for the file", async () => {
    const nowhere = join(folder, "missing", "a.html");
    const first = await runCli("report", trace, "--html", nowhere);
    expect(first).toEqual({
      code: 2,
      out: "",
      err: `stalewalk: --html ${nowhere}: ${join(folder, "missing")} is no folder\n`,
    });
    const taken = join(folder, "taken");
    mkdirSync(taken);
    const second = await runCli("report", trace, "--html", taken);
    expect(second).toEqual({
      code: 2,
      out: "",
      err: `stalewalk: --html ${taken}: is a folder; expected a regular file, or none yet\n`,
    });
  });

  it("name an unknown policy and the known ones", async () => {
    const { code, err } = await runCli("report", trace, "--html", join(folder, "a.html"), "--policy", "hope");
    expect(code).toBe(2);
    expect(err).toMatch(/--policy.*"hope".*deferred-free/);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("replay --html", () => {
  it("prints the comparison and writes the page, with the command that made it", async () => {
    const file = join(folder, "page.html");
    const { code, out } = await runCli("replay", trace, "--html", file, "--policy", "all");
    expect(code).toBe(0);
    expect(out).toContain("deferred-free");
    const page = readFileSync(file, "utf8");
    expect(page.endsWith("</html>\n")).toBe(true);
    expect(page).toContain(`stalewalk replay ${trace} --html ${file} --policy all</pre>`);
    expect(readdirSync(folder)).toEqual(["page.html"]);
  });

  it("refuses a place where no file can be before it plays anything", async () => {
    const { code, err } = await runCli("replay", trace, "--html", join(folder, "missing", "page.html"));
    expect(code).toBe(2);
    expect(err).toContain("is no folder");
  });
});
